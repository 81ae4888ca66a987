"""Logs: readable or JSON, each line with its turn, and never a secret or what people say."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot import telemetry
from bot.telemetry import HIDDEN, LEVELS, WORDS, without_secrets

log = logging.getLogger("bot.test")

SECRETS = {
    "anthropic": "sk-ant-api03-AbC_d-123456",
    "slack bot": "xoxb-1234567890-abcdef",
    "slack rotated": "xoxe.xoxp-1-Mi0yLTEyMw",
    "slack app": "xapp-1-A0123-456-abcdef",
    "discord": "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs_abcd",
    "discord webhook": "https://discord.com/api/v10/webhooks/109876543210987654/hush-abcdef/messages/1",
    "discord interaction": "/interactions/109876543210987654/aHVzaA-123456/callback",
    "slack ticket": "wss://wss-primary.slack.com/link/?ticket=hush-123456&app_id=A1",
    "slack answer": "https://hooks.slack.com/commands/T1/42/hush",
    "slack signing secret": "signing secret abcdef0123456789abcdef0123456789",
    "slack signing secret set": "SLACK_SIGNING_SECRET: abcdef0123456789abcdef0123456789",
    "bearer": "Bearer plainword",
    "basic": "Basic dXNlcjpwYXNz",
    "address": "redis://user:hunter2@db.example:6379/0",
    "address without user": "redis://:hunter2@db.example:6379/0",
    "mapping": "{'x-api-key': 'local-key', \"client_secret\": \"hush\"}",
    "bytes": "{b'authorization': 1, 'token': b'hush'}",
    "parameter": "https://example.com/hook?token=hush&x=1",
}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged as JSON."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


# ---------------------------------------------------------------- how a line looks


def test_where_standard_error_is_no_terminal_a_line_is_a_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.setup("info")
    log.info("turn %s began", "in1", extra={"pieces": 3})
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "turn in1 began", "level": "info", "logger": "bot.test", "pieces": 3}


def test_on_a_terminal_a_line_is_for_people(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry.setup("info")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    log.warning("the fence is gone")
    told = capsys.readouterr().err
    assert "warning" in told and "the fence is gone [bot.test]" in told
    assert "\x1b" not in told and "{" not in told

    telemetry.setup("info")
    monkeypatch.delenv("NO_COLOR")
    log.warning("in colour")
    assert "\x1b[" in capsys.readouterr().err


def test_json_can_be_asked_for_or_declined(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.setup(json=False)
    log.warning("plain")
    assert not capsys.readouterr().err.startswith("{")
    telemetry.setup(json=True)
    log.warning("structured")
    assert [line["event"] for line in lines(capsys)] == ["structured"]


def test_only_lines_of_the_level_and_above_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    for level in LEVELS:
        telemetry.setup(level)
        for told in LEVELS:
            log.log(logging.getLevelName(told.upper()), told)
        assert [line["event"] for line in lines(capsys)] == list(LEVELS[LEVELS.index(level) :])


def test_another_level_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="one of debug, info, warning, error, not 'loud'"):
        telemetry.setup("loud")


def test_setting_up_again_writes_no_line_twice_and_leaves_other_handlers_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    telemetry.setup()  # another test of this process may have done so before
    *before, _ = logging.getLogger().handlers
    for _ in range(2):
        telemetry.setup()
    log.warning("once")
    assert len(lines(capsys)) == 1
    assert logging.getLogger().handlers[:-1] == before


def test_a_line_goes_to_what_standard_error_is_when_it_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry.setup()

    class Other:
        written = ""

        def write(self, text: str) -> int:
            self.written += text
            return len(text)

        def flush(self) -> None: ...

        def isatty(self) -> bool:
            return False

    other = Other()
    monkeypatch.setattr(sys, "stderr", other)
    log.warning("over here")
    assert json.loads(other.written)["event"] == "over here"


def test_a_traceback_is_told_without_the_values_of_variables(capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (True, False):
        telemetry.setup(json=as_json)
        confided = "what somebody " + "confided"
        try:
            raise RuntimeError(f"{len(confided)} characters were too many")
        except RuntimeError:
            log.exception("turn failed")
        told = capsys.readouterr().err
        assert "RuntimeError: 22 characters were too many" in told and "Traceback" in told
        assert "what somebody confided" not in told


def test_a_line_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.setup(json=False)
    log.warning("channel %s", "\x1b[2Jgeneral\x9b1m\r\x07", extra={"who": "\x1b]0;me\x07"})
    assert not set(capsys.readouterr().err) & set("\x1b\x9b\r\x07")


# ---------------------------------------------------------------- turns


async def test_lines_of_a_turn_bear_its_conversation_head_and_worker_and_no_others_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    telemetry.setup()

    async def carry(conversation: str, head: str) -> None:
        with telemetry.turn(conversation, head, "w1"):
            await asyncio.sleep(0)
            log.warning("carried")
            inner = asyncio.create_task(asyncio.to_thread(log.warning, "in a thread"))
            await inner
        log.warning("afterwards")

    await asyncio.gather(carry("slack:T:C1", "in1"), carry("slack:T:C2", "in2"))
    told = lines(capsys)
    for event in ("carried", "in a thread"):
        found = {(line["conversation"], line["turn"], line["worker"]) for line in told if line["event"] == event}
        assert found == {("slack:T:C1", "in1", "w1"), ("slack:T:C2", "in2", "w1")}
    afterwards = [line for line in told if line["event"] == "afterwards"]
    assert len(afterwards) == 2 and not any("turn" in line for line in afterwards)


def test_a_turn_that_raises_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.setup()
    with pytest.raises(RuntimeError), telemetry.turn("c", "in1", "w"):
        raise RuntimeError("broken")
    log.warning("afterwards")
    assert "turn" not in lines(capsys)[0]


# ---------------------------------------------------------------- what is never told


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_hidden_wherever_it_stands(capsys: pytest.CaptureFixture[str], text: str) -> None:
    shown = without_secrets(f"sent {text} there")
    assert HIDDEN in shown and shown.startswith("sent ") and shown.endswith(" there")
    for part in ("123456", "abcdef", "Mi0y", "ZnCjm", "plainword", "dXNl", "hunter2", "local-key", "hush"):
        assert part not in shown

    telemetry.setup()
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("got %s", text, extra={"answer": [text, {"deep": text}], text: 1})
    (line,) = lines(capsys)
    assert line["event"] == f"got {without_secrets(text)}"
    assert line["answer"] == [without_secrets(text), {"deep": without_secrets(text)}]
    assert f"ValueError: {without_secrets(text)}" in line["exception"]


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens=8192, 12 tokens used",
        "KeyError: 'pm'",
        "the key is missing; set ANTHROPIC_API_KEY",
        "the signing secret is wrong, and /webhooks/{webhook_id}/{webhook_token} is refused",
        "trace 0af7651916cd43dd8448eb211c80319c of https://discord.com/channels/109876543210987654/1",
        "https://example.com:8080/path?x=1",
        "fake:team:general/in3/2",
        "version 1.2.3",
        "risk-averse and task-oriented",
    ],
)
def test_what_is_no_secret_is_left_as_it_is(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    "name", ["key", "api_key", "X-API-Key", "token", "bot_token", "client_secret", "Authorization"]
)
def test_fields_that_are_named_like_secrets_are_hidden(capsys: pytest.CaptureFixture[str], name: str) -> None:
    telemetry.setup()
    log.warning("sent", extra={name: "word", "headers": {name: ["word"]}, "max_tokens": 5})
    (line,) = lines(capsys)
    assert line[name] == HIDDEN and line["headers"] == {name: HIDDEN} and line["max_tokens"] == 5


@pytest.mark.parametrize("name", sorted(WORDS))
def test_what_people_say_is_told_at_debug_only(capsys: pytest.CaptureFixture[str], name: str) -> None:
    telemetry.setup("debug")
    log.debug("heard", extra={name: "my secret plan"})
    log.info("heard", extra={name: "my secret plan"})
    log.error("heard", extra={name: ["my secret plan"]})
    log.error("heard", extra={name: 3})
    at_debug, at_info, at_error, counted = lines(capsys)
    assert at_debug[name] == "my secret plan"
    assert at_info[name] == "(14 characters)"
    assert "plan" not in str(at_error)
    assert counted[name] == 3


def test_a_field_that_json_does_not_know_does_not_lose_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.setup()
    log.warning("odd", extra={"path": Path("a/b"), "names": frozenset({"x"}), "map": {1: None}, "gap": "\ud83d"})
    (line,) = lines(capsys)
    assert (line["path"], line["names"], line["map"]) == ("a/b", ["x"], {"1": None})


# ---------------------------------------------------------------- what it costs


def run_python(code: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=env, capture_output=True, text=True, check=True, timeout=60
    )


def test_what_renders_lines_is_imported_with_the_first_of_them() -> None:
    code = (
        "import sys, logging; from bot import telemetry; telemetry.setup();"
        "telemetry.turn('c', 'h', 'w').__enter__();"
        "print('structlog' in sys.modules); logging.getLogger('bot').warning('now'); print('structlog' in sys.modules)"
    )
    run = run_python(code)
    assert run.stdout.split() == ["False", "True"]
    assert json.loads(run.stderr)["event"] == "now"


def test_threads_may_write_the_first_lines_at_the_same_time(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.setup()
    threads = [threading.Thread(target=log.warning, args=("from %d", n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line["event"] for line in lines(capsys)) == [f"from {n}" for n in range(8)]


def test_at_info_only_our_own_lines_are_told_and_at_debug_all(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for level in ("info", "debug"):
        telemetry.setup(level, json=True)
        logging.getLogger("bot.runtime.worker").info("ours")
        logging.getLogger("httpx2").info("theirs")
        logging.getLogger("httpx2").warning("theirs, and bad")
        told.append([json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()])
    assert told == [["ours", "theirs, and bad"], ["ours", "theirs", "theirs, and bad"]]
