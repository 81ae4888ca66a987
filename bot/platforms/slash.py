"""What is given to a slash command, and what is offered for it while it is typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from bot.core import commands
from bot.core.command_table import LONGEST, CommandTable, Target
from bot.personas.model import Cast, fold


def as_typed(text: str) -> str:
    """`/greenroom pm` is `*pm`, and nothing is `*help`; a number, `stop` and what has a prefix stay as they are."""
    text = text.strip() or "help"
    return f"*{text}" if commands.is_plain(text) and not commands.is_aside(text) else text


def offered(cast: Cast, active: str, typed: str, most: int) -> tuple[Target, ...]:
    """At most `most` commands and personas that `typed` may become, where the persona `active` ("" for none) is on.

    With nothing typed: what the persona can do, else who there is; then the rest.
    """
    persona = cast.persona(active) if active else None
    table = CommandTable(cast, persona)
    wanted = fold(typed[:LONGEST].strip().lstrip("*"))
    found = chain(table.holding(wanted), table.nearest(wanted)) if wanted else chain(table.own(), table.people(), table)
    return tuple(islice(_different(found), most))


def _different(targets: Iterable[Target]) -> Iterator[Target]:
    """Each of them the first time that it comes."""
    seen = set[Target]()
    for target in targets:
        if target not in seen:
            seen.add(target)
            yield target
