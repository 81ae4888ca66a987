"""A turn's state: how it begins from a claim, and how each step moves it on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import assert_never

from bot.core.codec import load
from bot.core.context import Context, Location
from bot.core.events import (
    Account,
    Handed,
    HumanEvent,
    Mail,
    ModelReplied,
    Picked,
    Refusal,
    Result,
    Resumed,
    Said,
    Usage,
    Utterance,
)
from bot.core.listening import ListenPolicy
from bot.core.log_index import LogIndex
from bot.core.menus import is_of_an_older_build
from bot.core.model import HOST, Conversation, Inbound, Listen, Receipt
from bot.core.session import ConversationState, NumberAnchor, Session, Spent, Step, Turn
from bot.core.steps import Post
from bot.ports.mailbox import Claim

NOTHING_USED = Account()

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""In English whatever the locale of the process is: a prompt must not depend on it."""

ANCHORS = 20
"""So many of the last posts that offered numbers are remembered; an older menu is told to have passed."""


def mail(claim: Claim) -> tuple[Inbound | Resumed | Handed, ...]:
    """The messages of a claim, decoded."""
    return tuple(_decoded(message.payload) for message in claim.taken)


@lru_cache(maxsize=64)
def _decoded(payload: str) -> Inbound | Resumed | Handed:
    """A message; each step of a turn's beginning wants the same few."""
    found: Inbound | Resumed | Handed = load(payload, Mail)
    return found


def opening(claim: Claim, saved: ConversationState, refused: Collection[str] = ()) -> HumanEvent:
    """The event that a claim's messages come to, without those whose ids are `refused`."""
    messages = mail(claim)
    first = messages[0]
    turn = claim.head.id
    if isinstance(first, Resumed | Handed):
        return replace(first, turn=turn)
    if first.menu and first.number:
        return Picked(turn, first.user, first.name, first.menu, first.number, first.at, first.handle)
    lines = tuple(line(m) for m in messages if isinstance(m, Inbound) and m.id not in refused)
    if first.menu:
        return Said(turn, lines, seen=_answered(first.menu), direct=first.direct)
    above = anchors_above(saved.number_anchors, first.order)
    return Said(
        turn,
        lines,
        seen=tuple(anchor.menu for anchor in above),
        direct=first.direct,
        hasty=is_hasty(above, first),
    )


def context_of(
    claim: Claim,
    saved: ConversationState,
    policy: ListenPolicy,
    parent: Session | None = None,
    account: Account = NOTHING_USED,
    is_admin: Callable[[Inbound], bool] = lambda _: False,
    refused: Mapping[str, Refusal] = MappingProxyType({}),
    host: str = HOST.name,
) -> Context:
    """What comes with that event. `parent` is the session of the channel, where this is the first turn of a thread."""
    people = [m for m in mail(claim) if isinstance(m, Inbound)]
    heard = [m for m in people if m.id not in refused]
    return Context(
        account=account,
        admin=bool(people) and all(is_admin(m) for m in heard),
        refusals=tuple(refused.values()),
        listening=policy,
        inherit=parent.personas if parent else (),
        called=bool(people) and claim.state is None and is_called(people[0], parent),
        host=host,
    )


def day(claim: Claim, now: float) -> str:
    """The date of a claim's messages by their platform's time, in UTC; of a link or hand-over that of `now`."""
    at = max((m.at for m in mail(claim) if isinstance(m, Inbound)), default=now)
    date = datetime.fromtimestamp(at, UTC)
    return f"{WEEKDAYS[date.weekday()]}, {date.day} {MONTHS[date.month - 1]} {date.year} (UTC)"


def location(claim: Claim, tables: bool) -> Location:
    """Where a claim's conversation is; with `tables`, its platform shows tables."""
    where, first = Conversation.parse(claim.conversation), mail(claim)[0]
    is_direct = isinstance(first, Inbound) and first.direct
    return Location(
        where.platform, where.channel, "thread" if where.thread else "direct" if is_direct else "channel", tables
    )


def are_all_from(messages: Iterable[Inbound], users: Collection[str], own: Collection[str]) -> bool:
    """Whether all of the messages are from these users, or from platforms of the bot's `own` machine.

    With no users, from anybody.
    """
    return not users or all(message.user in users or message.conversation.platform in own for message in messages)


def is_top_level(claim: Claim, own: Collection[str]) -> bool:
    """Whether somebody wrote at the top level of a channel; platforms of the bot's `own` machine have no threads."""
    first = mail(claim)[0]
    if not isinstance(first, Inbound):
        return False
    where = first.conversation
    return not where.thread and not first.direct and where.platform not in own


def _answered(menu: str) -> tuple[str, ...]:
    """What a form that answers that menu has seen: nothing, where an earlier build posted it."""
    return () if is_of_an_older_build(menu) else (menu,)


def is_asleep(first: Inbound, saved: ConversationState, idle: float) -> bool:
    """Whether the top level of a channel has been silent for more than `idle` seconds (0: never) before `first`."""
    top_level = not first.conversation.thread and not first.direct
    return top_level and idle > 0 and saved.active_at > 0 and first.at - saved.active_at > idle


def is_called(first: Inbound, parent: Session | None) -> bool:
    """Whether a thread that begins with `first` began with a mention: in itself, or in the message above the thread."""
    where = first.conversation
    return bool(where.thread) and (first.addressed or (parent is not None and where.thread in parent.mentions))


def listening(
    claim: Claim, saved: ConversationState, idle: float, parent: Session | None, listen: Listen
) -> ListenPolicy:
    """How the conversation listens to the messages of a claim. `idle` is in seconds; 0 never sleeps."""
    first = next((m for m in mail(claim) if isinstance(m, Inbound)), None)
    called = first is not None and claim.state is None and is_called(first, parent)
    return policy_for(first, saved, idle, listen, parent, called=called)


def policy_for(
    first: Inbound | None,
    saved: ConversationState,
    idle: float,
    listen: Listen,
    parent: Session | None = None,
    *,
    called: bool = False,
) -> ListenPolicy:
    """How a conversation in that state listens to `first`; `called`: it is a thread that begins with a mention."""
    session = saved.session
    is_on = bool((parent or session).active) or session.gate is not None or bool(session.work)
    return ListenPolicy(listen, is_on, called or session.called, first is not None and is_asleep(first, saved, idle))


def line(message: Inbound) -> Utterance:
    """A message as the machine takes it."""
    m = message
    return Utterance(m.user, m.name, m.text, m.id, m.at, m.addressed or m.direct, m.others, m.files, m.hidden, m.edited)


def waited(event: HumanEvent, now: float) -> float | None:
    """Seconds since the first of an event's messages was said, by its platform's clock; None where nobody spoke."""
    match event:
        case Said(lines=lines):
            return max(0.0, now - min(line.at for line in lines)) if lines else None
        case Picked(at=at):
            return max(0.0, now - at)
        case Resumed() | Handed():
            return None
        case _:
            assert_never(event)


def anchors_above(anchors: tuple[NumberAnchor, ...], order: int) -> tuple[NumberAnchor, ...]:
    """What offered numbers above a message of that order, in the platform's order."""
    return tuple(sorted((a for a in anchors if a.order < order), key=lambda a: a.order))


HASTE = 2.0
"""Seconds that a list has to stand before a number can be meant for it, unless its author made it appear."""


def is_hasty(above: tuple[NumberAnchor, ...], first: Inbound) -> bool:
    """Whether the last list came up so shortly before the message that a number may be meant for the one above it.

    Times are the platform's. Where a platform tells none, or only one person writes, nothing is hasty. Of a post that
    grew before people's eyes the list came at its end: a number that was typed before that is hasty whoever typed it.
    """
    last = above[-1] if above else None
    if last is None or not last.at:
        return False
    return first.at < last.at or (len(above) > 1 and last.by != first.user and first.at - last.at < HASTE)


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


def link(first: Inbound | Resumed | Handed, turn: Turn, asker: str) -> Resumed:
    """What lets the chain of a turn go on: the n-th link of the turn that began it has the id `head+n`."""
    if isinstance(first, Resumed):
        head, _, _ = turn.head.rpartition("+")
        return Resumed(f"{head}+{first.link + 1}", turn.next, asker, first.link + 1)
    return Resumed(f"{turn.head}+1", turn.next, asker, 1)


def name_of(first: Inbound | Resumed | Handed, session: Session) -> str:
    """The name of whom a turn answers that began with `first`; of a link, the label that they have in the session."""
    if isinstance(first, Resumed):
        return next((speaker.name for speaker in session.speakers if speaker.user == first.asker), "")
    return first.name


def ordinal(turn: Turn) -> int:
    """The ordinal of the turn's request: the one behind its posts."""
    return turn.base + len(turn.posts)


def moved(turn: Turn, result: Result, step: Step, anchors: tuple[NumberAnchor, ...]) -> Turn:
    """The turn after `result`; `anchors` are those of the posts that have been delivered since it was stored."""
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
        number_anchors=(*turn.number_anchors, *anchors),
        spent=(*turn.spent, *spent),
        used_stop=turn.used_stop or stopped,
        next=step.next or turn.next,
    )


def last_stand(claim: Claim, saved: ConversationState, turn: Turn | None) -> Turn | None:
    """A link or a hand-over as far as it came, before it is given up: `turn` is what was stored of it last.

    None where no work depends on it: people began the turn, and can try again; or the link is not due any more.
    """
    first = mail(claim)[0]
    if isinstance(first, Inbound) or turn is not None:
        return None if isinstance(first, Inbound) else turn
    if isinstance(first, Handed) or first.tag != saved.session.due:
        return None
    return Turn(claim.head.id, saved.session, claim.head.order, 0.0)


def given_up(turn: Turn, step: Step, reason: str) -> Turn:
    """The turn after the step that lets its work rest. Raises RuntimeError where that asks for something."""
    if step.request is not None or step.next:
        raise RuntimeError(f"what is given up ends with {step.request or step.next}, not at rest")
    behind = ordinal(turn) + 1
    return replace(
        turn,
        session=step.session,
        posts=step.posts,
        request=None,
        base=behind,
        log=(*turn.log, *step.log),
        next="",
        given_up=reason,
    )


def number_anchor(post: Post, receipt: Receipt, by: str) -> NumberAnchor | None:
    """What a delivered post means for numbers that are typed below it; `by` made it appear."""
    menu = post.menu.id if post.menu else ""
    return NumberAnchor(receipt.order, menu, receipt.at, by) if post.offers else None


def saved(
    before: ConversationState, turn: Turn, anchors: tuple[NumberAnchor, ...], index: LogIndex | None = None
) -> ConversationState:
    """What is kept of a conversation when its turn is over; `index` is that of its log with the turn's entries."""
    kept = (*before.number_anchors, *turn.number_anchors, *anchors)[-ANCHORS:]
    usage = {u.model: u for u in before.usage}
    for spent in turn.spent:
        sofar = usage.get(spent.usage.model)
        usage[spent.usage.model] = sofar.plus(spent.usage) if sofar else spent.usage
    context = next((s.usage.read + s.usage.output for s in reversed(turn.spent) if s.usage.read), before.context)
    used = tuple(u for u in usage.values() if u.read or u.output)
    return ConversationState(turn.session, kept, max(before.active_at, turn.at), used, context, index)


def account(saved: ConversationState, limit: int, price: Callable[[Usage], float | None]) -> Account:
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
