"""Slack calling over HTTP: only what it has signed is read, nothing is taken twice, and there may be many replicas."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.app import SystemClock
from bot.platforms.slack.blocks import TEXT
from bot.platforms.slack.options import SlackOptions
from bot.platforms.slack.views import PERSONA
from bot.ports.mailbox import StoreError
from bot.ports.store import Store
from bot.ports.transport import PlatformError
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.contract.redis_server import Server, free_port, running
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_socket import Signing
from tests.fakes.slack_state import Person, Room
from tests.scenario.slack_house import House, replica, slack_house, subscribed

PATH = "/slack/events"


def at(port: int) -> Callable[[SlackOptions], SlackOptions]:
    """The options for a bot that takes Slack's calls at that port, and can take nothing else."""
    return lambda options: replace(options, mode="http", app_token="", listen=f"127.0.0.1:{port}", path=PATH)


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}{PATH}"


@asynccontextmanager
async def http_house(store: Store | None = None) -> AsyncIterator[tuple[House, str]]:
    """A bot that Slack calls, and the address that it calls."""
    port = free_port()
    fake = FakeSlack(events=subscribed(), retries=(0, 0.05, 0.1))
    async with slack_house(fake=fake, store=store, slack=at(port)) as house:
        fake.use_http(url(port))
        yield house, url(port)


def said(house: House, person: Person, room: Room, text: str) -> dict[str, Any]:
    """The event of a message that nobody has delivered yet."""
    ts = house.fake.ws.new_ts()
    event = {"type": "message", "user": person.id, "text": text, "ts": ts, "channel": room.id, "event_ts": ts,
             "channel_type": "channel", "team": house.fake.ws.team}  # fmt: skip
    return {"type": "event_callback", "team_id": house.fake.ws.team, "api_app_id": house.fake.ws.app_id,
            "event": event, "event_id": f"Ev{ts}", "event_time": int(time.time())}  # fmt: skip


# ---------------------------------------------------------------- who may call


@pytest.mark.parametrize("how", ["bad", "missing", "old", "garbled"])
async def test_what_slack_has_not_signed_is_turned_away_unread(how: Signing, caplog: pytest.LogCaptureFixture) -> None:
    async with http_house() as (house, address):
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        body = said(house, alice, general, "*architect")
        assert await house.fake.dispatch.post(address, "events_api", body, how) == (401, "")
        await house.quiet()
        assert house.fake.seen(general) == []
    (told,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    if how == "old":
        assert "Slack has signed was turned away: by this machine's clock it is 60" in told.getMessage()
        assert "Set the clock right (NTP)" in told.getMessage()
    else:
        assert told.getMessage() == "a call that is not Slack's was turned away (from 127.0.0.1)"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": "v0=ünsigned"},
        {"X-Slack-Request-Timestamp": "١٢٣"},
        {"X-Slack-Request-Timestamp": "9" * 5000},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": "1.5"},
        {"X-Slack-Request-Timestamp": ""},
    ],
)
async def test_headers_that_no_signature_check_can_read_are_not_slacks(headers: dict[str, str]) -> None:
    async with http_house() as (house, address):
        body = json.dumps({"type": "url_verification", "challenge": "abc"})
        sent = {"Content-Type": "application/json", **house.fake.dispatch.signed(body), **headers}
        async with aiohttp.ClientSession() as session, session.post(address, data=body, headers=sent) as answer:
            assert (answer.status, await answer.text()) == (401, "")


async def test_bytes_that_are_no_text_are_not_slacks() -> None:
    async with http_house() as (house, address):
        headers = house.fake.dispatch.signed("\ufffd")
        async with aiohttp.ClientSession() as session, session.post(address, data=b"\xff", headers=headers) as answer:
            assert answer.status == 401


JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        *((JSON, body) for body in ("", " ", "[]", "5", '"x"', "null", "{", '{"a":', "[" * 100_000, "1" * 5000)),
        *((JSON, body) for body in ('{"event": 5}', '{"authorizations": 7}', '{"team": [1], "event": null}')),
        *((FORM, f"payload={body}") for body in ("", "[]", "5", "null", "{")),
        ("text/plain", "{"),
    ],
)
async def test_a_signed_call_that_is_no_json_object_is_a_bad_request_and_one_line(
    kind: str, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with http_house() as (house, address):
        headers = {"Content-Type": kind, **house.fake.dispatch.signed(body)}
        async with aiohttp.ClientSession() as session, session.post(address, data=body, headers=headers) as answer:
            status = answer.status
    assert status == 400
    (told,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert told.getMessage() == "a call that Slack has signed is no JSON object, so it was not taken (from 127.0.0.1)"


async def test_a_body_beyond_all_that_slack_sends_is_not_read() -> None:
    async with http_house() as (house, address):
        body = "x" * (1024 * 1024 + 1)
        async with aiohttp.ClientSession() as session:
            for headers in (house.fake.dispatch.signed(body), {}):
                async with session.post(address, data=BytesIO(body.encode()), headers=headers) as answer:
                    assert answer.status == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/", 404), ("POST", f"{PATH}/more", 404), ("GET", "/metrics", 404), ("GET", PATH, 405)],
)
async def test_nothing_else_can_be_reached(method: str, path: str, status: int) -> None:
    async with http_house() as (house, address):
        there = address.removesuffix(PATH) + path
        headers = house.fake.dispatch.signed("")
        async with aiohttp.ClientSession() as session, session.request(method, there, headers=headers) as answer:
            assert answer.status == status


async def test_slack_gets_its_challenge_back_if_it_has_signed_it() -> None:
    async with http_house() as (house, address):
        asked = {"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB"}
        status, answer = await house.fake.dispatch.post(address, "events_api", asked)
        assert (status, json.loads(answer)) == (200, {"challenge": "3eZbrw1aB"})
        assert await house.fake.dispatch.post(address, "events_api", asked, "bad") == (401, "")


# ---------------------------------------------------------------- once


async def test_a_call_that_is_played_again_within_five_minutes_changes_nothing() -> None:
    async with http_house() as (house, address):
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        body = json.dumps(said(house, alice, general, "*architect"))
        headers = {"Content-Type": "application/json", **house.fake.dispatch.signed(body)}
        async with aiohttp.ClientSession() as session:
            for number in range(4):
                again = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"} if number % 2 else {}
                async with session.post(address, data=body, headers=headers | again) as answer:
                    assert (answer.status, await answer.text()) == (200, "")
        await house.quiet()
        assert [seen.name for seen in house.fake.seen(general)] == ["Winston"]


async def test_a_first_delivery_that_calls_itself_a_repeat_is_taken() -> None:
    async with http_house() as (house, address):
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        body = said(house, alice, general, "*architect")
        extra = {"X-Slack-Retry-Num": "2", "X-Slack-Retry-Reason": "http_error"}
        assert await house.fake.dispatch.post(address, "events_api", body, "good", **extra) == (200, "")
        await house.quiet()
        assert [seen.name for seen in house.fake.seen(general)] == ["Winston"]


class Away(SqliteStore):
    """A store that fails that many times to take mail."""

    fails = 0

    async def enqueue(self, conversation: str, message: Any) -> bool:
        if self.fails:
            self.fails -= 1
            raise StoreError("the store is away")
        return await super().enqueue(conversation, message)


async def test_while_the_store_is_away_slack_is_told_to_come_again() -> None:
    store = await Away.open(":memory:", clock=SystemClock())
    async with http_house(store) as (house, _):
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        store.fails = 2
        statuses: list[int | None] = []
        posting = house.fake.dispatch.post

        async def post(*args: Any, **how: Any) -> tuple[int, str]:
            answer = await posting(*args, **how)
            statuses.append(answer[0])
            return answer

        house.fake.dispatch.post = post  # type: ignore[method-assign]
        posted = await house.hear(alice, general, "*architect")
        assert statuses[0] == 503 and 200 in statuses
        assert [seen.name for seen in posted] == ["Winston"]


async def test_commands_presses_and_forms_come_by_http_too() -> None:
    async with http_house() as (house, _):
        fake = house.fake
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        await (await fake.slash(alice, general, "/greenroom", "architect")).over.wait()
        await house.quiet()
        _, greeting = fake.seen(general)
        assert greeting.name == "Winston"
        delivery = await fake.presses(alice, general, greeting.ts, greeting.buttons[0].label)
        await delivery.over.wait()
        assert delivery.acked and delivery.status == 200
        await house.quiet()
        assert len(fake.seen(general)) > 1
        root = await fake.says(alice, general, "a thing to ask about")
        await (await fake.interactions.uses_shortcut(alice, general, root, "greenroom:ask")).over.wait()
        (view,) = fake.interactions.open_views(alice)
        form = {PERSONA: "pm", TEXT: ""}
        await (await fake.interactions.submits(alice, view["id"], form)).over.wait()
        assert fake.interactions.open_views(alice), "an empty form stays open, with what is wrong"
        await (await fake.interactions.submits(alice, view["id"], form | {TEXT: "Is it?"})).over.wait()
        await house.quiet()
        assert fake.interactions.open_views(alice) == []
        assert [seen.name for seen in fake.seen(general, root)][:2] == ["Greenroom", "John"]


async def test_a_command_and_a_press_that_are_played_again_are_taken_once() -> None:
    async with http_house() as (house, address):
        fake = house.fake
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        command = await fake.slash(alice, general, "/greenroom", "architect")
        await command.over.wait()
        await house.quiet()
        _, greeting = fake.seen(general)
        press = await fake.presses(alice, general, greeting.ts, greeting.buttons[0].label)
        await press.over.wait()
        await house.quiet()
        standing = len(fake.seen(general))
        for _ in range(3):
            assert (await fake.dispatch.post(address, "slash_commands", command.payload))[0] == 200
            assert (await fake.dispatch.post(address, "interactive", press.payload))[0] == 200
        await house.quiet()
        assert len(fake.seen(general)) == standing


# ---------------------------------------------------------------- many replicas behind one address


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("valkey")) as started:
        yield started


@asynccontextmanager
async def balanced(*ports: int) -> AsyncIterator[str]:
    """An address behind which calls go to one port after the other."""
    turn = 0

    async def passed_on(request: web.Request) -> web.Response:
        nonlocal turn
        turn += 1
        body, headers = await request.read(), {k: v for k, v in request.headers.items() if k.lower() != "host"}
        there = f"http://127.0.0.1:{ports[turn % len(ports)]}{request.path}"
        async with aiohttp.ClientSession() as session, session.post(there, data=body, headers=headers) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

    app = web.Application()
    app.router.add_post("/{path:.*}", passed_on)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield url(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def test_two_replicas_behind_one_address_say_everything_once(server: Server) -> None:
    assert server.ask("FLUSHALL") == b"+OK\r\n"
    one, two = free_port(), free_port()
    store, another = await RedisStore.open(server.url), await RedisStore.open(server.url)
    fake = FakeSlack(events=subscribed())
    async with (
        slack_house(fake=fake, store=store, slack=at(one)) as house,
        replica(house, another, slack=at(two)),
        balanced(one, two) as address,
    ):
        fake.use_http(address)
        fake.dispatch.redeliver_all = 4
        alice, bob = fake.user("alice"), fake.user("bob")
        rooms = [fake.channel(name, [alice, bob]) for name in ("general", "random", "design")]
        for room in rooms:
            await fake.says(alice, room, "*architect")
        await house.quiet()
        for number in range(5):
            for room in rooms:
                for person in (alice, bob):
                    await fake.says(person, room, f"{person.name} {number}")
        await house.quiet(20.0)
        for room in rooms:
            names = [seen.name for seen in fake.seen(room)]
            heard = [entry.text for entry in await house.log(room) if entry.kind == "said"]
            assert sorted(heard) == sorted(f"{name} {number}" for number in range(5) for name in ("alice", "bob"))
            replies = [entry for entry in await house.log(room) if entry.kind == "reply"]
            assert names.count("Winston") == 1 + len(replies)


# ---------------------------------------------------------------- beginning and ending


async def test_a_port_that_somebody_else_has_is_told_in_words() -> None:
    port = free_port()
    async with slack_house(slack=at(port)) as house:
        store = await SqliteStore.open(":memory:", clock=SystemClock())
        with pytest.raises(PlatformError, match=rf"cannot be taken at 127\.0\.0\.1:{port} .*set slack\.listen"):
            async with replica(house, store):
                raise AssertionError("it should never have begun")
        await store.close()


async def test_what_is_being_taken_when_the_bot_stops_is_still_answered() -> None:
    store = await Slow.open(":memory:", clock=SystemClock())
    async with http_house(store) as (house, _):
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.fake.says(alice, general, "*architect")
        await house.fake.until(lambda: store.began.is_set(), "the store at work")
        stopping = asyncio.create_task(house.stop())
        await asyncio.sleep(0)
        store.go_on.set()
        await stopping
        await house.fake.settled()
        (delivery,) = house.fake.dispatch.deliveries
        assert (delivery.acked, delivery.attempts) == (True, 1)
        assert (await store.stats()).waiting == 1


class Slow(SqliteStore):
    """A store that takes mail when it is told to go on."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.began, self.go_on = asyncio.Event(), asyncio.Event()

    async def enqueue(self, conversation: str, message: Any) -> bool:
        self.began.set()
        await self.go_on.wait()
        return await super().enqueue(conversation, message)
