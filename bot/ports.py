"""What the runtime needs from the world, as protocols. Each has its implementations elsewhere; none imports another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from bot.core.events import Usage
from bot.core.model import Attachment, Conversation, Inbound, Menu, Receipt, Voice, Whisper
from bot.core.prompt import Prompt
from bot.core.session import NumberAnchor, Saved
from bot.core.steps import Entry, Record
from bot.personas.model import Cast

# ---------------------------------------------------------------- store


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
class Amount:
    """What a call may cost, or did: tokens of all kinds, and millionths of a dollar."""

    tokens: int = 0
    micros: int = 0

    def plus(self, other: Amount) -> Amount:
        """The sum."""
        return Amount(self.tokens + other.tokens, self.micros + other.micros)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a scope (a user, a channel, everybody; the store does not read its name) may spend a day; None: no bound."""

    scope: str
    tokens: int | None = None
    micros: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """A scope's day: what is spent, open reservations included, and what was granted on top of its limit."""

    spent: Amount = Amount()
    granted: Amount = Amount()

    def left(self, limit: Limit) -> Limit:
        """What of that limit is still there, below zero where a call came to more than was reserved for it."""
        return Limit(
            limit.scope,
            None if limit.tokens is None else limit.tokens + self.granted.tokens - self.spent.tokens,
            None if limit.micros is None else limit.micros + self.granted.micros - self.spent.micros,
        )


@dataclass(frozen=True, slots=True)
class Reservation:
    """Whether a call may be made; if not, `short` is the first scope with too little left.

    `balances` stand in the order of the limits that were asked about, with this reservation in them if it was made.
    """

    allowed: bool
    short: str
    balances: tuple[Balance, ...]


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """A conversation as lists show it. `at` is when it was last written to; `version` its state's, 0 without one."""

    key: str
    at: float
    waiting: int
    in_flight: bool
    version: int


@dataclass(frozen=True, slots=True)
class Audited:
    """A line of the audit trail with its place and time (0 where a build before this one wrote it)."""

    conversation: str
    at: float
    record: Record


@dataclass(frozen=True, slots=True)
class Erased:
    """What was forgotten, or would be: pieces of each kind that were deleted, or rewritten without a person.

    `sessions` are states, `entries` lines of logs, `messages` those in mailboxes and turns, `letters` dead letters,
    `records` lines of the audit trail, which are never deleted.
    """

    conversations: int = 0
    sessions: int = 0
    turns: int = 0
    entries: int = 0
    messages: int = 0
    letters: int = 0
    records: int = 0

    def plus(self, other: Erased) -> Erased:
        """The sums."""
        return Erased(
            self.conversations + other.conversations,
            self.sessions + other.sessions,
            self.turns + other.turns,
            self.entries + other.entries,
            self.messages + other.messages,
            self.letters + other.letters,
            self.records + other.records,
        )


@dataclass(frozen=True, slots=True)
class Expired:
    """What a look at what is idle has done: conversations with a state that are `gone`, and all that was `noted`."""

    gone: int = 0
    noted: int = 0


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


class StoreRefusedError(StoreError):
    """The store answers and cannot take this very call: what is in it, or the store's own code, is wrong.

    Waiting does not help. Nothing of the call took effect.
    """


class Store(Protocol):
    """Mailboxes, sessions and logs of all conversations; the one place where state is.

    Any call may raise StoreError. Every write of a claim is fenced: it takes effect only while no later claim of the
    conversation exists, and tells by False that it did not. One suite, `tests/contract`, holds every implementation to
    this text.
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

    async def bury(self, claim: Claim, reason: str) -> bool:
        """Take the claim's messages out of the mailbox into the dead letters, with the reason."""

    async def dead(self, limit: int = 100) -> tuple[DeadLetter, ...]:
        """The dead letters, newest first."""

    async def peek(self, conversation: str) -> str | None:
        """The state of the last commit, read only."""

    async def log(self, conversation: str, last: int | None = None) -> tuple[str, ...]:
        """The conversation's log, oldest first: all of it, or its last so many lines (none for 0 or less).

        Its last lines cost as much to read however long it is. Lines are only ever added at its end, and one that is
        rewritten keeps its place.
        """

    async def spend(self, key: str, conversation: str, usage: Usage) -> None:
        """Add usage to the conversation's counters; a second time under the same key adds nothing."""

    async def spent(self, conversation: str) -> tuple[Usage, ...]:
        """The conversation's usage so far, one sum a model, sorted by model."""

    async def audit(self, key: str, conversation: str, record: Record) -> None:
        """Add a line to the audit trail; a second time under the same key adds nothing."""

    async def audited(self, conversation: str) -> tuple[Record, ...]:
        """The conversation's audit trail, oldest first."""

    async def throttle(self, key: str, per_minute: float, burst: int) -> float:
        """Count an event under `key`: 0.0 where it is allowed, else the seconds until it would be.

        At most `burst` events at once and `per_minute` of them a minute in the long run, over all workers; one that
        is refused does not count. Raises ValueError for a rate that is not above 0, or a burst below 1.
        """

    async def reserve(self, key: str, day: str, amount: Amount, limits: Sequence[Limit]) -> Reservation:
        """Count `amount` as spent on `day` in the scopes of all `limits`, or in none where one would be exceeded.

        Idempotent by `key`: again under it changes nothing and is allowed. What is never settled, for its worker
        died, stays counted, since the call may have been paid; so the key of a call that is made again is to be a new
        one (put the claim's fence into it). Kept for 7 days. Raises ValueError for an amount below 0.
        """

    async def settle(self, key: str, amount: Amount) -> bool:
        """Replace what `key` reserved by what it came to; the first time counts. False where it reserved nothing."""

    async def budget(self, scope: str, day: str) -> Balance:
        """What the scope has spent and been granted on that day."""

    async def grant(self, key: str, scope: str, day: str, amount: Amount) -> bool:
        """Add `amount`, which may be below 0, to the limits of the scope on that day; False: `key` has done so before.

        Raises ValueError for an amount out of bounds.
        """

    async def blank(self, conversation: str, message_id: str) -> bool:
        """Empty the text of a message that was deleted, wherever the conversation keeps it; False where it is not.

        That is in the log, the state, the turn in flight with its messages and its stop, and the dead letters: in
        every JSON object whose `id` is the message's, `text` becomes empty. A turn in flight goes on with what it
        knows, but what it commits is blanked too. A message that no turn has taken is for `amend`.
        """

    async def conversations(self, after: str = "", limit: int = 100) -> tuple[ConversationInfo, ...]:
        """The first `limit` conversations that have a state or mail, by key in code point order, behind `after`."""

    async def last_seen(self, conversation: str) -> int:
        """The highest order that was ever put into the mailbox, 0 where there was none; `forget` keeps it."""

    async def dead_letter(self, id: int) -> DeadLetter | None:
        """That dead letter; None where there is none."""

    async def replay(self, id: int, message_id: str) -> bool:
        """Move a dead letter's messages to the end of their mailbox; False where there is no such letter.

        The first gets the new id `message_id`, and those behind it `message_id/2` and so on, so that nothing of the
        turn that failed is taken for theirs. False too, and nothing is moved, where that id was seen before. Raises
        MailboxFullError.
        """

    async def trail(self, conversation: str = "", after: int = 0, limit: int = 100) -> tuple[Audited, ...]:
        """The audit trail of a conversation, or of all, newest first, behind its newest `after` lines."""

    async def forget(self, conversation: str, *, dry_run: bool = False) -> Erased:
        """Delete state, log, mailbox, turn, usage and dead letters; who has a claim on it loses that.

        The audit trail stays, and so do the fence, `last_seen` and, for their 25 hours, the ids seen: no late write, no
        backfill and no redelivery brings anything back. With `dry_run` it only counts.
        """

    async def reset(self, conversation: str) -> Erased:
        """Delete state, turn and mail, so that it begins anew; the log, the dead letters and all else of it stay.

        Who has a claim on it loses that.
        """

    async def forget_user(self, user: str, pseudonym: str, within: str = "", *, dry_run: bool = False) -> Erased:
        """Take a person out of all conversations whose key begins with `within`.

        What they said loses its text, and their id and name become `pseudonym`, in logs, states, turns, messages and
        dead letters; what they said that no turn has taken is deleted. In the audit trail their id becomes
        `pseudonym`. A turn in flight that had anything of theirs starts again from what is left. What personas said
        stays as it is, also where it quotes them or calls them by name. With `dry_run` it only counts.
        """

    async def expire(self, idle: float) -> Expired:
        """Look once for what has had nothing to do for `idle` seconds, and delete what an earlier look has noted.

        No single look deletes anything, since the clock may be wrong: what is found is noted, and goes when a look of
        a day or more later, by the store's own time, finds it untouched, and no look between has found it too young.
        So do dead letters of that age; the audit trail stays. At most some thousand of each are noted and deleted at a
        time, a few at once, so that others get their turn in between; a look that is cancelled, or fails, has done
        some of it.
        """

    async def dump(self, conversation: str) -> dict[str, Any] | None:
        """All of a conversation as values for JSON, for `restore` into any store; None where nothing is kept of it."""

    async def restore(self, conversation: str, dumped: dict[str, Any]) -> bool:
        """Put what `dump` gave under that key; False where something is kept there. Lines of the audit are added.

        A turn that was in flight is due at once and goes on from its last checkpoint. Of the ids seen, those of the
        mail and of what was said come along. Raises ValueError for what no `dump` gave.
        """

    async def stats(self, platforms: frozenset[str] | None = None) -> Stats:
        """Counts over everything, or over the conversations of those platforms."""

    async def close(self) -> None:
        """Let go of what the store holds open."""


# ---------------------------------------------------------------- transport


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One piece of a post as it goes to a platform.

    `key` is the same whenever this very piece is sent again. `since` is the order of the message that the turn began
    with: nothing of this turn stands above it. `again` says that an earlier worker may have shown it already. `only`
    they are to see it, as far as the platform can do that. With a `file`, `text` stands beside it. `asker` is the user
    whom a reply answers, "" where that is nobody.
    """

    key: str
    conversation: Conversation
    voice: Voice
    text: str
    since: int
    menu: Menu | None = None
    again: bool = False
    only: Whisper | None = None
    file: Upload | None = None
    asker: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A text that goes up as a file; `name` is the same whenever the same one is sent again, and of no other."""

    name: str
    text: str


class Transport(Protocol):
    """One platform, as far as posting goes. Whatever it cannot do, it says by its answer, never by pretending."""

    limit: int
    """The longest `Outgoing.text` that is posted as one message, in characters: at least 100, with `most` 160."""

    most: int
    """The most messages that one post may become before it goes up as a file; 0 where there are no files."""

    tables: bool
    """Whether Markdown tables are shown as tables; else they come as code, with aligned columns."""

    async def post(self, out: Outgoing) -> Receipt:
        """Post it. Raises TransportError."""

    async def find(self, out: Outgoing) -> Receipt | None:
        """The message that an earlier `post` or `seal` of the same key has left; None if there is none to be found."""

    async def preview(self, out: Outgoing) -> str | None:
        """Begin to show a reply that is still being written; the preview's ref, or None where there are no previews."""

    async def extend(self, ref: str, text: str) -> None:
        """Show `text`, of which what was shown so far is a prefix. Best effort: raises nothing but cancellation."""

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """Turn the preview into the finished post; None where that is no longer possible (then post anew)."""

    async def withdraw(self, ref: str) -> None:
        """Take a preview away, as far as the platform can."""

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """The ref and text of our own unsealed preview below `since` that a dead worker left; None without one."""

    async def busy(self, out: Outgoing) -> None:
        """Show for some seconds that `out.voice` is at work. Best effort: raises nothing but cancellation."""

    async def read(self, file: Attachment, room: int) -> Attachment:
        """The file with its text, of which at most the first `room` characters, or with its problem. May be repeated.

        Raises TransportError where it may be read a little later.
        """


class Door(Protocol):
    """What an adapter has of the bot: the way in, and a look at what is kept."""

    async def receive(self, inbound: Inbound) -> bool:
        """Queue a message or a press; False when this delivery of it was not the first.

        Once this has returned, nothing of it can be lost: it may be acknowledged. Raises MailboxFullError (tell its
        sender) and StoreError (do not acknowledge, so that the platform delivers it again).
        """

    async def edited(self, inbound: Inbound, was: str) -> None:
        """A message was edited: `inbound` as it reads now, `was` as it read before, "" where that is not known.

        `inbound.order` is the message's own, as it was. Raises as `receive` does.
        """

    async def deleted(self, conversation: Conversation, message_id: str) -> None:
        """A message was deleted. Raises StoreError."""

    async def saved(self, conversation: Conversation) -> Saved | None:
        """Where a conversation stands; None where it never began or cannot be read. Raises StoreError."""

    async def conversations(self, platform: str, workspace: str = "") -> tuple[Conversation, ...]:
        """All conversations of a platform (and workspace) that began. Raises StoreError."""

    async def last_seen(self, conversation: Conversation) -> int:
        """The order of the newest message that was ever queued there, 0 without one. Raises StoreError."""


class Adapter(Protocol):
    """One platform, both ways: what it brings goes to a `Door`, what is said on it goes through its `transport`."""

    name: str
    """What its conversations' keys begin with."""

    @property
    def transport(self) -> Transport:
        """The way out."""

    def trouble(self) -> str:
        """Why there is no connection just now, in words for operators; "" while there is one."""

    async def serve(self, door: Door, library: Library) -> None:
        """Take what comes, until cancelled; connections that break are made again. Raises PlatformError."""


class PlatformError(Exception):
    """A platform cannot be used as things are; the text says why and what to do about it."""


class TransportError(Exception):
    """A post was refused or could not be delivered; `retry` tells whether trying again may help."""

    def __init__(self, message: str, *, retry: bool = True) -> None:
        super().__init__(message)
        self.retry = retry


class FormRefusedError(TransportError):
    """The platform refuses the form of a post for good: its file, say. The same words may pass in another form."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry=False)


# ---------------------------------------------------------------- model


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's finished reply: content blocks as JSON text, the API's stop reason, and what it cost.

    One that went on beyond all bounds stops with `oversized`, and has the text that came until then.
    """

    content: str
    stop: str
    usage: Usage


class ModelError(Exception):
    """No reply, or only part of one.

    `reason` is one of `bot.core.failures.REASONS`. `partial` is the text that had come when the stream broke;
    `detail` is for people and holds no secret.
    """

    def __init__(self, reason: str, detail: str = "", partial: str = "", usage: Usage | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.partial = partial
        self.usage = usage or Usage()


Show = Callable[[str], Awaitable[None]]
"""Takes the next piece of a reply's text as it comes in."""


@runtime_checkable
class Meter(Protocol):
    """What a `Show` may be besides: told what a call has come to that ends without a `Reply`, as it was cancelled."""

    def used(self, usage: Usage) -> None:
        """Note it; where nothing is told, nobody knows. Must neither wait nor raise."""


class Model(Protocol):
    """Something that answers a prompt."""

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        """Answer `prompt`, giving each piece of text to `show` as it comes. Raises ModelError; may be cancelled.

        What a cancelled call has come to so far is told to `show`, where that is a `Meter` and the service has told.
        """

    async def close(self) -> None:
        """Let go of connections."""


# ---------------------------------------------------------------- the rest


class Library(Protocol):
    """The persona files, read."""

    @property
    def cast(self) -> Cast:
        """Everything that is known now; a new value after a reload."""

    async def refresh(self) -> tuple[str, ...]:
        """Read the files again, so that `cast` is a new value; the problems that were found, a line each."""

    async def read(self, kind: str, name: str, persona: str) -> str:
        """The text of a resource as `persona` sees it. Raises FileNotFoundError or OSError, in words for people."""


class Clock(Protocol):
    """The one source of time."""

    def now(self) -> float:
        """Seconds since the epoch, for people and for days; whoever has the machine may set it at any moment."""

    def steady(self) -> float:
        """Seconds on a clock that nobody sets and no suspension stops; only differences mean something."""

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""


# ---------------------------------------------------------------- observer


@dataclass(frozen=True, slots=True)
class Claimed:
    """A conversation was claimed, which took so many seconds."""

    claim: Claim
    seconds: float


@dataclass(frozen=True, slots=True)
class Begun:
    """A new turn begins. `waited`: seconds since its first message was said; None for a link of a chain."""

    claim: Claim
    waited: float | None


@dataclass(frozen=True, slots=True)
class Stepped:
    """The machine took an event of that kind, and asked for a request of that kind, "" where for nothing."""

    claim: Claim
    event: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A model was asked to speak for `who`. `result` is the reply's stop reason, or `failed` one of REASONS."""

    claim: Claim
    who: str
    seconds: float
    result: str = ""
    failed: str = ""
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """That many posts of a step were put onto their platform."""

    claim: Claim
    posts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Committed:
    """The commit took so long and took effect."""

    claim: Claim
    seconds: float


Outcome = Literal["committed", "lost", "released", "retried", "buried"]


@dataclass(frozen=True, slots=True)
class Ended:
    """The worker let go of the claim, `seconds` after it got it; `reason` names the exception, if one was why."""

    claim: Claim
    outcome: Outcome
    seconds: float
    reason: str = ""


Happening = Claimed | Begun | Stepped | Asked | Posted | Committed | Ended
"""What the runtime tells of a turn. `Claimed` comes first and `Ended` last, each exactly once a claim."""


class Observer(Protocol):
    """Watches turns, to count and to time them; nothing depends on it. Must neither wait nor raise."""

    def saw(self, happening: Happening) -> None:
        """Take note; called on the event loop, right after it happened."""


class Silent:
    """An `Observer` that takes no notes."""

    def saw(self, happening: Happening) -> None:
        """Forget it."""


SILENT: Observer = Silent()


__all__ = [
    "SILENT",
    "Adapter",
    "Asked",
    "Audited",
    "Begun",
    "Claim",
    "Claimed",
    "Clock",
    "Committed",
    "ConversationInfo",
    "DeadLetter",
    "Door",
    "Ended",
    "Entry",
    "Erased",
    "Expired",
    "FormRefusedError",
    "Happening",
    "Library",
    "Limit",
    "MailboxFullError",
    "Message",
    "Meter",
    "Model",
    "ModelError",
    "NumberAnchor",
    "Observer",
    "Outcome",
    "Outgoing",
    "PlatformError",
    "Posted",
    "Reply",
    "Reservation",
    "Show",
    "Silent",
    "Stats",
    "Stepped",
    "Store",
    "StoreError",
    "StoreRefusedError",
    "Transport",
    "TransportError",
    "Upload",
]
