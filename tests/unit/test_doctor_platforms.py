"""`greenroom doctor` where platforms are used: what it asks strict fakes of them, and what it makes of it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from bot.doctor import Finding
from bot.doctor.discord import SHOWN
from bot.doctor.slack import COSTS, NEEDED, clock, kinds, port, scopes
from bot.platforms.discord import lookup
from bot.platforms.discord.rights import RIGHTS, permissions
from bot.platforms.slack.manifest import manifest
from bot.settings import Settings, load
from tests.fakes import discord_app
from tests.fakes.discord import FakeDiscord, pointed_at
from tests.fakes.discord_rest import Breaks, Call, Refuses, Route
from tests.fakes.discord_state import ADMINISTRATOR, EVERYONE, MANAGE_WEBHOOKS, MESSAGE_CONTENT, World
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Cut, Limited, Says, Status
from tests.fakes.slack_methods import MANIFEST_SCOPES

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder, an environment without settings, and the log's handlers as before."""
    for name in list(os.environ):
        ours = name.startswith(("GREENROOM_", "ANTHROPIC_", "SLACK_", "DISCORD_"))
        if ours or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GREENROOM_MODEL__NAME", "rehearsal")
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Doctor:
    """Runs the command beside the test's own loop; `out` is all that it has printed, and `code` how it ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out, self.code = "", -1

    async def __call__(self, area: str) -> list[Finding]:
        self.code = await asyncio.to_thread(main, ["doctor", "--json"])
        told = self._capsys.readouterr()
        self.out = told.out + told.err
        found = [Finding(**finding) for finding in json.loads(told.out)["findings"]]
        return [finding for finding in found if finding.area == area]


@pytest.fixture
def examine(capsys: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(capsys)


def bad(found: list[Finding]) -> list[Finding]:
    """What is not as it should be; all of it says what to do."""
    wrong = [finding for finding in found if finding.level != "ok"]
    assert all(finding.mend for finding in wrong)
    return wrong


@pytest.mark.parametrize(("area", "name"), [("slack", "SLACK_BOT_TOKEN"), ("discord", "DISCORD_TOKEN")])
async def test_a_platform_without_a_token_is_not_used_and_nobody_is_asked(
    examine: Doctor, area: str, name: str
) -> None:
    assert await examine(area) == [Finding(area, "ok", f"not used: {name} is not set")]
    assert examine.code == 0


# ---------------------------------------------------------------- Slack


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        set_up(monkeypatch, fake)
        yield fake


def set_up(monkeypatch: pytest.MonkeyPatch, fake: FakeSlack) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", fake.ws.bot_token)
    monkeypatch.setenv("SLACK_APP_TOKEN", fake.ws.app_token)
    monkeypatch.setenv("GREENROOM_SLACK__API", fake.api)


def by_http(monkeypatch: pytest.MonkeyPatch, listen: str) -> None:
    monkeypatch.setenv("GREENROOM_SLACK__MODE", "http")
    monkeypatch.setenv("GREENROOM_SLACK__LISTEN", listen)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)


async def test_a_sound_slack_app_is_looked_at_without_being_used(examine: Doctor, slack: FakeSlack) -> None:
    found = await examine("slack")
    assert bad(found) == [] and examine.code == 0
    told = "\n".join(finding.says for finding in found)
    assert f"the bot is @{slack.ws.app_name} in Greenroom ({slack.ws.team})" in told
    assert f"all {len(MANIFEST_SCOPES)} scopes" in told and "offers a connection for Socket Mode" in told
    assert "say *help to the bot in private" in told
    assert [call.method for call in slack.calls] == ["auth.test", "apps.connections.open"]
    assert slack.dispatch.deliveries == []


async def test_no_token_of_slacks_is_shown(examine: Doctor, slack: FakeSlack) -> None:
    await examine("slack")
    assert slack.ws.bot_token not in examine.out and slack.ws.app_token not in examine.out


async def test_each_missing_scope_is_named_with_what_it_costs(examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeSlack(scopes=MANIFEST_SCOPES - {"chat:write", "chat:write.customize"}) as fake:
        set_up(monkeypatch, fake)
        wrong = bad(await examine("slack"))
    assert [(finding.level, finding.says) for finding in wrong] == [
        ("problem", "the scope chat:write was not granted: the bot cannot say anything"),
        (
            "warning",
            "the scope chat:write.customize was not granted: personas speak under the bot's name and icon, with their "
            "own name in the text",
        ),
    ]
    assert examine.code == 1


def test_every_scope_of_the_manifest_has_its_price_and_no_other() -> None:
    wanted = set(manifest("Greenroom")["oauth_config"]["scopes"]["bot"])
    assert set(COSTS) == wanted and wanted > NEEDED
    assert len(bad(scopes("some:scope, other"))) == len(wanted)
    (silent,) = bad(scopes(" "))
    assert "does not say" in silent.says


async def test_a_token_that_slack_does_not_take_is_a_problem(examine: Doctor, slack: FakeSlack) -> None:
    slack.ws.token_error = "account_inactive"
    first, *_ = bad(await examine("slack"))
    assert first.says == "Slack does not take SLACK_BOT_TOKEN (account_inactive)" and "install the app" in first.mend


@pytest.mark.parametrize("fault", [Status(503), Cut(), Limited(7)], ids=lambda fault: type(fault).__name__)
async def test_a_slack_that_does_not_answer_is_a_problem(
    examine: Doctor, slack: FakeSlack, fault: Status | Cut | Limited
) -> None:
    slack.faults.order("auth.test", fault, times=None)
    (wrong,) = bad(await examine("slack"))
    assert f"cannot be reached at {slack.api}" in wrong.says and "slack.api" in wrong.mend
    assert len(slack.called("auth.test")) <= 2, "an HTTP client may ask twice over a connection that broke"


async def test_an_app_without_socket_mode_is_a_problem(examine: Doctor, slack: FakeSlack) -> None:
    slack.ws.socket_mode = False
    (wrong,) = bad(await examine("slack"))
    assert wrong.says == "Slack offers no connection for Socket Mode (forbidden_team)" and "switched on" in wrong.mend


async def test_a_socket_mode_that_is_not_offered_just_now_is_told(examine: Doctor, slack: FakeSlack) -> None:
    slack.faults.order("apps.connections.open", Status(500), times=None)
    (wrong,) = bad(await examine("slack"))
    assert "(HTTP 500)" in wrong.says and wrong.mend == "try again"


async def test_a_persons_token_is_not_a_bots(
    examine: Doctor, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxp-1-of-a-person")
    slack.faults.order("auth.test", Says("invalid_auth"))
    kind, refused = bad(await examine("slack"))
    assert kind.says == "SLACK_BOT_TOKEN is a person's token, not a bot's token" and "xoxb-" in kind.mend
    assert "does not take" in refused.says and "of-a-person" not in examine.out


@pytest.mark.parametrize("name", ["SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"])
async def test_half_of_the_secrets_are_a_slack_that_was_meant(
    examine: Doctor, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "xapp-1-something")
    (wrong,) = bad(await examine("slack"))
    assert wrong.says == "there is no bot token, so Slack is not used"


def settings(mode: str, **env: str) -> Settings:
    return load(None, {"GREENROOM_SLACK__MODE": mode, **env})


@pytest.mark.parametrize(
    ("mode", "env", "told"),
    [
        ("socket", {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}, []),
        ("socket", {"SLACK_BOT_TOKEN": "xoxb-1"}, ["slack.mode is socket and SLACK_APP_TOKEN is not set"]),
        (
            "socket",
            {"SLACK_BOT_TOKEN": "xapp-1", "SLACK_APP_TOKEN": "xoxb-1"},
            [
                "SLACK_BOT_TOKEN is an app-level token, not a bot's token",
                "SLACK_APP_TOKEN is a bot's token, not an app-level token",
            ],
        ),
        ("http", {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": SECRET}, []),
        ("http", {"SLACK_BOT_TOKEN": "xoxb-1"}, ["slack.mode is http and SLACK_SIGNING_SECRET is not set"]),
        (
            "http",
            {"SLACK_BOT_TOKEN": "hm", "SLACK_SIGNING_SECRET": "xapp-1"},
            [
                "SLACK_BOT_TOKEN is something else, not a bot's token",
                "SLACK_SIGNING_SECRET is an app-level token, and Slack's are 32 digits from 0 to f",
            ],
        ),
    ],
)
def test_a_secret_of_the_wrong_kind_is_noticed_for_the_mode_that_needs_it(
    mode: str, env: Mapping[str, str], told: list[str]
) -> None:
    assert [finding.says for finding in bad(kinds(settings(mode, **env)))] == told


async def test_by_http_a_free_address_is_fine_and_what_leads_there_is_not_known(
    examine: Doctor, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    by_http(monkeypatch, listen)
    found = await examine("slack")
    told = "\n".join(finding.says for finding in found)
    assert bad(found) == [] and f"{listen} is free" in told and f"http://{listen}/slack/events" in told
    assert [call.method for call in slack.calls] == ["auth.test"]


async def test_by_http_an_address_that_is_taken_may_be_the_bots(
    examine: Doctor, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        by_http(monkeypatch, f"127.0.0.1:{taken.getsockname()[1]}")
        (wrong,) = bad(await examine("slack"))
    assert wrong.level == "warning" and "by a bot that is at work" in wrong.says


async def test_an_address_of_another_machine_is_a_problem() -> None:
    wrong = await port("192.0.2.1:80")
    assert wrong.level == "problem" and "nothing can listen at 192.0.2.1:80" in wrong.says and wrong.mend


# ---------------------------------------------------------------- Discord


def _guilds(world: World, call: Call) -> list[dict[str, Any]]:
    """The servers that the bot is on, from `after` on, by id (docs, get current user guilds)."""
    after, limit = int(call.query.get("after", 0)), int(call.query.get("limit", 200))
    found = sorted((guild for guild in world.guilds.values() if world.me.id in guild.members), key=lambda g: g.id)
    return [
        {"id": str(guild.id), "name": guild.name, "permissions": str(guild.permissions(world.me.id))}
        for guild in found
        if guild.id > after
    ][:limit]


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    known = {(route.method, route.template) for route in discord_app.ROUTES}
    if ("GET", "/users/@me/guilds") not in known:
        more = (Route("GET", "/users/@me/guilds", _guilds), *discord_app.ROUTES)
        monkeypatch.setattr(discord_app, "ROUTES", more)
    async with FakeDiscord() as fake:
        monkeypatch.setenv("DISCORD_TOKEN", fake.token)
        with pointed_at(fake):
            yield fake


async def test_a_sound_discord_bot_is_looked_at_without_being_used(examine: Doctor, discord: FakeDiscord) -> None:
    discord.guild("Acme", discord.person("ada"))
    discord.guild("Owned", permissions=ADMINISTRATOR)
    found = await examine("discord")
    assert bad(found) == [] and examine.code == 0
    told = "\n".join(finding.says for finding in found)
    assert f"the bot is Greenroom (application {discord.world.application})" in told
    assert "may read messages" in told and "it is on 2 servers" in told
    assert {call.method for call in discord.calls} == {"GET"} and not discord.gateway.identified
    assert discord.token not in examine.out


async def test_a_bot_that_may_not_read_messages_is_a_problem(examine: Doctor, discord: FakeDiscord) -> None:
    discord.guild("Acme")
    discord.forbid_intent(MESSAGE_CONTENT)
    (wrong,) = bad(await examine("discord"))
    assert wrong.level == "problem" and "Message Content Intent is off" in wrong.says
    assert "Privileged Gateway Intents" in wrong.mend and examine.code == 1


async def test_what_the_bot_lacks_is_named_server_by_server(examine: Doctor, discord: FakeDiscord) -> None:
    discord.guild("Acme", permissions=permissions())
    poor = discord.guild("Poor", permissions=EVERYONE & ~MANAGE_WEBHOOKS)
    bare = discord.guild("Bare", permissions=0)
    bare.roles[bare.id].permissions = 0
    found = await examine("discord")
    assert [finding.says for finding in bad(found)] == [
        f"on Poor ({poor.id}) the bot lacks Manage Webhooks",
        f"on Bare ({bare.id}) the bot lacks {', '.join(RIGHTS)}",
    ]
    assert "it is on 3 servers" in "\n".join(finding.says for finding in found) and examine.code == 0


async def test_many_servers_are_read_page_by_page_and_told_in_part(
    examine: Doctor, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "PAGE", 5)
    for number in range(SHOWN + 2):
        discord.guild(f"G{number}", permissions=EVERYONE)
    found = await examine("discord")
    wrong = bad(found)
    assert len(wrong) == SHOWN + 1 and wrong[-1].says == "and 2 more servers on which the bot lacks something"
    assert f"it is on {SHOWN + 2} servers" in "\n".join(finding.says for finding in found)
    assert len(discord.called("GET", "/users/@me/guilds")) == 3


async def test_a_bot_on_no_server_is_warned_of(examine: Doctor, discord: FakeDiscord) -> None:
    (wrong,) = bad(await examine("discord"))
    assert wrong.level == "warning" and "on no server" in wrong.says and "greenroom discord invite" in wrong.mend


@pytest.mark.parametrize(
    ("token", "shape"),
    [
        ("not-a-token", "; it does not look like one: three parts with dots between"),
        ("MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", ""),
    ],
)
async def test_a_token_that_discord_does_not_take_is_a_problem(
    examine: Doctor, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch, token: str, shape: str
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", token)
    (wrong,) = bad(await examine("discord"))
    assert wrong.says == f"Discord does not take DISCORD_TOKEN{shape}" and "reset the token" in wrong.mend
    assert token not in examine.out


@pytest.mark.parametrize(
    ("fault", "says"), [(Breaks(503), "HTTP 503"), (Refuses(403, 40002, "verify"), "does not tell what was asked")]
)
async def test_a_discord_that_does_not_tell_is_a_problem(
    examine: Doctor, discord: FakeDiscord, fault: Breaks | Refuses, says: str
) -> None:
    discord.order("GET", "/users/@me/guilds", fault)
    (wrong,) = bad(await examine("discord"))
    assert wrong.level == "problem" and says in wrong.says


DATE, TOLD = "Wed, 21 Oct 2026 07:28:00 GMT", 1792567680.0


@pytest.mark.parametrize(
    ("off", "mode", "level", "words"),
    [
        (2.0, "http", "ok", "agrees with Slack's"),
        (-90.0, "http", "warning", "90 s behind Slack's"),
        (3600.0, "socket", "warning", "3600 s ahead of Slack's"),
        (3600.0, "http", "problem", "3600 s ahead of Slack's, so every call of Slack's is refused"),
        (-301.0, "http", "problem", "301 s behind Slack's, so every call of Slack's is refused"),
    ],
)
def test_a_clock_that_is_not_slacks_is_named(off: float, mode: str, level: str, words: str) -> None:
    (found,) = clock(DATE, TOLD + off, mode)

    assert found.level == level
    assert words in found.says


@pytest.mark.parametrize("date", ["", "soon"])
def test_where_slack_tells_no_date_nothing_is_said_of_the_clock(date: str) -> None:
    assert clock(date, TOLD, "http") == []


async def test_the_doctor_names_a_clock_that_is_ahead_of_slacks(examine: Doctor, slack: FakeSlack) -> None:
    slack.clock.is_off(-7200)

    told = [finding.says for finding in await examine("slack")]

    assert any("7200 s ahead of Slack's" in says or "7201 s ahead of Slack's" in says for says in told), told
