"""The Slack fake refuses what Slack refuses, and the real SDK gets along with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.fakes.slack import HANDLERS, FakeSlack
from tests.fakes.slack_faults import Cut, Limited, Says, Slow, Status
from tests.fakes.slack_methods import MANIFEST_SCOPES, METHODS
from tests.fakes.slack_rules import BLOCK_COST, BLOCKS_TOTAL
from tests.fakes.slack_socket import Signing
from tests.fakes.slack_state import Person, Room

KEY = {"event_type": "greenroom_key", "event_payload": {"key": "c/1/0"}}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    fake: FakeSlack
    client: AsyncWebClient
    alice: Person
    general: Room


@asynccontextmanager
async def stage(**options: Any) -> AsyncIterator[Stage]:
    async with FakeSlack(**options) as fake:
        alice = fake.user("alice")
        client = AsyncWebClient(fake.ws.bot_token, base_url=fake.api, retry_handlers=[])
        yield Stage(fake, client, alice, fake.channel("general", [alice]))


@pytest.fixture
async def set_up() -> AsyncIterator[Stage]:
    async with stage() as ready:
        yield ready


@asynccontextmanager
async def connected(fake: FakeSlack, app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
    handler = AsyncSocketModeHandler(app, fake.ws.app_token, web_client=app.client, ping_interval=0.05)
    before = len(fake.dispatch.connections)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await fake.until(lambda: len(fake.dispatch.connections) > before, "a connection")
    try:
        yield handler
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


def an_app(fake: FakeSlack) -> tuple[AsyncApp, list[Json]]:
    """An app that acknowledges everything, and the events that it got."""
    app = AsyncApp(client=AsyncWebClient(fake.ws.bot_token, base_url=fake.api), signing_secret=fake.secret)
    got: list[Json] = []

    async def take(body: Json) -> None:
        got.append(body)

    for kind in ("message", "app_mention", "reaction_added", "member_joined_channel", "agent_session_stopped"):
        app.event(kind)(take)
    for kind in ("app_home_opened", "channel_archive", "member_left_channel", "tokens_revoked", "file_shared"):
        app.event(kind)(take)
    return app, got


async def refusal(call: Any) -> SlackApiError:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value


async def error_of(call: Any) -> str:
    return str((await refusal(call)).response["error"])


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(label: str = "Go", **more: Any) -> Json:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": "go", "value": "1", **more}


def actions(*elements: Json) -> list[Json]:
    return [{"type": "actions", "elements": list(elements)}]


def select(*options: Json) -> Json:
    return {"type": "static_select", "action_id": "pick", "options": list(options)}


def option(text: str = "One", value: str = "1") -> Json:
    return {"text": {"type": "plain_text", "text": text}, "value": value}


def a_modal(**more: Any) -> Json:
    return {"type": "modal", "title": {"type": "plain_text", "text": "Say it"}, "blocks": [section("Hello")], **more}


def an_input() -> Json:
    return {
        "type": "input",
        "block_id": "words",
        "label": {"type": "plain_text", "text": "Words"},
        "element": {"type": "plain_text_input", "action_id": "text"},
    }


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("blocks", "why"),
    [
        ([section("x" * 3001)], "less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        ([section("")], "more than 0 characters"),
        ([{"type": "section"}], "missing required field: text"),
        ([section("x", fields=[{"type": "mrkdwn", "text": "y"}] * 11)], "no more than 10 items"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "less than 151 characters"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "unsupported text type 'mrkdwn'"),
        ([{"type": "divider"}] * 51, "no more than 50 items"),
        ([{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}], "no more than 10 items"),
        (actions(*(button(action_id=str(n)) for n in range(26))), "no more than 25 items"),
        (actions(), "no fewer than 1 items"),
        (actions(button("x" * 76)), "less than 76 characters"),
        (actions(button(value="x" * 2001)), "less than 2001 characters"),
        (actions(button(action_id="x" * 256)), "less than 256 characters"),
        (actions(button(), button()), "must be unique in its block"),
        (actions(button(style="loud")), "must be one of primary, danger"),
        (actions(button(colour="red")), "unexpected `colour`"),
        (actions(select(*[option()] * 101)), "no more than 100 items"),
        (actions(select(option("x" * 76))), "less than 76 characters"),
        (actions(select(option(value="x" * 151))), "less than 151 characters"),
        (actions({"type": "overflow", "action_id": "o", "options": [option()] * 6}), "no more than 5 items"),
        (actions({"type": "plain_text_input", "action_id": "t"}), "unsupported element type"),
        ([section("x", block_id="b"), section("y", block_id="b")], "block_id must be unique"),
        ([section("x", block_id="b" * 256)], "less than 256 characters"),
        ([section("x", footer="y")], "unexpected `footer`"),
        ([{"type": "poem", "text": "x"}], "unsupported block type 'poem'"),
        ([{"type": "markdown", "text": "x" * 12_001}], "less than 12001 characters"),
        ([{"type": "markdown", "text": "x" * 6_100}] * 2, "more than 12000 characters together"),
        ([{"type": "image", "image_url": "https://example.com/a.png"}], "must be a string"),
    ],
)
async def test_blocks_that_slack_would_not_show_are_refused_with_their_place(
    set_up: Stage, blocks: list[Json], why: str
) -> None:
    refused = await refusal(set_up.client.chat_postMessage(channel=set_up.general.id, text="x", blocks=blocks))
    assert refused.response["error"] == "invalid_blocks"
    assert any(why in line for line in refused.response["response_metadata"]["messages"]), refused.response
    assert set_up.fake.seen(set_up.general) == []


async def test_all_blocks_together_have_a_limit_that_depends_on_their_number(set_up: Stage) -> None:
    fits = [section("x" * 3000)] * 4 + [section("x" * (BLOCKS_TOTAL - 12_000 - 5 * BLOCK_COST))]
    await set_up.client.chat_postMessage(channel=set_up.general.id, text="x", blocks=fits)
    more = [*fits, {"type": "divider"}]
    assert await error_of(set_up.client.chat_postMessage(channel=set_up.general.id, text="x", blocks=more)) == (
        "msg_blocks_too_long"
    )


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({}, "no_text"),
        ({"text": "  "}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"markdown_text": "x", "text": "y"}, "markdown_text_conflict"),
        ({"text": "x", "blocks": '{"type": '}, "invalid_blocks_format"),
        ({"text": "x", "blocks": '{"type": "section"}'}, "invalid_blocks_format"),
        ({"text": "x", "thread_ts": "1700000000.000100"}, "thread_not_found"),
        ({"text": "x", "thread_ts": "soon"}, "invalid_thread_ts"),
        ({"text": "x", "metadata": {"key": "1"}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_payload": {}}}, "invalid_metadata_schema"),
        ({"text": "x", "metadata": {"event_type": "k", "event_payload": "1"}}, "invalid_metadata_schema"),
        ({"text": "x", "metadata": {"event_type": "k", "event_payload": {"a": "x" * 8000}}}, "metadata_too_large"),
        ({"text": "x", "attachments": [{"text": "y"}] * 101}, "too_many_attachments"),
        ({"text": "x", "colour": "red"}, "invalid_arguments"),
    ],
)
@pytest.mark.filterwarnings("ignore:The top-level `text`")
async def test_a_post_that_slack_would_not_take_is_refused(set_up: Stage, args: Json, error: str) -> None:
    assert await error_of(set_up.client.chat_postMessage(channel=set_up.general.id, **args)) == error
    assert set_up.fake.seen(set_up.general) == []


async def test_a_channel_is_refused_where_the_app_has_no_place(set_up: Stage) -> None:
    fake, client = set_up.fake, set_up.client
    elsewhere, hidden = fake.channel("elsewhere", bot=False), fake.channel("hidden", private=True, bot=False)
    assert await error_of(client.chat_postMessage(channel="C404", text="x")) == "channel_not_found"
    assert await error_of(client.chat_postMessage(channel=hidden.id, text="x")) == "channel_not_found"
    assert await error_of(client.chat_postMessage(channel=elsewhere.id, text="x")) == "not_in_channel"
    await fake.people.archives(set_up.alice, set_up.general)
    assert await error_of(client.chat_postMessage(channel=set_up.general.id, text="x")) == "is_archived"


async def test_a_post_to_a_person_goes_to_their_direct_messages(set_up: Stage) -> None:
    posted = await set_up.client.chat_postMessage(channel=set_up.alice.id, text="psst")
    assert posted["channel"] == set_up.fake.people.dm(set_up.alice).id


@pytest.mark.parametrize(
    ("scope", "call"),
    [
        ("chat:write", lambda s: s.client.chat_postMessage(channel=s.general.id, text="x")),
        ("chat:write.customize", lambda s: s.client.chat_postMessage(channel=s.general.id, text="x", username="W")),
        ("channels:history", lambda s: s.client.conversations_history(channel=s.general.id)),
        ("channels:read", lambda s: s.client.conversations_info(channel=s.general.id)),
        ("im:read", lambda s: s.client.conversations_info(channel=s.fake.people.dm(s.alice).id)),
        ("im:write", lambda s: s.client.conversations_open(users=s.alice.id)),
        ("users:read", lambda s: s.client.users_info(user=s.alice.id)),
        ("files:write", lambda s: s.client.files_getUploadURLExternal(filename="a.txt", length=1)),
        ("reactions:write", lambda s: s.client.reactions_add(channel=s.general.id, name="eyes", timestamp="1.000001")),
        ("team:read", lambda s: s.client.team_info()),
    ],
)
async def test_a_missing_scope_is_named(scope: str, call: Callable[[Stage], Any]) -> None:
    async with stage(scopes=MANIFEST_SCOPES - {scope}) as ready:
        refused = await refusal(call(ready))
        assert (refused.response["error"], refused.response["needed"]) == ("missing_scope", scope)
        assert scope not in refused.response["provided"].split(",")
        assert "commands" in refused.response.headers["x-oauth-scopes"]


async def test_every_method_refuses_arguments_that_it_does_not_have_or_lacks(set_up: Stage) -> None:
    for name, method in METHODS.items():
        token = set_up.fake.ws.app_token if method.token == "app" else None
        client = AsyncWebClient(token or set_up.fake.ws.bot_token, base_url=set_up.fake.api)
        assert await error_of(client.api_call(name, data={"wrong_argument": "1"})) == "invalid_arguments", name
        if method.required:
            assert await error_of(client.api_call(name, data={})) == "invalid_arguments", name
    assert await error_of(set_up.client.api_call("chat.shout")) == "unknown_method"


async def test_tokens_are_checked_and_can_die(set_up: Stage) -> None:
    fake = set_up.fake

    async def says(token: str) -> str:
        return await error_of(AsyncWebClient(token, base_url=fake.api).auth_test())

    assert await says("xoxb-of-another") == "invalid_auth"
    assert await says(fake.ws.app_token) == "not_allowed_token_type"
    assert await error_of(set_up.client.apps_connections_open(app_token=fake.ws.bot_token)) == "not_allowed_token_type"
    async with aiohttp.ClientSession() as session, session.post(f"{fake.api}auth.test") as bare:
        assert (await bare.json())["error"] == "not_authed"
    await fake.people.revokes_tokens()
    assert await says(fake.ws.bot_token) == "token_revoked"
    fake.people.deactivates()
    assert await says(fake.ws.bot_token) == "account_inactive"


async def test_an_edit_loses_the_custom_name_and_takes_none(set_up: Stage) -> None:
    fake, client, room = set_up.fake, set_up.client, set_up.general.id
    ts = (
        await client.chat_postMessage(channel=room, text="hm", username="Winston", icon_emoji=":building_construction:")
    )["ts"]
    assert (fake.seen(set_up.general)[0].name, fake.seen(set_up.general)[0].icon) == (
        "Winston",
        ":building_construction:",
    )
    assert await error_of(client.chat_update(channel=room, ts=ts, text="x", username="Winston")) == "invalid_arguments"
    assert await error_of(client.chat_update(channel=room, ts=ts, text="x" * 4001)) == "msg_too_long"
    assert await error_of(client.chat_update(channel=room, ts="1.000001", text="x")) == "message_not_found"
    await client.chat_update(channel=room, ts=ts, text="better")
    after = fake.seen(set_up.general)[0]
    assert (after.name, after.icon, after.text, after.edited) == ("greenroom", "default", "better", True)
    hers = await fake.says(set_up.alice, set_up.general, "mine")
    assert await error_of(client.chat_update(channel=room, ts=hers, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel=room, ts=hers)) == "cant_delete_message"


async def test_an_unknown_icon_falls_back_silently(set_up: Stage) -> None:
    set_up.fake.ws.custom_emoji.add("winston")
    for icon in (":no_such_icon:", ":winston:", "winston", "🏗️"):
        await set_up.client.chat_postMessage(channel=set_up.general.id, text="x", username="W", icon_emoji=icon)
    assert [seen.icon for seen in set_up.fake.seen(set_up.general)] == ["default", ":winston:", "default", "default"]


async def test_a_whisper_reaches_members_alone(set_up: Stage) -> None:
    bob = set_up.fake.user("bob")
    await set_up.client.chat_postEphemeral(channel=set_up.general.id, user=set_up.alice.id, text="only you")
    assert [seen.text for seen in set_up.fake.people.whispers(set_up.alice)] == ["only you"]
    assert set_up.fake.seen(set_up.general) == []
    call = set_up.client.chat_postEphemeral(channel=set_up.general.id, user=bob.id, text="x")
    assert await error_of(call) == "user_not_in_channel"


async def test_reactions_and_statuses_are_checked(set_up: Stage) -> None:
    set_up.fake.ws.scopes = MANIFEST_SCOPES | {"reactions:write"}
    client, room = set_up.client, set_up.general.id
    ts = await set_up.fake.says(set_up.alice, set_up.general, "hello")
    await client.reactions_add(channel=room, name="eyes", timestamp=ts)
    assert await error_of(client.reactions_add(channel=room, name="eyes", timestamp=ts)) == "already_reacted"
    assert await error_of(client.reactions_add(channel=room, name="nope_nope", timestamp=ts)) == "invalid_name"
    assert set_up.fake.seen(set_up.general)[0].reactions == ("eyes",)
    await client.assistant_threads_setStatus(channel_id=room, thread_ts=ts, status="thinks", username="Winston")
    assert set_up.general.statuses == {ts: "thinks"}
    call = client.assistant_threads_setStatus(channel_id=room, thread_ts="1.000001", status="x")
    assert await error_of(call) == "invalid_thread_ts"
    many = client.assistant_threads_setStatus(channel_id=room, thread_ts=ts, status="x", loading_messages=["x"] * 11)
    assert await error_of(many) == "invalid_arguments"
    await client.chat_postMessage(channel=room, text="done", thread_ts=ts)
    assert set_up.general.statuses == {}
    await client.agents_sessions_setStatus(channel_id=room, thread_ts=ts, status="processing")
    assert set_up.general.sessions == {ts: "processing"}
    assert await error_of(client.agents_sessions_setStatus(channel_id=room, status="busy")) == "invalid_arguments"
    five = [{"title": "t", "message": "m"}] * 5
    prompts = client.assistant_threads_setSuggestedPrompts(channel_id=room, thread_ts=ts, prompts=five)
    assert await error_of(prompts) == "invalid_arguments"


# ---------------------------------------------------------------- reading


async def test_history_pages_newest_first_and_shows_metadata_on_request_only(set_up: Stage) -> None:
    client, room = set_up.client, set_up.general.id
    stamps = [
        (await client.chat_postMessage(channel=room, text=str(n), metadata=KEY, username="W"))["ts"] for n in range(5)
    ]
    assert stamps == sorted(set(stamps))
    first = await client.conversations_history(channel=room, limit=2)
    assert [m["text"] for m in first["messages"]] == ["4", "3"] and first["has_more"]
    assert "metadata" not in first["messages"][0]
    following = await client.conversations_history(
        channel=room, limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [m["text"] for m in following["messages"]] == ["2", "1"]
    between = await client.conversations_history(
        channel=room, oldest=stamps[1], latest=stamps[3], include_all_metadata=True
    )
    assert [(m["text"], m["metadata"]) for m in between["messages"]] == [("2", KEY)]
    both = await client.conversations_history(channel=room, oldest=stamps[1], latest=stamps[3], inclusive=True)
    assert [m["text"] for m in both["messages"]] == ["3", "2", "1"]
    assert {key: both["messages"][0][key] for key in ("subtype", "username", "bot_id")} == {
        "subtype": "bot_message",
        "username": "W",
        "bot_id": set_up.fake.ws.bot_id,
    }
    assert await error_of(client.conversations_history(channel=room, cursor="!")) == "invalid_cursor"
    assert await error_of(client.conversations_history(channel=room, oldest="soon")) == "invalid_ts_oldest"
    assert await error_of(client.conversations_history(channel=room, limit=1000)) == "invalid_limit"


async def test_replies_stand_under_their_parent_and_not_in_the_channel(set_up: Stage) -> None:
    fake, client, room = set_up.fake, set_up.client, set_up.general.id
    root = await fake.says(set_up.alice, set_up.general, "a question")
    reply = (await client.chat_postMessage(channel=room, text="an answer", thread_ts=root))["ts"]
    below = await client.chat_postMessage(channel=room, text="more", thread_ts=reply, reply_broadcast=True)
    assert below["message"]["thread_ts"] == root
    found = (await client.conversations_replies(channel=room, ts=root))["messages"]
    assert [m["text"] for m in found] == ["a question", "an answer", "more"]
    assert (found[0]["reply_count"], found[1]["parent_user_id"]) == (2, set_up.alice.id)
    assert [m["text"] for m in (await client.conversations_history(channel=room))["messages"]] == ["more", "a question"]
    assert [seen.text for seen in fake.seen(set_up.general, root)] == ["an answer", "more"]
    assert await error_of(client.conversations_replies(channel=room, ts="1.000001")) == "thread_not_found"


async def test_people_and_channels_are_described(set_up: Stage) -> None:
    fake, client = set_up.fake, set_up.client
    guest, stranger = fake.user("gus", single_channel=True), fake.user("mallory", team="T0ELSEWHERE")
    described = (await client.users_info(user=guest.id))["user"]
    assert (described["is_restricted"], described["is_ultra_restricted"]) == (True, True)
    far = (await client.users_info(user=stranger.id))["user"]
    assert (far["team_id"], far["is_stranger"]) == ("T0ELSEWHERE", True)
    assert "mallory" not in [person["name"] for person in (await client.users_list())["members"]]
    assert await error_of(client.users_info(user="U404")) == "user_not_found"
    info = (await client.conversations_info(channel=set_up.general.id))["channel"]
    assert (info["name"], info["is_member"], info["is_private"]) == ("general", True, False)
    fake.channel("elsewhere", bot=False)
    listed = (await client.conversations_list())["channels"]
    assert [room["name"] for room in listed] == ["general", "elsewhere"]
    assert [room["name"] for room in (await client.users_conversations())["channels"]] == ["general"]
    assert (await client.conversations_members(channel=set_up.general.id))["members"] == [
        set_up.alice.id,
        fake.ws.bot_user,
    ]
    opened = await client.conversations_open(users=[set_up.alice.id])
    assert opened["channel"]["id"] == fake.people.dm(set_up.alice).id
    assert await error_of(client.conversations_open(users=["U404"])) == "user_not_found"
    assert (await client.auth_test())["user_id"] == fake.ws.bot_user
    assert (await client.bots_info(bot=fake.ws.bot_id))["bot"]["app_id"] == fake.ws.app_id


async def test_files_go_up_and_come_down_for_the_bearer_alone(set_up: Stage) -> None:
    fake, client = set_up.fake, set_up.client
    await client.files_upload_v2(channel=set_up.general.id, filename="prd.md", content="# PRD", initial_comment="here")
    shared = fake.seen(set_up.general)[0]
    assert (shared.text, shared.files[0].content) == ("here", b"# PRD")
    hers = fake.people.file(set_up.alice, "notes.txt", b"secret", "text/plain")
    link = (await client.files_info(file=hers.id))["file"]["url_private"]
    async with aiohttp.ClientSession() as session:
        async with session.get(link) as login:
            assert (login.status, login.content_type) == (200, "text/html")
            assert b"secret" not in await login.read()
        async with session.get(link, headers={"Authorization": f"Bearer {fake.ws.bot_token}"}) as content:
            assert await content.read() == b"secret"
    ticket = await client.files_getUploadURLExternal(filename="a.txt", length=5)
    async with aiohttp.ClientSession() as session, session.post(ticket["upload_url"], data=b"four") as short:
        assert short.status == 400
    assert await error_of(client.files_completeUploadExternal(files=[{"id": ticket["file_id"]}])) == "file_not_found"
    assert await error_of(client.files_info(file="F404")) == "file_not_found"


# ---------------------------------------------------------------- streams


async def test_a_stream_grows_and_is_sealed_with_its_key(set_up: Stage) -> None:
    fake, client, room = set_up.fake, set_up.client, set_up.general.id
    root = await fake.says(set_up.alice, set_up.general, "tell me")
    stream = await client.chat_stream(
        channel=room,
        thread_ts=root,
        recipient_team_id=fake.ws.team,
        recipient_user_id=set_up.alice.id,
        username="Winston",
        icon_emoji=":building_construction:",
        buffer_size=1,
    )
    await stream.append(markdown_text="**Well** ")
    await stream.append(markdown_text="then")
    growing = fake.seen(set_up.general, root)[0]
    assert (growing.name, growing.text, growing.streaming, growing.metadata) == ("Winston", "**Well** then", True, None)
    assert await error_of(client.chat_update(channel=room, ts=growing.ts, text="x")) == "streaming_state_conflict"
    await stream.stop(metadata=KEY, blocks=actions(button()))
    sealed = fake.seen(set_up.general, root)[0]
    assert (sealed.text, sealed.streaming, sealed.metadata) == ("**Well** then", False, KEY)
    assert [b.label for b in sealed.buttons] == ["Go"]
    found = await client.conversations_replies(channel=room, ts=root, include_all_metadata=True)
    assert found["messages"][1]["metadata"] == KEY


async def a_stream(ready: Stage, **more: Any) -> str:
    root = await ready.fake.says(ready.alice, ready.general, "tell me")
    args = {"recipient_team_id": ready.fake.ws.team, "recipient_user_id": ready.alice.id, **more}
    return str((await ready.client.chat_startStream(channel=ready.general.id, thread_ts=root, **args))["ts"])


async def test_a_stream_dies_after_five_minutes_even_while_it_is_written(set_up: Stage) -> None:
    ts = await a_stream(set_up, markdown_text="Well")
    set_up.fake.clock.advance(200)
    await set_up.client.chat_appendStream(channel=set_up.general.id, ts=ts, markdown_text=" then")
    set_up.fake.clock.advance(101)
    more = set_up.client.chat_appendStream(channel=set_up.general.id, ts=ts, markdown_text=" now")
    assert await error_of(more) == "message_not_in_streaming_state"
    stop = set_up.client.chat_stopStream(channel=set_up.general.id, ts=ts, metadata=KEY)
    assert await error_of(stop) == "message_not_in_streaming_state"
    assert set_up.fake.people.message(set_up.general, ts).metadata is None


async def test_a_stream_that_a_person_stopped_takes_nothing_more(set_up: Stage) -> None:
    ts = await a_stream(set_up, markdown_text="Well")
    root = set_up.fake.people.message(set_up.general, ts).thread_ts
    await set_up.fake.people.stops(set_up.alice, set_up.general, str(root))
    more = set_up.client.chat_appendStream(channel=set_up.general.id, ts=ts, markdown_text=" then")
    assert await error_of(more) == "stopped_by_user"
    event = set_up.fake.dispatch.deliveries[-1].event
    assert (event["type"], event["streaming_message_ts"]) == ("agent_session_stopped", [ts])


async def test_a_stream_is_refused_what_slack_refuses(set_up: Stage) -> None:
    client, room = set_up.client, set_up.general.id
    root = await set_up.fake.says(set_up.alice, set_up.general, "tell me")
    to = {"recipient_team_id": set_up.fake.ws.team, "recipient_user_id": set_up.alice.id}

    async def start(**args: Any) -> str:
        return await error_of(client.chat_startStream(**{"channel": room, "thread_ts": root, **to, **args}))

    assert await start(recipient_team_id=None) == "missing_recipient_team_id"
    assert await start(recipient_user_id=None) == "missing_recipient_user_id"
    assert await start(recipient_user_id="U404") == "user_not_found"
    assert await start(recipient_team_id="T404") == "team_not_found"
    assert await start(thread_ts="1.000001") == "thread_not_found"
    assert await start(metadata=KEY) == "invalid_arguments"
    assert await start(markdown_text="x" * 12_001) == "msg_too_long"
    assert await start(chunks=[{"type": "song", "text": "x"}]) == "invalid_chunks"
    ts = await a_stream(set_up, markdown_text="Well")
    with_chunks = client.chat_appendStream(channel=room, ts=ts, chunks=[{"type": "markdown_text", "text": "x"}])
    assert await error_of(with_chunks) == "streaming_mode_mismatch"
    both = client.chat_appendStream(
        channel=room, ts=ts, markdown_text="x", chunks=[{"type": "markdown_text", "text": "x"}]
    )
    assert await error_of(both) == "cannot_provide_both_markdown_text_and_chunks"
    assert await error_of(client.chat_appendStream(channel=room, ts=ts)) == "markdown_text_or_chunks_required"
    long = client.chat_appendStream(channel=room, ts=ts, markdown_text="ü" * 5_300)
    assert await error_of(long) == "msg_too_long"
    assert (
        await error_of(client.chat_appendStream(channel=room, ts=root, markdown_text="x")) == "message_not_owned_by_app"
    )
    plain = (await client.chat_postMessage(channel=room, text="x"))["ts"]
    assert await error_of(client.chat_stopStream(channel=room, ts=plain)) == "message_not_in_streaming_state"
    dm = set_up.fake.people.dm(set_up.alice)
    asked = await set_up.fake.says(set_up.alice, dm, "and here?")
    assert (await client.chat_startStream(channel=dm.id, thread_ts=asked))["ok"]


# ---------------------------------------------------------------- faults and rates


async def test_a_storm_holds_the_app_to_one_post_a_second_and_channel(set_up: Stage) -> None:
    fake, client = set_up.fake, set_up.client
    fake.storm({"chat.update": 1})
    posted = await client.chat_postMessage(channel=set_up.general.id, text="1")
    refused = await refusal(client.chat_postMessage(channel=set_up.general.id, text="2"))
    assert (refused.response.status_code, refused.response["error"]) == (429, "ratelimited")
    assert refused.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel=fake.people.dm(set_up.alice).id, text="elsewhere")
    fake.clock.advance(1)
    await client.chat_postMessage(channel=set_up.general.id, text="2")
    await client.chat_update(channel=set_up.general.id, ts=posted["ts"], text="1a")
    again = await refusal(client.chat_update(channel=set_up.general.id, ts=posted["ts"], text="1b"))
    assert int(again.response.headers["Retry-After"]) > 50
    fake.faults.calm()
    await client.chat_postMessage(channel=set_up.general.id, text="3")
    assert [seen.text for seen in fake.seen(set_up.general)] == ["1a", "2", "3"]


async def test_ordered_faults_come_before_or_after_the_effect(set_up: Stage) -> None:
    fake, client, room = set_up.fake, set_up.client, set_up.general.id

    async def post(text: str) -> None:
        await client.chat_postMessage(channel=room, text=text)

    for fault, error in (
        (Status(500), SlackApiError),
        (Cut(), aiohttp.ClientError),
        (Says("fatal_error"), SlackApiError),
        (Limited(7), SlackApiError),
    ):
        fake.faults.order("chat.postMessage", fault)
        with pytest.raises(error):
            await post("lost")
    assert fake.seen(set_up.general) == []
    for after, error in ((Status(503, "after"), SlackApiError), (Cut("after"), aiohttp.ClientError)):
        fake.faults.order("chat.postMessage", after)
        with pytest.raises(error):
            await post("stands all the same")
    assert len(fake.seen(set_up.general)) == 2
    fake.faults.order("chat.postMessage", Says("fatal_error"), times=None)
    for _ in range(2):
        assert await error_of(post("x")) == "fatal_error"
    fake.faults.heal("chat.postMessage")
    fake.faults.order("chat.postMessage", Slow(0.05))
    await post("late")
    assert [call.error for call in fake.calls if call.method == "chat.postMessage"][-3:] == ["fatal_error"] * 2 + [""]
    with pytest.raises(ValueError, match="no such method"):
        fake.faults.order("chat.shout", Cut())


# ---------------------------------------------------------------- Socket Mode


async def test_what_is_typed_arrives_as_slack_delivers_it(set_up: Stage) -> None:
    app, got = an_app(set_up.fake)
    async with connected(set_up.fake, app):
        await set_up.fake.says(set_up.alice, set_up.general, "a < b & see https://x.dev #general @alice 👍 @here")
        await set_up.fake.says(set_up.alice, set_up.general, "* help")
        await set_up.fake.settled()
    texts = [body["event"]["text"] for body in got]
    assert texts[0] == (
        f"a &lt; b &amp; see <https://x.dev> <#{set_up.general.id}|general> <@{set_up.alice.id}> :+1: <!here>"
    )
    assert texts[1] == "• help"
    assert got[1]["event"]["blocks"][0]["elements"][0]["type"] == "rich_text_list"
    assert set_up.fake.seen(set_up.general)[0].shown == "a < b & see https://x.dev #general @alice :+1: @here"


async def test_a_mention_is_two_events_of_one_message(set_up: Stage) -> None:
    app, got = an_app(set_up.fake)
    async with connected(set_up.fake, app):
        await set_up.fake.says(set_up.alice, set_up.general, "@greenroom hi")
        await set_up.fake.settled()
    assert sorted(body["event"]["type"] for body in got) == ["app_mention", "message"]
    assert len({body["event_id"] for body in got}) == 2 and len({body["event"]["ts"] for body in got}) == 1


async def test_the_apps_own_posts_are_echoed_and_bolt_drops_them(set_up: Stage) -> None:
    app, got = an_app(set_up.fake)
    async with connected(set_up.fake, app):
        await set_up.client.chat_postMessage(channel=set_up.general.id, text="mine", username="Winston")
        await set_up.fake.people.app_posts(set_up.general, "build is red", old=True)
        await set_up.fake.settled()
    assert [d.event["text"] for d in set_up.fake.dispatch.deliveries] == ["mine", "build is red"]
    assert [(body["event"]["text"], body["event"]["subtype"]) for body in got] == [("build is red", "bot_message")]


async def test_what_is_not_acknowledged_comes_again_on_slacks_schedule() -> None:
    async with stage(ack_within=0.05) as ready:
        app = AsyncApp(client=ready.client, signing_secret=ready.fake.secret)  # no listener: nothing is acknowledged
        async with connected(ready.fake, app):
            await ready.fake.says(ready.alice, ready.general, "anybody?")
            delivery = ready.fake.dispatch.deliveries[0]
            await ready.fake.until(lambda: delivery.attempts == 2, "the retry at once")
            await asyncio.sleep(0.1)
            assert delivery.attempts == 2
            ready.fake.clock.advance(61)
            await ready.fake.until(lambda: delivery.attempts == 3, "the retry after a minute")
            await asyncio.sleep(0.1)
            ready.fake.clock.advance(301)
            await ready.fake.until(lambda: delivery.over.is_set(), "the end")
            assert (delivery.attempts, delivery.acked) == (4, False)


async def test_every_event_can_come_many_times_though_acknowledged(set_up: Stage) -> None:
    app, _ = an_app(set_up.fake)
    seen: list[tuple[str, str]] = []

    async def note(req: Any, body: Json, next: Callable[[], Any]) -> None:
        seen.append((body["event_id"], req.headers["x-slack-retry-num"][0]))
        await next()

    app.middleware(note)
    set_up.fake.dispatch.redeliver_all = 4
    async with connected(set_up.fake, app):
        await set_up.fake.says(set_up.alice, set_up.general, "once")
        await set_up.fake.settled()
        await set_up.fake.until(lambda: len(seen) == 4, "four deliveries")
    assert [retry for _, retry in seen] == ["0", "1", "2", "3"] and len({event for event, _ in seen}) == 1


async def test_a_disconnect_brings_the_app_back_on_a_new_ticket(set_up: Stage) -> None:
    fake, (app, got) = set_up.fake, an_app(set_up.fake)

    async def calm() -> None:
        """Wait until a connection stands: the SDK's client may make two of them over one disconnect."""
        opened = -1
        while opened != fake.dispatch.opened or not fake.dispatch.connections:
            opened = fake.dispatch.opened
            await asyncio.sleep(0.3)

    async with connected(fake, app):
        for reason in ("warning", "refresh_requested", "link_disabled"):
            await calm()
            before = fake.dispatch.opened
            await fake.dispatch.disconnect(fake.dispatch.connections[-1], reason)
            await fake.until(lambda n=before: fake.dispatch.opened > n, "a new connection")  # type: ignore[misc]
        await calm()
        before = fake.dispatch.opened
        fake.dispatch.cut(fake.dispatch.connections[-1])
        await fake.until(lambda: fake.dispatch.opened > before, "a new connection after the cut")
        await calm()
        await fake.says(set_up.alice, set_up.general, "still there?")
        await fake.settled()
    assert [body["event"]["text"] for body in got] == ["still there?"]
    assert len(fake.called("apps.connections.open")) == fake.dispatch.opened


async def test_a_ticket_opens_one_connection(set_up: Stage) -> None:
    url = (await set_up.client.apps_connections_open(app_token=set_up.fake.ws.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)
    set_up.fake.ws.socket_mode = False
    closed = set_up.client.apps_connections_open(app_token=set_up.fake.ws.app_token)
    assert await error_of(closed) == "forbidden_team"


async def test_events_go_to_one_connection_each_and_are_lost_without_any(set_up: Stage) -> None:
    fake, (app, got) = set_up.fake, an_app(set_up.fake)
    await fake.says(set_up.alice, set_up.general, "nobody hears this")
    async with connected(fake, app), connected(fake, app):
        for n in range(12):
            await fake.says(set_up.alice, set_up.general, str(n))
        await fake.settled()
    assert sorted(body["event"]["text"] for body in got) == sorted(str(n) for n in range(12))
    assert fake.dispatch.deliveries[0].lost
    assert {number for d in fake.dispatch.deliveries for number in d.connections} == {1, 2}


async def test_only_what_is_subscribed_to_is_sent() -> None:
    async with stage(events=frozenset({"message.im"})) as ready:
        await ready.fake.says(ready.alice, ready.general, "@greenroom hi")
        await ready.fake.says(ready.alice, ready.fake.people.dm(ready.alice), "psst")
        assert [d.event["text"] for d in ready.fake.dispatch.deliveries] == ["psst"]


# ---------------------------------------------------------------- what people do


async def test_edits_deletions_and_comings_and_goings_are_events(set_up: Stage) -> None:
    fake, alice, room = set_up.fake, set_up.alice, set_up.general
    ts = await fake.says(alice, room, "helo")
    await fake.people.edits(alice, room, ts, "hello")
    await fake.people.reacts(alice, room, ts, "eyes")
    await fake.people.deletes(room, ts)
    bob = fake.user("bob", team="T0ELSEWHERE")
    await fake.people.joins(bob, room, inviter=alice)
    await fake.says(bob, room, "hi from afar")
    await fake.people.opens_app(alice, "messages")
    await fake.people.leaves(None, room)
    events = [d.event for d in fake.dispatch.deliveries]
    kinds = [event.get("subtype") or event["type"] for event in events]
    assert kinds == [
        "message",
        "message_changed",
        "reaction_added",
        "message_deleted",
        "member_joined_channel",
        "channel_join",
        "message",
        "app_home_opened",
        "member_left_channel",
    ]
    assert (events[1]["message"]["text"], events[1]["previous_message"]["text"]) == ("hello", "helo")
    assert events[3]["deleted_ts"] == ts
    assert events[6]["user_team"] == "T0ELSEWHERE"
    assert await error_of(set_up.client.chat_postMessage(channel=room.id, text="x")) == "not_in_channel"
    with pytest.raises(ValueError, match="let them join first"):
        await fake.says(fake.user("carol"), room, "may I?")


async def test_a_threads_replies_and_files_arrive_marked_as_such(set_up: Stage) -> None:
    fake, alice, room = set_up.fake, set_up.alice, set_up.general
    root = await fake.says(alice, room, "a question")
    await fake.says(alice, room, "*help*", thread=root, broadcast=True)
    notes = fake.people.file(alice, "notes.txt", b"secret")
    await fake.says(alice, room, "look", files=[notes])
    await fake.people.shares(alice, notes, room)
    await fake.people.deletes(room, root)
    opening, reply, shared, beside, gone = [d.event for d in fake.dispatch.deliveries]
    assert "thread_ts" not in opening
    assert (reply["thread_ts"], reply["parent_user_id"], reply["subtype"]) == (root, alice.id, "thread_broadcast")
    assert reply["blocks"][0]["elements"][0]["elements"] == [{"type": "text", "text": "help", "style": {"bold": True}}]
    assert (shared["subtype"], shared["files"]) == ("file_share", [fake.people.described(notes)])
    assert (beside["type"], beside["file_id"]) == ("file_shared", notes.id)
    assert (gone["subtype"], gone["message"]["subtype"]) == ("message_changed", "tombstone")


async def test_a_preview_of_a_link_is_an_edit_with_the_same_text(set_up: Stage) -> None:
    ts = await set_up.fake.says(set_up.alice, set_up.general, "see https://example.com/")
    await set_up.fake.people.unfurls(set_up.general, ts)
    event = set_up.fake.dispatch.deliveries[-1].event
    assert event["subtype"] == "message_changed" and event["message"]["attachments"]
    assert event["message"]["text"] == event["previous_message"]["text"]


async def test_people_and_other_apps_write_in_group_messages_and_archived_channels_come_back(set_up: Stage) -> None:
    fake, alice = set_up.fake, set_up.alice
    group = fake.people.group_dm([alice, fake.user("bob")])
    await fake.says(alice, group, "the two of us")
    await fake.people.archives(alice, set_up.general)
    with pytest.raises(ValueError, match="is archived"):
        await fake.says(alice, set_up.general, "x")
    await fake.people.unarchives(alice, set_up.general)
    await fake.people.app_posts(set_up.general, "build is green")
    events = [d.event for d in fake.dispatch.deliveries]
    assert [event.get("channel_type") for event in events] == ["mpim", None, None, "channel"]
    assert [event["type"] for event in events[1:3]] == ["channel_archive", "channel_unarchive"]
    assert events[3]["bot_id"] and "subtype" not in events[3]


async def test_shortcuts_closed_views_and_buttons_in_views_reach_the_app(set_up: Stage) -> None:
    fake, (app, _) = set_up.fake, an_app(set_up.fake)
    answered: list[Json] = []

    async def take(ack: Any, body: Json) -> None:
        await ack()
        answered.append(body)

    app.shortcut("ask")(take)
    app.action("go")(take)
    app.view_closed("asked")(take)
    async with connected(fake, app):
        ts = await fake.says(set_up.alice, set_up.general, "what of this?")
        used = await fake.interactions.uses_shortcut(set_up.alice, set_up.general, ts, "ask")
        view = a_modal(blocks=actions(button()), callback_id="asked", notify_on_close=True)
        opened = (await set_up.client.views_open(trigger_id=used.payload["trigger_id"], view=view))["view"]["id"]
        await (await fake.interactions.presses_in_view(set_up.alice, opened, "Go")).over.wait()
        closed = await fake.interactions.closes(set_up.alice, opened)
        assert closed is not None
        await closed.over.wait()
    assert [body["type"] for body in answered] == ["message_action", "block_actions", "view_closed"]
    assert answered[0]["message"]["text"] == "what of this?"
    assert answered[1]["container"] == {"type": "view", "view_id": opened}


async def test_an_answer_that_slack_would_refuse_is_a_problem(set_up: Stage) -> None:
    fake, (app, _) = set_up.fake, an_app(set_up.fake)

    @app.command("/greenroom")
    async def run(ack: Any) -> None:
        await ack(blocks=[section("x" * 3001)])

    async with connected(fake, app):
        await (await fake.slash(set_up.alice, set_up.general, "/greenroom")).over.wait()
    assert "invalid_blocks" in fake.interactions.problems[0]
    assert fake.people.whispers(set_up.alice) == []


async def test_a_press_a_choice_and_a_view_go_round(set_up: Stage) -> None:
    fake, (app, _) = set_up.fake, an_app(set_up.fake)
    answered: list[Json] = []

    @app.action("go")
    async def pressed(ack: Any, body: Json, client: AsyncWebClient, respond: Any) -> None:
        await ack()
        answered.append(body)
        await respond(text="pressed", replace_original=True)
        await client.views_open(trigger_id=body["trigger_id"], view=a_modal(blocks=[an_input()], submit=SUBMIT))

    @app.action("pick")
    async def picked(ack: Any, body: Json) -> None:
        await ack()
        answered.append(body)

    @app.view("")
    async def submitted(ack: Any, body: Json, view: Json) -> None:
        answered.append(body)
        words = view["state"]["values"]["words"]["text"]["value"]
        await (ack() if words else ack(response_action="errors", errors={"words": "say something"}))

    async with connected(fake, app):
        menu = actions(button(), select(option("One", "1"), option("Two", "2")))
        ts = str((await set_up.client.chat_postMessage(channel=set_up.general.id, text="menu", blocks=menu))["ts"])
        seen = fake.seen(set_up.general)[0]
        await fake.interactions.chooses(set_up.alice, set_up.general, ts, "pick", "Two")
        await fake.presses(set_up.alice, set_up.general, ts, "Go")
        await fake.until(lambda: fake.interactions.open_views(set_up.alice), "the modal")
        view = fake.interactions.open_views(set_up.alice)[0]["id"]
        await (await fake.interactions.submits(set_up.alice, view, {})).over.wait()
        assert fake.interactions.open_views(set_up.alice)
        await (await fake.interactions.submits(set_up.alice, view, {"text": "hello"})).over.wait()
        assert not fake.interactions.open_views(set_up.alice)
        assert fake.seen(set_up.general)[0].text == "pressed"
        with pytest.raises(LookupError, match="nothing called"):
            await fake.presses(set_up.alice, set_up.general, ts, "Go")
        await (await fake.presses(set_up.alice, set_up.general, ts, seen.buttons[0])).over.wait()
    by_kind = {(body["type"], (body.get("actions") or [{}])[0].get("type")): body for body in answered}
    assert by_kind["block_actions", "static_select"]["actions"][0]["selected_option"]["value"] == "2"
    assert by_kind["block_actions", "button"]["container"]["message_ts"] == ts
    assert fake.interactions.problems == []


SUBMIT = {"type": "plain_text", "text": "Send"}


async def test_a_slash_command_is_answered_to_its_sender(set_up: Stage) -> None:
    fake, (app, _) = set_up.fake, an_app(set_up.fake)

    @app.command("/greenroom")
    async def run(ack: Any, command: Json) -> None:
        await ack(f"you said {command['text']}")

    async with connected(fake, app):
        delivery = await fake.slash(set_up.alice, set_up.general, "/greenroom", "pm <now>")
        await delivery.over.wait()
    assert [seen.text for seen in fake.people.whispers(set_up.alice)] == ["you said pm &lt;now&gt;"]
    with pytest.raises(ValueError, match="not a command"):
        await fake.slash(set_up.alice, set_up.general, "/other")
    hook = AsyncWebhookClient(delivery.payload["response_url"], retry_handlers=[])
    assert [(await hook.send(text=str(n))).status_code for n in range(6)] == [200] * 5 + [404]
    late = await fake.slash(set_up.alice, set_up.general, "/greenroom")
    fake.clock.advance(1801)
    assert (await AsyncWebhookClient(late.payload["response_url"]).send(text="x")).status_code == 404
    own_name = AsyncWebhookClient(
        (await fake.slash(set_up.alice, set_up.general, "/greenroom")).payload["response_url"]
    )
    assert (await own_name.send_dict({"text": "x", "username": "Winston"})).status_code == 400


async def test_a_trigger_opens_one_view_within_three_seconds(set_up: Stage) -> None:
    fake, client = set_up.fake, set_up.client
    trigger = (await fake.slash(set_up.alice, set_up.general, "/greenroom")).payload["trigger_id"]
    await client.views_open(trigger_id=trigger, view=a_modal())
    assert await error_of(client.views_open(trigger_id=trigger, view=a_modal())) == "exchanged_trigger_id"
    assert await error_of(client.views_open(trigger_id="1.2.3", view=a_modal())) == "invalid_trigger_id"
    late = (await fake.slash(set_up.alice, set_up.general, "/greenroom")).payload["trigger_id"]
    fake.clock.advance(3.5)
    assert await error_of(client.views_open(trigger_id=late, view=a_modal())) == "expired_trigger_id"


@pytest.mark.parametrize(
    ("view", "why"),
    [
        (a_modal(title={"type": "plain_text", "text": "x" * 25}), "less than 25 characters"),
        (a_modal(submit={"type": "plain_text", "text": "x" * 25}), "less than 25 characters"),
        (a_modal(private_metadata="x" * 3001), "less than 3001 characters"),
        (a_modal(callback_id="x" * 256), "less than 256 characters"),
        (a_modal(blocks=[section("x")] * 101), "no more than 100 items"),
        (a_modal(blocks=[{"type": "markdown", "text": "x"}]), "unsupported block type 'markdown' in a modal"),
        (a_modal(blocks=[an_input()]), "submit, which inputs need"),
        (a_modal(colour="red"), "unexpected `colour`"),
        ({"type": "home", "blocks": []}, "must be of type modal"),
    ],
)
async def test_a_view_that_slack_would_not_open_is_refused(set_up: Stage, view: Json, why: str) -> None:
    trigger = (await set_up.fake.slash(set_up.alice, set_up.general, "/greenroom")).payload["trigger_id"]
    refused = await refusal(set_up.client.views_open(trigger_id=trigger, view=view))
    assert refused.response["error"] == "invalid_arguments"
    assert any(why in line for line in refused.response["response_metadata"]["messages"]), refused.response


async def test_a_home_tab_is_published_and_guarded_by_its_hash(set_up: Stage) -> None:
    client, home = set_up.client, {"type": "home", "blocks": [section("Welcome")]}
    first = (await client.views_publish(user_id=set_up.alice.id, view=home))["view"]
    await client.views_publish(user_id=set_up.alice.id, view=home, hash=first["hash"])
    stale = client.views_publish(user_id=set_up.alice.id, view=home, hash=first["hash"])
    assert await error_of(stale) == "hash_conflict"
    with_submit = {**home, "submit": SUBMIT}
    assert await error_of(client.views_publish(user_id=set_up.alice.id, view=with_submit)) == "invalid_arguments"
    await set_up.fake.people.opens_app(set_up.alice)
    assert set_up.fake.dispatch.deliveries[-1].event["view"]["id"] == first["id"]
    assert await error_of(client.views_update(view_id="V404", view=a_modal())) == "not_found"


# ---------------------------------------------------------------- HTTP mode


@asynccontextmanager
async def served(app: AsyncApp) -> AsyncIterator[str]:
    runner = web.AppRunner(app.web_app(path="/slack/events"), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


async def test_signed_requests_are_taken_and_others_are_not(set_up: Stage) -> None:
    fake, (app, got) = set_up.fake, an_app(set_up.fake)
    async with served(app) as url:
        fake.use_http(url)
        await fake.says(set_up.alice, set_up.general, "by HTTP")
        await fake.settled()
        payload = fake.dispatch.deliveries[0].payload
        hows: tuple[Signing, ...] = ("bad", "missing", "old", "good")
        statuses = {how: (await fake.dispatch.post(url, "events_api", payload, how))[0] for how in hows}
    assert statuses == {"bad": 401, "missing": 401, "old": 401, "good": 200}
    assert [body["event"]["text"] for body in got] == ["by HTTP"] * 2


async def test_over_http_an_error_is_retried_with_its_number(set_up: Stage) -> None:
    retries: list[str] = []

    async def broken(request: web.Request) -> web.Response:
        retries.append(request.headers.get("X-Slack-Retry-Num", "first"))
        return web.Response(status=500 if len(retries) < 2 else 200)

    site = web.Application()
    site.router.add_post("/", broken)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    set_up.fake.use_http(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    await set_up.fake.says(set_up.alice, set_up.general, "hello")
    await set_up.fake.settled()
    await runner.cleanup()
    assert retries == ["first", "1"]


async def test_interactions_over_http_are_forms_and_their_answers_count(set_up: Stage) -> None:
    fake, (app, _) = set_up.fake, an_app(set_up.fake)

    @app.command("/greenroom")
    async def run(ack: Any) -> None:
        await ack(response_type="in_channel", text="for all")

    async with served(app) as url:
        fake.use_http(url)
        await (await fake.slash(set_up.alice, set_up.general, "/greenroom")).over.wait()
    assert [seen.text for seen in fake.seen(set_up.general)] == ["for all"]


def test_every_method_that_is_listed_is_served() -> None:
    assert set(HANDLERS) == set(METHODS) - {"apps.connections.open"}
