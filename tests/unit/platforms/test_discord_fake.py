"""The fake of Discord is as strict as its documentation says, and the real library gets along with it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands

from tests.fakes.discord import FakeDiscord, pointed_at
from tests.fakes.discord_client import ask, intents, online
from tests.fakes.discord_people import NotPossibleError
from tests.fakes.discord_rest import Breaks, Cuts, Limits, Refuses, Waits
from tests.fakes.discord_state import (
    ADD_REACTIONS,
    ATTACH_FILES,
    BOT,
    CREATE_PRIVATE_THREADS,
    CREATE_PUBLIC_THREADS,
    EMBED_LINKS,
    MANAGE_MESSAGES,
    MANAGE_THREADS,
    MANAGE_WEBHOOKS,
    MESSAGE_CONTENT,
    PINNED,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    VIEW_CHANNEL,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as running:
        with pointed_at(running):
            yield running


def codes(errors: Any) -> Iterator[str]:
    """All codes in a nested `errors` object."""
    for key, value in errors.items():
        if key == "_errors":
            yield from (each["code"] for each in value)
        else:
            yield from codes(value)


# ---------------------------------------------------------------- coming in


async def test_the_library_logs_in_and_knows_guild_channel_and_thread(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    guild = fake.guild("Acme", ada)
    general = fake.channel(guild, "general")
    thread = ada.starts_thread(general, "plans")
    async with online(fake) as (client, _):
        assert client.user is not None and client.user.id == fake.me.id
        assert [each.name for each in client.guilds[0].text_channels] == ["general"]
        assert client.get_channel(thread.id) is not None
        assert client.application is not None and client.application.id == fake.world.application


async def test_a_wrong_token_does_not_log_in(fake: FakeDiscord) -> None:
    client = discord.Client(intents=intents())
    with pytest.raises(discord.LoginFailure):
        await client.start("wrong")
    await client.close()
    assert (await ask(fake, "GET", "/users/@me", token=None))[0] == 401


async def test_a_privileged_intent_that_is_switched_off_is_refused(fake: FakeDiscord) -> None:
    fake.forbid_intent(MESSAGE_CONTENT)
    client = discord.Client(intents=intents())
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await client.start(fake.token)
    await client.close()
    assert fake.gateway.refused == [4014]


async def test_without_the_content_intent_words_arrive_only_where_the_bot_is_meant(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    client = discord.Client(intents=intents(content=False), guild_ready_timeout=0.05)
    async with online(fake, client) as (_, heard):
        ada.says(general, "to all", attachments=[("a.txt", b"x")])
        ada.says(general, f"<@{fake.me.id}> to you")
        ada.says(ada.opens_dm(), "between us")
        await fake.until(lambda: len(heard.messages) == 3, "three messages")
        assert heard.texts == ["", f"<@{fake.me.id}> to you", "between us"]
        assert not heard.messages[0].attachments


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"op": 2, "d": {"token": "wrong", "intents": 0, "properties": {}}}, 4004),
        ({"op": 2, "d": {"token": "bot-token-0123456789", "properties": {}}}, 4013),
        ({"op": 2, "d": {"token": "bot-token-0123456789", "intents": 0, "properties": {}, "shard": [2, 2]}}, 4010),
        ({"op": 3, "d": {}}, 4003),
        ({"op": 77}, 4001),
        ("no json", 4002),
        ({"op": 1, "d": "x" * 5000}, 4002),
        ({"op": 6, "d": {"token": "wrong", "session_id": "x", "seq": 1}}, 4004),
    ],
)
async def test_the_gateway_closes_on_what_it_cannot_take(fake: FakeDiscord, payload: object, code: int) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{fake.gateway_url}?v=10&encoding=json") as socket,
    ):
        assert (await socket.receive_json())["op"] == 10
        await socket.send_str(payload if isinstance(payload, str) else json.dumps(payload))
        await socket.receive()
        assert socket.close_code == code


async def test_the_gateway_speaks_one_version_and_counts_commands(fake: FakeDiscord) -> None:
    identify = {"op": 2, "d": {"token": fake.token, "intents": 1, "properties": {}}}
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{fake.gateway_url}?v=5&encoding=json") as socket:
            await socket.receive()
            assert socket.close_code == 4012
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{fake.gateway_url}?v=10&encoding=json&compress=zstd-stream")
        for payloads, code in (([identify, identify], 4005), ([{"op": 1, "d": None}] * 121, 4008)):
            async with session.ws_connect(f"{fake.gateway_url}?v=10&encoding=json") as socket:
                for each in payloads:
                    await socket.send_json(each)
                while (await socket.receive()).type != aiohttp.WSMsgType.CLOSE:
                    pass
                assert socket.close_code == code


async def test_a_resume_from_the_future_is_refused(fake: FakeDiscord) -> None:
    async with online(fake), aiohttp.ClientSession() as session:
        name = next(iter(fake.gateway.sessions))
        async with session.ws_connect(f"{fake.gateway_url}?v=10&encoding=json") as socket:
            await socket.receive_json()
            await socket.send_json({"op": 6, "d": {"token": fake.token, "session_id": name, "seq": 99}})
            await socket.receive()
            assert socket.close_code == 4007


async def test_compressed_events_share_one_context_and_end_in_a_flush(fake: FakeDiscord) -> None:
    url = f"{fake.gateway_url}?v=10&encoding=json&compress=zlib-stream"
    identify = {"op": 2, "d": {"token": fake.token, "intents": 1, "properties": {}}}
    inflate = zlib.decompressobj()
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        first = await socket.receive_bytes()
        await socket.send_json(identify)
        second = await socket.receive_bytes()
    assert first.endswith(b"\x00\x00\xff\xff") and second.endswith(b"\x00\x00\xff\xff")
    assert json.loads(inflate.decompress(first))["op"] == 10
    assert json.loads(inflate.decompress(second))["t"] == "READY"


async def test_who_does_not_beat_is_closed() -> None:
    async with (
        FakeDiscord(heartbeat=0.05) as fake,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{fake.gateway_url}?v=10&encoding=json") as socket,
    ):
        await socket.receive_json()
        await socket.send_json({"op": 1, "d": None})
        assert (await socket.receive_json())["op"] == 11
        await socket.receive()
        assert socket.close_code == 4009


async def test_more_identifies_at_once_than_allowed_are_told_to_wait() -> None:
    identify = {"op": 2, "d": {"token": "bot-token-0123456789", "intents": 1, "properties": {}}}
    async with FakeDiscord(max_concurrency=1) as fake, aiohttp.ClientSession() as session:
        told = []
        for _ in range(2):
            async with session.ws_connect(f"{fake.gateway_url}?v=10&encoding=json") as socket:
                await socket.receive_json()
                await socket.send_json(identify)
                told.append((await socket.receive_json())["op"])
        assert told == [0, 9]
        fake.advance(5.1)
        async with session.ws_connect(f"{fake.gateway_url}?v=10&encoding=json") as socket:
            await socket.receive_json()
            await socket.send_json(identify)
            assert (await socket.receive_json())["t"] == "READY"


async def test_each_shard_hears_its_own_guilds_and_the_first_the_dms(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    channels = [fake.channel(fake.guild(f"g{n}", ada, shard=n, of=2), f"c{n}") for n in range(2)]
    one = discord.AutoShardedClient(intents=intents(), guild_ready_timeout=0.05, shard_count=2, shard_ids=[0])
    two = discord.AutoShardedClient(intents=intents(), guild_ready_timeout=0.05, shard_count=2, shard_ids=[1])
    async with online(fake, one) as (_, first), online(fake, two) as (_, second):
        for n, each in enumerate(channels):
            ada.says(each, f"to {n}")
        ada.says(ada.opens_dm(), "dm")
        await fake.until(lambda: len(first.messages) == 2 and second.messages, "three messages")
        assert (first.texts, second.texts) == (["to 0", "dm"], ["to 1"])


async def test_two_clients_of_one_shard_hear_everything_twice(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    async with online(fake) as (_, one), online(fake) as (_, two):
        ada.says(general, "hello")
        await fake.until(lambda: one.messages and two.messages, "both")


async def test_members_come_in_chunks_when_asked_for(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    fake.guild("Acme", ada)
    wanted = intents()
    wanted.members = True
    async with online(fake, discord.Client(intents=wanted, guild_ready_timeout=0.05)) as (client, _):
        assert client.guilds[0].get_member(ada.id) is not None


# ---------------------------------------------------------------- connections that break


async def test_after_a_cut_the_session_resumes_and_what_was_missed_comes(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    async with online(fake) as (_, heard):
        fake.gateway.cut()
        ada.says(general, "missed")
        await fake.until(lambda: fake.gateway.resumed == 1 and heard.messages, "a resumed session")
        assert heard.texts == ["missed"]
        assert len(fake.gateway.identified) == 1


async def test_op_7_makes_the_client_come_again_and_resume(fake: FakeDiscord) -> None:
    fake.guild("Acme")
    async with online(fake) as (_, heard):
        fake.gateway.reconnect()
        await fake.until(lambda: "RESUMED" in heard.others, "a resumed session")


async def test_op_9_makes_the_client_identify_anew_and_what_was_missed_is_lost(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    async with online(fake) as (_, heard):
        fake.gateway.invalidate()
        ada.says(general, "lost")
        await fake.until(lambda: len(fake.gateway.identified) == 2 and len(fake.gateway.sessions) == 1, "identify")
        await fake.until(lambda: heard.others.count("GUILD_CREATE") == 2, "the guilds again")
        ada.says(general, "heard")
        await fake.until(lambda: heard.messages, "a message")
        assert heard.texts == ["heard"]


async def test_a_forgotten_session_is_not_resumed(fake: FakeDiscord) -> None:
    fake.guild("Acme")
    async with online(fake):
        fake.gateway.forget_sessions()
        fake.gateway.cut()
        await fake.until(lambda: len(fake.gateway.identified) == 2, "another identify")
        assert fake.gateway.resumed == 0


async def test_a_closed_gateway_ends_a_first_connection_with_the_librarys_own_mistake(fake: FakeDiscord) -> None:
    fake.gateway.is_open = False
    client = discord.Client(intents=intents())
    with pytest.raises(AttributeError):
        await client.start(fake.token)
    await client.close()


async def test_a_malformed_event_ends_the_client(fake: FakeDiscord) -> None:
    fake.guild("Acme")
    client = discord.Client(intents=intents(), guild_ready_timeout=0.05)
    running = asyncio.create_task(client.start(fake.token))
    await fake.until(client.is_ready, "a client that is ready")
    fake.malformed()
    with pytest.raises(KeyError):
        await running
    await client.close()


async def test_a_repeated_event_is_heard_as_often(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    async with online(fake) as (_, heard):
        ada.says(general, "again", repeat=3)
        await fake.until(lambda: len(heard.messages) == 3, "three of them")
        assert len({each.id for each in heard.messages}) == 1


async def test_a_burst_can_come_in_another_order_than_that_of_the_ids(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    async with online(fake) as (_, heard):
        with fake.burst(reverse=True):
            ids = [ada.says(general, str(number)).id for number in range(3)]
        await fake.until(lambda: len(heard.messages) == 3, "three messages")
        assert sorted(ids) == ids
        assert {each.id for each in heard.messages} == set(ids)
        buffer = next(iter(fake.gateway.sessions.values())).buffer[-3:]
        assert [int(each["d"]["id"]) for each in buffer] == ids[::-1]


# ---------------------------------------------------------------- what people do arrives


async def test_what_people_do_with_messages_arrives(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    guild = fake.guild("Acme", ada)
    general = fake.channel(guild, "general")
    fake.grants(guild, ada, fake.role(guild, "pms"))
    ci = fake.other_webhook(general, "CI", ada)
    other = fake.person("other bot", guild, bot=True)
    async with online(fake) as (_, heard):
        first = ada.says(general, "one")
        fake.unfurls(first, title="preview")
        ada.edits(first, "two")
        reply = ada.says(general, "and", reply_to=first)
        ada.deletes(first)
        ada.deletes(reply, ada.says(general, "x"))
        fake.webhook_says(ci, "build broke")
        other.says(general, "beep")
        long = ada.pastes(general, "words " * 1000)
        await fake.until(lambda: len(heard.messages) == 6 and len(heard.deleted) == 3, "all of it")
        author = heard.messages[0].author
        assert isinstance(author, discord.Member) and [each.name for each in author.roles] == ["@everyone", "pms"]
        assert [each.data["content"] for each in heard.edits] == ["one", "two"]
        assert [each.data["edited_timestamp"] is None for each in heard.edits] == [True, False]
        assert [bool(each.webhook_id) for each in heard.messages] == [False, False, False, True, False, False]
        assert heard.messages[4].author.bot
        paste = heard.messages[5]
        assert (paste.id, paste.content, paste.attachments[0].filename) == (long.id, "", "message.txt")
        assert await paste.attachments[0].read() == ("words " * 1000).encode()
        fake.advance(86_401)
        with pytest.raises(discord.NotFound):
            await paste.attachments[0].read()


async def test_what_happens_to_channels_and_members_arrives(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    guild = fake.guild("Acme", ada)
    general = fake.channel(guild, "general")
    wanted = intents()
    wanted.members = True
    async with online(fake, discord.Client(intents=wanted, guild_ready_timeout=0.05)) as (client, heard):
        thread = ada.starts_thread(general, "plans")
        ada.says(thread, "in there")
        ada.types_in(general)
        fake.archives(thread)
        fake.permits(general, fake.me, deny=SEND_MESSAGES)
        ada.leaves(guild)
        fake.deletes_channel(general)
        await fake.until(lambda: "CHANNEL_DELETE" in heard.others, "the end of a channel")
        told = [name for name in heard.others if name not in ("READY", "GUILD_CREATE", "GUILD_MEMBERS_CHUNK")]
        assert told == [
            "THREAD_CREATE",
            "MESSAGE_CREATE",
            "MESSAGE_CREATE",
            "TYPING_START",
            "THREAD_UPDATE",
            "CHANNEL_UPDATE",
            "GUILD_MEMBER_REMOVE",
            "CHANNEL_DELETE",
        ]
        fake.removes_bot(guild)
        await fake.until(lambda: not client.guilds, "no guild")


async def test_what_the_bot_cannot_see_it_is_not_told(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    guild = fake.guild("Acme", ada)
    secret, shared = fake.channel(guild, "a", private_to=(ada,)), fake.channel(guild, "b", private_to=(ada, fake.me))
    private = ada.starts_thread(shared, "us", private=True)
    fake.world.guilds[guild.id].roles[next(iter(guild.members[fake.me.id]))].permissions = BOT & ~MANAGE_THREADS
    async with online(fake) as (_, heard):
        for each in (secret, private, shared):
            ada.says(each, each.name)
        await fake.until(lambda: heard.messages, "a message")
        assert heard.texts == ["b"]
    assert await ask(fake, "GET", f"/channels/{secret.id}") == (403, {"message": "Missing Access", "code": 50001})


async def test_people_cannot_do_what_discord_would_not_let_them() -> None:
    async with FakeDiscord() as fake:
        ada, bob = fake.person("ada"), fake.person("bob")
        general = fake.channel(fake.guild("Acme", ada), "general")
        message = ada.says(general, "hello")
        for act in (
            lambda: bob.says(general, "I am not in there"),
            lambda: ada.says(general, "x" * 2001),
            lambda: bob.edits(message, "mine"),
            lambda: ada.presses(message, "Go"),
            lambda: ada.slash(general, "nothing"),
        ):
            with pytest.raises(NotPossibleError):
                act()


# ---------------------------------------------------------------- posting with the library


async def test_a_talk_goes_there_and_back(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    async with online(fake) as (_, heard):
        ada.says(general, "hello")
        await fake.until(lambda: heard.messages, "a message")
        place = heard.messages[0].channel
        sent = await place.send("  hi\n", file=discord.File(io.BytesIO(b"data"), "a.txt", description="it"))
        await sent.edit(content="hi there")
        answer = await heard.messages[0].reply("yes")
        gone = await place.send("never mind")
        await gone.delete()
        async with place.typing():
            pass
        await sent.add_reaction("👍")
        thread = await heard.messages[0].create_thread(name="more")
        assert thread.id == heard.messages[0].id
        await thread.send("inside")
        assert fake.said(general) == [("Greenroom", "hi there"), ("Greenroom", "yes")]
        seen = fake.seen(general)
        assert seen[1].attachments == (("a.txt", b"data"),) and seen[1].edited and sent.content == "hi"
        assert seen[2].reply_to == heard.messages[0].id and answer.type is discord.MessageType.reply
        assert [each.text async for each in _history(place)] == ["yes", "hi there", "hello"]


async def _history(place: Any) -> AsyncIterator[Any]:
    async for each in place.history(limit=10):
        yield type("Utterance", (), {"text": each.content})


async def test_history_comes_newest_first_and_behind_a_point_from_the_oldest(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    ids = [ada.says(general, str(number)).id for number in range(6)]

    async def listed(query: str) -> list[str]:
        status, found = await ask(fake, "GET", f"/channels/{general.id}/messages?{query}")
        assert status == 200
        return [each["content"] for each in found]

    assert await listed("limit=2") == ["5", "4"]
    assert await listed(f"limit=2&before={ids[3]}") == ["2", "1"]
    assert await listed(f"limit=2&after={ids[1]}") == ["3", "2"]
    assert await listed(f"limit=3&around={ids[3]}") == ["4", "3", "2"]
    assert (await ask(fake, "GET", f"/channels/{general.id}/messages?limit=101"))[1]["code"] == 50035
    fake.permits(general, fake.me, deny=READ_MESSAGE_HISTORY)
    assert await listed("limit=2") == []


async def test_a_webhook_speaks_under_any_name_also_in_a_thread(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    thread = ada.starts_thread(general, "plans")
    async with online(fake) as (client, heard):
        place = client.get_channel(general.id)
        assert isinstance(place, discord.TextChannel)
        hook = await place.create_webhook(name="Greenroom")
        assert [(each.user.id if each.user else 0, each.token) for each in await place.webhooks()] == [
            (fake.me.id, hook.token)
        ]
        first = await hook.send("I am", username="Winston", avatar_url="https://example.org/w.png", wait=True)
        await first.edit(content="I was")
        inside = await hook.send("in there", username="Mary", thread=discord.Object(thread.id), wait=True)
        await inside.edit(content="edited in there")
        assert [(each.author, each.text, each.avatar_url) for each in fake.seen(general)] == [
            ("Winston", "I was", "https://example.org/w.png")
        ]
        assert fake.said(thread) == [("Mary", "edited in there")]
        await fake.until(lambda: len(heard.messages) == 2, "the bot's own posts")
        assert [each.webhook_id for each in heard.messages] == [hook.id, hook.id]
        assert [each.author.id for each in heard.messages] == [hook.id, hook.id]
        wired = heard.messages[0]
        assert wired.application_id == fake.world.application
        with pytest.raises(discord.NotFound) as lost:
            await hook.edit_message(inside.id, content="without its thread")
        assert lost.value.code == 10008
        fake.deletes_webhook(fake.webhooks(general)[0])
        with pytest.raises(discord.NotFound) as gone:
            await hook.send("anybody?")
        assert gone.value.code == 10015


async def test_the_same_nonce_posts_once(fake: FakeDiscord) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    async with online(fake) as (client, _):
        place = client.get_channel(general.id)
        assert isinstance(place, discord.TextChannel)
        one = await place.send("once", nonce="turn-7/1")
        two = await place.send("once", nonce="turn-7/1")
        assert one.id == two.id
        fake.advance(600)
        await place.send("once", nonce="turn-7/1")
        assert len(fake.seen(general)) == 2


async def test_mentions_call_people_unless_they_are_not_allowed_to(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    guild = fake.guild("Acme", ada)
    general, role = fake.channel(guild, "general"), fake.role(guild, "pms")
    path, text = f"/channels/{general.id}/messages", f"@everyone @here {ada.mention} <@&{role.id}>"
    everybody = frozenset({"@everyone", "@here", ada.mention, f"<@&{role.id}>"})
    bodies: list[tuple[Any, frozenset[str]]] = [
        (None, everybody),
        ({"parse": []}, frozenset()),
        ({"parse": ["users"]}, frozenset({ada.mention})),
        ({"users": [str(ada.id)]}, frozenset({ada.mention})),
        ({"parse": ["everyone"], "roles": [str(role.id)]}, everybody - {ada.mention}),
    ]
    for allowed, expected in bodies:
        body = {"content": text} if allowed is None else {"content": text, "allowed_mentions": allowed}
        await ask(fake, "POST", path, body)
        assert fake.seen(general)[-1].pings == expected
    quiet = fake.seen(general)[1]
    assert not quiet.pings
    await ask(fake, "PATCH", f"{path}/{quiet.id}", {"content": text})
    assert fake.seen(general)[1].pings == everybody
    asked = ada.says(general, "?")
    await ask(fake, "POST", path, {"content": "!", "message_reference": {"message_id": str(asked.id)}})
    assert fake.seen(general)[-1].pings == {ada.mention}


async def test_discord_says_lines_of_its_own(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    async with online(fake) as (_, heard):
        thread = ada.starts_thread(general, "from a line", message=ada.says(general, "a line"))
        ada.starts_thread(general, "beside")
        fake.notes(general, PINNED, ada)
        await fake.until(lambda: len(heard.messages) == 4, "four messages")
        kinds = sorted((each.type.value, each.channel.id) for each in heard.messages)
        assert kinds == [(0, general.id), (PINNED, general.id), (18, general.id), (21, thread.id)]
        assert [each.text for each in fake.seen(general)] == ["a line"]


async def test_threads_are_listed_joined_renamed_and_archived(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    guild = fake.guild("Acme", ada)
    thread = ada.starts_thread(fake.channel(guild, "general"), "plans")
    async with online(fake) as (client, _):
        assert [each.name for each in await client.guilds[0].active_threads()] == ["plans"]
        found = await client.fetch_channel(thread.id)
        assert isinstance(found, discord.Thread)
        await found.join()
        await found.edit(name="old plans", archived=True)
        assert (thread.name, thread.archived, fake.me.id in thread.joined) == ("old plans", True, True)
        assert await client.guilds[0].active_threads() == []
        with pytest.raises(discord.HTTPException) as asleep:
            await found.join()
        assert asleep.value.code == 50083


async def test_an_edit_keeps_the_files_that_it_names(fake: FakeDiscord) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    async with online(fake) as (client, _):
        place = client.get_channel(general.id)
        assert isinstance(place, discord.TextChannel)
        sent = await place.send("x", files=[discord.File(io.BytesIO(b"1"), "1"), discord.File(io.BytesIO(b"2"), "2")])
        await sent.edit(attachments=[sent.attachments[1], discord.File(io.BytesIO(b"3"), "3")])
        assert [name for name, _ in fake.seen(general)[0].attachments] == ["2", "3"]
        with pytest.raises(discord.HTTPException) as wrong:
            await sent.edit(attachments=[sent.attachments[0]])
        assert wrong.value.code == 50035


async def test_a_webhook_is_changed_moved_and_removed(fake: FakeDiscord) -> None:
    guild = fake.guild("Acme")
    general, other = fake.channel(guild, "general"), fake.channel(guild, "other")
    async with online(fake) as (client, heard):
        place = client.get_channel(general.id)
        assert isinstance(place, discord.TextChannel)
        hook = await place.create_webhook(name="Greenroom")
        await hook.edit(name="Cast", channel=client.get_channel(other.id))
        assert [each.name for each in fake.webhooks(other)] == ["Cast"]
        assert (await hook.fetch(prefer_auth=False)).name == "Cast"
        assert [each.id for each in await client.guilds[0].webhooks()] == [hook.id]
        await hook.delete()
        assert not fake.world.webhooks
        await fake.until(lambda: heard.others.count("WEBHOOKS_UPDATE") == 4, "word of it")


async def test_messages_are_deleted_in_bulk_while_they_are_young(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    path = f"/channels/{general.id}/messages/bulk-delete"
    async with online(fake) as (_, heard):
        ids = [str(ada.says(general, str(number)).id) for number in range(4)]
        assert (await ask(fake, "POST", path, {"messages": ids[:2]}))[0] == 204
        await fake.until(lambda: len(heard.deleted) == 2, "two deletions")
    assert (await ask(fake, "POST", path, {"messages": ids[2:3]}))[1]["code"] == 50035
    fake.advance(15 * 86_400)
    assert (await ask(fake, "POST", path, {"messages": ids[2:]}))[1]["code"] == 50034


async def test_people_and_guilds_can_be_looked_up(fake: FakeDiscord) -> None:
    ada, bob = fake.person("ada"), fake.person("bob")
    guild, foreign = fake.guild("Acme", ada), fake.guild("Other")
    fake.channel(guild, "general")
    fake.removes_bot(foreign)
    async with online(fake) as (client, _):
        home = await client.fetch_guild(guild.id)
        assert [each.name for each in await home.fetch_channels()] == ["general"]
        assert (await home.fetch_member(ada.id)).name == "ada"
        with pytest.raises(discord.NotFound) as absent:
            await home.fetch_member(bob.id)
        assert absent.value.code == 10007
        with pytest.raises(discord.Forbidden):
            await client.fetch_guild(foreign.id)
        assert (await client.fetch_user(bob.id)).name == "bob"
        shards, url, _limits = await client.http.get_bot_gateway()
        assert shards == 1 and url.startswith(fake.gateway_url)


# ---------------------------------------------------------------- refusals

LONG = "x" * 2001
BUTTON = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
OPTION = {"label": "One", "value": "1"}
TEXT = {"type": 10, "content": "x"}
V2 = 1 << 15


def row(*components: object) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


def buttons(count: int) -> list[dict[str, Any]]:
    return [{**BUTTON, "custom_id": str(number)} for number in range(count)]


def select(*options: object) -> dict[str, Any]:
    return {"type": 3, "custom_id": "menu", "options": list(options)}


def shown(*components: object) -> dict[str, Any]:
    return {"content": "x", "components": list(components)}


def option(**more: object) -> dict[str, Any]:
    return shown(row(select({**OPTION, **more})))


def layout(*components: object) -> dict[str, Any]:
    return {"flags": V2, "components": list(components)}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"content": LONG}, "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"title": "x"}] * 11}, "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"description": "x" * 4097}]}, "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"description": "x" * 4000}] * 2}, "MAX_EMBED_SIZE_EXCEEDED"),
    ({"embeds": [{"fields": [{"name": "x"}]}]}, "BASE_TYPE_REQUIRED"),
    ({"embeds": [{"image": {"url": "ftp://x.org/a"}}]}, "URL_TYPE_INVALID_SCHEME"),
    (shown(*[row(each) for each in buttons(6)]), "BASE_TYPE_MAX_LENGTH"),
    (shown(row(*buttons(6))), "BASE_TYPE_BAD_LENGTH"),
    (shown(row(BUTTON, BUTTON)), "COMPONENT_CUSTOM_ID_DUPLICATED"),
    (shown(row({**BUTTON, "label": "x" * 81})), "BASE_TYPE_MAX_LENGTH"),
    (shown(row({**BUTTON, "custom_id": "x" * 101})), "BASE_TYPE_BAD_LENGTH"),
    (shown(row({"type": 2, "style": 1, "label": "x"})), "BASE_TYPE_REQUIRED"),
    (shown(BUTTON), "BASE_TYPE_CHOICES"),
    (shown(row(select())), "BASE_TYPE_BAD_LENGTH"),
    (shown(row(select(*[{"label": "x", "value": str(n)} for n in range(26)]))), "BASE_TYPE_BAD_LENGTH"),
    (option(label="x" * 101), "BASE_TYPE_BAD_LENGTH"),
    (option(value="x" * 101), "BASE_TYPE_BAD_LENGTH"),
    (option(description="x" * 101), "BASE_TYPE_MAX_LENGTH"),
    (shown(row(select(OPTION, OPTION))), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED"),
    (shown(row(BUTTON, select(OPTION))), "COMPONENT_LAYOUT_WIDTH_EXCEEDED"),
    ({**layout(TEXT), "content": "x"}, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"),
    (layout(*[{**TEXT, "content": "x" * 2001}] * 2), "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED"),
    (layout(*[{"type": 17, "components": [TEXT] * 20}] * 2), "BASE_TYPE_BAD_LENGTH"),
    ({"components": [TEXT]}, "BASE_TYPE_CHOICES"),
    ({"content": "x", "flags": 64}, "BASE_TYPE_CHOICES"),
    ({"content": "x", "nonce": "n" * 26}, "NONCE_TYPE_TOO_LONG"),
    (
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
    ),
    ({"content": "x", "allowed_mentions": {"parse": ["all"]}}, "BASE_TYPE_CHOICES"),
    ({"content": "x", "message_reference": {"message_id": "1"}}, "MESSAGE_REFERENCE_UNKNOWN_MESSAGE"),
]


@pytest.mark.parametrize(("body", "code"), WRONG)
async def test_a_form_that_is_wrong_is_refused_with_the_field(fake: FakeDiscord, body: object, code: str) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    status, answer = await ask(fake, "POST", f"/channels/{general.id}/messages", body)
    assert (status, answer["code"]) == (400, 50035)
    assert code in list(codes(answer["errors"]))
    assert not fake.seen(general)


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("POST", "/channels/{c}/messages", {"content": "x", "username": "Ada"}, "Create Message: no field username"),
        ("POST", "/channels/{c}/messages", {"content": "x", "flags": "4"}, "Create Message: flags is str"),
        ("POST", "/channels/{c}/messages", {"embeds": [{"text": "x"}]}, "Embed Structure: no field text"),
        ("POST", "/channels/{c}/messages?wait=1", {"content": "x"}, "Create Message: no query wait"),
        ("POST", "/channels/{c}/typing", {"for": 1}, "by no page: no field for"),
        (
            "POST",
            "/channels/{c}/messages",
            {"content": "x", "components": [{"type": 1, "components": [{"type": 2, "text": "no"}]}]},
            "Button Structure: no field text",
        ),
    ],
)
async def test_a_field_that_no_page_names_is_noted_with_the_page(
    fake: FakeDiscord, method: str, path: str, body: object, says: str
) -> None:
    guild = fake.guild("Acme")
    room = fake.channel(guild, "general")
    await ask(fake, method, path.format(c=room.id), body)
    assert [line for line in fake.rest.undocumented if says in line]


async def test_an_embed_of_a_message_that_suppresses_embeds_is_not_shown_to_anybody(fake: FakeDiscord) -> None:
    room = fake.channel(fake.guild("Acme"), "general")
    embeds = [{"description": "a list", "color": 1}]
    _, hidden = await ask(fake, "POST", f"/channels/{room.id}/messages", {"embeds": embeds, "flags": 4})
    assert hidden["embeds"] == [] and [seen.text for seen in fake.seen(room)] == [""] and len(fake.blank()) == 1
    await ask(fake, "PATCH", f"/channels/{room.id}/messages/{hidden['id']}", {"flags": 0})
    assert [seen.text for seen in fake.seen(room)] == ["a list"] and fake.blank() == []


async def test_components_v2_within_the_limits_are_taken(fake: FakeDiscord) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    path = f"/channels/{general.id}/messages"
    # A container, a row and a button beside the texts.
    for texts, status in ((38, 400), (37, 200)):
        body = layout({"type": 17, "components": [*[{**TEXT, "content": "x" * 100}] * texts, row(BUTTON)]})
        assert (await ask(fake, "POST", path, body))[0] == status
    assert fake.seen(general)[0].buttons == ("Go",)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ({}, "BASE_TYPE_REQUIRED"),
        ({"name": "x" * 81}, "BASE_TYPE_BAD_LENGTH"),
        ({"name": "My Clyde"}, "USERNAME_INVALID_CONTAINS"),
        ({"name": "discordant"}, "USERNAME_INVALID_CONTAINS"),
    ],
)
async def test_names_of_webhooks_are_checked(fake: FakeDiscord, name: object, code: str) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    _, answer = await ask(fake, "POST", f"/channels/{general.id}/webhooks", name)
    assert list(codes(answer["errors"])) == [code]


async def test_what_a_webhook_posts_under_is_checked_too(fake: FakeDiscord) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    _, hook = await ask(fake, "POST", f"/channels/{general.id}/webhooks", {"name": "Greenroom"})
    path = f"/webhooks/{hook['id']}/{hook['token']}"
    for body in ({"username": "x" * 81}, {"username": "clyde"}, {"avatar_url": "data:x"}, {"content": LONG}):
        status, answer = await ask(fake, "POST", path, {"content": "x", **body}, token=None)
        assert (status, answer["code"]) == (400, 50035)
    assert (await ask(fake, "POST", path, {"content": " "}, token=None))[1]["code"] == 50006
    assert (await ask(fake, "POST", f"{path}x", {"content": "x"}, token=None))[1]["code"] == 50027
    assert (await ask(fake, "POST", f"{path}?thread_id=7", {"content": "x"}, token=None))[1]["code"] == 10003
    assert (await ask(fake, "POST", path, {"content": "x"}, token=None))[0] == 204


async def test_a_channel_has_fifteen_webhooks_at_most(fake: FakeDiscord) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    for number in range(15):
        fake.other_webhook(general, f"hook {number}")
    status, answer = await ask(fake, "POST", f"/channels/{general.id}/webhooks", {"name": "one more"})
    assert (status, answer["code"]) == (400, 30007)


async def test_a_webhook_of_a_person_carries_no_buttons(fake: FakeDiscord) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    hook = fake.other_webhook(general, "CI")
    path, body = f"/webhooks/{hook.id}/{hook.token}", {"content": "x", "components": [row(BUTTON)]}
    assert (await ask(fake, "POST", f"{path}?wait=true", body))[1]["components"] == []
    assert (await ask(fake, "POST", f"{path}?with_components=true", body))[1]["code"] == 50035


REPLY = {"content": "x", "message_reference": {"message_id": 1}}
RIGHTS: list[tuple[int, str, str, Any]] = [
    (VIEW_CHANNEL, "GET", "/channels/{c}", None),
    (SEND_MESSAGES, "POST", "/channels/{c}/messages", {"content": "x"}),
    (SEND_MESSAGES, "POST", "/channels/{c}/typing", None),
    (SEND_MESSAGES_IN_THREADS, "POST", "/channels/{t}/messages", {"content": "x"}),
    (EMBED_LINKS, "POST", "/channels/{c}/messages", {"embeds": [{"title": "x"}]}),
    (MANAGE_WEBHOOKS, "POST", "/channels/{c}/webhooks", {"name": "x"}),
    (MANAGE_WEBHOOKS, "GET", "/channels/{c}/webhooks", None),
    (READ_MESSAGE_HISTORY, "GET", "/channels/{c}/messages/{m}", None),
    (READ_MESSAGE_HISTORY, "POST", "/channels/{c}/messages", REPLY),
    (ADD_REACTIONS, "PUT", "/channels/{c}/messages/{m}/reactions/%F0%9F%91%8D/@me", None),
    (MANAGE_MESSAGES, "DELETE", "/channels/{c}/messages/{m}", None),
    (CREATE_PUBLIC_THREADS, "POST", "/channels/{c}/messages/{m}/threads", {"name": "x"}),
    (CREATE_PRIVATE_THREADS, "POST", "/channels/{c}/threads", {"name": "x"}),
]


@pytest.mark.parametrize(("right", "method", "path", "body"), RIGHTS)
async def test_each_right_is_needed(fake: FakeDiscord, right: int, method: str, path: str, body: object) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    thread, message = ada.starts_thread(general, "plans"), ada.says(general, "hello")
    fake.permits(general, fake.me, deny=right)
    status, answer = await ask(fake, method, path.format(c=general.id, t=thread.id, m=message.id), body)
    named = (400, 160002) if body == REPLY else (403, 50001 if right == VIEW_CHANNEL else 50013)
    assert (status, answer["code"]) == named


async def test_files_need_a_right_and_have_a_size(fake: FakeDiscord) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    async with online(fake) as (client, _):
        place = client.get_channel(general.id)
        assert isinstance(place, discord.TextChannel)
        with pytest.raises(discord.HTTPException) as large:
            await place.send(file=discord.File(io.BytesIO(bytes(10 * 1024 * 1024 + 1)), "large.bin"))
        assert (large.value.status, large.value.code) == (413, 40005)
        fake.permits(general, fake.me, deny=ATTACH_FILES)
        with pytest.raises(discord.Forbidden) as forbidden:
            await place.send(file=discord.File(io.BytesIO(b"x"), "a.txt"))
        assert forbidden.value.code == 50013


async def test_what_does_not_exist_is_unknown(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    theirs = ada.says(general, "mine")
    base = f"/channels/{general.id}/messages"
    for method, path, body, code in (
        ("POST", "/channels/7/messages", {"content": "x"}, 10003),
        ("GET", f"{base}/7", None, 10008),
        ("PATCH", f"{base}/7", {"content": "x"}, 10008),
        ("PATCH", f"{base}/{theirs.id}", {"content": "x"}, 50005),
        ("POST", base, {"content": " \n"}, 50006),
        ("POST", base, {}, 50006),
        ("DELETE", "/webhooks/7", None, 10015),
        ("GET", "/users/7", None, 10013),
        ("POST", "/interactions/7/nothing/callback", {"type": 5}, 10062),
    ):
        assert (await ask(fake, method, path, body))[1]["code"] == code
    assert (await ask(fake, "GET", "/nowhere"))[0] == 404
    assert (await ask(fake, "PUT", base))[0] == 405
    assert (await ask(fake, "POST", base, {"content": "x"}, kind="text/plain"))[1]["code"] == 50035
    await ask(fake, "POST", f"{base}/{theirs.id}/threads", {"name": "x"})
    assert (await ask(fake, "POST", f"{base}/{theirs.id}/threads", {"name": "x"}))[1]["code"] == 160004


async def test_who_takes_no_dms_gets_none(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    _, dm = await ask(fake, "POST", "/users/@me/channels", {"recipient_id": str(ada.id)})
    assert (await ask(fake, "POST", f"/channels/{dm['id']}/messages", {"content": "hi"}))[0] == 200
    assert fake.said(ada.opens_dm()) == [("Greenroom", "hi")]
    ada.user.takes_dms = False
    status, answer = await ask(fake, "POST", f"/channels/{dm['id']}/messages", {"content": "hi"})
    assert (status, answer["code"]) == (403, 50007)


async def test_an_archived_thread_wakes_when_written_to_unless_locked(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    thread = ada.starts_thread(fake.channel(fake.guild("Acme", ada), "general"), "plans")
    fake.archives(thread)
    assert (await ask(fake, "POST", f"/channels/{thread.id}/messages", {"content": "x"}))[0] == 200
    assert not thread.archived
    fake.archives(thread, locked=True)
    assert (await ask(fake, "POST", f"/channels/{thread.id}/messages", {"content": "x"}))[1]["code"] == 50083


# ---------------------------------------------------------------- the application


async def test_emojis_of_the_application_are_kept_and_checked(fake: FakeDiscord) -> None:
    fake.guild("Acme")
    async with online(fake) as (client, _):
        emoji = await client.create_application_emoji(name="architect", image=PNG)
        assert [each.name for each in await client.fetch_application_emojis()] == ["architect"]
        assert await emoji.read() == PNG
    path = f"/applications/{fake.world.application}/emojis"
    good = "data:image/png;base64," + base64.b64encode(PNG).decode()
    large = "data:image/png;base64," + base64.b64encode(PNG + bytes(256 * 1024)).decode()
    for name, image, code in (
        ("x", good, "BASE_TYPE_BAD_LENGTH"),
        ("two words", good, "STRING_TYPE_REGEX"),
        ("architect", good, "APPLICATION_EMOJI_NAME_ALREADY_TAKEN"),
        ("pm", "https://example.org/pm.png", "IMAGE_INVALID"),
        ("pm", large, "BINARY_TYPE_MAX_SIZE"),
    ):
        _, answer = await ask(fake, "POST", path, {"name": name, "image": image})
        assert list(codes(answer["errors"])) == [code]
    for number in range(1999):
        fake.world.emojis[number] = ({"name": f"e{number}"}, PNG)
    assert (await ask(fake, "POST", path, {"name": "one_more", "image": good}))[1]["code"] == 30008


def takes(*options: dict[str, Any]) -> dict[str, Any]:
    return {"name": "x", "description": "x", "options": [{"type": 3, "description": "x", **each} for each in options]}


COMMANDS: list[tuple[dict[str, Any], str]] = [
    ({"name": "Upper", "description": "x"}, "APPLICATION_COMMAND_INVALID_NAME"),
    ({"name": "two words", "description": "x"}, "APPLICATION_COMMAND_INVALID_NAME"),
    ({"name": "x" * 33, "description": "x"}, "BASE_TYPE_BAD_LENGTH"),
    ({"name": "x"}, "BASE_TYPE_REQUIRED"),
    ({"name": "x", "description": "x" * 101}, "BASE_TYPE_BAD_LENGTH"),
    (takes({"name": "Upper"}), "APPLICATION_COMMAND_INVALID_NAME"),
    (takes(*[{"name": f"o{n}"} for n in range(26)]), "BASE_TYPE_MAX_LENGTH"),
    (takes({"name": "a"}, {"name": "a"}), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"),
    (takes({"name": "a"}, {"name": "b", "required": True}), "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"),
]


@pytest.mark.parametrize(("command", "code"), COMMANDS)
async def test_commands_are_checked(fake: FakeDiscord, command: object, code: str) -> None:
    _, answer = await ask(fake, "PUT", f"/applications/{fake.world.application}/commands", [command])
    assert code in list(codes(answer["errors"]))


async def test_the_library_syncs_commands_and_people_run_them(fake: FakeDiscord) -> None:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    client = discord.Client(intents=intents(), guild_ready_timeout=0.05)
    tree = app_commands.CommandTree(client)

    @tree.command(description="Call a persona")
    async def agent(interaction: discord.Interaction[Any], name: str) -> None:
        await interaction.response.send_message(f"{name} comes", ephemeral=True)

    @agent.autocomplete("name")
    async def names(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=each, value=each) for each in ("pm", "po") if each.startswith(current)]

    async with online(fake, client):
        await tree.sync()
        ran = ada.slash(general, "agent", name="pm")
        typed = ada.completes(general, "agent", "name", "p")
        await fake.until(lambda: ran.answered and typed.answered, "both answers")
        assert (ran.answer, typed.answer) == (4, 8)
        assert [each["value"] for each in typed.choices or ()] == ["pm", "po"]
        seen = fake.seen(general)[0]
        assert (seen.text, seen.ephemeral_to) == ("pm comes", "ada")
        with pytest.raises(NotPossibleError):
            ada.slash(general, "agent")


# ---------------------------------------------------------------- interactions


async def _posted_menu(fake: FakeDiscord) -> tuple[Any, Any, Any]:
    ada = fake.person("ada")
    general = fake.channel(fake.guild("Acme", ada), "general")
    body = {"content": "Which?", "components": [row(BUTTON), row(select(OPTION, {"label": "Two", "value": "2"}))]}
    await ask(fake, "POST", f"/channels/{general.id}/messages", body)
    return ada, general, fake.seen(general)[0].message


async def test_a_press_is_answered_in_time_and_once(fake: FakeDiscord) -> None:
    ada, general, message = await _posted_menu(fake)
    async with online(fake) as (_, heard):
        pressed = ada.presses(message, "Go")
        chosen = ada.selects(message, "Two")
        await fake.until(lambda: len(heard.interactions) == 2, "two interactions")
        one, two = sorted(heard.interactions, key=lambda each: each.id)
        assert one.data is not None and two.data is not None
        assert (one.data.get("custom_id"), two.data.get("values")) == ("go", ["2"])
        await one.response.edit_message(content="Gone", view=None)
        await two.response.defer(ephemeral=True, thinking=True)
        assert (pressed.answer, chosen.answer) == (7, 5)
        assert [(each.text, each.loading) for each in fake.seen(general)] == [("Gone", False), ("", True)]
        await two.edit_original_response(content="Two it is")
        await two.followup.send("to all")
        assert [(each.text, each.ephemeral_to) for each in fake.seen(general)] == [
            ("Gone", ""),
            ("Two it is", "ada"),
            ("to all", ""),
        ]
        path = f"/interactions/{pressed.id}/{pressed.token}/callback"
        assert (await ask(fake, "POST", path, {"type": 6}, token=None))[1]["code"] == 40060
        with pytest.raises(NotPossibleError):
            ada.presses(message, "Go")


async def test_an_interaction_that_is_answered_late_is_unknown(fake: FakeDiscord) -> None:
    ada, _, message = await _posted_menu(fake)
    async with online(fake) as (_, heard):
        pressed = ada.presses(message, "Go")
        await fake.until(lambda: heard.interactions, "an interaction")
        fake.advance(3.1)
        with pytest.raises(discord.NotFound) as late:
            await heard.interactions[0].response.defer()
        assert late.value.code == 10062 and not pressed.answered


async def test_a_follow_up_fills_in_what_was_deferred(fake: FakeDiscord) -> None:
    ada, general, message = await _posted_menu(fake)
    async with online(fake) as (_, heard):
        ada.presses(message, "Go")
        await fake.until(lambda: heard.interactions, "an interaction")
        asked = heard.interactions[0]
        await asked.response.defer(thinking=True)
        await fake.until(lambda: fake.seen(general)[-1].loading, "is thinking")
        await asked.followup.send("done", ephemeral=True)
        assert [(each.text, each.ephemeral_to) for each in fake.seen(general)[1:]] == [("done", "")]
        assert (await asked.original_response()).content == "done"
        await asked.delete_original_response()
        assert len(fake.seen(general)) == 1
        with pytest.raises(discord.NotFound) as gone:
            await asked.edit_original_response(content="x")
        assert gone.value.code == 10008


async def test_an_interactions_token_needs_an_answer_first_and_ends(fake: FakeDiscord) -> None:
    ada, _, message = await _posted_menu(fake)
    it = ada.presses(message, "Go")
    path = f"/webhooks/{fake.world.application}/{it.token}"
    assert (await ask(fake, "POST", path, {"content": "x"}, token=None))[1]["code"] == 10015
    assert (await ask(fake, "POST", f"/interactions/{it.id}/{it.token}/callback", {"type": 6}, token=None))[0] == 204
    assert (await ask(fake, "POST", path, {"content": "x", "flags": 64}, token=None))[0] == 200
    fake.advance(15 * 60 + 1)
    assert (await ask(fake, "POST", path, {"content": "x"}, token=None))[1]["code"] == 50027


async def test_a_modal_is_shown_filled_in_and_submitted(fake: FakeDiscord) -> None:
    ada, general, message = await _posted_menu(fake)

    class Form(discord.ui.Modal, title="Your answer"):
        words: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Words", custom_id="words", max_length=10)

        async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
            await interaction.response.send_message(f"Noted: {self.words.value}")

    async with online(fake) as (_, heard):
        pressed = ada.presses(message, "Go")
        await fake.until(lambda: heard.interactions, "an interaction")
        await heard.interactions[0].response.send_modal(Form())
        with pytest.raises(NotPossibleError):
            ada.submits(pressed, {"words": "far too many of them"})
        submitted = ada.submits(pressed, {"words": "all of it"})
        await fake.until(lambda: submitted.answered, "an answer")
        assert fake.said(general)[-1] == ("Greenroom", "Noted: all of it")


INPUT = {"type": 4, "custom_id": "i", "label": "x", "style": 1}
MODAL = {"title": "x", "custom_id": "m", "components": [row(INPUT)]}
MODALS: list[dict[str, Any]] = [
    {**MODAL, "title": "x" * 46},
    {**MODAL, "custom_id": "m" * 101},
    {**MODAL, "components": []},
    {**MODAL, "components": [row({**INPUT, "label": "x" * 46})]},
    {**MODAL, "components": [row(BUTTON)]},
]


@pytest.mark.parametrize("data", MODALS)
async def test_a_modal_that_is_wrong_is_not_shown(fake: FakeDiscord, data: object) -> None:
    ada, _, message = await _posted_menu(fake)
    it = ada.presses(message, "Go")
    body = {"type": 9, "data": data}
    _, answer = await ask(fake, "POST", f"/interactions/{it.id}/{it.token}/callback", body, token=None)
    assert answer["code"] == 50035 and it.modal is None and not it.answered


async def test_an_answer_of_the_wrong_type_is_refused(fake: FakeDiscord) -> None:
    ada, _, message = await _posted_menu(fake)
    it = ada.presses(message, "Go")
    path = f"/interactions/{it.id}/{it.token}/callback"
    for kind in (1, 2, 8, None):
        assert (await ask(fake, "POST", path, {"type": kind}, token=None))[1]["code"] == 50035
    assert (await ask(fake, "POST", path, {"type": 4, "data": {"content": LONG}}, token=None))[1]["code"] == 50035
    assert (await ask(fake, "POST", path, {"type": 4, "data": {"content": "ok"}}, token=None))[0] == 204


# ---------------------------------------------------------------- disturbances


async def test_a_429_is_waited_for_unless_it_is_cloudflares(fake: FakeDiscord) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    async with online(fake) as (client, _):
        place = client.get_channel(general.id)
        assert isinstance(place, discord.TextChannel)
        fake.order("POST", "/channels/*/messages", Limits(0.02), Limits(0.02, everywhere=True))
        await place.send("at last")
        fake.order("POST", "/channels/*/messages", Limits(via=False))
        with pytest.raises(discord.HTTPException) as banned:
            await place.send("never")
        assert banned.value.status == 429
        assert fake.said(general) == [("Greenroom", "at last")] and not fake.rest.unused
        assert [each.status for each in fake.called("POST", "/channels/*/messages")] == [429, 429, 200, 429]


async def test_a_limited_channel_says_so_in_headers_and_the_library_waits(fake: FakeDiscord) -> None:
    guild = fake.guild("Acme")
    general, other = fake.channel(guild, "general"), fake.channel(guild, "other")
    fake.limit_sends(2, 0.3)
    path = f"/channels/{general.id}/messages"
    answers = [await ask(fake, "POST", path, {"content": "x"}) for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 429]
    assert 0 < answers[2][1]["retry_after"] <= 0.3
    assert (await ask(fake, "POST", f"/channels/{other.id}/messages", {"content": "x"}))[0] == 200
    async with online(fake) as (client, _):
        place = client.get_channel(general.id)
        assert isinstance(place, discord.TextChannel)
        for number in range(3):
            await place.send(str(number))
    assert [text for _, text in fake.said(general)] == ["x", "x", "0", "1", "2"]


async def test_a_502_behind_a_stored_webhook_post_gives_two_copies(fake: FakeDiscord) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    async with online(fake) as (client, _):
        place = client.get_channel(general.id)
        assert isinstance(place, discord.TextChannel)
        hook = await place.create_webhook(name="Greenroom")
        fake.order("POST", "/webhooks/*/*", Breaks(502, after=True))
        await hook.send("twice", username="Winston", wait=True)
        assert fake.said(general) == [("Winston", "twice")] * 2


async def test_disturbances_come_before_or_after_the_effect(fake: FakeDiscord) -> None:
    general = fake.channel(fake.guild("Acme"), "general")
    path = f"/channels/{general.id}/messages"
    fake.order("POST", "/channels/*/messages", Breaks(500), Cuts(), Cuts(after=True), Refuses(400, 30046), Waits(0.02))
    assert (await ask(fake, "POST", path, {"content": "1"}))[0] == 500
    for number in ("2", "3"):
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask(fake, "POST", path, {"content": number})
    assert (await ask(fake, "POST", path, {"content": "4"}))[1]["code"] == 30046
    assert (await ask(fake, "POST", path, {"content": "5"}))[0] == 200
    assert [text for _, text in fake.said(general)] == ["3", "5"]
    fake.order("POST", "/channels/*/messages", Waits(60, after=True))
    late = asyncio.create_task(ask(fake, "POST", path, {"content": "6"}))
    await fake.until(lambda: len(fake.said(general)) == 3, "the effect before the answer")
    late.cancel()


async def test_pointed_at_gives_the_library_back() -> None:
    before = discord.http.Route("GET", "/gateway").url
    async with FakeDiscord() as fake:
        with pointed_at(fake):
            assert discord.http.Route("GET", "/gateway").url == f"{fake.api}/gateway"
    assert discord.http.Route("GET", "/gateway").url == before
