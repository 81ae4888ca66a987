"""A platform: what goes out to it, and what an adapter is and gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.core.model import Attachment, Conversation, Inbound, Menu, Receipt, Voice, Whisper
from bot.core.session import ConversationState
from bot.ports.library import Library
from bot.ports.mailbox import Outage


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
    """A file that goes up: a text, or `data` where that is given.

    `name` is the same whenever the same one is sent again, and of no other.
    """

    name: str
    text: str
    data: bytes = b""

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return self.data or self.text.encode()


class Transport(Protocol):
    """One platform, as far as posting goes. Whatever it cannot do, it says by its answer, never by pretending."""

    limit: int
    """The longest `Outgoing.text` that is posted as one message, in characters: at least 100, with `most` 160."""

    most: int
    """The most messages that one post may become before it goes up as a file; 0 where it never does.

    A file that was asked for is sent all the same: whoever cannot take it raises FormRefusedError.
    """

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

    async def open_thread(self, conversation: Conversation, receipt: Receipt, title: str) -> Conversation | None:
        """The thread below the post of that receipt, opened if it is not yet; None where there can be none.

        Below a message of a thread, or in private, there never is one. May be repeated; `title` may be cut. Raises
        TransportError, with `retry` where it may be opened a little later.
        """


class InboundGateway(Protocol):
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

    async def saved(self, conversation: Conversation) -> ConversationState | None:
        """Where a conversation stands; None where it never began or cannot be read. Raises StoreError."""

    async def conversations(self, platform: str, workspace: str = "") -> tuple[Conversation, ...]:
        """All conversations of a platform (and workspace) that began. Raises StoreError."""

    async def last_seen(self, conversation: Conversation) -> int:
        """The order of the newest message that was ever queued there, 0 without one. Raises StoreError."""

    def outage(self) -> Outage | None:
        """When this process could last not reach a store that it shares with others; None where it always could."""


class Adapter(Protocol):
    """One platform, both ways: what it brings goes to an `InboundGateway`; its `transport` says things."""

    name: str
    """What its conversations' keys begin with."""

    @property
    def transport(self) -> Transport:
        """The way out."""

    def trouble(self) -> str:
        """Why there is no connection just now, in words for operators; "" while there is one."""

    async def serve(self, gateway: InboundGateway, library: Library) -> None:
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
