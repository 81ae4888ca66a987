"""Which addresses and servers the Redis store accepts, and what it says of those that it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from bot.stores.errors import StoreError
from bot.stores.redis import RedisStore
from bot.stores.redis_health import check, warnings
from bot.stores.redis_link import Address
from tests.contract.redis_server import running

# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://host", "host:6379"),
        ("redis://:Geheim@host:7000/3", "host:7000, database 3"),
        ("rediss://user:Geheim@host/0?ssl_ca_certs=ca.pem", "host:6379, database 0"),
        ("redis://user:Geh%40im%2F@[::1]:7000", "::1:7000"),
        ("unix://user:Geheim@/run/redis.sock?db=1", "unix:/run/redis.sock"),
    ],
)
def test_an_address_is_named_without_its_password(url: str, name: str) -> None:
    address = Address.parse(url)

    assert (address.url, address.name) == (url, name)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://:Geheim@host",
        "redis://",
        "redis://user:Geheim@",
        "redis://:Geheim/x@host",
        "redis://:123/Geheim@host",
        "redis://:123#Geheim@host",
        "redis://:123?Geheim@host",
        "redis://:Geheim@host:port",
        "redis://:Geheim@host/first",
        "unix://:Geheim@",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_and_nothing_of_it_shown(url: str) -> None:
    with pytest.raises(StoreError, match="address of the Redis server cannot be read") as told:
        Address.parse(url)

    assert "Geheim" not in str(told.value)
    assert told.value.__cause__ is None and told.value.__suppress_context__ is (told.value.__context__ is not None)


# ---------------------------------------------------------------- servers

GOOD = {"redis_version": "7.2.4", "role": "master", "maxmemory_policy": "noeviction", "aof_enabled": 1}


def test_a_primary_that_is_new_enough_is_accepted() -> None:
    check(GOOD, "host:6379")


@pytest.mark.parametrize("version", ["6.2.14", "5.0.0", "2.8"])
def test_a_server_that_is_too_old_is_refused(version: str) -> None:
    with pytest.raises(StoreError, match=rf"host:6379 is Redis {version}; 7.0 is the oldest"):
        check({**GOOD, "redis_version": version}, "host:6379")


def test_a_server_without_a_version_is_refused() -> None:
    with pytest.raises(StoreError, match="does not say which version"):
        check({"role": "master"}, "host:6379")


@pytest.mark.parametrize(
    ("difference", "fsync", "said"),
    [
        ({"maxmemory_policy": "allkeys-lru"}, "everysec", "Set maxmemory-policy noeviction"),
        ({"aof_enabled": 0}, "everysec", "Set appendonly yes"),
        ({}, "no", "Set appendfsync everysec"),
        ({"dragonfly_version": "df-1.2"}, "everysec", "not tested"),
    ],
)
def test_a_setting_that_may_lose_data_is_told(difference: dict[str, object], fsync: str, said: str) -> None:
    (warning,) = warnings({**GOOD, **difference}, fsync)

    assert said in warning


@pytest.mark.parametrize("fsync", ["everysec", "always", None])
def test_a_server_that_keeps_its_data_gets_no_warning(fsync: str | None) -> None:
    assert warnings(GOOD, fsync) == ()


async def test_the_warnings_are_those_of_the_server_that_answered(tmp_path: Path) -> None:
    with running(tmp_path, "--maxmemory-policy", "allkeys-lru") as server:
        store = await RedisStore.open(server.url)
        assert [warning.split(" (")[0] for warning in store.warnings()] == [
            "Redis drops keys when its memory is full",
            "Redis keeps no append-only file: what was accepted since its last snapshot is lost when it stops. "
            "Set appendonly yes.",
        ]
        await store.close()
        with redis.Redis.from_url(server.url) as admin:
            admin.config_set("maxmemory-policy", "noeviction")
            admin.config_set("appendonly", "yes")
            admin.config_set("appendfsync", "no")
        store = await RedisStore.open(server.url)
        (warning,) = store.warnings()
        await store.close()
    assert "appendfsync no" in warning
