"""Asking the model: the prompt, the preview that people watch, and the stop that ends it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bot.core.codec import load
from bot.core.events import Mail, ModelFailed, ModelReplied, Notice, Usage
from bot.core.model import Inbound
from bot.core.modes.chat import speakers
from bot.core.prompt import prompt
from bot.core.session import Turn
from bot.core.steps import AskModel, Entry
from bot.core.tables import as_code
from bot.core.text import own_words, settled
from bot.personas.model import Cast
from bot.ports import Claim, Clock, Message, Model, ModelError, Outgoing, Reply, Show, Store, Transport
from bot.runtime.budget import LETTERS, Purse
from bot.runtime.lease import ended

log = logging.getLogger(__name__)

CONTROL_POLL = 0.5
"""Seconds between two looks at the control flag while a model is silent; while it speaks, each piece looks."""

BUSY = 7.0
"""Seconds after which it is shown again that somebody is at work: Discord shows it for 10 (docs, trigger typing)."""


@dataclass(slots=True)
class Preview:
    """What people watch of a reply that is still being written."""

    transport: Transport
    out: Outgoing
    visible: Callable[[str], str]
    ref: str | None = None
    refused: bool = False
    heard: str = ""
    shown: str = ""
    usage: Usage | None = None

    async def add(self, piece: str) -> None:
        """Take the next piece and show what of the whole may be shown."""
        self.heard += piece
        text = self.visible(self.heard)
        if not self.transport.tables:
            text = as_code(text, finished=False)
        text = settled(text, self.transport.limit)
        if self.refused or not text or text == self.shown:
            return
        if self.ref is None:
            self.ref = await self.transport.preview(self.out)
            self.refused = self.ref is None
        if self.ref is not None:
            await self.transport.extend(self.ref, text)
            self.shown = text


@dataclass(frozen=True, slots=True)
class Ask:
    """One ask under way: who, in which turn, where its reply will stand, and the tokens that it may come to.

    Beyond `room` tokens of prompt and reply the talk is to be compacted; 0 is no bound.
    """

    claim: Claim
    turn: Turn
    request: AskModel
    ordinal: int
    out: Outgoing
    room: int = 0


async def ask(
    asked: Ask, cast: Cast, store: Store, transport: Transport, model: Model, purse: Purse, *, again: bool
) -> tuple[ModelReplied | ModelFailed, str | None]:
    """Ask, and give what came of it with the ref of the preview that is to be sealed.

    With `again`, a dead worker may have shown part of a reply: it is taken back before the model is asked anew, or,
    where people have stopped it meanwhile, kept as the reply.
    """
    torn = await transport.torn(asked.out.conversation, asked.out.since) if again else None
    flag = await store.flagged(asked.claim)
    if flag:
        return _stopped(asked, torn[1] if torn else "", flag), torn[0] if torn else None
    if torn:
        await transport.withdraw(torn[0])
    persona = cast.persona(asked.request.who)
    if persona is None:
        return ModelFailed(asked.ordinal, "gone"), None
    lines = [load(line, Entry) for line in await store.log(asked.claim.conversation)]
    own, others = speakers(cast, persona.id, asked.turn.session.people)
    preview = Preview(transport, asked.out, lambda text: own_words(text, own, others, finished=False))
    preview.refused = not asked.request.show
    request = prompt(persona, (*lines, *asked.turn.log))
    if not request.asks:
        return ModelFailed(asked.ordinal, "deleted"), None
    # A call that is made again is paid again: the fence makes its reservation another one.
    key, where = f"{asked.out.key}@{asked.claim.fence}", asked.out.conversation
    if over := await purse.reserve(key, where, request):
        return ModelFailed(asked.ordinal, "budget", notice=Notice(purse.today(), over)), None
    try:
        async with _seen_busy(preview, purse.clock):
            reply, flag = await _until_stopped(
                lambda show: model.reply(request, show), preview, lambda: store.flagged(asked.claim), purse.clock
            )
    except ModelError as error:
        await purse.settle(key, where, error.usage)
        if not error.partial:
            return ModelFailed(asked.ordinal, error.reason, error.detail), preview.ref
        cut = ModelReplied(asked.ordinal, _as_content(error.partial), "cut", error.usage)
        return cut, preview.ref
    if reply is None:
        if flag is None:
            raise RuntimeError("an ask ended with neither a reply nor a stop")
        # Where the service had told nothing yet, its prompt may have been read all the same, and is paid.
        usage = preview.usage or purse.guess(request, -(-len(preview.heard) // LETTERS))
        notice = await purse.settle(key, where, usage)
        return replace(_stopped(asked, preview.heard, flag), usage=usage, notice=notice), preview.ref
    notice = await purse.settle(key, where, reply.usage)
    crowded = 0 < asked.room < reply.usage.read + reply.usage.output
    return ModelReplied(
        asked.ordinal, reply.content, reply.stop, reply.usage, crowded=crowded, notice=notice
    ), preview.ref


@asynccontextmanager
async def _seen_busy(preview: Preview, clock: Clock) -> AsyncIterator[None]:
    """Meanwhile, as long as nothing of the reply is seen, people see that it is being made."""

    async def show() -> None:
        while preview.ref is None:
            await preview.transport.busy(preview.out)
            await clock.sleep(BUSY)

    showing = asyncio.create_task(show())
    try:
        yield
    finally:
        await ended([showing])


@dataclass(frozen=True, slots=True)
class _Listening:
    """A `Show` and a `Meter` for one call: pieces go to `take`, and what it came to is noted with the preview."""

    take: Callable[[str], Awaitable[None]]
    preview: Preview

    async def __call__(self, piece: str) -> None:
        await self.take(piece)

    def used(self, usage: Usage) -> None:
        self.preview.usage = usage


async def _until_stopped(
    reply: Callable[[Show], Awaitable[Reply]],
    preview: Preview,
    flagged: Callable[[], Awaitable[Message | None]],
    clock: Clock,
) -> tuple[Reply | None, Message | None]:
    """The reply, or the message that stopped it. While the store fails, the reply goes on: it is being paid for."""
    stopped: list[Message] = []
    is_blind = False

    async def look() -> bool:
        nonlocal is_blind
        try:
            flag = await flagged()
        except Exception as error:
            log.warning("whether a reply was stopped could not be asked (%r)", error)
            is_blind = True
            return False
        is_blind = False
        if flag is None:
            return False
        stopped.append(flag)
        answering.cancel()
        return True

    async def show(piece: str) -> None:
        await preview.add(piece)
        # A store that does not answer would hold up each piece; the watch tells when it is back.
        if not is_blind and await look():
            await asyncio.sleep(0)

    async def watch() -> None:
        await clock.sleep(CONTROL_POLL)
        while not await look():
            await clock.sleep(CONTROL_POLL)

    async def answer() -> Reply:
        return await reply(_Listening(show, preview))

    answering = asyncio.create_task(answer())
    watching = asyncio.create_task(watch())
    try:
        return await answering, None
    except asyncio.CancelledError:
        if not stopped:
            raise
        return None, stopped[0]
    finally:
        for task in (answering, watching):
            task.cancel()
        await asyncio.gather(answering, watching, return_exceptions=True)


def _stopped(asked: Ask, text: str, flag: Message) -> ModelReplied:
    by = load(flag.payload, Mail)
    name = by.name if isinstance(by, Inbound) else ""
    return ModelReplied(asked.ordinal, _as_content(text), "stopped", by=name)


def _as_content(text: str) -> str:
    return json.dumps([{"type": "text", "text": text}] if text else [], ensure_ascii=False, separators=(",", ":"))
