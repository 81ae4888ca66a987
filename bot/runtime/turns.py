"""A turn's state: how it begins from a claim, and how each step moves it on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import assert_never

from bot.core.codec import load
from bot.core.events import Account, HumanEvent, Line, Mail, ModelReplied, Picked, Refusal, Result, Resumed, Said, Usage
from bot.core.listening import Ear
from bot.core.log_index import LogIndex
from bot.core.menus import is_of_an_older_build
from bot.core.model import HOST, Inbound, Listen, Receipt
from bot.core.session import Mark, Saved, Session, Spent, Step, Turn
from bot.core.steps import Post
from bot.ports import Claim

NOTHING_USED = Account()

MARKS = 20
"""So many of the last posts that offered numbers are remembered; an older menu is told to have passed."""


def mail(claim: Claim) -> tuple[Inbound | Resumed, ...]:
    """The messages of a claim, decoded."""
    return tuple(_decoded(message.payload) for message in claim.taken)


@lru_cache(maxsize=64)
def _decoded(payload: str) -> Inbound | Resumed:
    """A message; each step of a turn's beginning wants the same few."""
    found: Inbound | Resumed = load(payload, Mail)
    return found


def opening(
    claim: Claim,
    saved: Saved,
    idle: float,
    parent: Session | None = None,
    account: Account = NOTHING_USED,
    is_admin: Callable[[Inbound], bool] = lambda _: False,
    refused: Mapping[str, Refusal] = MappingProxyType({}),
    listen: Listen = "active",
    host: str = HOST.name,
) -> HumanEvent:
    """The event that a claim's messages come to. `idle` is in seconds; 0 never sleeps.

    `parent` is the session of the channel, where this is the first turn of a thread in it; `host` is the name that the
    bot itself speaks under.
    """
    messages = mail(claim)
    first = messages[0]
    turn = claim.head.id
    if isinstance(first, Resumed):
        return replace(first, turn=turn)
    inherit = parent.personas if parent else ()
    if first.menu and first.number:
        press = Picked(turn, first.user, first.name, first.menu, first.number, first.at, inherit, account)
        refusals = tuple(refused.values())
        return replace(press, admin=is_admin(first), refusals=refusals, handle=first.handle, host=host)
    said = tuple(m for m in messages if isinstance(m, Inbound) and m.id not in refused)
    lines = tuple(line(m) for m in said)
    return Said(
        turn,
        lines,
        seen=_answered(first.menu) if first.menu else seen(saved.marks, first.order),
        direct=first.direct,
        asleep=is_asleep(first, saved, idle),
        inherit=inherit,
        account=account,
        admin=all(is_admin(m) for m in said),
        refusals=tuple(refused.values()),
        listen=listen,
        called=claim.state is None and is_called(first, parent),
        host=host,
    )


def _answered(menu: str) -> tuple[str, ...]:
    """What a form that answers that menu has seen: nothing, where an earlier build posted it."""
    return () if is_of_an_older_build(menu) else (menu,)


def is_asleep(first: Inbound, saved: Saved, idle: float) -> bool:
    """Whether the top level of a channel has been silent for more than `idle` seconds (0: never) before `first`."""
    top_level = not first.conversation.thread and not first.direct
    return top_level and idle > 0 and saved.active_at > 0 and first.at - saved.active_at > idle


def is_called(first: Inbound, parent: Session | None) -> bool:
    """Whether a thread that begins with `first` began with a mention: in itself, or in the message above the thread."""
    where = first.conversation
    return bool(where.thread) and (first.addressed or (parent is not None and where.thread in parent.mentions))


def ear(claim: Claim, saved: Saved, idle: float, parent: Session | None, listen: Listen) -> Ear:
    """How the conversation listens to the messages of a claim."""
    first = next((m for m in mail(claim) if isinstance(m, Inbound)), None)
    session = parent or saved.session
    if first is None:
        return Ear(listen, bool(session.active))
    called = saved.session.called or (claim.state is None and is_called(first, parent))
    return Ear(listen, bool(session.active), called, is_asleep(first, saved, idle))


def line(message: Inbound) -> Line:
    """A message as the machine takes it."""
    m = message
    return Line(m.user, m.name, m.text, m.id, m.at, m.addressed or m.direct, m.others, m.files, m.hidden, m.edited)


def waited(event: HumanEvent, now: float) -> float | None:
    """Seconds since the first of an event's messages was said, by its platform's clock; None where nobody spoke."""
    match event:
        case Said(lines=lines):
            return max(0.0, now - min(line.at for line in lines)) if lines else None
        case Picked(at=at):
            return max(0.0, now - at)
        case Resumed():
            return None
        case _:
            assert_never(event)


def seen(marks: tuple[Mark, ...], order: int) -> tuple[str, ...]:
    """What offered numbers above a message of that order, in the platform's order."""
    return tuple(mark.menu for mark in sorted(marks, key=lambda m: m.order) if mark.order < order)


def began(claim: Claim, step: Step) -> Turn:
    """The turn after its first step."""
    messages = mail(claim)
    at = max((m.at for m in messages if isinstance(m, Inbound)), default=0.0)
    heard = bool(step.log or step.posts or step.request)
    return Turn(
        head=claim.head.id,
        session=step.session,
        since=claim.head.order,
        at=at if heard else 0.0,
        posts=step.posts,
        request=step.request,
        log=step.log,
        next=step.next,
    )


def ordinal(turn: Turn) -> int:
    """The ordinal of the turn's request: the one behind its posts."""
    return turn.base + len(turn.posts)


def moved(turn: Turn, result: Result, step: Step, marks: tuple[Mark, ...]) -> Turn:
    """The turn after `result`; `marks` are those of the posts that have been delivered since it was stored."""
    spent: tuple[Spent, ...] = ()
    stopped = False
    if isinstance(result, ModelReplied):
        spent, stopped = (Spent(result.ask, result.usage),), result.stop == "stopped"
    return replace(
        turn,
        session=step.session,
        posts=step.posts,
        request=step.request,
        base=ordinal(turn) + 1,
        log=(*turn.log, *step.log),
        marks=(*turn.marks, *marks),
        spent=(*turn.spent, *spent),
        used_stop=turn.used_stop or stopped,
        next=step.next or turn.next,
    )


def mark(post: Post, receipt: Receipt) -> Mark | None:
    """What a delivered post means for numbers that are typed below it."""
    return Mark(receipt.order, post.menu.id if post.menu else "") if post.offers else None


def saved(before: Saved, turn: Turn, marks: tuple[Mark, ...], index: LogIndex | None = None) -> Saved:
    """What is kept of a conversation when its turn is over; `index` is that of its log with the turn's entries."""
    kept = (*before.marks, *turn.marks, *marks)[-MARKS:]
    usage = {u.model: u for u in before.usage}
    for spent in turn.spent:
        sofar = usage.get(spent.usage.model)
        usage[spent.usage.model] = sofar.plus(spent.usage) if sofar else spent.usage
    context = next((s.usage.read + s.usage.output for s in reversed(turn.spent) if s.usage.read), before.context)
    used = tuple(u for u in usage.values() if u.read or u.output)
    return Saved(turn.session, kept, max(before.active_at, turn.at), used, context, index)


def account(saved: Saved, limit: int, price: Callable[[Usage], float | None]) -> Account:
    """What a conversation has used, for people; `limit` are the tokens that a prompt may have."""
    costs = [price(usage) for usage in saved.usage]
    known = [cost for cost in costs if cost is not None]
    return Account(
        context=saved.context,
        limit=limit,
        read=sum(u.read for u in saved.usage),
        cached=sum(u.cache_read for u in saved.usage),
        written=sum(u.output for u in saved.usage),
        cost=sum(known) if len(known) == len(costs) else None,
    )
