"""The way in: an adapter's `Inbound` into its conversation's mailbox. When `receive` returns, nothing can be lost."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from bot.core import commands
from bot.core.codec import UnreadableError, dump, load
from bot.core.model import Conversation, Inbound, Listen
from bot.core.session import ConversationState
from bot.ports.mailbox import MailboxFullError, Message, Outage, StoreError
from bot.ports.store import Store
from bot.runtime.access import Access
from bot.runtime.turns import line, policy_for

log = logging.getLogger(__name__)

PAGE = 500
"""So many conversations are looked up at once."""

EVERYBODY = Access()
"""No rules: everybody is heard, but for guests."""

TOLD = 1000
"""So many full conversations are remembered, and of each so many people, to tell each of them once."""


class Inbox:
    """The `InboundGateway`: takes messages and presses from every platform, and lets adapters see what is kept.

    `stop_raised` is told the conversation of a `stop` that went to the turn in flight there: the worker of this very
    process need not find it by looking. `access`, `listen` and `idle` (in seconds) are the worker's: they tell who may
    stop a reply, and who means the bot.
    """

    def __init__(
        self,
        store: Store,
        access: Access = EVERYBODY,
        stop_raised: Callable[[str], None] = lambda _: None,
        listen: Callable[[Conversation], Listen] = lambda _: "active",
        idle: float = 0.0,
    ) -> None:
        self._store, self._access, self._stop_raised = store, access, stop_raised
        self._listen, self._idle = listen, idle
        self._told: OrderedDict[str, set[str]] = OrderedDict()  # users, by conversations that are full

    async def receive(self, inbound: Inbound) -> bool:
        """Queue a message; False when this delivery of it was not the first.

        `stop` goes past the mailbox to the turn in flight, where there is one, and if its sender may speak here at all:
        from anybody else it waits like every other message, and is refused when its turn begins. Raises
        MailboxFullError.
        """
        message = Message(inbound.id, dump(inbound), inbound.order, is_plain(inbound))
        if self._may_stop(inbound) and await self._stopped(inbound, message):
            return True
        return await self._enqueue(inbound, message)

    async def stop(self, inbound: Inbound) -> bool:
        """Stop the reply under way there, by whoever `inbound` names; False where none is."""
        return await self._stopped(inbound, Message(inbound.id, dump(inbound), inbound.order))

    async def _stopped(self, inbound: Inbound, message: Message) -> bool:
        key = inbound.conversation.key
        if not await self._store.control(key, message):
            return False
        self._stop_raised(key)
        return True

    async def _enqueue(self, inbound: Inbound, message: Message) -> bool:
        """Put it into its mailbox. A full one is told to whoever meant the bot, each once until it has room again."""
        key = inbound.conversation.key
        try:
            taken = await self._store.enqueue(key, message)
        except MailboxFullError as error:
            raise MailboxFullError(str(error), await self._to_be_told(inbound)) from error
        if taken:
            self._told.pop(key, None)
        return taken

    async def _to_be_told(self, inbound: Inbound) -> Literal["all", "sender", ""]:
        told = self._told.setdefault(inbound.conversation.key, set())
        if inbound.user in told or len(told) >= TOLD or not await self._is_meant(inbound):
            return ""
        told.add(inbound.user)
        while len(self._told) > TOLD:
            self._told.popitem(last=False)
        return "all" if len(told) == 1 else "sender"

    async def _is_meant(self, inbound: Inbound) -> bool:
        """Whether the message is for the bot, as far as can be told while others wait before it."""
        if inbound.menu or inbound.direct or inbound.addressed:
            return True
        try:
            saved = await self.saved(inbound.conversation) or ConversationState()
        except StoreError as error:
            log.warning("whether a refused message was meant for the bot could not be looked up (%s)", error)
            return True
        return policy_for(inbound, saved, self._idle, self._listen(inbound.conversation)).hears(line(inbound))

    def _may_stop(self, inbound: Inbound) -> bool:
        return not inbound.menu and commands.is_stop(inbound.text) and not self._access.refuses(inbound)

    async def edited(self, inbound: Inbound, was: str) -> None:
        """A message was edited: `inbound` as it reads now, `was` as it read before ("" where that is not known).

        One that no turn has taken reads as it was edited last, at the place that it had. One that was taken stays as
        it was: its edit comes in behind it as such, decides nothing, and its author is told where it might have.
        """
        if was and inbound.text == was:
            return
        key = inbound.conversation.key
        if await self._store.amend(key, inbound.id, dump(inbound), plain=is_plain(inbound)):
            return
        told, payload = edit_of(inbound.id), dump(replace(inbound, edited=True))
        if not await self._store.amend(key, told, payload):
            await self._enqueue(inbound, Message(told, payload, inbound.order))

    async def deleted(self, conversation: Conversation, message_id: str) -> None:
        """A message was deleted: it is out of the mailbox, or out of every later prompt."""
        await self._store.amend(conversation.key, edit_of(message_id), None)
        if not await self._store.amend(conversation.key, message_id, None):
            await self._store.blank(conversation.key, message_id)

    async def saved(self, conversation: Conversation) -> ConversationState | None:
        """Where a conversation stands; None where it never began, or this build cannot read it."""
        state = await self._store.peek(conversation.key)
        try:
            return load(state, ConversationState) if state else None
        except UnreadableError as error:
            log.info("the state of %s cannot be read by this build (%s)", conversation.key, error)
            return None

    async def conversations(self, platform: str, workspace: str = "") -> tuple[Conversation, ...]:
        """All conversations of a platform (and workspace) that began."""
        prefix = f"{platform}:{workspace}:" if workspace else f"{platform}:"
        found: list[Conversation] = []
        after = prefix
        while page := await self._store.conversations(after, PAGE):
            found += [Conversation.parse(info.key) for info in page if info.key.startswith(prefix)]
            after = page[-1].key
            if not after.startswith(prefix):
                break
        return tuple(found)

    async def last_seen(self, conversation: Conversation) -> int:
        """The order of the newest message that was ever queued there, 0 without one."""
        return await self._store.last_seen(conversation.key)

    def outage(self) -> Outage | None:
        """When this process could last not reach its store."""
        return self._store.outage()


def is_plain(inbound: Inbound) -> bool:
    """Whether it is nothing but talk, so that it may be taken together with other talk."""
    return not inbound.menu and not inbound.files and commands.is_plain(inbound.text)


def edit_of(message_id: str) -> str:
    """The id under which the edit of a message that a turn has taken comes in; one a message is enough."""
    return f"{message_id}~"
