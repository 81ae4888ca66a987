"""Mailboxes and the turns that are made of them: claimed, stored before each effect, committed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """A message in a mailbox. `payload` is opaque to the store; `order` is the platform's own."""

    id: str
    payload: str
    order: int
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one conversation until the lease ends, and all that is needed to begin.

    `taken` is chosen when a conversation is first claimed for its head and stored with the claim: a retake brings
    the same messages.
    `state` and `turn` are what the last commit and the last checkpoint stored; `attempt` counts exceptions so far at
    this head since the last checkpoint, `expiries` lost leases.
    """

    conversation: str
    fence: int
    taken: tuple[Message, ...]
    state: str | None = None
    turn: str | None = None
    attempt: int = 0
    expiries: int = 0

    @property
    def head(self) -> Message:
        """The message that names the turn."""
        return self.taken[0]


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which this process could not reach the store: its first and its last call that failed.

    Both are seconds of `time.monotonic`.
    """

    began: float
    last: float


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts for health checks; `oldest_due` is how long, in seconds, the oldest claimable work has waited."""

    waiting: int
    in_flight: int
    dead: int
    oldest_due: float


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A turn that was given up: where, which messages, why."""

    id: int
    conversation: str
    messages: tuple[Message, ...]
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Left:
    """What a turn that is given up leaves of its conversation, as a commit would: its state, and lines of the log."""

    state: str
    version: int
    log: tuple[str, ...] = ()
    floor_open: bool = False


class MailboxFullError(Exception):
    """The conversation's mailbox holds its cap; the message was not taken, and never will be. Tell its sender.

    `tell` says who is still to be told: "all" (nobody in the conversation was told since it is full), "sender" (others
    were), "" (the sender was, or did not mean the bot). Whoever pressed something is answered in any case.
    """

    def __init__(self, message: str, tell: Literal["all", "sender", ""] = "all") -> None:
        super().__init__(message)
        self.tell = tell


class StoreError(Exception):
    """The store cannot be opened or used right now, which says nothing about what was asked of it.

    Wait, and ask again. Where a connection was lost or no answer came, what was asked for may have taken effect, and
    the message says so; every call can be made again without harm.
    """


class StoreSettingsError(StoreError):
    """The store cannot be opened with these settings, however often that is tried: they have to be changed."""


class StoreRefusedError(StoreError):
    """The store answers and cannot take this very call: what is in it, or the store's own code, is wrong.

    Waiting does not help. Nothing of the call took effect.
    """


class Mailbox(Protocol):
    """Mailboxes and the turns that are made of them: claimed, stored before each effect, committed at once.

    Any call may raise StoreError.
    """

    async def enqueue(self, conversation: str, message: Message) -> bool:
        """Put a message into its mailbox, in the order of `message.order` among those not yet taken.

        False: this id was seen in this conversation within the last 25 hours. Raises MailboxFullError: the message was
        refused, which holds, for its id counts as seen from then on. Once this has returned, the message survives the
        process.
        """

    async def amend(
        self, conversation: str, message_id: str, payload: str | None, *, plain: bool | None = None
    ) -> bool:
        """Replace the payload of a message that no turn has taken, or with None take it out; False if there is none.

        The message keeps its place; `plain` says whether it may be taken together with others from now on, None that
        this is as it was.
        """

    async def claim(
        self, worker: str, lease: float, version: int, together: int = 1, platforms: frozenset[str] | None = None
    ) -> Claim | None:
        """The due conversation that has waited longest, for `lease` seconds; None when nothing is due.

        With `platforms`, only among conversations whose key begins with one of these names and a colon; what others
        have waiting costs nothing.

        Due is a conversation with mail that nobody holds (or whose holder's lease has ended) and whose retry delay is
        over. One whose state or turn was saved under a newer version than `version` is left alone. At most
        `together` messages are taken, more than the head only where all are plain and the last commit said that the
        floor was open.
        """

    async def wait(self, seconds: float, platforms: frozenset[str] | None = None) -> None:
        """Return when something may have become due on those platforms, at the latest after `seconds`.

        Only what happened since this store's last claim for the same `platforms` counts, so claim before.
        """

    def outage(self) -> Outage | None:
        """When this process could last not reach a store that it shares with others; None where it always could."""

    async def renew(self, claim: Claim, lease: float) -> bool:
        """Hold the conversation for `lease` seconds from now; False when the claim is lost."""

    async def control(self, conversation: str, message: Message) -> bool:
        """Flag the turn in flight with `message`, bound to the turn's head; False when none is in flight.

        A second flag on the same turn changes nothing and counts as taken; so does an id that was seen before, also
        with no turn in flight.
        """

    async def flagged(self, claim: Claim) -> Message | None:
        """The control message that was raised against this claim's head; None without one."""

    async def flagged_among(self, claims: Sequence[Claim]) -> tuple[Message | None, ...]:
        """What `flagged` tells of each of them, in their order, for about the price of one."""

    async def checkpoint(self, claim: Claim, turn: str, version: int) -> bool:
        """Store the turn's state under the fence and forget the attempts so far; False when the claim is lost."""

    async def commit(
        self,
        claim: Claim,
        state: str,
        version: int,
        log: Sequence[str],
        *,
        floor_open: bool,
        used_flag: bool,
        follow_up: Message | None = None,
    ) -> bool:
        """End the turn: save the state, append to the log, take the messages off, clear the turn; all or nothing.

        A control flag that the turn has not used becomes an ordinary message. `follow_up` is put at the mailbox's
        tail. Replaying a commit that took effect is True and changes nothing, unless somebody has ended another turn
        meanwhile. False when the claim is lost.
        """

    async def retry(self, claim: Claim, delay: float) -> bool:
        """Give the conversation back after an exception, due again in `delay` seconds, and count the attempt."""

    async def release(self, claim: Claim, delay: float = 0.0) -> bool:
        """Give the conversation back untouched, due in `delay` seconds: a shutdown or an outage, not a failure.

        False when the claim is lost; if it was by its lease's end, that no longer counts in `Claim.expiries`, for its
        holder is there.
        """

    async def put_back(self, claim: Claim, delay: float) -> bool:
        """Give the conversation back as if its messages had never been taken, due in `delay` seconds.

        Whoever claims it next takes its messages anew, in their order. A control flag becomes an ordinary message.
        False, and nothing happens, when the claim is lost or a turn was stored for it.
        """

    async def bury(self, claim: Claim, reason: str, left: Left | None = None) -> bool:
        """Take the claim's messages out of the mailbox into the dead letters, with the reason.

        What is `left` is saved with it, all or nothing; without it, state and log stay as they were.
        """

    async def dead(self, limit: int = 100) -> tuple[DeadLetter, ...]:
        """The dead letters, newest first."""

    async def peek(self, conversation: str) -> str | None:
        """The state of the last commit, read only."""

    async def under_way(self, conversation: str) -> str | None:
        """The turn as its last checkpoint stored it, read only; None where none is under way, or it stored nothing."""

    async def log(self, conversation: str, last: int | None = None) -> tuple[str, ...]:
        """The conversation's log, oldest first: all of it, or its last so many lines (none for 0 or less).

        Its last lines cost as much to read however long it is. Lines are only ever added at its end, and one that is
        rewritten keeps its place.
        """

    async def last_seen(self, conversation: str) -> int:
        """The highest order that was ever put into the mailbox, 0 where there was none; `forget` keeps it."""

    async def stats(self, platforms: frozenset[str] | None = None) -> Stats:
        """Counts over everything, or over the conversations of those platforms."""
