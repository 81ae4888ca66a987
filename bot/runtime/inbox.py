"""The way in: an adapter's `Inbound` into its conversation's mailbox. When `receive` returns, nothing can be lost."""

from __future__ import annotations

from bot.core import commands
from bot.core.codec import dump
from bot.core.model import Inbound
from bot.ports import Message, Store


class Inbox:
    """Takes messages and presses from every platform."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def receive(self, inbound: Inbound) -> bool:
        """Queue a message; False when this delivery of it was not the first.

        `stop` goes past the mailbox to the turn in flight, where there is one. Raises MailboxFullError: the sender
        is to be told.
        """
        plain = not inbound.menu and commands.is_plain(inbound.text)
        message = Message(inbound.id, dump(inbound), inbound.order, plain)
        key = inbound.conversation.key
        if not inbound.menu and commands.is_stop(inbound.text) and await self._store.control(key, message):
            return True
        return await self._store.enqueue(key, message)
