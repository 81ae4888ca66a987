"""A workspace that answers quickly and people who write in it, in a process of their own: their CPU is nobody else's.

python -m tests.bench._workspace

It prints the address of its Web API. Each line that it reads is an order: the address of an app, its signing secret,
the number of the first channel and how many there are. In each of them somebody says `*architect`, and when something
has been posted to all of them, it prints how many posts there were and how many seconds went by. What is refused and
what Slack would check is the business of `tests.fakes.slack`; here nothing is checked.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
from aiohttp import web

TEAM, BOT_USER, BOT, APP, PERSON = "T0BENCH", "U0BENCHBOT", "B0BENCHBOT", "A0BENCH", "U0ALICE"
TEXT = "*architect"
AT_A_TIME = 8
"""Deliveries under way at the same time."""

PATIENCE = 120.0
"""Seconds after which an order is given up."""


class Workspace:
    """What the Web API has been told: the posts of each channel."""

    def __init__(self) -> None:
        self.posts: dict[str, int] = {}
        self._number = 0

    async def call(self, request: web.Request) -> web.Response:
        """Answer one call of whatever method."""
        data = await request.read()
        answer: dict[str, Any] = {"ok": True}
        match request.match_info["method"]:
            case "auth.test":
                answer |= {"team": "Bench", "team_id": TEAM, "user": "greenroom", "user_id": BOT_USER, "bot_id": BOT}
            case "users.info":
                profile = {"display_name": "alice", "real_name": "Alice"}
                answer["user"] = {"id": PERSON, "team_id": TEAM, "name": "alice", "profile": profile}
            case "users.conversations":
                answer["channels"] = []
            case "chat.postMessage":
                self._number += 1
                channel = channel_of(request, data)
                self.posts[channel] = self.posts.get(channel, 0) + 1
                answer |= {"channel": channel, "ts": f"{int(time.time()) + 10}.{self._number:06d}"}
        return web.json_response(answer)


def channel_of(request: web.Request, data: bytes) -> str:
    """The channel that a post goes to, whichever way the client has put it."""
    if request.content_type == "application/json":
        return str(json.loads(data)["channel"])
    found = dict(part.split("=", 1) for part in data.decode().split("&"))
    return found["channel"]


def signed(secret: str, number: int) -> tuple[bytes, dict[str, str]]:
    """The body and the headers by which Slack tells that somebody has written in channel `number`."""
    now = time.time()
    ts = f"{int(now)}.{number % 1_000_000:06d}"
    element = {"type": "rich_text_section", "elements": [{"type": "text", "text": TEXT}]}
    event = {
        "user": PERSON, "type": "message", "ts": ts, "client_msg_id": f"00000000-0000-4000-8000-{number:012d}",
        "text": TEXT, "team": TEAM, "channel": f"C{number:08d}", "event_ts": ts, "channel_type": "channel",
        "blocks": [{"type": "rich_text", "block_id": "aB1", "elements": [element]}],
    }  # fmt: skip
    authorization = {"enterprise_id": None, "team_id": TEAM, "user_id": BOT_USER, "is_bot": True}
    body = {
        "token": "verification", "team_id": TEAM, "context_team_id": TEAM, "context_enterprise_id": None,
        "api_app_id": APP, "event": event, "type": "event_callback", "event_id": f"Ev{number:010d}",
        "event_time": int(now), "authorizations": [authorization | {"is_enterprise_install": False}],
        "is_ext_shared_channel": False, "event_context": f"4-{number:020d}",
    }  # fmt: skip
    raw, stamp = json.dumps(body), str(int(now))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{raw}".encode(), hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
    return raw.encode(), {**headers, "Content-Type": "application/json"}


async def carried_out(there: Workspace, url: str, secret: str, first: int, number: int) -> dict[str, float]:
    """Deliver to all channels and wait until something stands in each of them."""
    there.posts.clear()
    calls = [signed(secret, first + each) for each in range(number)]
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(_delivered(session, url, calls[at::AT_A_TIME]) for at in range(AT_A_TIME)))
    deadline = time.monotonic() + PATIENCE
    while len(there.posts) < number:
        if time.monotonic() > deadline:
            raise SystemExit(f"the app has posted to {len(there.posts)} of {number} channels")
        await asyncio.sleep(0.005)
    return {"posts": sum(there.posts.values()), "seconds": time.perf_counter() - began}


async def _delivered(session: aiohttp.ClientSession, url: str, calls: Sequence[tuple[bytes, dict[str, str]]]) -> None:
    for body, headers in calls:
        async with session.post(url, data=body, headers=headers) as answer:
            if answer.status != 200:
                raise SystemExit(f"the app has answered an event with HTTP {answer.status}")


async def serve() -> None:
    """Carry out orders until nobody gives any."""
    there = Workspace()
    app = web.Application()
    app.router.add_route("*", "/api/{method}", there.call)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/api/", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        url, secret, first, number = line.split()
        print(json.dumps(await carried_out(there, url, secret, int(first), int(number))), flush=True)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
