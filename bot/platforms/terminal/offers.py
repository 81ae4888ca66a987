"""What can be typed next, and the completion of it: commands, personas, menu numbers, the terminal's own words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from bot.core.command_table import CommandTable, Target
from bot.core.model import Activate, Menu, ReadOut
from bot.core.session import ConversationState
from bot.personas.model import Cast, fold
from bot.platforms.terminal.harmless import in_one_line
from bot.platforms.terminal.typed import OWN_WORDS

STARTS = "*!@/"
"""What a text begins with that is completed while it is typed; a number is, too."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What a conversation understands now: all that can be named, and the menu that a typed number is bound to."""

    targets: tuple[Target, ...] = ()
    menu: Menu | None = None
    active: str = ""


Look = Callable[[], Awaitable[Offers]]
"""Gives the offers of the conversation that is being typed into."""


def offers(saved: ConversationState, cast: Cast) -> Offers:
    """What can be typed into a conversation of which `saved` is kept. A persona's own words take numbers as text."""
    session = saved.session
    bound = saved.number_anchors[-1].menu if saved.number_anchors else ""
    menu = next((m for m in session.menus if m.id == bound), None)
    table = CommandTable(cast, cast.persona(session.active) if session.active else None)
    return Offers(tuple(table), menu, session.active)


def completions(text: str, now: Offers) -> Iterator[Completion]:
    """What `text` can become: the whole of it each time, with what it means beside it."""
    if "\n" in text:
        return
    if not text or text.isdecimal():
        yield from _numbers(text, now.menu)
        return
    start, said = text[0], text[1:]
    if start == "/":
        for word, (what, does) in OWN_WORDS.items():
            if word.startswith(text):
                yield Completion(f"{word} " if what else word, -len(text), f"{word} {what}".strip(), does)
    word, space, name = said.partition(" ")
    if start in "*!" and space and fold(word) == "agent":
        yield from _named(text, f"{start}{word} ", name, [t for t in now.targets if isinstance(t.action, Activate)])
    elif start in "*!" and not space:
        yield from _named(text, start, said, now.targets)
    elif start in "@/" and not space and said:
        who = [t for t in now.targets if start == "/" or isinstance(t.action, Activate | ReadOut)]
        yield from _named(text, start, said, who)


def _numbers(text: str, menu: Menu | None) -> Iterator[Completion]:
    for number, option in enumerate(menu.options if menu else (), 1):
        if str(number).startswith(text):
            label = in_one_line(option.label)
            # With its dot, which a typed number may have: what adds nothing to the text would not be shown.
            yield Completion(f"{number}.", -len(text), f"{number}. {label}", in_one_line(option.hint))


def _named(text: str, before: str, said: str, found: tuple[Target, ...] | list[Target]) -> Iterator[Completion]:
    """The targets one of whose names begins with what was said, then those that have it inside."""
    wanted = fold(said)
    begin = [t for t in found if any(fold(n).startswith(wanted) for n in t.names)]
    within = [t for t in found if t not in begin and len(wanted) > 1 and any(wanted in fold(n) for n in t.names)]
    for target in [*begin, *within]:
        name = target.names[0]
        if name == in_one_line(name):
            yield Completion(f"{before}{name}", -len(text), name, in_one_line(target.hint))


class OffersCompleter(Completer):
    """Completes from what the conversation understands at the moment of asking."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """Nothing: to see what is understood takes a look into the store, which only `get_completions_async` has."""
        yield from ()

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """The completions of all that stands before the cursor."""
        for completion in completions(document.text_before_cursor, await self._look()):
            yield completion
