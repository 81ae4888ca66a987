"""Each broken set-up has its finding, and the finding says what is to be typed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import installed
from bot.doctor import watching
from bot.doctor.finding import Case, Finding
from bot.doctor.store import check_store
from bot.doctor.watching import check_telemetry
from bot.settings import Settings, StoreSettings
from bot.settings.keys import TelemetrySettings
from tests.contract.redis_server import Server, free_port, valkey
from tests.unit.health.collector import collecting

CHECKOUT = Path(__file__).parents[2]

WITHOUT_A_HOME = """
import os, pwd, sys

def gone(_):
    raise KeyError("uid not found")

pwd.getpwuid = pwd.getpwnam = gone
from bot.__main__ import main
sys.exit(main())
"""


@dataclass
class Doctor:
    """`greenroom doctor --json` in an empty folder, as somebody types it."""

    folder: Path

    def __call__(self, *before: str, **env: str) -> list[Finding]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        run = subprocess.run(
            (sys.executable, *(before or ("-m", "bot")), "doctor", "--json", "--model", "rehearsal"),
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1", **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert run.stderr == ""
        return [Finding(**finding) for finding in json.loads(run.stdout)["findings"]]


@pytest.fixture
def examine(tmp_path: Path) -> Doctor:
    return Doctor(tmp_path)


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Server]:
    """A server that wants a password."""
    server = Server(valkey(), tmp_path, "--requirepass", "right")
    server.start()
    yield server
    server.kill()


def wrong(found: list[Finding]) -> Finding:
    """The one finding that is not as it should be."""
    (bad,) = [finding for finding in found if finding.level != "ok"]
    return bad


def test_a_sound_set_up_has_nothing_to_mend(examine: Doctor) -> None:
    listen = f"127.0.0.1:{free_port()}"
    found = examine(HOME=str(examine.folder), GREENROOM_HEALTH__LISTEN=listen)
    assert [finding for finding in found if finding.level != "ok"] == []


def test_a_health_port_that_somebody_has(examine: Doctor) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        listen = f"127.0.0.1:{held.getsockname()[1]}"
        bad = wrong(examine(HOME=str(examine.folder), GREENROOM_HEALTH__LISTEN=listen))
    assert bad.level == "problem" and f"{listen} is in use, and not by Greenroom" in bad.says


def test_a_user_without_a_home_is_a_warning_and_no_traceback(examine: Doctor) -> None:
    bad = wrong(examine("-c", WITHOUT_A_HOME))
    assert "HOME is not set" in bad.says and bad.mend == "set HOME to a folder of the bot's user"


def test_a_user_without_a_home_can_use_slack(tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(CHECKOUT), "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    env["GREENROOM_SLACK__API"] = f"http://127.0.0.1:{free_port()}/api/"
    ran = subprocess.run(
        (sys.executable, "-c", WITHOUT_A_HOME, "run", "--model", "rehearsal"),
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ran.returncode == 1 and "Traceback" not in ran.stderr and "Slack cannot be reached" in ran.stderr


def test_a_wrong_password_names_the_variable_that_holds_it(examine: Doctor, locked: Server) -> None:
    url = f"redis://127.0.0.1:{locked.port}/0"
    bad = wrong(examine(HOME=str(examine.folder), GREENROOM_STORE__URL=url, REDIS_PASSWORD="wrong"))
    assert bad.level == "problem" and "REDIS_PASSWORD, or the file that REDIS_PASSWORD_FILE names" in bad.says
    (missing,) = [f for f in examine(HOME=str(examine.folder), GREENROOM_STORE__URL=url) if f.level != "ok"]
    assert "REDIS_PASSWORD_FILE" in missing.says


async def test_a_clock_two_hours_off_the_store_is_told(locked: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr("bot.doctor.store.time.time", lambda: real() + 7200)
    settings = Settings(store=StoreSettings(url=f"redis://:right@127.0.0.1:{locked.port}/0"))
    found = [f for f in await check_store(Case(settings, {})) if "clock" in f.says]
    assert [f.level for f in found] == ["warning"] and "7200 s ahead of the Redis server's" in found[0].says
    assert "NTP" in found[0].mend


@pytest.mark.parametrize(("area", "key"), [("telemetry", "otel"), ("store", "redis")])
async def test_an_extra_that_is_missing_is_told_with_how_it_is_installed_here(
    area: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(watching.EXTRAS, key, ("there_is_no_such_module.at_all",))
    settings = Settings(
        store=StoreSettings(url="redis://127.0.0.1:9/0"), telemetry=TelemetrySettings(otlp="http://127.0.0.1:9")
    )
    check = {"telemetry": check_telemetry, "store": check_store}[area]
    (found,) = await check(Case(settings, {}))
    assert found.level == "problem" and found.mend == installed.command(key)


async def test_a_collector_is_asked_with_an_empty_lot() -> None:
    async with collecting() as collector:
        (found,) = await check_telemetry(Case(Settings(telemetry=TelemetrySettings(otlp=collector.url)), {}))
        assert found.level == "ok" and collector.spans == [] and len(collector.raw) == 1
        other = f"{collector.url}/elsewhere"
        (found,) = await check_telemetry(Case(Settings(telemetry=TelemetrySettings(otlp=other)), {}))
        assert found.level == "warning" and "is no collector (HTTP 404)" in found.says
    (found,) = await check_telemetry(Case(Settings(telemetry=TelemetrySettings(otlp=collector.url)), {}))
    assert found.level == "warning" and "no collector can be reached" in found.says


# ---------------------------------------------------------------- what is to be typed


def test_an_extra_of_a_checkout_is_installed_from_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "_origin", lambda: ("/srv/green room", True))
    typed = installed.command("otel")
    assert typed.startswith(sys.executable) and "-e '/srv/green room[otel]'" in typed
    assert "-c '/srv/green room/constraints.txt'" in typed


def test_an_extra_of_a_wheel_is_installed_from_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "_origin", lambda: ("/srv/greenroom-1-py3-none-any.whl", False))
    assert installed.command("otel").endswith("install '/srv/greenroom-1-py3-none-any.whl[otel]'")


def test_without_a_known_origin_a_file_is_named_and_never_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "_origin", lambda: ("", False))
    assert "install './greenroom-" in installed.command("redis")


def test_how_this_one_was_installed_is_known() -> None:
    path, is_editable = installed._origin()
    assert is_editable and (Path(path) / "pyproject.toml").is_file()
