"""Traces by OpenTelemetry: one a turn, with spans for claim, `chat {model}`, post and commit.

Imported only where `telemetry.otlp` is set, for it needs the extra `otel`. Spans are made when their end is known, so
nothing has to be carried through the runtime. A turn that is taken up again, by whichever replica, goes on in the
same trace, because the trace's id is made from conversation and turn. What was said is in no span.

The SDK's own variables hold beside the settings: OTEL_EXPORTER_OTLP_HEADERS for a collector that asks for a key,
OTEL_TRACES_SAMPLER to keep only some traces (opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import assert_never

from bot import installed
from bot.health.errors import TracingError
from bot.health.trace import trace_of
from bot.ports.mailbox import Claim
from bot.ports.observer import Begun, Budgeted, Claimed, Committed, Ended, Happening, ModelAsked, Posted, Stepped

try:
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
except ModuleNotFoundError as missing:
    raise TracingError(
        f"telemetry.otlp is set, but {missing.name} is not installed. Install Greenroom with its extra: "
        f"{installed.command('otel')}"
    ) from missing

SEND_SECONDS = 5
"""How long one sending of spans may take, further attempts included; at the end the process waits for the last one."""

CHAT = "chat"
"""What a call of the Messages API is called in spans."""

PROVIDER, REHEARSAL = "anthropic", "rehearsal"
"""Whose interface is called, and the name of the stand-in that calls nobody."""

_NS = 1_000_000_000

Attributes = Mapping[str, str | int | float | bool | tuple[str, ...]]


@dataclass(slots=True)
class _Open:
    """A turn under way: its span, and the context that makes further spans its children."""

    span: Span
    below: Context


class _Ids(RandomIdGenerator):
    """Chance makes the ids of spans, and the turn that of its trace."""

    def __init__(self) -> None:
        self.trace = 0

    def generate_trace_id(self) -> int:
        """The id for the trace that begins now."""
        return self.trace


class Tracing:
    """A `bot.ports.observer.Observer` that sends traces to the collector at `otlp`, in a thread of its own."""

    def __init__(self, otlp: str, worker: str, exporter: SpanExporter | None = None) -> None:
        self._ids = _Ids()
        self._provider = TracerProvider(
            resource=Resource.create(
                {"service.name": "greenroom", "service.version": version("greenroom"), "service.instance.id": worker}
            ),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        sending = exporter or OTLPSpanExporter(f"{otlp}/v1/traces", timeout=SEND_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(sending))
        self._tracer = self._provider.get_tracer("greenroom")
        self._turns: dict[tuple[str, int], _Open] = {}

    def saw(self, happening: Happening) -> None:
        """Make the span that ends with it."""
        claim = happening.claim
        match happening:
            case Claimed(_, seconds):
                self._begin(claim, seconds)
                self._add(claim, "claim", seconds, {"greenroom.messages": len(claim.taken)})
            case Begun(_, waited):
                self._note(claim, {} if waited is None else {"greenroom.waited": max(0.0, waited)})
            case Stepped(_, event, request):
                if turn := self._turns.get(_key(claim)):
                    turn.span.add_event("step", {"greenroom.event": event, "greenroom.request": request})
            case ModelAsked(seconds=seconds, failed=failed, model=model):
                self._add(claim, f"{CHAT} {model}".rstrip(), seconds, asked(happening), failed, SpanKind.CLIENT)
            case Posted(_, posts, seconds):
                self._add(claim, "post", seconds, {"greenroom.posts": posts}, kind=SpanKind.CLIENT)
            case Committed(_, seconds):
                self._add(claim, "commit", seconds, {})
            case Ended(_, outcome, _, reason):
                self._note(claim, {"greenroom.outcome": outcome})
                if turn := self._turns.pop(_key(claim), None):
                    if outcome in ("retried", "buried"):
                        turn.span.set_status(Status(StatusCode.ERROR, reason))
                    turn.span.end(time.time_ns())
            case Budgeted():
                pass
            case _:
                assert_never(happening)

    def close(self) -> None:
        """Send what is left, for at most `SEND_SECONDS` and a moment; blocks. Spans that come later are dropped."""
        self._provider.shutdown()

    def _begin(self, claim: Claim, seconds: float) -> None:
        self._ids.trace = int(trace_of(claim), 16)
        span = self._tracer.start_span(
            "turn",
            context=Context(),
            kind=SpanKind.CONSUMER,  # of the conversation's mailbox
            start_time=_ago(seconds),
            attributes={
                "greenroom.conversation": claim.conversation,
                "greenroom.turn": claim.head.id,
                "greenroom.again": claim.turn is not None or claim.attempt + claim.expiries > 0,
            },
        )
        self._turns[_key(claim)] = _Open(span, set_span_in_context(span))

    def _add(
        self,
        claim: Claim,
        name: str,
        seconds: float,
        attributes: Attributes,
        failed: str = "",
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> None:
        if turn := self._turns.get(_key(claim)):
            span = self._tracer.start_span(
                name, context=turn.below, kind=kind, start_time=_ago(seconds), attributes=dict(attributes)
            )
            if failed:
                span.set_status(Status(StatusCode.ERROR, failed))
            span.end(time.time_ns())

    def _note(self, claim: Claim, attributes: Attributes) -> None:
        if turn := self._turns.get(_key(claim)):
            turn.span.set_attributes(attributes)


def asked(happening: ModelAsked) -> Attributes:
    """What a span of a call of a model tells, by the names of opentelemetry.io/docs/specs/semconv/gen-ai."""
    found: dict[str, str | int | float | tuple[str, ...]] = {
        "gen_ai.operation.name": CHAT,
        "gen_ai.provider.name": PROVIDER if happening.model != REHEARSAL else REHEARSAL,
        "gen_ai.request.model": happening.model,
        "gen_ai.agent.id": happening.who,
        "gen_ai.conversation.id": happening.claim.conversation,
    }
    if happening.failed:
        found["error.type"] = happening.failed
    else:
        found["gen_ai.response.finish_reasons"] = (happening.result,)
    if (usage := happening.usage) is not None:
        found["gen_ai.response.model"] = usage.model
        found["gen_ai.usage.input_tokens"] = usage.read
        found["gen_ai.usage.output_tokens"] = usage.output
        found["gen_ai.usage.cache_read.input_tokens"] = usage.cache_read
        found["gen_ai.usage.cache_creation.input_tokens"] = usage.cache_write
    if happening.cost is not None:
        found["greenroom.cost"] = happening.cost
    return found


def _key(claim: Claim) -> tuple[str, int]:
    return claim.conversation, claim.fence


def _ago(seconds: float) -> int:
    """The moment that lies so far back, in nanoseconds since the epoch."""
    return time.time_ns() - int(max(0.0, seconds) * _NS)
