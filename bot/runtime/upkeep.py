"""Letting go of what nobody has needed for long, beside the bot's work."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bot.ports.clock import Clock
from bot.ports.mailbox import StoreError
from bot.ports.store import Store
from bot.ports.upkeep import Expired

log = logging.getLogger(__name__)

EVERY = 3600.0
"""Seconds from one look to the next."""

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Forgets conversations that were silent, and dead letters that lay there, for `keep` seconds; 0 keeps them all.

    The same for documents that nobody wrote to for `documents` seconds.

    How long that was is the store's to say, and it takes two looks of it, a day apart: this process's clock may be
    wrong, and what is forgotten does not come back. Any number of processes may do so on one store at the same time.
    """

    store: Store
    clock: Clock
    keep: float
    documents: float = 0.0

    async def run(self) -> None:
        """Now and then every hour, until cancelled. A store that fails is told to the log, and asked the next time."""
        while self.keep > 0 or self.documents > 0:
            for look in (self.once, self.at_documents):
                try:
                    await look()
                except StoreError as error:
                    log.warning("what was silent for %.0f days is forgotten in an hour: %s", self._days, error)
                except Exception:
                    # What ends a task of its own is seen by nobody before the shutdown.
                    log.exception("what was silent for %.0f days could not be forgotten; trying in an hour", self._days)
            await self.clock.sleep(EVERY)

    async def once(self) -> Expired:
        """Look once; return what was found and done. Raises StoreError."""
        if self.keep <= 0:
            return Expired()
        look = await self.store.expire(self.keep)
        if look.noted:
            told = "found silent for more than %.0f days, to be forgotten in a day if they stay so: %d"
            log.info(told, self._days, look.noted)
        if look.gone:
            log.info("conversations forgotten that were silent for more than %.0f days: %d", self._days, look.gone)
        return look

    async def at_documents(self) -> int:
        """Look at documents once; how many are gone. Raises StoreError."""
        if self.documents <= 0:
            return 0
        gone, noted = await self.store.documents.expire(self.documents)
        days = self.documents / DAY
        if noted:
            log.info("documents not written to for more than %.0f days, to be deleted in a day: %d", days, noted)
        if gone:
            log.info("documents deleted that nobody wrote to for more than %.0f days: %d", days, gone)
        return gone

    @property
    def _days(self) -> float:
        return self.keep / DAY
