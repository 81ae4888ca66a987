"""The health port, and what a bot that is at work says of itself there."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.doctor.finding import Case, Finding

PATIENCE = 5.0
"""Seconds after which whoever has the port counts as silent."""

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "*": "127.0.0.1"}  # noqa: S104 - what is listened on, not by us
"""Where a bot that listens on every address is asked."""


async def check_health(case: Case) -> Sequence[Finding]:
    """Whether the health port is free, or a bot at work answers there, and what that one says."""
    listen = case.settings.health.listen
    if not listen:
        mend = "set health.listen, such as 127.0.0.1:8080, to see outages and to be woken by them"
        return [Finding("health", "ok", f"no port: neither metrics nor readiness can be asked for; {mend}")]
    parts = urlsplit(f"//{listen}")
    host, port = str(parts.hostname), parts.port or 0
    try:
        await asyncio.to_thread(_tried, host, port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            says = f"{listen} cannot be listened on: {error.strerror or error}"
            return [Finding("health", "problem", says, "choose another address in health.listen")]
    else:
        return [Finding("health", "ok", f"{listen} is free; no bot is at work there now")]
    told = await _asked(EVERYWHERE.get(host, host), port)
    if isinstance(told, str):
        mend = "choose another address in health.listen, or end what has it"
        return [Finding("health", "problem", f"{listen} is in use, and not by Greenroom ({told})", mend)]
    return said(listen, told)


def said(listen: str, told: Mapping[str, Any]) -> list[Finding]:
    """What a bot's own page `/readyz?verbose` comes to."""
    found = [Finding("health", "ok", f"a bot is at work at {listen}")]
    for name, check in told["checks"].items():
        if not check["ok"]:
            mend = "look into the log of the bot at work"
            found.append(Finding("health", "problem", f"the bot at work: {name}: {check['says']}", mend))
    for name, why in told.get("degraded", {}).items():
        mend = "`greenroom doctor --online` calls the model once from here" if name == "model" else ""
        found.append(Finding("health", "problem", f"the bot at work: {name}: {why}", mend))
    return found


async def _asked(host: str, port: int) -> Mapping[str, Any] | str:
    """What a bot at work there says of itself; a word on whoever else has the port."""
    at = f"[{host}]" if ":" in host else host
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://{at}:{port}/readyz?verbose") as answer,
        ):
            told = json.loads(await answer.text())
            is_ours = isinstance(told, dict) and isinstance(told.get("checks"), dict) and "ready" in told
            return told if is_ours else f"HTTP {answer.status} with another page"
    except TimeoutError:
        return f"no answer within {PATIENCE:.0f} s"
    except (aiohttp.ClientError, ValueError) as error:
        return f"no such page: {type(error).__name__}"


def _tried(host: str, port: int) -> None:
    """Listen there for an instant. Raises OSError."""
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, proto) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind(address)
