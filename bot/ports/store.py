"""Everything that a store keeps, together."""

from __future__ import annotations

from typing import Protocol

from bot.ports.budgets import BudgetStore
from bot.ports.documents import Documents
from bot.ports.ledger import Ledger
from bot.ports.mailbox import Mailbox
from bot.ports.posts import Posts
from bot.ports.upkeep import Upkeep


class Store(Mailbox, Ledger, BudgetStore, Upkeep, Protocol):
    """Mailboxes, sessions and logs of all conversations; the one place where state is.

    Any call may raise StoreError. Every write of a claim is fenced: it takes effect only while no later claim of the
    conversation exists, and tells by False that it did not. One suite, `tests/contract`, holds every implementation to
    this text.
    """

    @property
    def posts(self) -> Posts:
        """What stands in the conversations of platforms that keep nothing themselves."""

    @property
    def documents(self) -> Documents:
        """The port of documents, which are kept in the same file or on the same server."""

    async def close(self) -> None:
        """Let go of what the store holds open."""
