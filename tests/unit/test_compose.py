"""The container files: their shape by the Compose specification, and every promise that their comments make.

No engine is needed: what a container would run is run here, with a real Valkey and the real command line.
"""

from __future__ import annotations

import asyncio
import fnmatch
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from bot.app import DRAIN
from bot.cli.parser import command_line
from bot.health.metrics import Metrics
from bot.health.server import serving
from bot.health.vitals import State, Vitals
from bot.service import slack_options
from bot.settings import load
from bot.stores.sqlite import SqliteStore
from tests.contract.redis_server import free_port, valkey
from tests.fakes.clock import ManualClock

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BOT, VALKEY = SERVICES["bot"], SERVICES["valkey"]

START_SECONDS = 20.0

every_service = pytest.mark.parametrize("name", SERVICES)

# ---------------------------------------------------------------- shape (compose-spec.io, chapters 2 to 9)

TOP = {"name", "services", "networks", "volumes", "configs", "secrets", "include"}
TYPES: dict[str, type | tuple[type, ...]] = {
    "build": (str, dict), "cap_drop": list, "command": (str, list), "cpus": (int, float), "depends_on": (list, dict),
    "environment": dict,
    "healthcheck": dict, "image": str, "logging": dict, "mem_limit": (str, int), "networks": (list, dict),
    "pids_limit": int, "read_only": bool, "restart": str, "secrets": list, "security_opt": list,
    "stop_grace_period": str, "tmpfs": (str, list), "user": str, "volumes": list,
}  # fmt: skip
DURATION = re.compile(r"(\d+(us|ms|s|m|h))+")
SIZE = re.compile(r"\d+(b|k|kb|m|mb|g|gb)")
IMAGE = re.compile(r"(?:[a-z0-9-]+/)?[a-z0-9-]+:[\w.-]+(?:@sha256:[0-9a-f]{64})?")
"""A name on the engine's default host with a tag: a first part with a dot or a port would be a host's."""


def test_only_what_the_specification_knows_stands_at_the_top() -> None:
    assert set(COMPOSE) <= TOP
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", COMPOSE["name"])


@every_service
def test_every_key_of_a_service_is_known_and_of_its_type(name: str) -> None:
    for key, value in SERVICES[name].items():
        assert key in TYPES, f"{name}.{key}: look it up in the specification and add its type"
        assert isinstance(value, TYPES[key]), f"{name}.{key}"
    assert all(isinstance(value, str) for value in SERVICES[name].get("environment", {}).values())
    assert SIZE.fullmatch(SERVICES[name]["mem_limit"]) and DURATION.fullmatch(SERVICES[name]["stop_grace_period"])


@every_service
def test_whatever_a_service_names_is_defined(name: str) -> None:
    service = SERVICES[name]
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    for volume in service["volumes"]:
        source, target, *mode = volume.split(":")
        assert target.startswith("/") and mode in ([], ["ro"])
        assert (ROOT / source).is_dir() if source.startswith(".") else source in COMPOSE["volumes"]
    for other, how in service.get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"} and "healthcheck" in SERVICES[other]


@every_service
def test_images_have_a_tag_and_name_no_host(name: str) -> None:
    assert IMAGE.fullmatch(SERVICES[name]["image"])
    assert not SERVICES[name]["image"].endswith(":latest")


@every_service
def test_a_health_check_is_complete(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert set(check) == {"test", "interval", "timeout", "retries", "start_period"}
    assert check["test"][0] in ("CMD", "CMD-SHELL") and all(isinstance(part, str) for part in check["test"])
    assert all(DURATION.fullmatch(check[key]) for key in ("interval", "timeout", "start_period"))
    assert check["retries"] >= 1


def test_a_client_finds_nothing_wrong() -> None:
    client = ["docker", "compose"]
    try:
        known = subprocess.run([*client, "version"], capture_output=True, check=False, timeout=30)
    except FileNotFoundError:
        pytest.skip("there is no docker here")
    if known.returncode:
        pytest.skip("the docker here has no compose")
    told = subprocess.run([*client, "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (told.returncode, told.stderr) == (0, "")


# ---------------------------------------------------------------- what containers may do


@every_service
def test_a_container_is_nobody_special_and_changes_only_its_volumes(name: str) -> None:
    service = SERVICES[name]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0 and int(group) > 0
    assert service["read_only"] is True and service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["pids_limit"] > 0
    assert {"max-size", "max-file"} == set(service["logging"]["options"])


@every_service
def test_nothing_is_published_on_the_host(name: str) -> None:
    assert not {"ports", "network_mode", "privileged", "container_name"} & set(SERVICES[name])


def test_valkey_has_no_way_out() -> None:
    assert VALKEY["networks"] == ["state"]
    assert COMPOSE["networks"]["state"] == {"internal": True}


def test_secrets_come_from_files_and_stand_nowhere() -> None:
    assert all(set(source) == {"file"} for source in COMPOSE["secrets"].values())
    for key, value in BOT["environment"].items():
        if re.search(r"KEY|TOKEN|SECRET|PASSWORD", key):
            assert key.endswith("_FILE") and value.removeprefix("/run/secrets/") in BOT["secrets"], key
    assert not re.search(r"://[^\s/]*:[^\s/]*@", (ROOT / "docker-compose.yml").read_text("utf-8"))


# ---------------------------------------------------------------- the bot's side of it


def test_the_commands_are_commands_of_ours() -> None:
    command_line().parse_args(BOT["command"])
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert last("ENTRYPOINT") == [next(iter(scripts))]


def test_the_settings_are_settings_of_ours(tmp_path: Path) -> None:
    env = dict(BOT["environment"])
    for name in BOT["secrets"]:
        (tmp_path / name).write_text(f"{name}-for-a-test\n")
    for key, value in env.items():
        env[key] = value.replace("/run/secrets", str(tmp_path))
    settings = load(ROOT / "config" / "greenroom.yaml", env)
    assert settings.health.listen == "127.0.0.1:8080"
    assert settings.store.url == "redis://valkey:6379/0"
    assert settings.secrets.redis_password is not None
    assert settings.secrets.redis_password.get_secret_value() == "redis_password-for-a-test"
    assert settings.secrets.anthropic_api_key is not None
    assert settings.secrets.anthropic_api_key.get_secret_value() == "anthropic_api_key-for-a-test"
    slack = slack_options(settings)
    assert (slack.mode, slack.bot_token, slack.app_token) == (
        "socket",
        "slack_bot_token-for-a-test",
        "slack_app_token-for-a-test",
    )


def test_every_secret_of_the_bot_is_read_by_it() -> None:
    read = {value.removeprefix("/run/secrets/") for value in BOT["environment"].values()}
    assert set(BOT["secrets"]) <= read


def test_the_bot_serves_and_wants_no_terminal() -> None:
    assert command_line().parse_args(BOT["command"]).command == "run"
    assert not {"tty", "stdin_open"} & set(BOT)


def test_the_bot_is_given_longer_to_stop_than_it_takes() -> None:
    assert int(BOT["stop_grace_period"].removesuffix("s")) > DRAIN


@pytest.mark.parametrize(("worker", "healthy"), [("working", True), ("stopping", True), ("dead", False)])
async def test_the_health_check_says_what_the_process_says(worker: State, healthy: bool) -> None:
    store = await SqliteStore.open(":memory:", clock=ManualClock())
    async with serving("127.0.0.1:0", Vitals(store, lambda: worker, {}, 60.0), Metrics()) as url:
        assert await is_healthy(url.removeprefix("http://")) is healthy
    await store.close()


async def test_the_health_check_fails_where_nobody_answers() -> None:
    assert not await is_healthy(f"127.0.0.1:{free_port()}")


async def is_healthy(address: str) -> bool:
    """Run the health check of the file against another address."""
    kind, python, *arguments = BOT["healthcheck"]["test"]
    assert (kind, python) == ("CMD", "python")
    assert BOT["environment"]["GREENROOM_HEALTH__LISTEN"] in arguments[-1]
    code = arguments[-1].replace(BOT["environment"]["GREENROOM_HEALTH__LISTEN"], address)
    check = await asyncio.create_subprocess_exec(
        sys.executable, *arguments[:-1], code, stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
    )
    return await check.wait() == 0


# ---------------------------------------------------------------- Valkey's side of it


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Valkey started by the very command of the file, with the paths of a container replaced; its port, and the id of
    the process that was started: a container's first, which gets the signals.
    """
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "valkey-server").symlink_to(valkey())
    (tmp_path / "password").write_text("a-long-password\n")
    shell, flag, line = VALKEY["command"]
    port = free_port()
    for there, here in {
        "$$": "$",
        "/run/secrets/redis_password": str(tmp_path / "password"),
        "/tmp/password.conf": str(tmp_path / "password.conf"),
        "--dir /data": f"--dir {tmp_path} --port {port} --bind 127.0.0.1",
    }.items():
        assert there in line, there
        line = line.replace(there, here)
    env = os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    process = subprocess.Popen([shell, flag, line], env=env, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not listens(port):
            assert process.poll() is None and time.monotonic() < deadline, "Valkey does not start by this command"
            time.sleep(0.01)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_valkey_asks_for_the_password_and_keeps_what_it_is_given(server: tuple[int, int], tmp_path: Path) -> None:
    port, pid = server
    with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    with redis.Redis(port=port, password="a-long-password", decode_responses=True) as client:
        told = client.config_get("appendonly", "appendfsync", "save", "maxmemory", "maxmemory-policy")
    assert told == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": str(512 * 1024**2),
        "maxmemory-policy": "noeviction",
    }
    assert list((tmp_path / "appendonlydir").iterdir())
    assert (tmp_path / "password.conf").stat().st_mode & 0o077 == 0
    if (arguments := Path(f"/proc/{pid}/cmdline")).exists():
        assert b"a-long-password" not in arguments.read_bytes()


def test_valkey_takes_the_shells_place_and_so_gets_the_signal_to_stop(server: tuple[int, int]) -> None:
    port, pid = server
    with redis.Redis(port=port, password="a-long-password", decode_responses=True) as client:
        assert int(str(client.info("server")["process_id"])) == pid


def test_memory_leaves_room_for_the_append_only_file_to_be_rewritten() -> None:
    (megabytes,) = re.findall(r"--maxmemory (\d+)mb", VALKEY["command"][2])
    assert int(VALKEY["mem_limit"].removesuffix("g")) * 1024 >= 2 * int(megabytes)


# ---------------------------------------------------------------- the image

INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "STOPSIGNAL", "ENTRYPOINT", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its arguments, comments left out and continued lines joined."""
    lines = [line for line in DOCKERFILE.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined)]


def last(name: str) -> list[str]:
    """The arguments of the last instruction of that name, as the image keeps it."""
    rest = [rest for kind, rest in instructions() if kind == name][-1]
    words = yaml.safe_load(rest) if rest.startswith("[") else rest.split()
    return [str(word) for word in words]


def is_sent(path: str) -> bool:
    """Whether the builder gets this file or folder of the checkout: the last rule of .dockerignore wins."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!").removeprefix("**/")
        if fnmatch.fnmatch(path, pattern) or (line.startswith("**/") and fnmatch.fnmatch(Path(path).name, pattern)):
            sent = line.startswith("!")
    return sent


def test_the_image_is_made_of_instructions_that_are_known_and_begins_with_from() -> None:
    kinds = [kind for kind, _ in instructions()]
    assert kinds[0] == "FROM" and set(kinds) <= INSTRUCTIONS


def test_the_image_begins_from_python_as_the_project_asks_for_it_and_names_no_host() -> None:
    bases = [rest.split()[0] for kind, rest in instructions() if kind == "FROM"]
    assert len(set(bases)) == 1 and IMAGE.fullmatch(bases[0])
    bases = [base.partition("@")[0] for base in bases]
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert bases[0] == f"python:{asked.removeprefix('>=')}-slim"


def test_whatever_is_copied_is_there_and_is_sent_to_the_builder() -> None:
    copied = [shlex.split(rest)[:-1] for kind, rest in instructions() if kind == "COPY" and "--from" not in rest]
    sources = [source for sources in copied for source in sources]
    assert {"pyproject.toml", "constraints.txt", "bot", "agents", "config"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists() and is_sent(source), source


@pytest.mark.parametrize(
    "path", ["secrets", ".git", ".greenroom", ".venv", "tests", "state.sqlite3", "bot/__pycache__"]
)
def test_what_is_secret_or_local_is_not_sent(path: str) -> None:
    assert not is_sent(path)


def test_whatever_the_wheel_is_made_of_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], project["project"]["readme"], "pyproject.toml"}
    needed |= set(project["project"]["license-files"])
    copied = {word for kind, rest in instructions() if kind == "COPY" for word in shlex.split(rest)[:-1]}
    assert needed <= copied


def test_the_image_has_the_versions_that_are_tested_and_the_extras_that_compose_needs() -> None:
    build = next(rest for kind, rest in instructions() if kind == "RUN")
    assert build.count("--constraint constraints.txt") == build.count("pip install") == 2
    (listing,) = re.findall(r'python -c "(.*?)" >', build)
    told = subprocess.run((sys.executable, "-c", listing), cwd=ROOT, capture_output=True, text=True, check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert told.stdout.splitlines() == [*project["dependencies"], *extras["redis"], *extras["otel"], *extras["export"]]


def test_a_change_of_our_code_or_settings_fetches_no_package_again() -> None:
    steps = instructions()
    fetched = next(number for number, (kind, rest) in enumerate(steps) if kind == "RUN" and "requirements.txt" in rest)
    before = {word for kind, rest in steps[:fetched] if kind == "COPY" for word in shlex.split(rest)[:-1]}
    assert before == {"pyproject.toml", "constraints.txt"}
    later = [rest for kind, rest in steps[fetched + 1 :] if kind == "RUN" and "pip " in rest]
    assert later and all(
        "--no-deps" in line for rest in later for line in re.findall(r"pip (?:install|wheel)[^&]*", rest)
    )
    assert "--no-build-isolation" in later[0] and "pip check" in later[0]


def test_the_image_runs_as_the_user_that_compose_names_and_its_data_are_that_users() -> None:
    assert last("USER") == [BOT["user"]]
    user, group = BOT["user"].split(":")
    made = [rest for kind, rest in instructions() if kind == "RUN"][-1]
    assert f"--uid {user} --gid {group}" in made
    assert f"--owner {user} --group {group} --mode 0700 {last('WORKDIR')[0]}" in made
    assert f"bot:{last('WORKDIR')[0]}" in BOT["volumes"]
