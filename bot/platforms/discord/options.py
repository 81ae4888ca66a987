"""What the Discord adapter is told by the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.core.model import HOST, Voice


@dataclass(frozen=True, slots=True)
class DiscordOptions:
    """How Discord is reached.

    `host` is the bot's own voice, and its name that of the webhooks. With `avatars`, personas have drawn ones.
    `backfill` is how many seconds back messages are looked for that were missed; 0: none. `shard_count` with
    `shard_ids` says which shards this process holds; None: all of as many as Discord recommends. Guilds are taken to
    have all been told of when none has come for `settle` seconds.
    """

    token: str = field(repr=False)
    host: Voice = HOST
    avatars: bool = True
    backfill: float = 24 * 3600.0
    shard_count: int | None = None
    shard_ids: tuple[int, ...] = ()
    settle: float = 2.0
