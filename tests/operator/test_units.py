"""The unit for systemd, the example for Kubernetes, and the script that pins images."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.app import DRAIN
from bot.cli.parser import parsed
from bot.service import MARGIN, USAGE
from bot.settings import load
from tests.unit.test_compose import BOT, VALKEY
from tests.unit.test_docs import fences

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy" / "systemd" / "greenroom.service"
KUBERNETES = ROOT / "deploy" / "kubernetes" / "greenroom.yaml"
INSTALLING = (ROOT / "docs" / "installing.md").read_text("utf-8")
MANY = re.compile(r"^(?:Environment|SystemCallFilter)=(.*)$", re.MULTILINE)


# ---------------------------------------------------------------- systemd


def unit() -> configparser.SectionProxy:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(UNIT.read_text("utf-8"))
    return parsed["Service"]


def environment() -> dict[str, str]:
    lines = re.findall(r"^Environment=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)
    return dict(line.split("=", 1) for line in lines)


def test_the_unit_runs_a_command_of_ours_and_does_not_repeat_a_wrong_configuration() -> None:
    service = unit()
    program, *words = service["ExecStart"].split()
    assert program.endswith("/greenroom") and parsed(words).command == "run"
    assert service["Restart"] == "on-failure" and int(service["RestartPreventExitStatus"]) == USAGE
    assert int(service["TimeoutStopSec"]) > DRAIN + MARGIN


def test_the_unit_gives_settings_that_can_be_read(tmp_path: Path) -> None:
    config = tmp_path / "greenroom.yaml"
    config.write_text((ROOT / "config" / "greenroom.yaml").read_text("utf-8"))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    env = {}
    for name, value in environment().items():
        env[name] = value.replace("%S", str(tmp_path)).replace("%d", str(credentials))
        if name.endswith("_FILE"):
            Path(env[name]).write_text("xoxb-for-a-test\n")
            # What LoadCredential makes of a folder: its name and the file's, with a line between them.
            assert Path(env[name]).name.startswith("credentials_")
    assert env["GREENROOM_CONFIG"] == "/etc/greenroom/greenroom.yaml"
    settings = load(None, env | {"GREENROOM_CONFIG": str(config)})
    assert settings.secrets.slack_bot_token and settings.store.path.name == "state.sqlite3"


def test_the_page_installs_every_credential_that_the_unit_names() -> None:
    named = {Path(value).name.removeprefix("credentials_") for name, value in environment().items() if "%d" in value}
    installed = set(re.findall(r"/etc/greenroom/credentials/(\w+)(?:\s|$)", INSTALLING))
    assert named == installed


@pytest.mark.parametrize("how", ["verify", "security"])
def test_systemd_takes_the_unit_and_finds_it_hardened(how: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd-analyze here")
    copy = tmp_path / UNIT.name
    # The program is installed where the page says, and not here.
    copy.write_text(
        UNIT.read_text("utf-8").replace("/opt/greenroom/bin/greenroom", shutil.which("true") or "/bin/true")
    )
    options = {"verify": ("verify",), "security": ("security", "--offline=true", "--threshold=20")}[how]
    run = subprocess.run((analyze, *options, str(copy)), capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    if how == "verify":
        assert str(copy) not in run.stderr, run.stderr


# ---------------------------------------------------------------- Kubernetes


def objects() -> dict[tuple[str, str], dict[str, Any]]:
    found = [each for each in yaml.safe_load_all(KUBERNETES.read_text("utf-8")) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def pods() -> dict[str, dict[str, Any]]:
    return {name: each["spec"] for (kind, name), each in objects().items() if kind in ("Deployment", "StatefulSet")}


def test_there_is_all_that_two_replicas_need() -> None:
    kinds = {kind for kind, _ in objects()}
    assert {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "StatefulSet", "NetworkPolicy"} <= kinds
    assert pods()["greenroom"]["replicas"] == 2
    assert objects()["PodDisruptionBudget", "greenroom"]["spec"]["minAvailable"] == 1


def test_every_selector_finds_pods() -> None:
    labels = [spec["template"]["metadata"]["labels"] for spec in pods().values()]
    for (kind, _), each in objects().items():
        spec = each.get("spec", {})
        selector = spec.get("podSelector") or spec.get("selector") or {}
        wanted = selector if kind == "Service" else selector.get("matchLabels", {})
        if kind != "ConfigMap":
            assert wanted and any(wanted.items() <= each.items() for each in labels), kind


def test_the_bots_settings_and_secrets_are_read_by_it(tmp_path: Path) -> None:
    (bot,) = pods()["greenroom"]["template"]["spec"]["containers"]
    assert parsed(bot["args"]).command == "run"
    config = tmp_path / "greenroom.yaml"
    config.write_text(objects()["ConfigMap", "greenroom"]["data"]["greenroom.yaml"])
    env = {each["name"]: each["value"] for each in bot["env"]}
    mounts = {mount["mountPath"] for mount in bot["volumeMounts"]}
    assert str(Path(env["GREENROOM_CONFIG"]).parent) in mounts
    made = set(re.findall(r"--from-(?:file|literal)=(\w+)", KUBERNETES.read_text("utf-8")))
    for name, path in env.items():
        if name.endswith("_FILE"):
            assert str(Path(path).parent) in mounts and Path(path).name in made
            (tmp_path / Path(path).name).write_text("for-a-test")
            env[name] = str(tmp_path / Path(path).name)
    settings = load(None, env | {"GREENROOM_CONFIG": str(config)})
    assert settings.store.url == "redis://valkey:6379/0" and settings.secrets.redis_password
    port = int(settings.health.listen.rpartition(":")[2])
    assert [each["containerPort"] for each in bot["ports"]] == [port]
    assert [each["port"] for each in objects()["Service", "valkey"]["spec"]["ports"]] == [6379]


def test_probes_ask_pages_of_ours_and_readiness_restarts_nothing() -> None:
    (bot,) = pods()["greenroom"]["template"]["spec"]["containers"]
    paths = {probe: bot[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}


@pytest.mark.parametrize("name", ["greenroom", "valkey"])
def test_a_pod_is_nobody_special(name: str) -> None:
    spec = pods()[name]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] and spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"].keys() == {"cpu", "memory"}
    user = {"greenroom": BOT, "valkey": VALKEY}[name]["user"]
    assert f"{spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}" == user
    assert spec["terminationGracePeriodSeconds"] > DRAIN + MARGIN


def test_valkey_is_started_as_compose_starts_it() -> None:
    (valkey,) = pods()["valkey"]["template"]["spec"]["containers"]
    there = VALKEY["command"][-1].replace("$$", "$").replace("/run/secrets/", "/run/secrets/greenroom/")
    assert valkey["command"][-1] == there
    assert valkey["image"] == VALKEY["image"]


# ---------------------------------------------------------------- commands to copy


def test_the_commands_inside_containers_are_commands_of_ours() -> None:
    found = re.findall(r"(?:exec bot|--) greenroom (.*)$", INSTALLING, re.MULTILINE)
    assert len(found) >= 6
    for line in found:
        parsed(line.split())


def test_the_shell_can_read_what_is_to_be_copied() -> None:
    for language, text in fences(INSTALLING):
        if language == "sh":
            subprocess.run(("bash", "-n"), input=text, text=True, check=True, timeout=30)


# ---------------------------------------------------------------- digests

DOCKER = """#!/bin/sh
[ "$1 $2 $3" = "buildx imagetools inspect" ] || exit 9
case $4 in
    python:*) echo sha256:%s ;;
    valkey/*) echo sha256:%s ;;
    *) echo "no such image: $4" >&2; exit 1 ;;
esac
"""


def test_every_base_image_gets_its_digest_and_a_new_one_the_next_time(tmp_path: Path) -> None:
    files = []
    for source in (ROOT / "Dockerfile", ROOT / "docker-compose.yml", KUBERNETES):
        files.append(tmp_path / source.name)
        files[-1].write_text(source.read_text("utf-8"))
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    for first, second in (("a", "b"), ("c", "d")):
        docker.write_text(DOCKER % (first * 64, second * 64))
        docker.chmod(0o755)
        env = os.environ | {"PATH": f"{docker.parent}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run((ROOT / "scripts" / "pin", *files), env=env, check=True, capture_output=True, timeout=60)
        text = [file.read_text() for file in files]
        assert text[0].count(f"FROM python:3.11-slim@sha256:{first * 64}") == 2 and " AS build\n" in text[0]
        assert f"image: valkey/valkey:9.1-alpine@sha256:{second * 64}\n" in text[1]
        assert f"image: valkey/valkey:9.1-alpine@sha256:{second * 64}\n" in text[2]
        assert "image: greenroom:local\n" in text[1] and "image: greenroom:local\n" in text[2]
    assert [len(re.findall("@sha256:", each)) for each in text] == [2, 1, 1]
