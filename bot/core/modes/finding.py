"""Finding somebody: `*agent WORDS`, an unknown command, and what a newcomer writes while nobody is on.

All of it suggests, with numbers and reasons, and brings nobody on by itself.
"""

from __future__ import annotations

import re
from itertools import islice

from bot.core.command_table import CommandTable
from bot.core.events import Utterance
from bot.core.model import MENU_OPTIONS, Activate, Option
from bot.core.modes import activation
from bot.core.step_builder import StepBuilder
from bot.personas.model import Cast, Persona, fold
from bot.personas.ranking import Match

SUGGESTED = 3
"""So many personas are suggested to somebody who has called none."""

WORTH = 0.35
"""Who scores less than this share of the best is not mentioned in a search."""

FOUND = 50
"""So many personas at most are the result of a search."""

REASON = 140
"""So many characters of a reason at most."""

_ADDRESSED = re.compile(r"\s*@?([^\n,:!?]{1,60})\s*[,:!]")
_NAMED = re.compile(r"\s*@([\w.-]{1,60})")


def agent(step: StepBuilder, args: str, by: Utterance) -> None:
    """`*agent [name or words]`: somebody by id, name or role, who comes on; else those who fit, to pick from."""
    wanted = args.strip().lstrip("*@/").strip()
    same = step.cast.all_of(wanted) if "/" not in wanted else ()
    found = step.cast.called(wanted)
    if len(same) > 1:
        options = tuple(Option(f"*{p.id}", Activate(p.id), _with_pack(p)) for p in same[:20])
        step.tell(f"Several packs have a `{same[0].id}`. Which one shall come on?", step.menu(options))
        return
    if len(found) == 1:
        activation.activate(step, found[0], by, alone=True)
        return
    if found:
        options = tuple(Option(f"*{p.id}", Activate(p.id), _with_pack(p)) for p in found[:20])
        step.tell(f"Who do you mean by “{wanted}”?", step.menu(options, quotes=by), quotes=by)
        return
    options = searched(step.cast, wanted)
    if not options:
        step.tell(f"Nobody here fits “{wanted}”. `*agent` lists everybody.", quotes=by)
        return
    menu = step.page(f"found:{wanted}", options, prompt="Pick a number to bring somebody on.", quotes=by)
    step.tell(f"These fit “{wanted}”, the best first:", menu, quotes=by)


def searched(cast: Cast, words: str, most: int = FOUND, first: int = 0) -> tuple[Option, ...]:
    """At most so many: those whose name is like `words`, then those who fit them, best first.

    Reasons are given with those that a page shows which begins at entry `first`.
    """
    near = CommandTable(cast, None).nearest(fold(words), people=True)
    named = [p for t in near if isinstance(t.action, Activate) and (p := cast.persona(t.action.persona))]
    fit = {match.persona.id: match for match in fitting(cast, words, most)}
    people = {p.id: p for p in (*named, *(match.persona for match in fit.values()))}
    return tuple(
        Option(f"*{ident}", Activate(ident), _introduced(p, fit.get(ident)) if 0 <= at - first < MENU_OPTIONS else "")
        for at, (ident, p) in enumerate(islice(people.items(), most))
    )


def fitting(cast: Cast, words: str, most: int = FOUND) -> tuple[Match, ...]:
    """At most so many of those who fit `words` about as well as the best of them."""
    found = cast.finder.rank(words, most)
    return tuple(match for match in found if match.score >= WORTH * found[0].score)


def reason(match: Match) -> str:
    """Why somebody fits: the part of the purpose, or the command, that has a word of what was asked."""
    persona = match.persona
    parts = [" ".join(part.split()) for part in re.split(r"[;:.]\s|\n", persona.when_to_use)]
    parts += [f"*{command.name}: {command.description}" for command in persona.commands]
    for word in match.words:
        stem = word[: max(4, len(word) - 2)]
        for part in parts:
            if stem in part.casefold():
                return _shortened(part, stem)
    return f"knows about {', '.join(match.words)}"


def _shortened(part: str, word: str) -> str:
    """At most `REASON` characters of a text, from near the word on."""
    if len(part) <= REASON:
        return part
    at = part.casefold().find(word)
    start = 0 if at < REASON - 20 else part.rfind(", ", 0, at) + 2
    cut = part[start : start + REASON - 6].rsplit(" ", 1)[0].rstrip(",;:")
    return f"{'... ' if start else ''}{cut}{' ...' if start + REASON - 6 < len(part) else ''}"


def _introduced(persona: Persona, match: Match | None, why: str = "") -> str:
    told = why or (reason(match) if match else persona.purpose(REASON))
    return f"{activation.introduction(persona)}: {told}".rstrip(": ")


def _with_pack(persona: Persona) -> str:
    return f"{activation.introduction(persona)}" + (f" (of `{persona.pack}`)" if persona.pack else "")


# ---------------------------------------------------------------- a newcomer


def suggest(step: StepBuilder, lines: tuple[Utterance, ...]) -> None:
    """Nobody is on, and somebody wrote to the bot: three who may fit. Whoever is picked gets the words as a message."""
    line = lines[-1]
    text = "\n".join(each.text for each in lines)
    named, asked = addressed(step.cast, text)
    found = [(p, "you named them") for p in named[:SUGGESTED]]
    found += [
        (match.persona, reason(match))
        for match in fitting(step.cast, asked, 2 * SUGGESTED)
        if match.persona not in named
    ]
    fits = bool(found)
    if len(found) < SUGGESTED:
        known = {p.id for p, _ in found}
        found += [(p, why) for p, why in _for_newcomers(step.cast) if p.id not in known]
    if not found:
        activation.guide(step)
        return
    options = tuple(Option(f"*{p.id}", Activate(p.id), _introduced(p, None, why)) for p, why in found[:SUGGESTED])
    for older in step.session.menus:
        if older.held:
            step.close(older.id)
    sent = " Send your file again when somebody is on." if any(each.files for each in lines) else ""
    begins = (
        "Nobody is on yet. For what you wrote I suggest:"
        if fits
        else "Nobody is on yet. I host personas: experts who answer here, each under their own name. To begin with:"
    )
    prompt = f"Pick a number, and they get your message. `*help` shows everybody.{sent}"
    step.tell(begins, step.menu(options, prompt=prompt, quotes=line, held=line.text.strip()), quotes=line)


def addressed(cast: Cast, text: str) -> tuple[tuple[Persona, ...], str]:
    """The personas whom `text` speaks to in its beginning (`Winston, ...`, `@architect ...`), and the rest of it."""
    for pattern in (_NAMED, _ADDRESSED):
        if (found := pattern.match(text)) and (called := cast.called(found[1].strip())):
            return called, text[found.end() :]
    return (), text


def _for_newcomers(cast: Cast) -> list[tuple[Persona, str]]:
    """The coordinator, who helps to choose, and the first of the others."""
    coordinator = next((p for p in cast.personas if p.is_coordinator), None)
    first = [(coordinator, "finds out with you whom you need")] if coordinator else []
    others = (p for p in cast.personas if not p.is_coordinator)
    return [*first, *((p, p.purpose(REASON)) for p in islice(others, SUGGESTED))]
