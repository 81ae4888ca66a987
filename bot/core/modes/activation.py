"""Coming on and leaving: greeting, help, the guide, transforming, the goodbye. No model takes part in any of it."""

from __future__ import annotations

import re

from bot.core import permissions, works
from bot.core.coming_on import come_on
from bot.core.command_table import HOST_COMMANDS
from bot.core.events import Utterance
from bot.core.gates import ExitGate
from bot.core.model import Activate, Decide, Option, Run
from bot.core.permissions import READING, WRITING
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry
from bot.personas.model import Cast, Persona, fold

CHAT_TOOLS = READING | WRITING
"""Names of tools in persona files, folded, that a chat has in its own way: for the documents of the channel."""


def activate(step: StepBuilder, persona: Persona, by: Utterance | None = None, *, alone: bool) -> None:
    """Bring `persona` on: she greets and, if she is `alone` (no command came along), shows her help and waits.

    `by` called her. What was being done is to be paused before.
    """
    works.close(step, f"{persona.name} was called")
    before = step.session.personas
    base = step.cast.persona(before[0]) if before else None
    if persona.id not in before:
        from_whom = ""
        if base and base.is_coordinator:
            _off(step, before[1:])
            step.say(
                f"I hand over to {persona.icon} **{persona.name}**{_as(persona)}. `*exit` brings me back.", who=base.id
            )
            step.change(personas=(base.id, persona.id))
            from_whom = base.name
        else:
            _off(step, before)
            step.change(personas=(persona.id,))
        come_on(step, persona, by, from_whom=from_whom)
    elif before[-1] != persona.id:
        _off(step, before[1:])
        step.change(personas=before[:1])
    _forget_lists(step)
    if alone:
        menu = step.page(f"commands:{persona.id}", command_options(persona), prompt=HELP_PROMPT)
        step.say(greeting(persona, step.cast), menu)
    else:
        step.say(greeting(persona, step.cast))


def greeting(persona: Persona, cast: Cast) -> str:
    """How `persona` introduces herself, rendered from her definition and what is told of her pack."""
    lines = [f"Hello, I am **{persona.name}**{_as(persona)}."]
    if persona.is_coordinator:
        lines.append(
            "I coordinate the personas and their workflows: tell me what you are after and I turn into the right one. "
            "All commands begin with `*`, like `*help` and `*agent`."
        )
    elif persona.when_to_use:
        lines.append(_sentence(_purpose(persona)))
    if about := cast.about(persona.pack):
        lines.append(about)
    documents = permissions.told(persona)
    absent = [t for t in persona.tools or () if fold(t) not in CHAT_TOOLS]
    if absent:
        names = ", ".join(f"`{t}`" for t in absent)
        lines.append(f"My definition counts on tools that this chat does not have ({names}). {documents}".rstrip())
    elif documents:
        lines.append(documents)
    return "\n\n".join(lines)


def _as(persona: Persona) -> str:
    return f", your {persona.title}" if persona.title and fold(persona.title) != fold(persona.name) else ""


def _purpose(persona: Persona) -> str:
    """What a persona is for, from what its file says of when to use it, so that it reads as her own words."""
    when = persona.when_to_use
    if found := re.match(r"(?i)(?:call|use)\s+(?:this\s+(?:agent|persona|skill)\s+)?(?=(?:for|when|to|if)\b)", when):
        return f"Call me {when[found.end() :]}"
    if when.startswith(("You ", "you ")):
        return f"Call me when you {when[4:]}"
    if when.casefold().startswith("call "):
        return when
    # A reader has taken "Use this agent when" away, and made the letter behind it a capital.
    if found := re.search(rf"(?i)\b(for|when|to|if)\s+(\S){re.escape(when[1:25])}", persona.extra):
        return f"Call me {found[1].lower()} {found[2]}{when[1:]}"
    return f"In short: {when}"


def _sentence(text: str) -> str:
    """`text` on one line, at most its first 300 characters, ending as a sentence does."""
    flat = " ".join(text.split())
    if len(flat) > 300:
        flat = flat[:300].rsplit(" ", 1)[0].rstrip(",;:.") + " ..."
    return flat if flat.endswith((".", "!", "?")) else f"{flat}."


# ---------------------------------------------------------------- help

HELP_PROMPT = "Pick a number, type a command, or just write."


def help_here(step: StepBuilder) -> None:
    """What can be done now: the active persona's commands, or the guide to all personas."""
    persona = step.persona
    if persona is None:
        guide(step)
        return
    if persona.is_coordinator:
        step.say(directory(step, persona))
    menu = step.page(f"commands:{persona.id}", command_options(persona), prompt=HELP_PROMPT)
    step.say(f"**{persona.name}**{_as(persona)}: what I can do here.", menu)


LARGE = 60
"""From so many personas on a coordinator's help tells how to find them instead of naming them all."""


def directory(step: StepBuilder, persona: Persona) -> str:
    """Everybody but `persona` with their purpose, and every workflow with its own."""
    others = [p for p in step.cast.personas if p.id != persona.id]
    if len(others) > LARGE:
        parts = [f"**{len(others)} others** are here: `*agent` lists them, and `*agent` with a few words finds them."]
    else:
        parts = ["**Who is here** (`*agent` with a name or a few words brings them on)"]
        parts += [f"- `*{p.id}`: {_with_purpose(p)}" for p in others]
    parts += ["", *_packs(step.cast), *_workflows(step)]
    return "\n".join(parts).rstrip()


def _packs(cast: Cast) -> list[str]:
    """What is told of packs, a line each."""
    told = {pack: cast.about(pack) for pack in dict.fromkeys(p.pack for p in cast.personas)}
    return [f"- {about}" for about in told.values() if about]


def _workflows(step: StepBuilder) -> list[str]:
    """Every workflow with what it is for; empty without any."""
    found = step.cast.resources_of(None, "workflows")
    if not found:
        return []
    later = "" if step.modes.begun_by("workflow") else "; this build does not run them yet"
    lines = [f"- `{r.stem}`: {_sentence(re.split(r'(?<=[.!?]) ', r.purpose)[0] or r.stem)}" for r in found[:WORKFLOWS]]
    return ["", f"**Workflows**, from an idea or a change to reviewed stories{later}", *lines]


WORKFLOWS = 25
"""So many workflows are described at most."""


def command_options(persona: Persona) -> tuple[Option, ...]:
    """The persona's own commands in the order of the definition, with those of the host that everybody needs."""
    own = [Option(f"*{_shown(c.name, c.args)}", Run(c.name), _hint(c.label)) for c in persona.commands]
    have = {fold(c.name) for c in persona.commands}
    needed = ("help", "exit") if persona.commands else ("help", "status", "yolo", "exit")
    host = [Option(f"*{n}", Run(n), HOST_COMMANDS[n]) for n in needed if n not in have]
    return (*own, *host)


def _shown(name: str, args: str) -> str:
    return f"{name} {args}" if args else name


def _hint(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 160 else flat[:157].rsplit(" ", 1)[0] + "..."


LISTED = 90
"""So many characters of what a persona is for are in a list of personas."""


def guide(step: StepBuilder, first: int = 0) -> None:
    """The way in for somebody new: what this is, how to talk to it, and everybody in the library."""
    if not step.cast.personas:
        step.tell("The library holds no persona. The operator has to check `library.paths`.")
        return
    menu = step.page("personas", persona_options(step.cast), first, prompt="Pick a number to bring somebody on.")
    if first:
        step.tell("More personas:", menu)
        return
    coordinator = next((p for p in step.cast.personas if p.is_coordinator), None)
    unsure = [f"- not sure whom to ask? `*{coordinator.id}` finds out with you"] if coordinator else []
    lines = [
        "I host personas: experts that you talk with here, each under their own name.",
        "",
        f"- `*name` brings one on, for example `*{step.cast.personas[0].id}`; they greet and show their commands",
        "- `*agent` with a few words finds who knows about them",
        "- a number picks from the last list; plain text goes to the active persona",
        "- `*help` shows what can be done now, `*status` where things stand, `*exit` sends the persona off",
        "- `stop` ends a reply; a message that begins with `//` is between you people",
        *unsure,
        *_packs(step.cast),
        *_workflows(step),
        "",
        f"**{len(step.cast.personas)} personas** are here:",
    ]
    step.tell("\n".join(lines), menu)


def persona_options(cast: Cast) -> tuple[Option, ...]:
    """One option a persona, in the library's order, and then those who stand behind others of their id."""
    behind = tuple(
        Option(f"*{p.id}", Activate(p.id), f"{introduction(p)}; stands behind `*{p.id.rpartition('/')[2]}`")
        for p in cast.shadowed
    )
    return (*(Option(f"*{p.id}", Activate(p.id), _with_purpose(p)) for p in cast.personas), *behind)


def _with_purpose(persona: Persona) -> str:
    purpose = persona.purpose(LISTED)
    begins = purpose.partition(": ")[0]
    return f"{introduction(persona)}: {begins if len(begins) >= LISTED // 4 else purpose}".rstrip(": ")


def introduction(persona: Persona) -> str:
    """Icon, name and title."""
    title = f", {persona.title}" if persona.title and fold(persona.title) != fold(persona.name) else ""
    return f"{persona.icon} {persona.name}{title}"


# ---------------------------------------------------------------- leaving


def leave(step: StepBuilder) -> None:
    """`*exit`: ask first where the definition says so, else go."""
    session = step.session
    if not session.active:
        step.tell("Nobody is on, so there is nobody to send off. `*help` shows who can be called.")
        return
    persona = step.persona
    command = persona.command("exit") if persona else None
    if persona and command and command.confirm:
        works.close(step, "the persona was asked to leave")
        options = (Option("Yes, leave", Decide("yes")), Option("No, stay", Decide("no")))
        step.halt(ExitGate(persona.id), options, f"Leave now? I'm {persona.name}, your {persona.title or persona.id}.")
        return
    depart(step)


def exit_decided(step: StepBuilder, option: Option) -> None:
    """Leave, or stay: then what stood below the question stands again."""
    step.open_gate()
    if option.action == Decide("yes"):
        depart(step)
    else:
        stays(step)
        step.say("I stay.")
        works.stand(step)


def stays(step: StepBuilder) -> None:
    """Let the persona know that people were asked whether it leaves, and that it does not: it may have proposed it."""
    step.note(Entry("note", step.session.active, "People were asked whether you leave; you stay, *exit did not run."))


def depart(step: StepBuilder) -> None:
    """The goodbye, and the floor back to the coordinator or to people; what was being done is paused."""
    if not works.pause(step, "the persona left"):
        works.stand(step)
        return
    works.close(step, "the persona left")
    active = step.session.active
    persona = step.cast.persona(active)
    rest = step.session.personas[:-1]
    name = f"{persona.name}{_as(persona)}" if persona else active
    step.say(f"Goodbye! This was {name}. `*{active}` brings me back.", who=active)
    _off(step, (active,))
    _forget_lists(step)
    step.change(personas=rest, yolo=step.session.yolo and bool(rest))
    if rest:
        step.note(Entry("note", rest[-1], f"{persona.name if persona else active} left: you have the floor again."))
        step.say("I am back. `*help` shows what I can do, `*agent` who else is here.", who=rest[-1])


def _off(step: StepBuilder, who: tuple[str, ...]) -> None:
    """Note that these went: their prompts begin anew when they come back, so there is nothing left to try again."""
    unfinished = step.session.unfinished_reply
    if unfinished and unfinished.who in who:
        step.change(unfinished_reply=None)
    if step.session.crowded in who:
        step.change(crowded="")
    for ident in reversed(who):
        step.note(Entry("off", ident))


def _forget_lists(step: StepBuilder) -> None:
    """The menus of whoever was on belong to them: nobody chooses from them after a change of personas."""
    step.change(menus=())
