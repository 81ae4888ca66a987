"""Where the store is: the settings of a server, the password that is in none of them, and opening what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, load
from bot.stores.errors import StoreError
from bot.stores.opening import open_store, with_password
from bot.stores.sqlite import SqliteStore
from tests.fakes.clock import ManualClock


def problems(path: Path | None, **env: str) -> list[str]:
    with pytest.raises(SettingsError) as told:
        load(path, env)
    assert "hunter2" not in str(told.value)
    return list(told.value.problems)


def password(settings: Settings) -> str | None:
    secret = settings.secrets.redis_password
    return secret.get_secret_value() if secret else None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "greenroom.yaml"


@pytest.mark.parametrize("url", ["redis://cache:6379/0", "rediss://user@cache.example", "redis://[::1]:7000"])
def test_a_server_is_named_by_its_address(file: Path, url: str) -> None:
    file.write_text(f"store:\n  url: {url}\n  partitions: 64\n")

    settings = load(file, {"REDIS_PASSWORD": "hunter2"})

    assert (settings.store.url, settings.store.partitions) == (url, 64)
    assert password(settings) == "hunter2"
    assert "hunter2" not in repr(settings)


def test_a_password_in_a_variable_s_address_goes_to_the_secrets(file: Path) -> None:
    settings = load(None, {"GREENROOM_STORE__URL": "redis://:hunter2%2F@cache:6379/1", "REDIS_PASSWORD": "another"})

    assert settings.store.url == "redis://cache:6379/1"
    assert password(settings) == "hunter2/"
    assert "hunter2" not in repr(settings)


def test_a_password_in_a_file_is_refused_without_being_shown(file: Path) -> None:
    file.write_text("store:\n  url: redis://me:hunter2@cache:6379\n")

    assert problems(file) == [
        f"{file}:2: store.url: a password does not belong here; set REDIS_PASSWORD in the environment, or "
        "REDIS_PASSWORD_FILE to the path of a file that holds it"
    ]


def test_a_password_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")

    assert password(load(None, {"REDIS_PASSWORD_FILE": str(tmp_path / "secret")})) == "hunter2"
    assert "REDIS_PASSWORD_FILE" in problems(None, REDIS_PASSWORD_FILE=str(tmp_path / "none"))[0]


@pytest.mark.parametrize(
    "url", ["cache:6379", "http://cache", "redis://", "redis://cache:0", "redis://cache:99999", "redis://cache/one",
            "redis://cache?db=1", "redis://cache#1", "redis://[cache"],
)  # fmt: skip
def test_what_is_no_address_of_a_server_is_told(file: Path, url: str) -> None:
    file.write_text(f"store:\n  url: '{url}'\n")

    (problem,) = problems(file)

    assert problem.startswith(f"{file}:2: store.url: expected the address of a Redis server such as")


def test_partitions_have_their_bounds(file: Path) -> None:
    file.write_text("store:\n  partitions: 1025\n")

    assert "a whole number from 1 to 1024" in problems(file)[0]


@pytest.mark.parametrize(
    ("url", "complete"),
    [
        ("redis://cache:6379/1", "redis://:p%2Fw%40@cache:6379/1"),
        ("rediss://user@cache", "rediss://user:p%2Fw%40@cache"),
        ("redis://user:own@cache", "redis://user:own@cache"),
    ],
)
def test_the_password_is_put_into_an_address_that_has_none(url: str, complete: str) -> None:
    assert with_password(url, "p/w@") == complete
    assert with_password(url, "") == url


async def test_without_a_server_the_file_is_opened(tmp_path: Path) -> None:
    store = await open_store(
        path=tmp_path / "state.sqlite3",
        url="",
        password="",
        partitions=1,
        mailbox=5,
        durability="normal",
        clock=ManualClock(),
    )

    assert isinstance(store, SqliteStore)
    assert (tmp_path / "state.sqlite3").exists()
    await store.close()


async def test_a_server_that_refuses_is_told_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"not-a-host\.invalid:6379") as told:
        await open_store(
            path=tmp_path / "state.sqlite3",
            url="redis://not-a-host.invalid",
            password="hunter2",
            partitions=1,
            mailbox=5,
            durability="normal",
            clock=ManualClock(),
        )

    assert "hunter2" not in str(told.value)
    assert not (tmp_path / "state.sqlite3").exists()
