"""What is given to a slash command, and what is offered for it while it is typed."""

from __future__ import annotations

from bot.core import commands
from bot.personas.model import Cast, fold


def as_typed(text: str) -> str:
    """`/greenroom pm` is `*pm`, and nothing is `*help`; a number, `stop` and what has a prefix stay as they are."""
    text = text.strip() or "help"
    return f"*{text}" if commands.is_plain(text) and not commands.is_aside(text) else text


def offered(cast: Cast, active: str, typed: str, most: int) -> tuple[commands.Target, ...]:
    """At most `most` commands and personas that `typed` may become, where the persona `active` ("" for none) is on.

    With nothing typed: what the persona can do, else who there is; then the rest.
    """
    persona = cast.persona(active) if active else None
    everything = commands.targets(cast, persona)
    wanted = fold(typed.strip().lstrip("*"))
    if not wanted:
        people = [target for target in everything if cast.persona(target.label.removeprefix("*"))]
        own = everything[: len(persona.commands)] if persona else ()
        return tuple(dict.fromkeys((*own, *people, *everything)))[:most]
    begins = [t for t in everything if any(fold(name).startswith(wanted) for name in t.names)]
    holds = [t for t in everything if any(wanted in fold(name) for name in t.names)]
    return tuple(dict.fromkeys((*begins, *holds, *commands.nearest(wanted, everything))))[:most]
