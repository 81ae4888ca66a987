"""What people find in the app's own tabs: who can be called, where they stand, and something to begin with."""

from __future__ import annotations

import logging

from bot.core.step_builder import voice_of
from bot.platforms.slack import views
from bot.platforms.slack.people import People
from bot.platforms.slack.web import RefusedError, UnansweredError, Web
from bot.ports.library import Library
from bot.ports.transport import InboundGateway

log = logging.getLogger(__name__)


class Home:
    """The App Home of each person: it names no channel that they do not belong to."""

    def __init__(self, web: Web, people: People, team: str, name: str) -> None:
        self._web, self._people, self._team, self._name = web, people, team, name

    async def show(self, user: str, gateway: InboundGateway, library: Library, page: int = 0) -> None:
        """Put together what `user` may see, with that page of the personas. Raises StoreError and UnansweredError."""
        rooms = await self._rooms(user, gateway, library)
        view = views.home(library.cast, rooms, self._name, page)
        try:
            await self._web.call("views.publish", again=True, user_id=user, view=view)
        except RefusedError as error:
            log.warning("the home of %s could not be shown (%s)", user, error)

    async def suggest(self, channel: str, library: Library) -> None:
        """Offer something to begin with in the private talk."""
        if not channel:
            return
        prompts = views.suggested(library.cast)
        try:
            await self._web.call("assistant.threads.setSuggestedPrompts", now=True, channel_id=channel, prompts=prompts)
        except (RefusedError, UnansweredError) as error:
            log.info("nothing could be suggested in %s (%s)", channel, error)

    async def _rooms(self, user: str, gateway: InboundGateway, library: Library) -> list[views.Room]:
        found: list[tuple[float, views.Room]] = []
        theirs = await self._people.rooms(user)
        for where in await gateway.conversations("slack", self._team):
            if where.thread or where.channel not in theirs:
                continue
            saved = await gateway.saved(where)
            if saved and saved.session.active:
                session = saved.session
                waits = "a choice" if session.gate else ""
                found.append((saved.active_at, (where.channel, voice_of(library.cast, session.active), waits)))
        return [room for _, room in sorted(found, key=lambda room: -room[0])]
