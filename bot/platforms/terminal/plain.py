"""One message a line in, plain text out: the terminal as scripts use it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TextIO

from bot.core.model import Conversation, Inbound, Receipt
from bot.platforms.terminal.typed import Orders, TerminalError, Typing, harmless
from bot.ports import MailboxFullError, Outgoing

AGAIN = "(again) "
"""Put before what an earlier process may have printed already: a printed line cannot be looked up."""


class PlainTransport:
    """A `bot.ports.Transport` that prints posts as `icon Name: text`, whole: a pipe has no previews."""

    limit = 1_000_000

    def __init__(self, out: TextIO, orders: Orders) -> None:
        self._out, self._orders = out, orders

    async def post(self, out: Outgoing) -> Receipt:
        """Print it."""
        again = AGAIN if out.again else ""
        self._out.write(harmless(f"{out.voice.icon} {out.voice.name}: {again}{out.text}") + "\n")
        self._out.flush()
        order = self._orders.next()
        return Receipt(str(order), order)

    async def find(self, out: Outgoing) -> Receipt | None:
        """What was printed cannot be found again."""
        return None

    async def preview(self, out: Outgoing) -> str | None:
        """There are none."""
        return None

    async def extend(self, ref: str, text: str) -> None:
        """There is nothing to extend."""

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """There is nothing to seal."""
        return None

    async def withdraw(self, ref: str) -> None:
        """There is nothing to withdraw."""

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """There is nothing to be found."""
        return None


async def converse(
    lines: Callable[[], Awaitable[str]],
    errors: TextIO,
    typing: Typing,
    receive: Callable[[Inbound], Awaitable[bool]],
    answered: Callable[[], Awaitable[None]],
) -> None:
    """Send each line when the one before is answered, until the input ends ("") or `/quit`; then wait for the last."""
    await answered()
    while not typing.left and (line := await lines()):
        try:
            read = typing.read(line)
            if isinstance(read, Inbound):
                await receive(read)
        except (TerminalError, MailboxFullError) as error:
            errors.write(f"{error}\n")
        await answered()
