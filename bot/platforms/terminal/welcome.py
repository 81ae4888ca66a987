"""The first screen of a chat: what this is, what to type first, and what somebody should know before that."""

from __future__ import annotations

from collections.abc import Sequence

from prompt_toolkit.formatted_text import StyleAndTextTuples

from bot.personas.model import Cast, Persona, fold
from bot.platforms.terminal.harmless import in_one_line

DIM = "ansibrightblack"
WRONG = "ansired"

_SOMEBODY = ("pm", "architect", "analyst")
"""Who is named as an example where they are there: most people know what these do."""

OTHERWISE = "/? shows what else can be typed here."

SHORT: StyleAndTextTuples = [
    ("bold", "Greenroom"),
    (DIM, ": "),
    ("bold", "*help"),
    (DIM, f" shows what can be done now; {OTHERWISE}\n"),
]
"""What a screen begins with where somebody is on already, or nobody has more to say."""


def welcome(cast: Cast, active: str, model: str, findings: Sequence[str]) -> StyleAndTextTuples:
    """The first screen. `active` is the id of whoever is on; `model` says who answers, or why nobody can."""
    persona = cast.persona(active) if active else None
    lines: StyleAndTextTuples = []
    if persona:
        lines += [*SHORT, (DIM, f"{_named(persona)} is still on.\n")]
    elif active or not cast.personas:
        lines += SHORT
    else:
        lines += _for_somebody_new(cast)
    lines.append((DIM, f"{in_one_line(model)}\n"))
    lines += [(WRONG, f"{in_one_line(line)}\n") for line in findings]
    return lines


def _for_somebody_new(cast: Cast) -> StyleAndTextTuples:
    who = next((p for ident in _SOMEBODY if (p := cast.persona(ident))), cast.personas[0])
    guide = next((p for p in cast.personas if p.is_coordinator), None)
    examples = [
        ("*help", f"shows all {len(cast.personas)} of them, and how to talk here"),
        (f"*{who.id}", f"calls {_named(who)}"),
        (f"*{guide.id}", "finds out with you whom you need") if guide else ("*agent", "lists them, to pick from"),
    ]
    width = max(len(word) for word, _ in examples)
    lines: StyleAndTextTuples = [
        ("bold", "Greenroom"),
        ("", " hosts personas: experts, each with a trade and a name, who talk with you here.\n"),
        ("", "Call one, and they greet you, show what they can do, and wait for you. For example:\n\n"),
    ]
    for word, meaning in examples:
        lines += [("bold", f"  {in_one_line(word):<{width}}"), ("", f"  {meaning}\n")]
    return [*lines, (DIM, f"\n{OTHERWISE}\n")]


def _named(persona: Persona) -> str:
    title = f", {persona.title}" if persona.title and fold(persona.title) != fold(persona.name) else ""
    return in_one_line(f"{persona.icon} {persona.name}{title}")
