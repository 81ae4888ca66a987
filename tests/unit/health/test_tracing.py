"""Traces as a collector gets them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, service_attributes
from opentelemetry.semconv.attributes import error_attributes

from bot.health.tracing import Tracing
from bot.ports.observer import Claimed, Committed, Ended, Happening, ModelAsked, Posted
from tests.contract.redis_server import free_port
from tests.unit.health.collector import Collector, attributes, collecting
from tests.unit.health.turns import claim, talk

ROOT = Path(__file__).resolve().parents[3]


async def sent(*workers: Iterable[Happening]) -> Collector:
    """What a collector has when every one of these workers has ended."""
    async with collecting() as collector:
        for number, happenings in enumerate(workers, 1):
            tracing = Tracing(collector.url, f"worker-{number}")
            for happening in happenings:
                tracing.saw(happening)
            await asyncio.to_thread(tracing.close)
    return collector


async def test_a_turn_is_one_trace_with_a_span_for_each_of_its_stages() -> None:
    got = await sent(talk(claim()))

    (turn,) = got.named("turn")
    below = [span for span in got.spans if span.name != "turn"]
    assert [span.name for span in below] == ["claim", "chat claude-asked", "post", "commit"]
    assert {span.trace_id for span in got.spans} == {turn.trace_id}
    assert {span.parent_span_id for span in below} == {turn.span_id}
    assert not turn.parent_span_id
    assert got.services == {"greenroom"}


async def test_spans_tell_where_who_how_long_and_how_many_tokens() -> None:
    got = await sent(talk(claim()))

    (turn,), (ask,) = got.named("turn"), got.named("chat claude-asked")
    assert attributes(turn) == {
        "greenroom.conversation": "fake:team:general",
        "greenroom.turn": "m1",
        "greenroom.again": False,
        "greenroom.waited": 1.5,
        "greenroom.outcome": "committed",
    }
    assert attributes(ask) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-asked",
        "gen_ai.agent.id": "architect",
        "gen_ai.conversation.id": "fake:team:general",
        "gen_ai.response.finish_reasons": ["end_turn"],
        "gen_ai.response.model": "claude-one",
        "gen_ai.usage.input_tokens": 420,
        "gen_ai.usage.output_tokens": 40,
        "gen_ai.usage.cache_read.input_tokens": 300,
        "gen_ai.usage.cache_creation.input_tokens": 20,
        "greenroom.cost": 0.25,
    }
    assert (turn.kind, ask.kind) == (Span.SPAN_KIND_CONSUMER, Span.SPAN_KIND_CLIENT)
    kinds = [got.named(name)[0].kind for name in ("post", "claim", "commit")]
    assert kinds == [Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_INTERNAL]
    assert ("service.version", metadata.version("greenroom")) in got.resources
    assert ask.end_time_unix_nano - ask.start_time_unix_nano == pytest.approx(3e9, rel=0.01)
    assert [event.name for event in turn.events] == ["step", "step"]


async def test_turns_that_run_at_the_same_time_are_kept_apart() -> None:
    one, other = claim("m1"), claim("m2", fence=2)
    got = await sent(
        [
            *(Claimed(one, 0.0), Claimed(other, 0.0), Posted(one, 1, 0.1), Posted(other, 1, 0.1)),
            *(Ended(other, "committed", 1.0), Committed(one, 0.1), Ended(one, "committed", 1.0)),
        ]
    )
    traces = {str(attributes(turn)["greenroom.turn"]): turn.trace_id for turn in got.named("turn")}
    assert traces["m1"] != traces["m2"]
    assert [span.name for span in got.spans if span.trace_id == traces["m1"]] == ["claim", "post", "commit", "turn"]
    assert [span.name for span in got.spans if span.trace_id == traces["m2"]] == ["claim", "post", "turn"]


async def test_a_turn_that_another_replica_takes_up_goes_on_in_the_same_trace() -> None:
    lost, taken_up = claim(), claim(fence=2, turn="{}")
    got = await sent(
        [Claimed(lost, 0.0), Ended(lost, "lost", 20.0)],
        [Claimed(taken_up, 0.0), Ended(taken_up, "committed", 1.0)],
    )
    first, second = got.named("turn")
    assert first.trace_id == second.trace_id and first.span_id != second.span_id
    assert (attributes(first)["greenroom.again"], attributes(second)["greenroom.again"]) == (False, True)


async def test_what_failed_is_marked_by_its_kind() -> None:
    of = claim()
    got = await sent(
        [Claimed(of, 0.0), ModelAsked(of, "architect", 2.0, failed="overloaded"), Ended(of, "retried", 2.0, "OSError")]
    )
    (turn,), (ask,) = got.named("turn"), got.named("chat")
    assert (ask.status.code, ask.status.message) == (Status.STATUS_CODE_ERROR, "overloaded")
    assert (turn.status.code, turn.status.message) == (Status.STATUS_CODE_ERROR, "OSError")
    assert attributes(ask)["error.type"] == "overloaded"


async def test_the_names_are_those_of_the_semantic_conventions() -> None:
    known = {
        value
        for module in (gen_ai_attributes, error_attributes, service_attributes)
        for value in vars(module).values()
        if isinstance(value, str)
    }
    got = await sent(talk(claim()), [Claimed(claim(), 0.0), ModelAsked(claim(), "architect", 1.0, failed="rate")])
    used = {name for span in got.spans for name in attributes(span)} | {name for name, _ in got.resources}
    assert {name for name in used if name.startswith(("gen_ai.", "error.", "service."))} <= known
    assert "chat" in {each.value for each in gen_ai_attributes.GenAiOperationNameValues}
    assert "anthropic" in {each.value for each in gen_ai_attributes.GenAiProviderNameValues}


async def test_a_collector_that_is_away_holds_nothing_up_for_long(caplog: pytest.LogCaptureFixture) -> None:
    tracing = Tracing(f"http://127.0.0.1:{free_port()}", "worker")
    for happening in talk(claim()):
        tracing.saw(happening)
    await asyncio.to_thread(tracing.close)
    assert "export" in caplog.text.lower()


async def test_what_comes_after_the_end_is_dropped() -> None:
    async with collecting() as collector:
        tracing = Tracing(collector.url, "worker")
        await asyncio.to_thread(tracing.close)
        for happening in talk(claim()):
            tracing.saw(happening)
    assert collector.spans == []


def test_without_the_extra_there_is_one_line_that_says_what_to_install() -> None:
    code = (
        "import sys\n"
        "sys.modules['opentelemetry.sdk'] = None\n"
        "sys.modules['opentelemetry.exporter'] = None\n"
        "try:\n    import bot.health.tracing\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert run.stdout.startswith("TracingError telemetry.otlp is set, but opentelemetry")
    assert "-m pip install " in run.stdout and "[otel]" in run.stdout


def test_health_without_traces_imports_no_tracing() -> None:
    code = (
        "import sys, bot.health.server, bot.health.observing\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert run.stdout.strip() == "[]"
