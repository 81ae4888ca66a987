"""The way in: an adapter's `Inbound` into its conversation's mailbox. When `receive` returns, nothing can be lost."""

from __future__ import annotations

from dataclasses import replace

from bot.core import commands
from bot.core.codec import dump, load
from bot.core.model import Conversation, Inbound
from bot.core.session import Saved
from bot.ports import Message, Store

PAGE = 500
"""So many conversations are looked up at once."""


class Inbox:
    """A `bot.ports.Door`: takes messages and presses from every platform, and lets adapters see what is kept."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def receive(self, inbound: Inbound) -> bool:
        """Queue a message; False when this delivery of it was not the first.

        `stop` goes past the mailbox to the turn in flight, where there is one. Raises MailboxFullError: the sender
        is to be told.
        """
        message = Message(inbound.id, dump(inbound), inbound.order, is_plain(inbound))
        key = inbound.conversation.key
        if not inbound.menu and commands.is_stop(inbound.text) and await self._store.control(key, message):
            return True
        return await self._store.enqueue(key, message)

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
            await self._store.enqueue(key, Message(told, payload, inbound.order))

    async def deleted(self, conversation: Conversation, message_id: str) -> None:
        """A message was deleted: it is out of the mailbox, or out of every later prompt."""
        await self._store.amend(conversation.key, edit_of(message_id), None)
        if not await self._store.amend(conversation.key, message_id, None):
            await self._store.blank(conversation.key, message_id)

    async def saved(self, conversation: Conversation) -> Saved | None:
        """Where a conversation stands; None where it never began."""
        state = await self._store.peek(conversation.key)
        return load(state, Saved) if state else None

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


def is_plain(inbound: Inbound) -> bool:
    """Whether it is nothing but talk, so that it may be taken together with other talk."""
    return not inbound.menu and not inbound.files and commands.is_plain(inbound.text)


def edit_of(message_id: str) -> str:
    """The id under which the edit of a message that a turn has taken comes in; one a message is enough."""
    return f"{message_id}~"
