"""Sending a post once, though an answer may be lost: it is looked for before it is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.ports.transport import TransportError

T = TypeVar("T")

WAITS = (0.5, 1.0, 2.0)
"""Seconds before a call whose answer was lost is made again."""


async def sent_once(
    send: Callable[[], Awaitable[T]],
    find: Callable[[], Awaitable[T | None]],
    unanswered: type[Exception],
    platform: str,
) -> T:
    """What `send` gives, or what `find` finds after `send` has raised `unanswered`.

    Raises TransportError where `platform` never answers, and what either of them raises otherwise.
    """
    for wait in (*WAITS, None):
        try:
            return await send()
        except unanswered as error:
            if wait is None:
                raise TransportError(f"{platform} does not answer: {error}") from error
            await asyncio.sleep(wait)
            if (found := await find()) is not None:
                return found
    raise AssertionError("the last round returns or raises")


async def nothing() -> None:
    """Finds nothing: what is sent may be sent again without harm."""
