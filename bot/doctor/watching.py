"""Where traces go, and whether somebody takes them."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence

import aiohttp

from bot import installed
from bot.doctor.finding import Case, Finding

PATIENCE = 5.0
"""Seconds after which the collector counts as silent."""

EXTRAS = {"otel": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"), "redis": ("redis",)}
"""The modules of each extra."""


async def check_telemetry(case: Case) -> Sequence[Finding]:
    """Whether traces can be made, and whether the collector takes some: it is sent an empty lot."""
    otlp = case.settings.telemetry.otlp
    if not otlp:
        return [Finding("telemetry", "ok", "telemetry.otlp is not set, so no traces are sent")]
    if not has_extra("otel"):
        says = "telemetry.otlp is set, but the extra otel is not installed: the bot would not start"
        return [Finding("telemetry", "problem", says, installed.command("otel"))]
    try:
        status = await _sent(f"{otlp}/v1/traces")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        says = f"no collector can be reached at {otlp} ({type(error).__name__}): traces are dropped"
        return [Finding("telemetry", "warning", says, "start the collector, or mend telemetry.otlp")]
    if status in (401, 403):
        says = f"the collector at {otlp} wants to know who sends (HTTP {status})"
        return [Finding("telemetry", "warning", says, "set OTEL_EXPORTER_OTLP_HEADERS, such as authorization=...")]
    if status >= 300:
        says = f"what answers at {otlp}/v1/traces is no collector (HTTP {status}): traces are dropped"
        return [Finding("telemetry", "warning", says, "name the address that takes OTLP over HTTP, usually port 4318")]
    return [Finding("telemetry", "ok", f"the collector at {otlp} takes traces")]


def has_extra(name: str) -> bool:
    """Whether all modules of an extra can be found."""
    try:
        return all(importlib.util.find_spec(module) for module in EXTRAS[name])
    except ModuleNotFoundError:  # of the package above one
        return False


async def _sent(address: str) -> int:
    """The status of the answer to an empty lot of traces, which is what no bytes mean (protobuf.dev, encoding)."""
    headers = {"Content-Type": "application/x-protobuf"}
    for pair in os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(","):
        name, found, value = pair.partition("=")
        if found:
            headers[name.strip()] = value.strip()
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(address, data=b"", headers=headers) as answer,
    ):
        return answer.status
