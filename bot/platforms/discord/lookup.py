"""What Discord says of the bot when it is asked once, without a gateway and without waiting for better times."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from discord.http import Route

from bot.platforms.discord.web import RefusedError, UnansweredError

PATIENCE = 15
"""Seconds after which a call counts as unanswered."""

PAGE = 200
"""Servers in one page of the bot's list, the most that Discord gives (docs, get current user guilds)."""


class Lookup:
    """Reads by the token of a bot; `session` is its owner's to close. `date` is that of Discord's last answer."""

    def __init__(self, session: aiohttp.ClientSession, token: str) -> None:
        self._session = session
        self.date = ""
        self._headers = {"Authorization": f"Bot {token}", "User-Agent": "DiscordBot (greenroom, 0)"}

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """What stands at `path` of the API. Raises RefusedError and UnansweredError."""
        what, patience = f"GET {path}", aiohttp.ClientTimeout(total=PATIENCE)
        try:
            async with self._session.get(
                Route.BASE + path, params=query, headers=self._headers, timeout=patience
            ) as response:
                status = response.status
                self.date = response.headers.get("Date", "")
                body = await response.json(content_type=None) if response.content_type == "application/json" else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise UnansweredError(f"{what}: {type(error).__name__}: {error}") from error
        if status >= 500 or status == 429 or body is None:
            raise UnansweredError(f"{what}: HTTP {status}")
        if status >= 400:
            told = body if isinstance(body, dict) else {}
            raise RefusedError(what, status, int(told.get("code") or 0), str(told.get("message", "")))
        return body

    async def application(self) -> dict[str, Any]:
        """The application that the token is of. Raises RefusedError and UnansweredError."""
        found: dict[str, Any] = await self.get("/oauth2/applications/@me")
        return found

    async def guilds(self) -> AsyncIterator[dict[str, Any]]:
        """The servers that the bot is on, each with what its roles permit. Raises RefusedError and UnansweredError."""
        after = "0"
        while True:
            page = await self.get("/users/@me/guilds", {"limit": str(PAGE), "after": after})
            for guild in page:
                yield guild
            if len(page) < PAGE:
                return
            after = str(page[-1]["id"])
