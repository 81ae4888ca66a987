"""What the runtime needs from the world, as protocols. Each has its implementations elsewhere; none imports another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core.model import Conversation, Entry, Mark, Menu, Receipt, Record, Usage, Voice
from bot.core.prompt import Prompt
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


class MailboxFullError(Exception):
    """The conversation's mailbox holds its cap; the message was not taken. Tell its sender."""


class Store(Protocol):
    """Mailboxes, sessions and logs of all conversations; the one place where state is.

    Every write of a claim is fenced: it takes effect only while no later claim of the conversation exists, and
    tells by False that it did not. One suite, `tests/contract`, holds every implementation to this text.
    """

    async def enqueue(self, conversation: str, message: Message) -> bool:
        """Put a message into its mailbox, in the order of `message.order` among those not yet taken.

        False: this id was seen in this conversation within the last 25 hours. Raises MailboxFullError. Once this
        has returned, the message survives the process.
        """

    async def amend(self, conversation: str, message_id: str, payload: str | None) -> bool:
        """Replace the payload of a message that no turn has taken, or with None take it out; False if there is none."""

    async def claim(self, worker: str, lease: float, version: int, together: int = 1) -> Claim | None:
        """The due conversation that has waited longest, for `lease` seconds; None when nothing is due.

        Due is a conversation with mail that nobody holds (or whose holder's lease has ended) and whose retry delay is
        over. One whose state or turn was saved under a newer version than `version` is left alone. At most
        `together` messages are taken, more than the head only where all are plain and the last commit said that the
        floor was open.
        """

    async def wait(self, seconds: float) -> None:
        """Return when something may have become due, at the latest after `seconds`."""

    async def renew(self, claim: Claim, lease: float) -> bool:
        """Hold the conversation for `lease` seconds from now; False when the claim is lost."""

    async def control(self, conversation: str, message: Message) -> bool:
        """Flag the turn in flight with `message`, bound to the turn's head; False when none is in flight.

        A second flag on the same turn changes nothing and counts as taken; so does an id that was seen before, also
        with no turn in flight.
        """

    async def flagged(self, claim: Claim) -> Message | None:
        """The control message that was raised against this claim's head; None without one."""

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
        tail. Replaying a commit that took effect is True and changes nothing. False when the claim is lost.
        """

    async def retry(self, claim: Claim, delay: float) -> bool:
        """Give the conversation back after an exception, due again in `delay` seconds, and count the attempt."""

    async def release(self, claim: Claim) -> bool:
        """Give the conversation back untouched and due at once: a shutdown, not a failure."""

    async def bury(self, claim: Claim, reason: str) -> bool:
        """Take the claim's messages out of the mailbox into the dead letters, with the reason."""

    async def dead(self, limit: int = 100) -> tuple[DeadLetter, ...]:
        """The dead letters, newest first."""

    async def peek(self, conversation: str) -> str | None:
        """The state of the last commit, read only."""

    async def log(self, conversation: str) -> tuple[str, ...]:
        """The conversation's whole log, oldest first."""

    async def spend(self, key: str, conversation: str, usage: Usage) -> None:
        """Add usage to the conversation's counters; a second time under the same key adds nothing."""

    async def spent(self, conversation: str) -> tuple[Usage, ...]:
        """The conversation's usage so far, one sum a model, sorted by model."""

    async def audit(self, key: str, conversation: str, record: Record) -> None:
        """Add a line to the audit trail; a second time under the same key adds nothing."""

    async def audited(self, conversation: str) -> tuple[Record, ...]:
        """The conversation's audit trail, oldest first."""

    async def stats(self) -> Stats:
        """Counts over everything."""

    async def close(self) -> None:
        """Let go of what the store holds open."""


# ---------------------------------------------------------------- transport


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One piece of a post as it goes to a platform.

    `key` is the same whenever this very piece is sent again. `since` is the order of the message that the turn began
    with: nothing of this turn stands above it. `again` says that an earlier worker may have shown it already.
    """

    key: str
    conversation: Conversation
    voice: Voice
    text: str
    since: int
    menu: Menu | None = None
    again: bool = False


class Transport(Protocol):
    """One platform, as far as posting goes. Whatever it cannot do, it says by its answer, never by pretending."""

    limit: int
    """The longest `Outgoing.text` that is posted as one message, in characters."""

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


class TransportError(Exception):
    """A post was refused or could not be delivered; `retry` tells whether trying again may help."""

    def __init__(self, message: str, *, retry: bool = True) -> None:
        super().__init__(message)
        self.retry = retry


# ---------------------------------------------------------------- model


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's finished reply: content blocks as JSON text, the API's stop reason, and what it cost."""

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


class Model(Protocol):
    """Something that answers a prompt."""

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        """Answer `prompt`, giving each piece of text to `show` as it comes. Raises ModelError; may be cancelled."""

    async def close(self) -> None:
        """Let go of connections."""


# ---------------------------------------------------------------- the rest


class Library(Protocol):
    """The persona files, read."""

    @property
    def cast(self) -> Cast:
        """Everything that is known now; a new value after a reload."""

    async def read(self, kind: str, name: str, persona: str) -> str:
        """The text of a resource as `persona` sees it. Raises FileNotFoundError or OSError, in words for people."""


class Clock(Protocol):
    """The one source of time."""

    def now(self) -> float:
        """Seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""


__all__ = [
    "Claim",
    "Clock",
    "DeadLetter",
    "Entry",
    "Library",
    "MailboxFullError",
    "Mark",
    "Message",
    "Model",
    "ModelError",
    "Outgoing",
    "Reply",
    "Show",
    "Stats",
    "Store",
    "Transport",
    "TransportError",
]
