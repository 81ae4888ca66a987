"""Who people are and which channels they belong to, asked of Slack and remembered for a while."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.platforms.slack.arrival import Person
from bot.platforms.slack.web import RefusedError, UnansweredError, Web

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(slots=True)
class Remembered(Generic[T]):
    """Answers that stay good for `seconds`, the newest `most` of them; one question is asked once at a time."""

    ask: Callable[[str], Awaitable[T]]
    seconds: float
    most: int = 5000
    known: dict[str, tuple[float, T]] = field(default_factory=dict)
    asking: dict[str, asyncio.Task[T]] = field(default_factory=dict)

    async def get(self, key: str) -> T:
        """The answer for `key`. Raises what `ask` raises, which is not remembered."""
        now = time.monotonic()
        if (found := self.known.get(key)) and found[0] > now:
            return found[1]
        task = self.asking.get(key)
        if task is None:
            task = asyncio.ensure_future(self.ask(key))
            self.asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        return await asyncio.shield(task)

    def _asked(self, key: str, done: asyncio.Task[T]) -> None:
        """Remember the answer, also where nobody waits for it any more."""
        self.asking.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        self.known.pop(key, None)
        self.known[key] = (time.monotonic() + self.seconds, done.result())
        while len(self.known) > self.most:
            del self.known[next(iter(self.known))]

    def last(self, key: str) -> T | None:
        """The last answer for `key`, however old; None without one."""
        found = self.known.get(key)
        return found[1] if found else None

    def forget(self, key: str) -> None:
        """Ask again next time."""
        if found := self.known.get(key):
            self.known[key] = (0.0, found[1])

    async def close(self) -> None:
        """Ask no further; who waits for an answer is cancelled."""
        asking = list(self.asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


PATIENCE = 1.0
"""Seconds that a message waits to learn who wrote it; Slack gives 3 for an acknowledgement."""


class People:
    """People of one workspace and its channels.

    Its questions but for `person` raise UnansweredError where Slack gives no answer.
    """

    def __init__(self, web: Web, team: str) -> None:
        self._web, self._team = web, team
        self._persons = Remembered(self._person, 600.0)
        self._rooms = Remembered(self._rooms_of, 60.0, 500)
        self._open = Remembered(self._is_open, 60.0, 500)
        self._direct = Remembered(self._direct_with, 24 * 3600.0)

    async def person(self, user: str) -> Person:
        """Somebody by id. Whom Slack does not show to the bot goes by the id, and counts as an outsider.

        Where Slack just does not answer, it is whoever was known by that id at last; else the id is all that is known,
        and they are no outsider unless the message itself tells so: a member must not be sent away for Slack's trouble.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._persons.get(user)
        except (UnansweredError, TimeoutError) as error:
            known = self._persons.last(user)
            log.warning(
                "Slack does not tell who %s is (%s); %s is used", user, error, "what was known" if known else "the id"
            )
            return known or Person(user, user)

    async def rooms(self, user: str) -> frozenset[str]:
        """The ids of the channels that somebody belongs to, as far as the bot may see them; none where Slack is mum."""
        return await self._rooms.get(user)

    async def may_speak(self, channel: str) -> bool:
        """Whether the bot belongs to a channel; also where Slack does not tell."""
        return await self._open.get(channel)

    async def direct(self, user: str) -> str:
        """The id of the private channel with somebody. Raises RefusedError too."""
        return await self._direct.get(user)

    def changed(self, user: str = "", channel: str = "") -> None:
        """Somebody has changed, or belongs to a channel now, or no longer."""
        self._persons.forget(user)
        self._rooms.forget(user)
        self._open.forget(channel)

    async def close(self) -> None:
        """Ask Slack nothing further."""
        for questions in (self._persons, self._rooms, self._open, self._direct):
            await questions.close()

    async def _person(self, user: str) -> Person:
        try:
            found = (await self._web.call("users.info", again=True, now=True, user=user))["user"]
        except RefusedError as error:
            log.warning("who %s is cannot be told (%s); taken for somebody from outside", user, error)
            return Person(user, user, outsider=True)
        profile = found.get("profile", {})
        name = profile.get("display_name") or profile.get("real_name") or found.get("real_name") or found.get("name")
        is_guest = bool(found.get("is_restricted") or found.get("is_ultra_restricted"))
        is_stranger = bool(found.get("is_stranger")) or found.get("team_id", self._team) != self._team
        return Person(user, str(name or user), outsider=is_guest or is_stranger)

    async def _rooms_of(self, user: str) -> frozenset[str]:
        kinds = "public_channel,private_channel"
        try:
            pages = self._web.pages("users.conversations", "channels", user=user, types=kinds, limit=200)
            return frozenset([str(channel["id"]) async for channel in pages])
        except RefusedError as error:
            log.warning("which channels %s belongs to cannot be told (%s)", user, error)
            return frozenset()

    async def _is_open(self, channel: str) -> bool:
        try:
            found = (await self._web.call("conversations.info", again=True, channel=channel))["channel"]
        except RefusedError as error:
            log.info("whether the bot belongs to %s cannot be told (%s)", channel, error)
            return error.code not in ("channel_not_found", "not_in_channel")
        return bool(found.get("is_im") or found.get("is_member"))

    async def _direct_with(self, user: str) -> str:
        opened = await self._web.call("conversations.open", again=True, users=[user])
        return str(opened["channel"]["id"])
