"""Who is meant by a word of the command line."""

from __future__ import annotations

from bot.core.command_table import CommandTable
from bot.core.model import Activate
from bot.personas.library import Library
from bot.personas.model import Persona, fold
from bot.platforms.terminal.typed import TerminalError

_FEW = 5


def persona_of(library: Library, word: str) -> Persona:
    """The persona of that id, name or role. Raises TerminalError, which names whom it could mean."""
    cast, wanted = library.cast, word.strip().lstrip("*@/").strip()
    found = cast.called(wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise TerminalError(f"{word!r} can be {_either([p.id for p in found[:_FEW]])}: say which.")
    nearest = CommandTable(cast, None).nearest(fold(wanted), people=True)
    near = [t.action.persona for t in nearest if isinstance(t.action, Activate)]
    meant = f"did you mean {_either(near[:_FEW])}?" if near else "`greenroom personas list` shows everybody."
    raise TerminalError(f"Nobody here goes by {word!r}; {meant}")


def _either(idents: list[str]) -> str:
    *first, last = idents
    return f"{', '.join(first)} or {last}" if first else last
