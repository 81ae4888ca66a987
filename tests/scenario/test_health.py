"""A bot at work as those who look after it see it: counts, traces, and the state of a real process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from bot.core.model import Receipt
from bot.health.metrics import Metrics
from bot.health.observing import Several
from bot.health.tracing import Tracing
from bot.models.breaker import Breaker
from bot.ports.model import ModelError
from bot.ports.transport import Outgoing
from tests.contract.redis_server import free_port
from tests.fakes.clock import ManualClock
from tests.fakes.model import Script
from tests.fakes.platform import FakePlatform
from tests.scenario.stage import Stage, answering, stage
from tests.unit.health.collector import attributes, collecting
from tests.unit.health.test_metrics import read

DEADLINE = 20.0

# ---------------------------------------------------------------- counts


@asynccontextmanager
async def counted(script: Script | None = None) -> AsyncIterator[tuple[Stage, Metrics]]:
    metrics = Metrics()
    async with stage(script) as on:
        on.worker.observer = metrics
        yield on, metrics


async def test_a_greeting_and_a_reply_are_two_turns_one_ask_and_their_posts() -> None:
    async with counted() as (on, metrics):
        await on.say("*architect")
        await on.say("hello")
        page = read(metrics, await on.store.stats())
        shown = len(on.platform.messages)

    assert page["greenroom_turns_total{outcome=committed}"] == page["greenroom_turns_begun_total"] == 2
    assert page["greenroom_posts_total"] == shown
    assert page["greenroom_model_calls_total{result=end_turn}"] == 1
    assert page["greenroom_model_tokens_total{kind=input,model=fake}"] == 10
    assert page["greenroom_steps_total{event=Said}"] == 2
    assert page["greenroom_steps_total{event=ModelReplied}"] == 1
    assert page["greenroom_turns_open"] == 0
    for stage_, times in {"queue": 2, "claim": 2, "model": 1, "post": 2, "commit": 2, "whole": 2}.items():
        assert page[f"greenroom_stage_seconds_count{{stage={stage_}}}"] == times, stage_


async def test_the_queue_is_timed_from_when_people_spoke() -> None:
    async with counted() as (on, metrics):
        await on.inbox.receive(on.platform.said("*architect", at=on.clock.now()))
        on.clock.advance(7)
        await on.settle()
    assert read(metrics)["greenroom_stage_seconds_sum{stage=queue}"] == 7


async def test_a_failing_platform_is_seen_as_retries_and_then_a_burial() -> None:
    class Refusing(FakePlatform):
        async def post(self, out: Outgoing) -> Receipt:
            raise OSError("the platform is down")

    async with counted() as (on, metrics):
        on.worker.transports = {"fake": Refusing()}
        await on.inbox.receive(on.platform.said("*architect"))
        for _ in range(12):
            await on.settle()
            on.clock.advance(10)
        page = read(metrics, await on.store.stats())
    assert page["greenroom_turns_total{outcome=retried}"] == 2
    assert page["greenroom_turns_total{outcome=buried}"] == 1
    assert page["greenroom_retakes_total"] == 2
    assert page["greenroom_turns_begun_total"] == 1
    assert page["greenroom_store_dead_letters"] == 1
    assert page["greenroom_turns_open"] == 0


async def test_a_model_that_fails_is_counted_by_its_reason() -> None:
    async with counted(lambda _prompt, _n: ModelError("overloaded")) as (on, metrics):
        await on.say("*architect")
        await on.say("hello")
    page = read(metrics)
    assert page["greenroom_model_calls_total{result=overloaded}"] == 1
    assert page["greenroom_turns_total{outcome=committed}"] == 2


async def test_a_turn_that_is_cancelled_is_given_back_and_counted_so() -> None:
    speaking = asyncio.Event()

    async def hang(_n: int, _piece: int) -> None:
        speaking.set()
        await asyncio.Event().wait()

    async with counted() as (on, metrics):
        on.model.on_piece = hang
        await on.say("*architect")
        await on.inbox.receive(on.platform.said("hello"))
        working = asyncio.create_task(on.worker.work())
        await asyncio.wait_for(speaking.wait(), DEADLINE)
        assert read(metrics)["greenroom_turns_open"] == 1
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    page = read(metrics)
    assert page["greenroom_turns_total{outcome=released}"] == 1
    assert page["greenroom_turns_open"] == 0


async def test_a_turn_is_traced_from_claim_to_commit() -> None:
    async with collecting() as collector:
        tracing = Tracing(collector.url, "worker")
        async with stage(answering("A secret plan.")) as on:
            on.worker.observer = Several(tracing)
            await on.say("*architect")
            await on.say("keep this between us")
        await asyncio.to_thread(tracing.close)

    greeting, reply = collector.named("turn")
    stages = [span.name for span in collector.spans if span.trace_id == reply.trace_id]
    assert stages == ["claim", "chat", "post", "commit", "turn"]
    assert [s.name for s in collector.spans if s.trace_id == greeting.trace_id] == ["claim", "post", "commit", "turn"]
    assert attributes(reply)["greenroom.outcome"] == "committed"
    said = b"".join(collector.raw)
    assert b"secret plan" not in said and b"between us" not in said


async def test_a_model_that_is_left_alone_is_named_until_it_is_tried_again() -> None:
    clock = ManualClock()
    breaker = Breaker(clock, after=1, rest=30.0)
    assert breaker.resting() == ()
    with pytest.raises(ModelError), breaker.attempt("claude-one"):
        raise ModelError("overloaded")
    assert breaker.resting() == ("claude-one",)
    clock.advance(31)
    assert breaker.resting() == ()


# ---------------------------------------------------------------- a real process


def ask(url: str) -> tuple[int, str]:
    """Status and body; 0 while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def until(url: str, wanted: str) -> str:
    """The body once it has `wanted` in it."""
    deadline = time.monotonic() + DEADLINE
    while True:
        status, body = ask(url)
        if status and wanted in body:
            return body
        assert time.monotonic() < deadline, f"{url} says {status} {body!r}"
        time.sleep(0.05)


@contextmanager
def chat(folder: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """`greenroom chat` with pipes, in an empty folder."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GREENROOM_", "ANTHROPIC_"))}
    command = [str(Path(sys.executable).with_name("greenroom")), "chat", "--model", "rehearsal", "--state", "s.db"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=env | {"PYTHONUTF8": "1"} | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_real_process_answers_for_itself_counts_a_turn_and_falls_silent_at_its_end(tmp_path: Path) -> None:
    listen = f"127.0.0.1:{free_port()}"
    with chat(tmp_path, GREENROOM_HEALTH__LISTEN=listen) as process:
        told = json.loads(until(f"http://{listen}/readyz", '"ready": true'))
        assert list(told["checks"]) == ["worker", "platform terminal", "store", "queue"]
        assert ask(f"http://{listen}/healthz")[0] == 200
        assert process.stdin is not None
        process.stdin.write("*architect\n")
        process.stdin.flush()
        until(f"http://{listen}/metrics", 'greenroom_turns_total{outcome="committed"} 1.0')
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE)
        assert ask(f"http://{listen}/healthz") == (0, "")


def test_an_address_that_is_taken_ends_the_start_with_one_line(tmp_path: Path) -> None:
    listen = f"127.0.0.1:{free_port()}"
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    with chat(tmp_path / "one", GREENROOM_HEALTH__LISTEN=listen):
        until(f"http://{listen}/healthz", "alive")
        with chat(tmp_path / "other", GREENROOM_HEALTH__LISTEN=listen) as second:
            output, errors = second.communicate("", DEADLINE)
    assert (second.returncode, output) == (1, "")
    assert errors.startswith(f"health.listen: {listen} cannot be listened on") and errors.count("\n") == 1


def test_nothing_is_listened_on_unless_it_is_set(tmp_path: Path) -> None:
    with chat(tmp_path) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("*status\n")
        process.stdin.flush()
        assert process.stdout.readline()
        sockets = subprocess.run(
            [sys.executable, "-c", LISTENS, str(process.pid)], capture_output=True, text=True, check=True, timeout=30
        )
    assert sockets.stdout.strip() == "[]"


LISTENS = """
import os, sys
from pathlib import Path

own = set()
folder = Path(f"/proc/{sys.argv[1]}/fd")
if not folder.is_dir():
    print([])
    sys.exit()
for entry in folder.iterdir():
    try:
        own.add(os.readlink(entry))
    except OSError:
        continue
rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
print([row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own])
"""
"""Prints the addresses that the process of that id listens on, as Linux tells them (man proc_net); [] elsewhere."""
