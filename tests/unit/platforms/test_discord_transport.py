"""Discord's way out, over the real library against the strict fake: once, found again, refused in words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from discord.asset import Asset

from bot.core.model import Answer, Attachment, Conversation, Menu, Option, Voice, Whisper
from bot.platforms.discord import marks
from bot.platforms.discord.adapter import opened
from bot.platforms.discord.options import DiscordOptions
from bot.platforms.discord.transport import DiscordTransport
from bot.ports.transport import Outgoing, TransportError, Upload
from tests.fakes import discord_wire
from tests.fakes.discord import FakeDiscord, Person, Seen, pointed_at
from tests.fakes.discord_rest import Breaks, Cuts, Limits, Refuses
from tests.fakes.discord_state import (
    CREATE_PUBLIC_THREADS,
    MANAGE_WEBHOOKS,
    SEND_MESSAGES,
    VIEW_CHANNEL,
    Channel,
    Guild,
)
from tests.scenario.discord_house import words

WINSTON = Voice("Winston", "🏗️", "architect")
MARY = Voice("Mary", "📊", "analyst")
GREENROOM = Voice("Greenroom", "🟢")
HOOK = "/webhooks/*/*"
MENU = Menu("1", (Option("yes", Answer("yes")), Option("no", Answer("no"))))


@dataclass(slots=True)
class Stage:
    fake: FakeDiscord
    ada: Person
    guild: Guild
    room: Channel
    transport: DiscordTransport

    def out(self, text: str, *, key: str = "k/1/0", voice: Voice = WINSTON, room: Channel | None = None) -> Outgoing:
        return Outgoing(key, conversation(room or self.room), voice, text, since=self.room.id)

    @property
    def seen(self) -> list[Seen]:
        return self.fake.seen(self.room)

    @property
    def texts(self) -> list[str]:
        return [marks.without(seen.text) for seen in self.seen]


def conversation(channel: Channel) -> Conversation:
    workspace = str(channel.guild.id) if channel.guild else "@me"
    if channel.parent:
        return Conversation("discord", workspace, str(channel.parent.id), str(channel.id))
    return Conversation("discord", workspace, str(channel.id))


@asynccontextmanager
async def worker(fake: FakeDiscord, *, avatars: bool = False) -> AsyncIterator[DiscordTransport]:
    """A process that can post; another one is another worker with the same token."""
    async with opened(DiscordOptions(fake.token, avatars=avatars)) as adapter:
        yield adapter.transport


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr("bot.platforms.sending.WAITS", (0.01, 0.01))
    monkeypatch.setattr("bot.platforms.discord.streaming.PACE", 0.01)
    async with FakeDiscord() as fake:
        with pointed_at(fake):
            ada = fake.person("ada")
            guild = fake.guild("Acme", ada)
            room = fake.channel(guild, "general")
            async with worker(fake) as transport:
                yield Stage(fake, ada, guild, room, transport)
            assert fake.rest.undocumented == [] and fake.blank() == []


# ---------------------------------------------------------------- voices


async def test_each_persona_speaks_under_its_own_name_through_one_webhook(stage: Stage) -> None:
    for number, voice in enumerate((WINSTON, MARY, WINSTON)):
        await stage.transport.post(stage.out("Hello.", key=f"k/1/{number}", voice=voice))
    assert [seen.author for seen in stage.seen] == ["🏗 Winston", "📊 Mary", "🏗 Winston"]
    assert len(stage.fake.webhooks(stage.room)) == 1


async def test_the_host_speaks_as_the_bot_itself(stage: Stage) -> None:
    await stage.transport.post(stage.out("Nobody is here.", voice=GREENROOM))
    assert [(seen.author, seen.is_webhook) for seen in stage.seen] == [("Greenroom", False)]


async def test_a_webhook_of_the_bot_is_found_and_those_of_others_are_left_alone(stage: Stage) -> None:
    stage.fake.other_webhook(stage.room, "Greenroom", stage.ada)
    await stage.transport.post(stage.out("Hello."))
    async with worker(stage.fake) as another:
        await another.post(stage.out("Again.", key="k/1/1"))
    assert len(stage.fake.webhooks(stage.room)) == 2
    assert len(stage.fake.called("POST", "/channels/*/webhooks")) == 1


@pytest.mark.parametrize("name", ["Café ☕️", "The\u200d Room", "Room  of   ours"])
async def test_a_webhook_whose_name_discord_has_changed_is_found_again(stage: Stage, name: str) -> None:
    for number in range(3):
        options = DiscordOptions(stage.fake.token, host=Voice(name, ""), avatars=False)
        async with opened(options) as adapter:
            await adapter.transport.post(stage.out("Hello.", key=f"k/1/{number}"))
    assert len(stage.fake.webhooks(stage.room)) == 1


async def test_a_thread_is_spoken_in_through_the_webhook_of_its_channel(stage: Stage) -> None:
    thread = stage.ada.starts_thread(stage.room, "plans")
    await stage.transport.post(stage.out("Here.", room=thread))
    assert [seen.author for seen in stage.fake.seen(thread)] == ["🏗 Winston"]


async def test_in_private_the_persona_is_named_in_the_text(stage: Stage) -> None:
    dm = stage.ada.opens_dm()
    await stage.transport.post(stage.out("Hello.", room=dm))
    assert [marks.without(seen.text) for seen in stage.fake.seen(dm)] == ["**🏗️ Winston**\nHello."]


async def test_without_the_permission_personas_are_named_in_the_text_and_that_is_said_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.fake.permits(stage.room, stage.fake.me, deny=MANAGE_WEBHOOKS)
    with caplog.at_level(logging.WARNING):
        await stage.transport.post(stage.out("Hello."))
        await stage.transport.post(stage.out("Again.", key="k/1/1", voice=MARY))
    assert stage.texts == ["**🏗️ Winston**\nHello.", "**📊 Mary**\nAgain."]
    assert [record.message.count("Manage Webhooks") for record in caplog.records] == [1]


async def test_a_channel_full_of_webhooks_is_spoken_in_without_one(stage: Stage) -> None:
    for number in range(15):
        stage.fake.other_webhook(stage.room, f"hook {number}")
    await stage.transport.post(stage.out("Hello."))
    assert stage.texts == ["**🏗️ Winston**\nHello."]


async def test_a_deleted_webhook_is_made_anew_once(stage: Stage) -> None:
    await stage.transport.post(stage.out("Hello."))
    stage.fake.deletes_webhook(stage.fake.webhooks(stage.room)[0])
    await stage.transport.post(stage.out("Again.", key="k/1/1"))
    assert [seen.author for seen in stage.seen] == ["🏗 Winston", "🏗 Winston"]
    assert len(stage.fake.webhooks(stage.room)) == 1


async def test_a_webhook_that_was_moved_posts_nothing_in_the_other_channel(stage: Stage) -> None:
    await stage.transport.post(stage.out("Hello."))
    other = stage.fake.channel(stage.guild, "random")
    stage.fake.webhooks(stage.room)[0].channel = other
    await stage.transport.post(stage.out("Again.", key="k/1/1"))
    assert stage.texts == ["Hello.", "Again."]
    assert stage.fake.seen(other) == []


async def test_a_persona_has_a_picture_that_is_kept_once(stage: Stage) -> None:
    for number in range(2):
        async with worker(stage.fake, avatars=True) as process:
            await process.post(stage.out("Hello.", key=f"k/{number}/0"))
            await process.post(stage.out("Again.", key=f"k/{number}/1"))
    (picture,) = {seen.avatar_url for seen in stage.seen}
    assert picture is not None
    assert picture.startswith(f"{stage.fake.url}/emojis/")
    assert len(stage.fake.called("POST", "/applications/*/emojis")) == 1


async def test_where_no_picture_can_be_kept_the_icon_in_the_name_is_enough(stage: Stage) -> None:
    stage.fake.order("POST", "/applications/*/emojis", Refuses(400, 30008, "Maximum number of emojis reached (2000)"))
    async with worker(stage.fake, avatars=True) as process:
        await process.post(stage.out("Hello."))
        await process.post(stage.out("Again.", key="k/1/1"))
    assert [(seen.author, seen.avatar_url) for seen in stage.seen] == [("🏗 Winston", None)] * 2
    assert len(stage.fake.called("POST", "/applications/*/emojis")) == 1


async def test_nobody_is_called_by_what_a_persona_says_not_by_an_edit_either(stage: Stage) -> None:
    text = f"@everyone, {stage.ada.mention} and @here"
    await stage.transport.post(stage.out(text))
    await stage.transport.post(stage.out(text, key="k/1/1", voice=GREENROOM))
    ref = await stage.transport.preview(stage.out("", key="k/1/2"))
    assert ref is not None
    await stage.transport.extend(ref, text)
    await stage.fake.until(lambda: len(stage.seen) == 3, "a preview")
    await stage.transport.seal(ref, stage.out(f"{text} again", key="k/1/2"))
    assert [seen.pings for seen in stage.seen] == [frozenset()] * 3


# ---------------------------------------------------------------- once


@pytest.mark.parametrize("voice", [WINSTON, GREENROOM])
@pytest.mark.parametrize("fault", [Breaks(502, after=True), Cuts(after=True), Breaks(503), Cuts()])
async def test_a_post_whose_answer_was_lost_is_there_once(
    stage: Stage, voice: Voice, fault: Breaks | Cuts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("discord.http.asyncio.sleep", _shortly)
    await stage.transport.post(stage.out("First.", voice=voice))
    path = HOOK if voice.persona else "/channels/*/messages"
    stage.fake.order("POST", path, fault)
    receipt = await stage.transport.post(stage.out("Hello.", key="k/1/1", voice=voice))
    assert stage.texts == ["First.", "Hello."]
    assert receipt.ref == str(stage.seen[-1].id)
    assert receipt.order == stage.seen[-1].id


_sleep = asyncio.sleep


async def _shortly(seconds: float) -> None:
    await _sleep(min(seconds, 0.01))


async def test_a_limit_is_waited_for(stage: Stage) -> None:
    stage.fake.order("POST", HOOK, Limits(0.02))
    await stage.transport.post(stage.out("Hello."))
    assert stage.texts == ["Hello."]


async def test_a_discord_that_never_answers_is_told_and_may_be_tried_again(stage: Stage) -> None:
    stage.fake.order("POST", HOOK, *[Breaks(503)] * 3)
    with pytest.raises(TransportError, match="does not answer") as told:
        await stage.transport.post(stage.out("Hello."))
    assert told.value.retry


async def test_another_process_finds_what_was_posted_and_nothing_else(stage: Stage) -> None:
    first = await stage.transport.post(stage.out("Hello."))
    async with worker(stage.fake) as another:
        assert await another.find(stage.out("Hello.")) == first
        assert await another.find(stage.out("Hello.", key="k/1/1")) is None


async def test_two_equal_pieces_are_not_taken_for_one_another(stage: Stage) -> None:
    first = await stage.transport.post(stage.out("Same."))
    assert await stage.transport.find(stage.out("Same.", key="k/1/0/1")) is None
    second = await stage.transport.post(stage.out("Same.", key="k/1/0/1"))
    assert await stage.transport.find(stage.out("Same.")) == first
    assert await stage.transport.find(stage.out("Same.", key="k/1/0/1")) == second


async def test_what_somebody_copies_of_a_post_is_not_taken_for_it(stage: Stage) -> None:
    await stage.transport.post(stage.out("Hello."))
    copied = stage.seen[0].text
    after = replace(stage.out("Hello."), since=stage.seen[0].id)
    stage.ada.says(stage.room, copied)
    stage.fake.webhook_says(stage.fake.other_webhook(stage.room, "Copy", stage.ada), copied)
    assert await stage.transport.find(after) is None


async def test_a_post_is_found_below_many_messages_of_others(stage: Stage) -> None:
    for number in range(130):
        stage.ada.says(stage.room, f"{number}")
    posted = await stage.transport.post(stage.out("Hello."))
    assert await stage.transport.find(stage.out("Hello.")) == posted


async def test_a_post_is_not_looked_for_above_its_turn(stage: Stage) -> None:
    posted = await stage.transport.post(stage.out("Hello."))
    assert await stage.transport.find(replace(stage.out("Hello."), since=posted.order)) is None


async def test_should_discord_take_the_marks_out_that_is_said_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = discord_wire.message

    def without_marks(*args: Any, **kwargs: Any) -> dict[str, Any]:
        wire = told(*args, **kwargs)
        return wire | {"content": marks.without(wire["content"])}

    monkeypatch.setattr(discord_wire, "message", without_marks)
    for number, voice in enumerate((WINSTON, GREENROOM)):
        await stage.transport.post(stage.out("Hello.", key=f"k/1/{number}", voice=voice))
    assert [record.message.startswith("Discord does not keep") for record in caplog.records] == [True]


async def test_a_file_goes_up_beside_its_text_and_is_found_again(stage: Stage) -> None:
    out = replace(stage.out("", key="k/1/0/1"), file=Upload("winston-1a2b.md", "# All of it"))
    posted = await stage.transport.post(out)
    assert stage.seen[0].attachments == (("winston-1a2b.md", b"# All of it"),)
    async with worker(stage.fake) as another:
        assert await another.find(out) == posted


async def test_a_menu_has_buttons_and_its_links_no_previews(stage: Stage) -> None:
    await stage.transport.post(replace(stage.out("1. yes\n2. no"), menu=MENU))
    assert stage.seen[0].buttons == ("1 yes", "2 no")
    assert stage.seen[0].message.flags & 4


# ---------------------------------------------------------------- growing replies


async def grown(stage: Stage, transport: DiscordTransport, text: str, key: str = "k/1/0") -> str:
    """A preview that people see."""
    before = len(stage.seen)
    ref = await transport.preview(stage.out("", key=key))
    assert ref is not None
    await transport.extend(ref, text)
    await stage.fake.until(lambda: len(stage.seen) > before, "a preview")
    return ref


async def test_a_reply_is_watched_as_it_grows_and_becomes_the_post(stage: Stage) -> None:
    ref = await grown(stage, stage.transport, "It")
    assert stage.texts == ["It …"]
    await stage.transport.extend(ref, "It depends")
    await stage.fake.until(lambda: stage.texts == ["It depends …"], "an edit")
    stage.fake.advance(30)
    receipt = await stage.transport.seal(ref, replace(stage.out("It depends on you."), menu=MENU))
    assert stage.texts == ["It depends on you."]
    assert stage.seen[0].buttons == ("1 yes", "2 no")
    assert receipt and receipt == await stage.transport.find(stage.out("It depends on you."))
    began = (receipt.order >> 22) / 1000 + 1_420_070_400
    assert 30 <= receipt.at - began < 60, "the menu came up with the last edit, though its place is that of the first"


async def test_of_many_texts_only_the_newest_is_sent(stage: Stage) -> None:
    stage.fake.limit("PATCH", "/webhooks/*/*/messages/*", 1, 0.1)
    ref = await grown(stage, stage.transport, "0")
    for number in range(1, 200):
        await stage.transport.extend(ref, f"{number}")
        await asyncio.sleep(0.001)
    await stage.fake.until(lambda: stage.texts == ["199 …"], "the newest text")
    assert len(stage.fake.called("PATCH", "/webhooks/*/*/messages/*")) < 20
    assert all(call.status == 200 for call in stage.fake.called("PATCH", "/webhooks/*/*/messages/*"))
    await stage.transport.seal(ref, stage.out("done"))
    assert stage.texts == ["done"]


async def test_a_reply_that_comes_to_nothing_is_taken_away(stage: Stage) -> None:
    await stage.transport.withdraw(await grown(stage, stage.transport, "It"))
    assert stage.seen == []


async def test_a_reply_that_was_never_seen_leaves_nothing(stage: Stage) -> None:
    ref = await stage.transport.preview(stage.out(""))
    assert ref is not None
    assert await stage.transport.seal(ref, stage.out("Done.")) is None
    other = await stage.transport.preview(stage.out(""))
    assert other is not None
    await stage.transport.withdraw(other)
    assert stage.seen == []


async def test_another_process_takes_up_what_a_dead_one_has_shown(stage: Stage) -> None:
    await stage.transport.post(stage.out("Before.", key="k/1/0"))
    await grown(stage, stage.transport, "It depends", "k/1/1")
    async with worker(stage.fake) as another:
        torn = await another.torn(conversation(stage.room), stage.room.id)
        assert torn is not None
        assert torn[1] == "It depends"
        await another.seal(torn[0], stage.out("It depends on you.", key="k/1/1"))
        assert await another.torn(conversation(stage.room), stage.room.id) is None
    assert stage.texts == ["Before.", "It depends on you."]


async def test_what_a_dead_process_has_shown_in_private_is_taken_up_too(stage: Stage) -> None:
    dm = stage.ada.opens_dm()
    ref = await stage.transport.preview(stage.out("", room=dm))
    assert ref is not None
    await stage.transport.extend(ref, "It depends")
    await stage.fake.until(lambda: stage.fake.seen(dm), "a preview")
    async with worker(stage.fake) as another:
        torn = await another.torn(conversation(dm), stage.room.id)
        assert torn is not None
        assert torn[1] == "It depends"
        await another.withdraw(torn[0])
    assert stage.fake.seen(dm) == []


async def test_an_attempt_that_failed_in_this_process_is_taken_up_as_well(stage: Stage) -> None:
    await grown(stage, stage.transport, "It depends")
    torn = await stage.transport.torn(conversation(stage.room), stage.room.id)
    assert torn is not None
    await stage.transport.withdraw(torn[0])
    assert stage.seen == []


async def test_of_several_torn_replies_one_is_left(stage: Stage) -> None:
    await grown(stage, stage.transport, "One")
    async with worker(stage.fake) as another:
        await grown(stage, another, "Two")
    async with worker(stage.fake) as third:
        torn = await third.torn(conversation(stage.room), stage.room.id)
    assert torn is not None
    assert (torn[1], stage.texts) == ("Two", ["Two …"])


async def test_a_reply_that_somebody_deleted_is_posted_anew(stage: Stage) -> None:
    ref = await grown(stage, stage.transport, "It")
    stage.ada.deletes(stage.seen[0].message)
    assert await stage.transport.seal(ref, stage.out("It depends.")) is None


async def test_a_reply_whose_webhook_is_gone_is_taken_away_and_posted_anew(stage: Stage) -> None:
    ref = await grown(stage, stage.transport, "It")
    stage.fake.deletes_webhook(stage.fake.webhooks(stage.room)[0])
    assert await stage.transport.seal(ref, stage.out("It depends.")) is None
    await stage.transport.post(stage.out("It depends."))
    assert stage.texts == ["It depends."]


@pytest.mark.parametrize("fault", [Breaks(502, after=True), Cuts(after=True), Breaks(503), Cuts()])
async def test_a_reply_begins_once_though_an_answer_is_lost(stage: Stage, fault: Breaks | Cuts) -> None:
    await stage.transport.post(stage.out("First."))
    stage.fake.order("POST", HOOK, fault)
    ref = await stage.transport.preview(stage.out("", key="k/1/1"))
    assert ref is not None
    await stage.transport.extend(ref, "It")
    await stage.fake.until(lambda: len(stage.fake.called("POST", HOOK)) == 2, "a try")
    await stage.transport.extend(ref, "It depends")
    await stage.fake.until(lambda: stage.texts == ["First.", "It depends …"], "a preview")
    await stage.transport.seal(ref, stage.out("It depends.", key="k/1/1"))
    assert stage.texts == ["First.", "It depends."]


async def test_the_end_of_a_reply_is_tried_again(stage: Stage) -> None:
    ref = await grown(stage, stage.transport, "It")
    stage.fake.order("PATCH", "/webhooks/*/*/messages/*", Breaks(502, after=True), Cuts())
    assert await stage.transport.seal(ref, stage.out("It depends."))
    assert stage.texts == ["It depends."]


async def test_a_reply_that_cannot_be_finished_is_told(stage: Stage) -> None:
    ref = await grown(stage, stage.transport, "It")
    stage.fake.order("PATCH", "/webhooks/*/*/messages/*", *[Breaks(503)] * 3)
    with pytest.raises(TransportError, match="does not answer"):
        await stage.transport.seal(ref, stage.out("It depends."))


async def test_a_reply_that_may_not_be_shown_is_posted_at_its_end(stage: Stage) -> None:
    for path in (HOOK, "/channels/*/messages"):
        stage.fake.order("POST", path, Refuses(400, 50035, "Invalid Form Body"))
    ref = await stage.transport.preview(stage.out(""))
    assert ref is not None
    await stage.transport.extend(ref, "It")
    await stage.fake.until(lambda: stage.fake.called("POST", HOOK), "a try")
    assert await stage.transport.seal(ref, stage.out("It depends.")) is None


async def test_a_file_takes_the_place_of_what_has_grown(stage: Stage) -> None:
    ref = await grown(stage, stage.transport, "It")
    out = replace(stage.out(""), file=Upload("a.md", "all"))
    assert await stage.transport.seal(ref, out) is None
    assert stage.seen == []


async def test_what_is_for_one_person_does_not_grow(stage: Stage) -> None:
    out = replace(stage.out(""), only=Whisper(str(stage.ada.id)))
    assert await stage.transport.preview(out) is None


# ---------------------------------------------------------------- whispers, signs


async def test_a_whisper_that_cannot_be_one_names_whom_it_is_for(stage: Stage) -> None:
    for handle in ("", "123/gone"):
        only = Whisper(str(stage.ada.id), handle)
        await stage.transport.post(replace(stage.out("Not you.", key=f"k/{handle}", voice=GREENROOM), only=only))
    assert stage.texts == [f"{stage.ada.mention} Not you."] * 2
    assert [seen.pings for seen in stage.seen] == [frozenset()] * 2


async def test_that_somebody_is_at_work_is_shown_and_may_fail(stage: Stage) -> None:
    await stage.transport.busy(stage.out(""))
    assert len(stage.fake.called("POST", "/channels/*/typing")) == 1
    stage.fake.deletes_channel(stage.room)
    await stage.transport.busy(stage.out(""))


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("deny", "says"), [(VIEW_CHANNEL, "View Channel"), (SEND_MESSAGES | MANAGE_WEBHOOKS, "Send Messages")]
)
async def test_a_missing_permission_is_told_in_words(stage: Stage, deny: int, says: str) -> None:
    stage.fake.permits(stage.room, stage.fake.me, deny=deny)
    with pytest.raises(TransportError, match=says) as told:
        await stage.transport.post(stage.out("Hello."))
    assert not told.value.retry


async def test_a_deleted_channel_is_told_in_words(stage: Stage) -> None:
    await stage.transport.post(stage.out("Hello."))
    stage.fake.deletes_channel(stage.room)
    for doing in (stage.transport.post(stage.out("Again.")), stage.transport.find(stage.out("Again."))):
        with pytest.raises(TransportError, match="was deleted") as told:
            await doing
        assert not told.value.retry


async def test_a_locked_thread_is_told_in_words(stage: Stage) -> None:
    thread = stage.ada.starts_thread(stage.room, "plans")
    stage.fake.archives(thread, locked=True)
    with pytest.raises(TransportError, match="locked"):
        await stage.transport.post(stage.out("Hello.", room=thread))


async def test_what_discord_says_otherwise_is_passed_on(stage: Stage) -> None:
    with pytest.raises(TransportError, match="50035"):
        await stage.transport.post(stage.out("x" * 2100))


async def test_a_history_that_cannot_be_read_just_now_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discord.http.asyncio.sleep", _shortly)
    stage.fake.order("GET", "/channels/*/messages", *[Breaks(502)] * 5)
    with pytest.raises(TransportError, match="cannot be seen") as told:
        await stage.transport.find(stage.out("Hello."))
    assert told.value.retry


# ---------------------------------------------------------------- threads

THREADS = "/channels/*/messages/*/threads"


async def test_a_thread_is_opened_below_a_post_and_has_its_id(stage: Stage) -> None:
    where = conversation(stage.room)
    receipt = await stage.transport.post(stage.out("The PRD begins."))
    thread = await stage.transport.open_thread(where, receipt, " The\nPRD " + "x" * 200)
    assert thread == replace(where, thread=receipt.ref)
    opened = stage.fake.world.channels[int(receipt.ref)]
    assert opened.parent is stage.room and opened.name.startswith("The PRD xxx") and len(opened.name) == 100
    await stage.transport.post(replace(stage.out("Section 1."), conversation=thread))
    assert [words(seen) for seen in stage.fake.seen(opened) if seen.text] == ["Section 1."]


async def test_a_thread_that_is_there_is_taken_as_it_is(stage: Stage) -> None:
    """A worker died over it, the answer was lost, or somebody was quicker than the bot."""
    where = conversation(stage.room)
    receipt = await stage.transport.post(stage.out("The PRD begins."))
    stage.fake.order("POST", THREADS, Cuts(after=True))
    with pytest.raises(TransportError) as told:
        await stage.transport.open_thread(where, receipt, "PRD")
    assert told.value.retry
    for _ in range(2):
        assert await stage.transport.open_thread(where, receipt, "PRD") == replace(where, thread=receipt.ref)
    stage.fake.permits(stage.room, stage.fake.me, deny=CREATE_PUBLIC_THREADS)
    assert await stage.transport.open_thread(where, receipt, "PRD") == replace(where, thread=receipt.ref)
    assert len([each for each in stage.fake.world.channels.values() if each.is_thread]) == 1


async def test_where_the_bot_may_open_no_thread_there_is_none_and_that_is_said(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    receipt = await stage.transport.post(stage.out("The PRD begins."))
    stage.fake.permits(stage.room, stage.fake.me, deny=CREATE_PUBLIC_THREADS)
    assert await stage.transport.open_thread(conversation(stage.room), receipt, "PRD") is None
    assert "give its role the permission Create Public Threads" in caplog.text
    stage.fake.order("POST", THREADS, Refuses(400, 160006, "Maximum number of active threads reached"))
    assert await stage.transport.open_thread(conversation(stage.room), receipt, "PRD") is None


async def test_there_are_no_threads_in_private_and_none_below_a_thread(stage: Stage) -> None:
    receipt = await stage.transport.post(stage.out("The PRD begins."))
    below = stage.ada.starts_thread(stage.room, "plans")
    for room in (stage.ada.opens_dm(), below):
        assert await stage.transport.open_thread(conversation(room), receipt, "PRD") is None
    assert stage.fake.called("POST", THREADS) == []


async def test_a_thread_may_be_opened_when_discord_answers_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discord.http.asyncio.sleep", _shortly)
    receipt = await stage.transport.post(stage.out("The PRD begins."))
    stage.fake.order("POST", THREADS, *[Breaks(502)] * 5, Refuses(400, 130000, "overloaded"))
    for _ in range(2):
        with pytest.raises(TransportError) as told:
            await stage.transport.open_thread(conversation(stage.room), receipt, "PRD")
        assert told.value.retry
    assert await stage.transport.open_thread(conversation(stage.room), receipt, "PRD")


# ---------------------------------------------------------------- files


async def test_a_file_of_people_is_read_within_its_bound(stage: Stage) -> None:
    message = stage.ada.pastes(stage.room, "x" * 5000)
    given = Attachment("message.txt", 5000, "text/plain", address(stage, message.id))
    read = await stage.transport.read(given, 1000)
    assert (read.text, read.cut) == ("x" * 1000, True)


async def test_a_file_that_is_gone_is_told(stage: Stage) -> None:
    message = stage.ada.pastes(stage.room, "x")
    given = Attachment("message.txt", 1, "text/plain", address(stage, message.id))
    stage.ada.deletes(message)
    read = await stage.transport.read(given, 1000)
    assert (read.text, read.problem) == (
        None,
        "`message.txt` is not there any more; send it again.",
    )


async def test_a_file_at_a_cdn_that_nobody_reaches_may_be_had_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Asset, "BASE", "http://127.0.0.1:1")
    with pytest.raises(TransportError, match="Discord's host for files does not answer"):
        await stage.transport.read(Attachment("a.txt", 1, "text/plain", "http://127.0.0.1:1/a.txt"), 1000)


def address(stage: Stage, message: int) -> str:
    found = stage.fake.world.messages[message]
    return str(discord_wire.attachment(stage.fake.world, found.channel, found.attachments[0])["url"])
