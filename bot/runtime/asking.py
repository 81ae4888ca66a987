"""Asking the model: the prompt, the preview that people watch, and the stop that ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.core.codec import load
from bot.core.events import Mail, ModelFailed, ModelReplied, Usage
from bot.core.model import HOST, Inbound
from bot.core.modes.mode import Registry
from bot.core.modes.registry import MODES
from bot.core.prompt import prompt
from bot.core.session import Turn
from bot.core.step_builder import names_of
from bot.core.steps import AskModel
from bot.personas.model import Cast
from bot.ports.mailbox import Claim, Message
from bot.ports.model import Model, ModelError, Reply, Show
from bot.ports.store import Store
from bot.ports.transport import Outgoing, Transport
from bot.runtime.budget import LETTERS, BudgetLedger
from bot.runtime.lease import Lease, ended
from bot.runtime.preview import Preview
from bot.runtime.slots import Slot
from bot.runtime.stops import Stops
from bot.runtime.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Ask:
    """One ask under way: who, in which turn, where its reply will stand, and what bounds it.

    Beyond `room` tokens of prompt and reply the talk is to be compacted; 0 is no bound. After `longest` seconds the
    reply is ended.
    """

    claim: Claim
    turn: Turn
    transcript: Transcript
    request: AskModel
    ordinal: int
    out: Outgoing
    room: int = 0
    longest: float = 600.0
    host: str = HOST.name
    modes: Registry = MODES


@dataclass(frozen=True, slots=True)
class Means:
    """What an ask is carried out with. `slot` and `lease` are the turn's; others may use the slot while the
    model is awaited."""

    store: Store
    transport: Transport
    model: Model
    budgets: BudgetLedger
    stops: Stops
    slot: Slot
    lease: Lease


async def ask(asked: Ask, cast: Cast, means: Means, *, again: bool) -> tuple[ModelReplied | ModelFailed, str | None]:
    """Ask the model; return its result and the preview to seal.

    With `again`, a dead worker may have shown part of a reply: it is taken back before the model is asked anew, or,
    where people have stopped it meanwhile, kept as the reply.
    """
    store, transport, budgets = means.store, means.transport, means.budgets
    torn = await transport.torn(asked.out.conversation, asked.out.since) if again else None
    flag = await store.flagged(asked.claim)
    if flag:
        return _stopped(asked, torn[1] if torn else "", flag), torn[0] if torn else None
    if torn:
        await transport.withdraw(torn[0])
    persona = cast.persona(asked.request.who)
    if persona is None:
        return ModelFailed(asked.ordinal, "gone"), None
    if not means.slot.may_wait():
        return ModelFailed(asked.ordinal, "busy"), None
    asked_for, entries = asked.request, await asked.transcript.entries(persona.id, asked.turn.log)
    request = replace(prompt(persona, entries, cast, asked.modes), shape=asked_for.shape, brief=asked_for.brief)
    names = names_of(cast, persona.id, asked.turn.session.people, asked.host)
    shape = asked.request.shape
    silent = shape == "silent"
    preview = Preview(transport, asked.out, names, silent, shape, asked.request.head, asked.request.brief)
    if not request.asks:
        return ModelFailed(asked.ordinal, "deleted"), None
    # A call that is made again is paid again: the fence makes its reservation another one.
    key, where = f"{asked.out.key}@{asked.claim.fence}", asked.out.conversation
    if refused := await budgets.reserve(key, where, request):
        return ModelFailed(asked.ordinal, refused.reason, notice=refused.notice), None
    try:
        async with means.slot.lent(), preview.watched(budgets.clock):
            came = await _awaited(asked, lambda show: means.model.reply(request, show), preview, means.stops)
    except ModelError as error:
        spent = error.usage
        notice = await means.lease.insist(lambda: budgets.settle(key, where, spent))
        if not error.partial:
            return ModelFailed(asked.ordinal, error.reason, error.detail, notice), preview.ref
        content = _as_content(error.partial)
        cut = ModelReplied(asked.ordinal, content, "cut", error.usage, notice=notice, reason=error.reason)
        return cut, preview.ref
    if isinstance(came, Reply):
        used = came.usage
        notice = await means.lease.insist(lambda: budgets.settle(key, where, used))
        crowded = 0 < asked.room < came.usage.read + came.usage.output
        return ModelReplied(
            asked.ordinal, came.content, came.stop, came.usage, crowded=crowded, notice=notice
        ), preview.ref
    heard = preview.heard
    # Where the service had told nothing yet, its prompt may have been read all the same, and is paid.
    usage = preview.usage or budgets.guess(request, -(-len(heard) // LETTERS))
    notice = await means.lease.insist(lambda: budgets.settle(key, where, usage))
    if came is not None:
        return replace(_stopped(asked, heard, came), usage=usage, notice=notice), preview.ref
    if not heard:
        return ModelFailed(asked.ordinal, "late", f"after {asked.longest:.0f} s", notice), preview.ref
    return ModelReplied(asked.ordinal, _as_content(heard), "late", usage, notice=notice), preview.ref


@dataclass(frozen=True, slots=True)
class _Listening:
    """A `Show` and a `Meter` for one call: pieces go to `take`, and what it came to is noted with the preview."""

    take: Callable[[str], Awaitable[None]]
    preview: Preview

    async def __call__(self, piece: str) -> None:
        await self.take(piece)

    def used(self, usage: Usage) -> None:
        self.preview.usage = usage


async def _awaited(
    asked: Ask, reply: Callable[[Show], Awaitable[Reply]], preview: Preview, stops: Stops
) -> Reply | Message | None:
    """The reply, or the message that stopped it, or None where it was ended as the longest it may take was over."""
    stopped: list[Message] = []

    def stop(flag: Message) -> None:
        if not stopped:
            stopped.append(flag)
            answering.cancel()

    async def show(piece: str) -> None:
        await preview.add(piece)
        if watch.raised:
            await stops.heed(watch)
            await asyncio.sleep(0)

    async def answer() -> Reply:
        return await reply(_Listening(show, preview))

    async with stops.watched(asked.claim, stop) as watch:
        answering = asyncio.create_task(answer())
        try:
            async with asyncio.timeout(asked.longest) as limit:
                return await answering
        except asyncio.CancelledError:
            if not stopped:
                raise
            return stopped[0]
        except TimeoutError:
            if not limit.expired():
                raise
            return None
        finally:
            await ended([answering])


def _stopped(asked: Ask, text: str, flag: Message) -> ModelReplied:
    by = load(flag.payload, Mail)
    name = by.name if isinstance(by, Inbound) else ""
    return ModelReplied(asked.ordinal, _as_content(text), "stopped", by=name)


def _as_content(text: str) -> str:
    return json.dumps([{"type": "text", "text": text}] if text else [], ensure_ascii=False, separators=(",", ":"))
