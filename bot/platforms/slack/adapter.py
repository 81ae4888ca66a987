"""Slack, both ways: the connection on which it tells things, and the parts that take them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bot.platforms.reaching import UnreachableError
from bot.platforms.slack.arrival import Me
from bot.platforms.slack.backfill import PATIENCE, Backfill, place_of
from bot.platforms.slack.event_source import bolt, event_source
from bot.platforms.slack.home import Home
from bot.platforms.slack.listening import AGAIN, TAKEN, Answer, EventHandler
from bot.platforms.slack.options import SlackOptions
from bot.platforms.slack.people import People
from bot.platforms.slack.posting import Poster
from bot.platforms.slack.queues import PlaceQueues
from bot.platforms.slack.streaming import Streams
from bot.platforms.slack.transport import SlackTransport
from bot.platforms.slack.web import TOKEN_ERRORS, RefusedError, UnansweredError, Web
from bot.platforms.slack.web import opened as web_opened
from bot.ports.library import Library
from bot.ports.mailbox import StoreError
from bot.ports.transport import InboundGateway, PlatformError

log = logging.getLogger(__name__)

LOOKS = (1.0, 10.0, 30.0)
"""Seconds before each look whether a token that Slack has refused in a call is refused for good."""

STORE_PAUSE = 1.0
"""Seconds after which a store that is away is asked again how far things had come."""


class SlackAdapter:
    """A `bot.ports.transport.Adapter` for one workspace."""

    name = "slack"

    def __init__(self, web: Web, me: Me, options: SlackOptions) -> None:
        self._web, self._me, self._options = web, me, options
        box = Poster(web, me)
        streams = Streams(web, box, me.team, asyncio.get_running_loop().time)
        self.transport = SlackTransport(web, box, streams)
        self._line = event_source(web, options)
        self._missed: Backfill | None = None

    def trouble(self) -> str:
        """Why nothing comes from Slack just now; "" while it does."""
        if self._web.revoked:
            return f"Slack no longer takes the bot's token ({self._web.revoked})"
        return self._line.trouble()

    @property
    def is_behind(self) -> bool:
        """Whether something may have been said that is still to be looked for."""
        return self._missed is None or self._missed.is_behind

    async def serve(self, gateway: InboundGateway, library: Library) -> None:
        """Take what Slack tells, until cancelled; what was missed while no connection was there is caught up.

        Raises PlatformError where Slack lets no connection be made, or its calls cannot be taken.
        """
        people = People(self._web, self._me.team)
        home = Home(self._web, people, self._me.team, self._options.host.name)
        handler = EventHandler(self._web, self._me, people, home, gateway, library, self.transport.stopped)
        self._missed = missed = Backfill(self._web, gateway, self._me, self._options.backfill, handler.message)

        queues = PlaceQueues()

        async def take(body: Mapping[str, Any]) -> Answer:
            if body.get("type") == "app_rate_limited":
                missed.limited(float(body.get("minute_rate_limited") or time.time()))
                return TAKEN
            where = place_of(body, self._me.team)
            async with queues.turn(where, PATIENCE) as is_next:
                answer = await handler.take(body) if is_next and await missed.before(where) else AGAIN
            if answer == AGAIN:
                missed.refused(body)
            return answer

        await _begun(missed)
        await missed.look_ahead()
        filling = asyncio.create_task(missed.run())
        line = self._line.serve(bolt(self._web, self._me, take), missed.connected)
        ways = [asyncio.create_task(work) for work in (line, self._refused())]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            for task in (*ways, filling):
                task.cancel()
            await asyncio.gather(*ways, filling, return_exceptions=True)
            await people.close()

    async def _refused(self) -> None:
        """Watch the token, which can be revoked while a connection stands. Raises PlatformError when it is no good.

        Until then turns are put off again and again, since nothing can be posted.
        """
        while await self._web.refused.wait():
            looks = list(LOOKS)
            while looks and self._web.revoked:
                await asyncio.sleep(looks[0])
                try:
                    await self._web.call("auth.test", again=True)
                except RefusedError as error:
                    if error.code in TOKEN_ERRORS:
                        looks.pop(0)
                except UnansweredError as error:
                    log.debug("whether the bot's token is good cannot be told (%s)", error)
            if not looks:
                raise PlatformError(
                    f"Slack no longer takes SLACK_BOT_TOKEN ({self._web.revoked}): install the app again and set the "
                    "new one, from OAuth & Permissions"
                )

    async def close(self) -> None:
        """End what is being shown."""
        await self.transport.close()


async def _begun(missed: Backfill) -> None:
    """What comes before a connection is looked up; nothing could be taken anyway while the store is away."""
    while True:
        try:
            return await missed.start()
        except StoreError as error:
            log.error("Slack is not connected, for the store does not answer (%s)", error)
            await asyncio.sleep(STORE_PAUSE)


@asynccontextmanager
async def opened(options: SlackOptions) -> AsyncIterator[SlackAdapter]:
    """The adapter, when Slack knows the bot's token. Raises PlatformError."""
    if options.mode == "socket" and not options.app_token.startswith("xapp-"):
        raise PlatformError(
            "Slack in mode socket needs SLACK_APP_TOKEN, which begins with xapp-: make one with the scope "
            "connections:write under Basic Information, App-Level Tokens"
        )
    if options.mode == "http" and not options.signing_secret:
        raise PlatformError(
            "Slack in mode http needs SLACK_SIGNING_SECRET, from Basic Information, App Credentials: without it "
            "anybody could speak for Slack"
        )
    async with web_opened(options.bot_token, options.api) as web:
        try:
            found = await web.call("auth.test", again=True)
        except RefusedError as error:
            raise PlatformError(
                f"Slack does not take SLACK_BOT_TOKEN ({error.code}): copy the Bot User OAuth Token, which begins with "
                "xoxb-, from OAuth & Permissions"
            ) from error
        except UnansweredError as error:
            raise UnreachableError(f"Slack cannot be reached at {options.api}: {error}") from error
        if not found.get("bot_id"):
            raise PlatformError("SLACK_BOT_TOKEN is not a bot's: copy the one that begins with xoxb-")
        me = Me(user=found["user_id"], bot=found["bot_id"], team=found["team_id"], app=found.get("app_id", ""))
        adapter = SlackAdapter(web, me, options)
        try:
            yield adapter
        finally:
            await adapter.close()
