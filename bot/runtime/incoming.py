"""The files that come with what people say: read before the machine sees them, and never waited for without end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.core.doc_arguments import room
from bot.core.events import HumanEvent, Said
from bot.core.listening import ListenPolicy
from bot.core.model import Attachment
from bot.ports.clock import Clock
from bot.ports.transport import Transport, TransportError
from bot.runtime.lease import ended

log = logging.getLogger(__name__)

WAITS = (0.0, 2.0, 8.0)
"""Seconds before each of the tries to read a file."""

WITHIN = 60.0
"""Seconds in which all files of a turn have to be read, however many tries were made by then."""

TOGETHER = 4
"""So many files of a turn are read at once."""

UNREAD = "I could not fetch it ({why}); send it again later, or paste what matters"


async def with_files(event: HumanEvent, policy: ListenPolicy, transport: Transport, clock: Clock) -> HumanEvent:
    """The event with what its files say, of those messages that are heard.

    A file that cannot be read within a minute has that for its problem, and the turn goes on.
    """
    if not isinstance(event, Said):
        return event
    wanted = [
        (file, room(line.text)) for line in event.lines if line.files and policy.hears(line) for file in line.files
    ]
    if not wanted:
        return event
    found = iter(await _read(wanted, transport, clock))
    lines = (
        replace(line, files=tuple(next(found) for _ in line.files)) if line.files and policy.hears(line) else line
        for line in event.lines
    )
    return replace(event, lines=tuple(lines))


async def _read(files: Sequence[tuple[Attachment, int]], transport: Transport, clock: Clock) -> list[Attachment]:
    read: dict[int, Attachment] = {}
    trouble = dict.fromkeys(range(len(files)), "it took too long")
    slots = asyncio.Semaphore(TOGETHER)

    async def one(number: int) -> None:
        async with slots:
            try:
                read[number] = await transport.read(*files[number])
            except TransportError as error:
                trouble[number] = str(error)
                if not error.retry:
                    read[number] = _unread(files[number][0], str(error))

    try:
        async with asyncio.timeout(WITHIN):
            for wait in WAITS:
                if left := [number for number in range(len(files)) if number not in read]:
                    await clock.sleep(wait)
                    reading = [asyncio.create_task(one(number)) for number in left]
                    try:
                        await asyncio.gather(*reading)
                    finally:
                        await ended(reading)
    except TimeoutError:
        log.info("reading %d files took longer than %.0f s", len(files), WITHIN)
    return [read.get(number) or _unread(file, trouble[number]) for number, (file, _) in enumerate(files)]


def _unread(file: Attachment, why: str) -> Attachment:
    log.warning("%s could not be read, and the turn goes on without it: %s", file.name, why)
    return replace(file, text=None, cut=False, problem=UNREAD.format(why=why))
