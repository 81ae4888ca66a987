"""`greenroom slack manifest` and `greenroom discord invite`, as people run them, and with a fake of Discord."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from bot.cli import main
from bot.platforms.discord.rights import RIGHTS, missing, permissions
from bot.platforms.slack.manifest import manifest
from bot.platforms.tool import Known, run
from tests.fakes import discord_state
from tests.fakes.discord import FakeDiscord, pointed_at
from tests.fakes.discord_rest import Breaks, Cuts, Limits, Refuses

ID = "1098765432109876543"
URL = "https://bot.example.com/slack/events"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder, an environment without settings, and the log's handlers as before."""
    for name in list(os.environ):
        if name.startswith(("GREENROOM_", "SLACK_", "DISCORD_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


# ---------------------------------------------------------------- Slack


def test_the_manifest_has_the_name_that_the_settings_say(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_NAME", "Foyer")
    assert main(["slack", "manifest"]) == 0
    told = capsys.readouterr()
    assert yaml.safe_load(told.out) == manifest("Foyer") and told.err == ""


@pytest.mark.parametrize("given", [URL, "https://bot.example.com", "https://bot.example.com/"])
def test_the_manifest_for_http_names_the_address_with_the_path_that_the_settings_say(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, given: str
) -> None:
    (tmp_path / "ours.yaml").write_text("slack: {mode: http}\n")
    assert main(["slack", "manifest", "--http", given, "--config", "ours.yaml"]) == 0
    told = capsys.readouterr()
    assert yaml.safe_load(told.out) == manifest("Greenroom", socket=False, request_url=URL) and told.err == ""


def test_a_path_of_ones_own_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slack", "manifest", "--http", "https://example.com/bots/1"]) == 0
    assert "request_url: https://example.com/bots/1\n" in capsys.readouterr().out


def test_a_manifest_that_does_not_fit_the_settings_is_said_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slack", "manifest", "--http", URL]) == 0
    assert "the settings say socket" in capsys.readouterr().err


def test_without_an_address_there_is_no_manifest_for_http(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_SLACK__MODE", "http")
    assert main(["slack", "manifest"]) == 1
    told = capsys.readouterr()
    assert told.out == "" and "--http https://" in told.err


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [("x" * 36, [], "1 to 35 characters"), ("Ours", ["--http", "http://bot.example.com/x"], "no address that Slack")],
)
def test_what_slack_would_refuse_is_told_before(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, arguments: list[str], says: str
) -> None:
    monkeypatch.setenv("GREENROOM_NAME", name)
    assert main(["slack", "manifest", *arguments]) == 1
    told = capsys.readouterr()
    assert told.out == "" and says in told.err


# ---------------------------------------------------------------- Discord


def link_of(out: str) -> dict[str, list[str]]:
    """What the link asks for, which stands in the first line."""
    address = urlsplit(out.splitlines()[0])
    assert (address.scheme, address.netloc, address.path) == ("https", "discord.com", "/oauth2/authorize")
    return parse_qs(address.query)


def test_the_invitation_asks_for_what_the_bot_needs_and_says_what_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["discord", "invite", "--id", ID]) == 0
    out = capsys.readouterr().out
    asked = link_of(out)
    assert asked == {"client_id": [ID], "scope": ["bot applications.commands"], "permissions": [str(permissions())]}
    for name in RIGHTS:
        assert f"\n- {name}, " in out


def test_each_permission_is_the_bit_that_discord_gives_it() -> None:
    names = {name: getattr(discord_state, _constant(name)) for name in RIGHTS}
    assert names == {name: bit for name, (bit, _) in RIGHTS.items()}
    assert permissions() & discord_state.BOT == permissions()


def _constant(name: str) -> str:
    return {"View Channels": "VIEW_CHANNEL"}.get(name, name.upper().replace(" ", "_"))


def test_what_is_missing_is_named_and_an_administrator_lacks_nothing() -> None:
    assert missing(permissions()) == [] and missing(discord_state.ADMINISTRATOR) == []
    assert missing(permissions() & ~discord_state.MANAGE_WEBHOOKS) == ["Manage Webhooks"]
    assert missing(0) == list(RIGHTS)


async def test_whose_invitation_it_is_discord_tells_by_the_token(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeDiscord() as fake:
        monkeypatch.setenv("DISCORD_TOKEN", fake.token)
        with pointed_at(fake):
            assert await asyncio.to_thread(main, ["discord", "invite"]) == 0
        told = capsys.readouterr()
        assert link_of(told.out)["client_id"] == [str(fake.world.application)]
        assert [(call.method, call.path) for call in fake.calls] == [("GET", "/oauth2/applications/@me")]
        assert fake.token not in told.out + told.err


def test_without_a_token_and_an_id_nobody_can_be_invited(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["discord", "invite"]) == 1
    told = capsys.readouterr()
    assert told.out == "" and "DISCORD_TOKEN" in told.err and "--id" in told.err


async def test_a_token_that_discord_does_not_take_is_told_in_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "an-old-token-of-ours")
    async with FakeDiscord() as fake:
        with pointed_at(fake):
            assert await asyncio.to_thread(main, ["discord", "invite"]) == 1
    told = capsys.readouterr()
    assert told.out == "" and "Discord does not take DISCORD_TOKEN" in told.err and "reset" in told.err
    assert "an-old-token-of-ours" not in told.err


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Breaks(502), "HTTP 502"),
        (Cuts(), "Discord cannot be asked"),
        (Limits(), "HTTP 429"),
        (Limits(via=False), "HTTP 429"),
        (Refuses(403, 20012), "403, 20012"),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_whatever_else_discord_says_is_told_and_not_waited_for(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fault: Breaks | Cuts | Limits | Refuses,
    says: str,
) -> None:
    async with FakeDiscord() as fake:
        monkeypatch.setenv("DISCORD_TOKEN", fake.token)
        # Over a connection that broke, the HTTP client itself asks a second time.
        fake.order("GET", "/oauth2/applications/@me", *[fault] * (2 if isinstance(fault, Cuts) else 1))
        with pointed_at(fake):
            assert await asyncio.to_thread(main, ["discord", "invite"]) == 1
        assert fake.rest.unused == 0 and {call.path for call in fake.calls} == {"/oauth2/applications/@me"}
        assert len(fake.calls) <= 2
    told = capsys.readouterr()
    assert told.out == "" and says in told.err


@pytest.mark.parametrize("ident", ["", "12", "1098765432109876543x", "१०९८७६५४३२१०९८७६५४३"])
def test_an_id_that_is_none_is_a_mistake_on_the_command_line(capsys: pytest.CaptureFixture[str], ident: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["discord", "invite", "--id", ident])
    assert "no id of Discord's" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["slack", "discord"])
def test_a_platform_alone_is_no_command(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([command])
    assert "say what to do: " in capsys.readouterr().err


def test_settings_that_are_wrong_are_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "greenroom.yaml").write_text("naem: Ours\n")
    assert main(["slack", "manifest"]) == 2
    assert "did you mean name?" in capsys.readouterr().err


def test_an_action_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="no such action"):
        run(argparse.Namespace(command="slack", action="paint"), Known("Greenroom"))
