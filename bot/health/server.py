"""The small web server for those who look after the bot: `/healthz`, `/readyz`, `/metrics`.

It asks nobody who they are: it tells counts and states, never a name, a key or what was said, and changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from urllib.parse import urlsplit

from aiohttp import web

from bot.health.errors import ListenError
from bot.health.metrics import CONTENT_TYPE, Metrics
from bot.health.vitals import Check, Vitals

LAST_ANSWERS = 1.0
"""Seconds that answers under way get when the process ends."""


@asynccontextmanager
async def serving(listen: str, vitals: Vitals, metrics: Metrics) -> AsyncIterator[str]:
    """Answer at `listen`, host:port, while the body runs; gives the base URL, with the real port where it was 0.

    Raises ListenError.
    """
    runner = web.AppRunner(application(vitals, metrics), access_log=None, shutdown_timeout=LAST_ANSWERS)
    await runner.setup()
    try:
        parts = urlsplit(f"//{listen}")
        site = web.TCPSite(runner, parts.hostname, parts.port)
        try:
            await site.start()
        except OSError as error:
            raise ListenError(
                f"health.listen: {listen} cannot be listened on: {error.strerror or error}. Choose another address, or "
                'turn it off with "".'
            ) from error
        host, port = runner.addresses[0][:2]
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def application(vitals: Vitals, metrics: Metrics) -> web.Application:
    """The three pages."""

    async def healthz(_: web.Request) -> web.Response:
        return _answer("alive", (vitals.lives(),))

    async def readyz(request: web.Request) -> web.Response:
        more = {"degraded": dict(vitals.degraded())} if "verbose" in request.query else {}
        return _answer("ready", await vitals.ready(), more)

    async def prometheus(_: web.Request) -> web.Response:
        body = metrics.text(await vitals.stats(), vitals.resting(), vitals.connected())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE, **_NOT_KEPT})

    app = web.Application(client_max_size=1024)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", prometheus)
    return app


_NOT_KEPT = {"Cache-Control": "no-store"}


def _answer(question: str, checks: Sequence[Check], more: Mapping[str, object] = MappingProxyType({})) -> web.Response:
    yes = all(check.ok for check in checks)
    found = {check.name: {"ok": check.ok, "says": check.says} for check in checks}
    body = {question: yes, "checks": found, **more}
    return web.json_response(body, status=200 if yes else 503, headers=_NOT_KEPT)
