"""What a Redis server says of itself, judged before anything is entrusted to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.stores.errors import StoreError, StoreSettingsError

OLDEST = (7, 0)
"""The oldest Redis whose scripts, errors and replication the store is tested with; every Valkey is newer."""


def version_of(info: Mapping[str, Any]) -> tuple[int, ...]:
    """The version of Redis that the server is, or says it is compatible with; empty where it says none."""
    parts = str(info.get("redis_version", "")).split(".")
    return tuple(int(part) for part in parts if part.isdigit())


def check(info: Mapping[str, Any], address: str) -> None:
    """Raise StoreError where the server behind `address` cannot be used, in words for people."""
    version = version_of(info)
    if not version:
        raise StoreSettingsError(
            f"The server at {address} does not say which version of Redis it is. Name a Redis or Valkey server."
        )
    if version < OLDEST:
        raise StoreSettingsError(
            f"The server at {address} is Redis {info['redis_version']}; {OLDEST[0]}.{OLDEST[1]} is the oldest that "
            "works. Upgrade it, or use Valkey."
        )
    if info.get("role") == "slave":
        raise StoreError(
            f"The server at {address} is a read-only replica. Name its primary (it says: "
            f"{info.get('master_host')}:{info.get('master_port')}) or an address that follows the primary."
        )


def warnings(info: Mapping[str, Any], fsync: str | None) -> tuple[str, ...]:
    """What may lose data later, each with what to do; `fsync` is `appendfsync` where the server tells it."""
    found = []
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        found.append(
            f"Redis drops keys when its memory is full (maxmemory-policy {policy}): messages and sessions would be "
            "lost without a word. Set maxmemory-policy noeviction."
        )
    if not int(info.get("aof_enabled", 0)):
        found.append(
            "Redis keeps no append-only file: what was accepted since its last snapshot is lost when it stops. "
            "Set appendonly yes."
        )
    elif fsync == "no":
        found.append(
            "Redis leaves it to the operating system when its append-only file reaches the disk (appendfsync no). "
            "Set appendfsync everysec, or always."
        )
    if "dragonfly_version" in info:
        found.append(
            "This is Dragonfly, which is not tested. Start it with --default_lua_flags=allow-undeclared-keys, or use "
            "Redis or Valkey."
        )
    return tuple(found)
