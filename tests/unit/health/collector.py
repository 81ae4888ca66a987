"""A collector on loopback that takes OTLP over HTTP, as a real one does, and keeps what comes."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(slots=True)
class Collector:
    url: str = ""
    spans: list[Span] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    resources: set[tuple[str, str]] = field(default_factory=set)
    raw: list[bytes] = field(default_factory=list)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if body.startswith(b"\x1f\x8b"):
            body = gzip.decompress(body)
        self.raw.append(body)
        told = ExportTraceServiceRequest.FromString(body)
        for resource in told.resource_spans:
            self.resources |= {(a.key, a.value.string_value) for a in resource.resource.attributes}
            self.services |= {a.value.string_value for a in resource.resource.attributes if a.key == "service.name"}
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return web.Response(body=b"", content_type="application/x-protobuf")


Value = str | int | float | bool | list[str]


def attributes(span: Span) -> dict[str, Value]:
    """A span's attributes by name."""

    def read(value: AnyValue) -> Value:
        if value.HasField("array_value"):
            return [each.string_value for each in value.array_value.values]
        found: Value = getattr(value, str(value.WhichOneof("value")))
        return found

    return {a.key: read(a.value) for a in span.attributes}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        collector.url = f"http://{host}:{port}"
        yield collector
    finally:
        await runner.cleanup()
