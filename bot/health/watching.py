"""Everything that watches a running bot, as the settings ask for it; what they do not ask for is not imported."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.health.observing import Several
from bot.health.vitals import Vitals
from bot.ports.observer import SILENT, Observer


class Watch:
    """Counts and traces the turns of one bot, and answers those who ask after it.

    `listen` and `otlp` are the settings of these names, `worker` is the name that traces know this process by; `others`
    are told of the turns as well. Raises TracingError where `otlp` is given and the extra for it is not installed.
    """

    def __init__(self, listen: str, otlp: str, worker: str, *others: Observer) -> None:
        self._listen = listen
        self._others = others
        self._metrics = self._tracing = None
        if listen:
            from bot.health.metrics import Metrics

            self._metrics = Metrics()
        if otlp:
            from bot.health.tracing import Tracing

            self._tracing = Tracing(otlp, worker)

    @property
    def observer(self) -> Observer:
        """What the worker is to tell its turns."""
        asked_for = [one for one in (*self._others, self._metrics, self._tracing) if one is not None]
        return Several(*asked_for) if asked_for else SILENT

    @asynccontextmanager
    async def open(self, vitals: Vitals) -> AsyncIterator[str]:
        """Answer for `vitals` while the body runs, then send the last traces; gives the base URL, "" where none.

        Raises ListenError.
        """
        try:
            if self._metrics is None:
                yield ""
            else:
                from bot.health.server import serving

                async with serving(self._listen, vitals, self._metrics) as url:
                    yield url
        finally:
            if self._tracing is not None:
                # In a thread, because it waits for the collector.
                await asyncio.to_thread(self._tracing.close)
