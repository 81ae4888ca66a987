"""What the Slack adapter is told by the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bot.core.model import HOST, Voice


@dataclass(frozen=True, slots=True)
class SlackOptions:
    """How Slack is reached. `app_token` is for mode socket, `signing_secret` for mode http.

    In mode http events are taken at `listen` (host:port) under `path`, over at most so many `connections`; of one
    address at most `connections_per_peer` whose request is waited for (0: no such bound). `host` is the bot's own
    voice. `backfill` is how many seconds back messages are looked for that were missed; 0: none.
    """

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    mode: Literal["socket", "http"] = "socket"
    listen: str = "127.0.0.1:3000"
    path: str = "/slack/events"
    connections: int = 500
    connections_per_peer: int = 100
    api: str = "https://slack.com/api/"
    host: Voice = HOST
    backfill: float = 24 * 3600.0
