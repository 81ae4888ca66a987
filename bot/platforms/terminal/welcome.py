"""The first screen of a chat: what this is, what to type first, and what somebody should know before that."""

from __future__ import annotations

from collections.abc import Sequence

from bot.personas.model import Cast, Persona, fold
from bot.platforms.terminal.harmless import in_one_line

DIM = "ansibrightblack"
WRONG = "ansired"

_SOMEBODY = ("pm", "architect", "analyst")
"""Who is named as an example where they are there: most people know what these do."""

OTHERWISE = "/? shows what else can be typed here."

Line = tuple[str, str]
"""A line and its style. What is too long for the screen is broken between words, and moved in as its beginning is."""

SHORT: tuple[Line, ...] = ((DIM, f"Greenroom: *help shows what can be done now; {OTHERWISE}"),)
"""What a screen begins with where somebody is on already, or nobody has more to say."""


def welcome(cast: Cast, active: str, model: str, findings: Sequence[str]) -> tuple[Line, ...]:
    """The first screen. `active` is the id of whoever is on; `model` says who answers, or why nobody can."""
    persona = cast.persona(active) if active else None
    if persona:
        lines = [*SHORT, (DIM, f"{_named(persona)} is still on.")]
    elif active or not cast.personas:
        lines = [*SHORT]
    else:
        lines = _for_somebody_new(cast)
    return (*lines, (DIM, in_one_line(model)), *((WRONG, in_one_line(line)) for line in findings))


def _for_somebody_new(cast: Cast) -> list[Line]:
    who = next((p for ident in _SOMEBODY if (p := cast.persona(ident))), cast.personas[0])
    guide = next((p for p in cast.personas if p.is_coordinator), None)
    examples = [
        ("*help", f"shows all {len(cast.personas)} of them, and how to talk here"),
        (f"*{who.id}", f"calls {_named(who)}"),
        (f"*{guide.id}", "finds out with you whom you need") if guide else ("*agent", "lists them, to pick from"),
    ]
    width = max(len(word) for word, _ in examples)
    return [
        ("", "Greenroom hosts personas: experts with a name and a trade, who talk with you."),
        ("", "Call one: they greet you, show what they can do, and wait. For example:"),
        ("", ""),
        *(("", f"  {in_one_line(word):<{width}}  {meaning}") for word, meaning in examples),
        ("", ""),
        (DIM, OTHERWISE),
    ]


def _named(persona: Persona) -> str:
    title = f", {persona.title}" if persona.title and fold(persona.title) != fold(persona.name) else ""
    return in_one_line(f"{persona.icon} {persona.name}{title}")
