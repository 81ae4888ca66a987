"""What shows that somebody is at work: "is thinking..." and Slack's stop button. Nothing ever waits for either."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from bot.core.model import Conversation
from bot.platforms.slack.arrival import is_direct, ts_of
from bot.platforms.slack.posting import Poster
from bot.platforms.slack.web import LimitedError, RefusedError, UnansweredError, Web
from bot.ports.transport import Outgoing

log = logging.getLogger(__name__)

STATUS, SESSION = "assistant.threads.setStatus", "agents.sessions.setStatus"

FIRST_TRY, LATEST_TRY = 1.0, 60.0
"""Seconds after which it is said again that the work is done: they double from the first to the latest."""

TRIES = 60
"""So often it is said; Slack itself ends what is being processed for an hour."""

REMEMBERED = 1000
"""So many places where Slack refused something are remembered."""


class Decoration:
    """The signs of work in the conversations of one workspace.

    Slack ties both to a message by its `thread_ts` (docs, assistant.threads.setStatus and agents.sessions.setStatus:
    required in channels and in direct messages). At the top of either that is the message which is being answered.
    """

    def __init__(self, web: Web, box: Poster) -> None:
        self._web, self._box = web, box
        self._processing: dict[Conversation, str] = {}
        self._thinking: dict[Conversation, str] = {}
        self._refused: dict[tuple[str, str, str], None] = {}
        self._free_at: dict[str, float] = {}
        self._resting: dict[Conversation, asyncio.Task[None]] = {}

    async def busy(self, out: Outgoing) -> None:
        """Show that `out.voice` is at work on the message with the order `out.since`; dropped while Slack limits it."""
        where = out.conversation
        thread = where.thread or ts_of(out.since)
        if resting := self._resting.pop(where, None):
            resting.cancel()
        if (where.thread or is_direct(where.channel)) and where not in self._processing:
            self._processing[where] = thread
            if not await self._shown(SESSION, where, thread, status="processing"):
                self._processing.pop(where, None)
        if not where.thread:
            self._thinking[where] = thread
        if not await self._shown(STATUS, where, thread, status="is thinking...", **self._box.voiced(out.voice)):
            self._thinking.pop(where, None)

    def rested(self, where: Conversation) -> None:
        """The work there is done: this is said in the background until it stands."""
        session, status = self._processing.pop(where, ""), self._thinking.pop(where, "")
        if not session and not status:
            return
        task = asyncio.create_task(self._rest(where, session, status))
        self._resting[where] = task
        task.add_done_callback(lambda done: self._resting.get(where) is done and self._resting.pop(where))

    def session_at(self, channel: str, thread: str) -> Conversation | None:
        """The conversation whose work Slack ties to that message; None for one that this process knows nothing of."""
        at = (found for found, ts in self._processing.items() if (found.channel, ts) == (channel, thread))
        return next(at, None)

    async def close(self) -> None:
        """Say nothing further."""
        resting = list(self._resting.values())
        for task in resting:
            task.cancel()
        await asyncio.gather(*resting, return_exceptions=True)

    async def _rest(self, where: Conversation, session: str, status: str) -> None:
        if session:
            await self._until_it_stands(SESSION, where, session, {"status": "active"})
        if status:
            # A post in the thread takes the status away by itself; one at the top does not.
            await self._until_it_stands(STATUS, where, status, {"status": ""})

    async def _shown(self, method: str, where: Conversation, thread: str, **arguments: Any) -> bool:
        """Show it now or not at all; False where it does not stand for sure."""
        place = method, where.channel, thread
        if place in self._refused or _now() < self._free_at.get(method, 0.0):
            return False
        try:
            await self._web.call(method, now=True, channel_id=where.channel, thread_ts=thread, **arguments)
        except RefusedError as error:
            if self._box.spoken_for(error, arguments):
                plain = {name: value for name, value in arguments.items() if name == "status"}
                return await self._shown(method, where, thread, **plain)
            self._refused[place] = None
            while len(self._refused) > REMEMBERED:
                del self._refused[next(iter(self._refused))]
            log.info("that somebody is at work in %s cannot be shown (%s)", where.key, error)
            return False
        except LimitedError as error:
            self._free_at[method] = _now() + error.seconds
            return False
        except UnansweredError as error:
            log.debug("whether it is shown that somebody is at work is not known (%s)", error)
        return True

    async def _until_it_stands(
        self, method: str, where: Conversation, thread: str, arguments: Mapping[str, Any]
    ) -> None:
        delay = FIRST_TRY
        for _ in range(TRIES):
            try:
                await self._web.call(method, now=True, channel_id=where.channel, thread_ts=thread, **arguments)
            except RefusedError as error:
                log.info("that the work in %s is done cannot be shown (%s)", where.key, error)
                return
            except LimitedError as error:
                await asyncio.sleep(error.seconds)
            except UnansweredError:
                await asyncio.sleep(delay)
                delay = min(2 * delay, LATEST_TRY)
            else:
                return
        log.warning("that the work in %s is done could not be shown; Slack's stop button may stand there", where.key)


def _now() -> float:
    return asyncio.get_running_loop().time()
