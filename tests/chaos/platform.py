"""A platform as a server on loopback: what `tests.fakes.platform` keeps, reached over HTTP as real platforms are.

It knows which replica calls, and tells `on_call` before and after the effect of each call: the test may kill the caller
there. Messages of people are delivered to the replicas over HTTP too, and again when nobody has taken them.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

import aiohttp
from aiohttp import web

from bot.core.codec import dump, load
from bot.core.model import Conversation, Inbound
from bot.ports.transport import Outgoing
from tests.fakes.platform import FakePlatform

METHODS = ("post", "find", "preview", "extend", "seal", "withdraw", "torn")
DELIVERY_SECONDS = 3.0
AGAIN = 0.05


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a replica: its name, the method, and whether the effect has taken place."""

    replica: str
    method: str
    done: bool


@dataclass(slots=True)
class Platform:
    """`delivered_to` gives the addresses of the replicas as they are now; `faults` is what no platform takes."""

    random: Random
    delivered_to: Callable[[], list[str]]
    state: FakePlatform = field(default_factory=FakePlatform)
    sent: list[Inbound] = field(default_factory=list)
    on_call: Callable[[Call], None] = lambda call: None
    faults: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    url: str = ""
    _runner: web.AppRunner | None = None
    _session: aiohttp.ClientSession | None = None
    _copies: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.post("/{method}", self._handle)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DELIVERY_SECONDS))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._copies:
            task.cancel()
        await asyncio.gather(*self._copies, return_exceptions=True)
        if self._session:
            await self._session.close()
        if self._runner:
            await self._runner.cleanup()

    # -------------------------------------------------------- people

    async def say(self, conversation: Conversation, text: str, *, copies: int = 1, **how: Any) -> Inbound:
        """Say it, and deliver it so many times; back when one delivery was taken."""
        inbound = self.state.said(text, conversation=conversation, **how)
        self.sent.append(inbound)
        body = dump(inbound)
        for _ in range(copies - 1):
            copy = asyncio.create_task(self._copy(body, self.random.choice((0.0, 0.0, 0.02, 0.3))))
            self._copies.add(copy)
            copy.add_done_callback(self._copies.discard)
        taken = await self.deliver(body)
        while not taken:
            await asyncio.sleep(AGAIN)
            taken = await self.deliver(body)
        return inbound

    async def deliver(self, body: str) -> bool:
        """Deliver once, to whoever comes; whether it was taken."""
        addresses = self.delivered_to()
        if not addresses or self._session is None:
            return False
        with suppress(aiohttp.ClientError, TimeoutError, ConnectionError):
            async with self._session.post(self.random.choice(addresses), data=body.encode()) as answer:
                return answer.status == 200
        return False

    async def _copy(self, body: str, delay: float) -> None:
        await asyncio.sleep(delay)
        await self.deliver(body)

    async def quiet(self) -> None:
        """Return when no copy is on its way any more."""
        while self._copies:
            await asyncio.wait(set(self._copies))

    # -------------------------------------------------------- replicas

    async def _handle(self, request: web.Request) -> web.Response:
        method, replica = request.match_info["method"], request.headers["Replica"]
        if method not in METHODS:
            return web.Response(status=404)
        given = await request.json()
        self.calls[method] += 1
        self.on_call(Call(replica, method, False))
        try:
            answer = await self._answer(method, given)
        except AssertionError as error:
            self.faults.append(f"{replica}: {method}: {error}")
            return web.Response(status=400, text=str(error))
        self.on_call(Call(replica, method, True))
        return web.Response(text=json.dumps(answer), content_type="application/json")

    async def _answer(self, method: str, given: dict[str, Any]) -> Any:
        state = self.state
        out: Any = load(given["out"], Outgoing) if "out" in given else None
        match method:
            case "post":
                return dump(await state.post(out))
            case "find":
                receipt = await state.find(out)
            case "preview":
                return await state.preview(out)
            case "extend":
                shown = state.messages.get(given["ref"])
                if shown is not None and not shown.sealed:
                    await state.extend(given["ref"], given["text"])
                return None
            case "seal":
                receipt = await state.seal(given["ref"], out)
            case "withdraw":
                return await state.withdraw(given["ref"])
            case _:
                return await state.torn(load(given["conversation"], Conversation), given["since"])
        return dump(receipt) if receipt else None
