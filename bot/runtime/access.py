"""Who may speak with the bot, and how fast."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.core.events import Refusal
from bot.core.model import Inbound
from bot.ports.store import Store
from bot.runtime.turns import line


@dataclass(frozen=True, slots=True)
class Names:
    """Places and people by their platform's ids. A channel counts with its threads."""

    workspaces: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.workspaces or self.channels or self.users or self.roles)

    def names(self, message: Inbound) -> bool:
        """Whether the message's place, its sender, or one of the sender's roles is among them."""
        where = message.conversation
        return (
            where.workspace in self.workspaces
            or where.channel in self.channels
            or message.user in self.users
            or not self.roles.isdisjoint(message.roles)
        )


@dataclass(frozen=True, slots=True)
class Access:
    """The rules: `deny` wins over `allow`, and an empty `allow` lets everybody in who is not an outsider.

    `per_minute` messages a user in the long run and `burst` at once; 0 is no limit. Admins are never refused; on the
    platforms in `own` whoever writes is one, for they sit at the bot's machine.
    """

    allow: Names = field(default_factory=Names)
    deny: Names = field(default_factory=Names)
    admins: frozenset[str] = frozenset()
    per_minute: float = 0.0
    burst: int = 10
    own: frozenset[str] = frozenset()

    def is_admin(self, message: Inbound) -> bool:
        """Whether its sender may do what only admins may."""
        return message.conversation.platform in self.own or message.user in self.admins

    def refuses(self, message: Inbound) -> str:
        """Why its sender may not speak with the bot here, in words for people; empty where they may."""
        if self.is_admin(message):
            return ""
        if self.deny.names(message):
            return "You may not use this bot here. Ask its operator if that is a mistake."
        if self.allow and not self.allow.names(message):
            return "This bot is not open to you here. Its operator can allow you, this channel or one of your roles."
        if message.outsider and not self.allow.names(message):
            return "Guests and people from other organisations need to be allowed by this bot's operator first."
        return ""

    async def refusals(
        self, messages: Sequence[Inbound], store: Store, hears: Callable[[Inbound], bool] = lambda _: True
    ) -> dict[str, Refusal]:
        """The messages that are not to be heard, by their ids, and why. Only what the bot `hears` counts as haste."""
        found: dict[str, Refusal] = {}
        for message in messages:
            why = self.refuses(message)
            if not why and self.per_minute > 0 and not self.is_admin(message) and hears(message):
                wait = await store.throttle(_pace_key(message), self.per_minute, self.burst)
                if wait > 0:
                    why = f"That is faster than I may answer one person. Write again in {math.ceil(wait)} s."
            if why:
                found[message.id] = Refusal(message.user, message.name, why, None if message.number else line(message))
        return found


def _pace_key(message: Inbound) -> str:
    """What a sender's pace is kept under; hashed, so that no user's id stays where nobody is looked for by it."""
    where = message.conversation
    return hashlib.sha256(f"{where.platform}:{where.workspace}:{message.user}".encode()).hexdigest()[:32]
