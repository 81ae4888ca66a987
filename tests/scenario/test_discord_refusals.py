"""What Discord refuses for good: a webhook, a form, words; and a reply is never lost for it."""

from __future__ import annotations

import logging

import pytest

from bot.core.model import HOST, Voice
from bot.platforms.discord import refusals
from bot.platforms.discord.marks import without
from bot.ports.transport import FormRefusedError, Outgoing, TransportError, Upload
from tests.fakes.discord_rest import Breaks, Cuts, Fault, Limits, Refuses
from tests.fakes.discord_state import ATTACH_FILES, MANAGE_WEBHOOKS, SEND_MESSAGES, Channel
from tests.fakes.model import Says
from tests.scenario.discord_house import House, discord_house, words
from tests.scenario.stage import answering

WINSTON = Voice("Winston", "🏗️", "architect")
HOOK, SEND, HOOKS = "/webhooks/*/*", "/channels/*/messages", "/channels/*/webhooks"

REFUSED = {
    10003: "the channel or thread was deleted",
    50001: "give its role the permission View Channel",
    50007: "they do not take direct messages of the bot",
    50013: "its role needs View Channels, Send Messages,",
    50035: "Discord says POST",
    50083: "the thread is archived and locked",
    50278: "no server in common",
    160005: "the thread is locked",
}
"""What keeps a post of the bot's own out of a channel, and the words for it."""

OF_A_WEBHOOK = {
    10003: 404,
    10015: 404,
    20012: 403,
    50001: 403,
    50003: 403,
    50006: 400,
    50013: 403,
    50024: 400,
    50027: 401,
    50035: 400,
    50073: 403,
    60003: 403,
    220001: 400,
    340015: 403,
    999999: 400,
}
"""Errors of Discord's documentation, "JSON Error Codes", that a webhook can meet, and one that nobody knows yet."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long before something is tried again."""
    monkeypatch.setattr("bot.platforms.sending.WAITS", (0.01, 0.02))


def told(caplog: pytest.LogCaptureFixture, text: str) -> list[str]:
    return [r.getMessage() for r in caplog.records if text in r.getMessage() and r.levelno >= logging.WARNING]


def ours(house: House, room: Channel) -> list[str]:
    """What people read of the bot's posts there, with the name that they stand under."""
    found = [seen for seen in house.fake.seen(room) if seen.message.author is house.fake.me]
    return [f"{seen.author}: {without(seen.text)}" for seen in found]


async def nothing_is_lost(house: House) -> None:
    assert (await house.store.stats()).dead == 0 and await house.store.dead() == ()


# ---------------------------------------------------------------- webhooks


@pytest.mark.parametrize(("code", "status"), OF_A_WEBHOOK.items())
async def test_whatever_a_webhook_is_refused_for_the_persona_speaks_all_the_same(code: int, status: int) -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        house.fake.order("POST", HOOK, *[Refuses(status, code)] * 9)
        await house.hear(house.ada, house.general, "And now?")
        assert ours(house, house.general)[-1] == "Greenroom: **🏗️ Winston**\nFine."
        assert len(house.model.prompts) == 1
        await nothing_is_lost(house)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("code", [10003, 30007, 30058, 50001, 50013, 50024, 60003, 999999])
async def test_whatever_keeps_a_channel_from_having_a_webhook_the_persona_speaks_all_the_same(
    method: str, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with discord_house() as house:
        house.fake.order(method, HOOKS, Refuses(403, code))
        for text in ("*architect", "And now?"):
            await house.hear(house.ada, house.general, text)
        assert ours(house, house.general)[-1] == "Greenroom: **🏗️ Winston**\nFine."
        assert len(told(caplog, "personas speak under the bot's own name in channel")) == 1
        assert len(house.fake.called("GET", HOOKS)) == 1, "it is looked again only much later"
        await nothing_is_lost(house)


async def test_the_log_says_what_to_do_where_a_server_demands_a_second_factor(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with discord_house() as house:
        house.fake.order("POST", HOOKS, Refuses(403, 60003))
        await house.hear(house.ada, house.general, "*architect")
        (line,) = told(caplog, "under the bot's own name")
        assert "two-factor authentication" in line and "the Discord account that owns the bot's application" in line


async def test_a_webhook_that_somebody_mended_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.discord.hooks.AGAIN", 0.0)
    async with discord_house() as house:
        house.fake.order("POST", HOOKS, Refuses(403, 60003))
        for _ in range(2):
            await house.hear(house.ada, house.general, "*architect")
        assert [seen.is_webhook for seen in house.fake.seen(house.general)] == [False, False, False, True]


async def test_a_name_that_discord_does_not_take_keeps_nobody_else_from_having_theirs() -> None:
    async with discord_house() as house:
        house.fake.order("POST", HOOK, Refuses(400, 50035, "Username cannot contain"))
        await house.hear(house.ada, house.general, "*architect")
        await house.hear(house.ada, house.general, "*pm")
        authors = [seen.author for seen in house.fake.seen(house.general) if seen.message.author is house.fake.me]
        assert authors == ["Greenroom", "📋 John"]


# ---------------------------------------------------------------- forms


async def test_a_menu_whose_buttons_are_refused_is_put_with_numbers_alone() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        house.fake.permits(house.general, house.fake.me, deny=MANAGE_WEBHOOKS)
        house.fake.deletes_webhook(house.fake.webhooks(house.general)[0])
        house.fake.order("POST", SEND, *[Refuses(400, 50035)] * 2)  # in a frame, and without
        (question,) = await house.hear(house.ada, house.general, "*exitt")
        assert not question.buttons and "1" in words(question)
        await house.hear(house.ada, house.general, "1")
        assert (await house.session(house.general)).active == ""


@pytest.mark.parametrize(("status", "code"), [(413, 40005), (413, 0), (400, 50045), (400, 50035), (403, 400001)])
@pytest.mark.parametrize("voice", [WINSTON, HOST], ids=["persona", "bot"])
async def test_a_file_that_is_refused_is_told_as_a_form(voice: Voice, status: int, code: int) -> None:
    async with discord_house() as house:
        for path in (HOOK, SEND):
            house.fake.order("POST", path, *[Refuses(status, code)] * 3)
        out = Outgoing("key", house.conversation(house.general), voice, "", 0, file=Upload("winston.md", "text"))
        with pytest.raises(FormRefusedError, match="nothing can be posted to") as found:
            await house.adapter.transport.post(out)
        assert not found.value.retry


async def test_without_the_right_to_attach_files_a_file_is_told_as_a_form() -> None:
    async with discord_house() as house:
        house.fake.permits(house.general, house.fake.me, deny=ATTACH_FILES)
        out = Outgoing("key", house.conversation(house.general), HOST, "", 0, file=Upload("winston.md", "text"))
        with pytest.raises(FormRefusedError, match=r"its role needs .* Attach Files"):
            await house.adapter.transport.post(out)


async def test_a_file_for_a_channel_that_is_gone_is_not_a_matter_of_its_form() -> None:
    async with discord_house() as house:
        house.fake.deletes_channel(house.general)
        out = Outgoing("key", house.conversation(house.general), WINSTON, "", 0, file=Upload("winston.md", "text"))
        with pytest.raises(TransportError, match="was deleted") as found:
            await house.adapter.transport.post(out)
        assert not isinstance(found.value, FormRefusedError)


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("code", "why"),
    [(200000, "automatic moderation"), (200001, "automatic moderation"), (240000, "link"), (20009, "explicit")],
)
@pytest.mark.parametrize("in_private", [False, True])
async def test_people_are_told_which_words_discord_refuses_and_the_reply_is_kept(
    code: int, why: str, in_private: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with discord_house(answering("Try http://bad.example first.")) as house:
        room = house.ada.opens_dm() if in_private else house.general
        await house.hear(house.ada, room, "*architect")
        house.fake.block("bad.example", code)
        (notice,) = await house.hear(house.ada, room, "What do we need?")
        assert words(notice).startswith("Discord did not take what Winston wrote here: ") and why in words(notice)
        assert "ask for it in other words" in words(notice) and notice.author == "Greenroom"
        assert len(told(caplog, "was refused for its words")) == 1
        assert [entry.text for entry in await house.log(room) if entry.kind == "reply"] != []
        await house.hear(house.ada, room, "In other words?")
        assert "bad.example" in house.prompt(), "it counts as said"
        await nothing_is_lost(house)


async def test_a_reply_that_is_refused_while_it_grows_leaves_nothing_unfinished() -> None:
    async with discord_house(lambda prompt, n: Says.text("It is safe to say " * 200 + "swordfish")) as house:
        await house.hear(house.ada, house.general, "*architect")
        house.fake.block("swordfish")
        posts = await house.hear(house.ada, house.general, "What do we need?")
        assert "Discord did not take what Winston wrote here" in words(posts[-1])
        assert not any("…" in words(post) for post in posts)
        await nothing_is_lost(house)


async def test_what_the_bot_itself_says_can_be_refused_too() -> None:
    async with discord_house() as house:
        house.fake.block("personas** are here")
        (notice,) = await house.hear(house.ada, house.general, "*help")
        assert words(notice).startswith("Discord did not take what")
        await nothing_is_lost(house)


# ---------------------------------------------------------------- what helps, and what does not


async def test_what_posting_again_would_not_help_is_told_from_what_it_would() -> None:
    async with discord_house() as house:
        where, transport, fake = house.conversation(house.general), house.adapter.transport, house.fake
        for voice, path in ((WINSTON, HOOK), (HOST, SEND)):
            out = Outgoing(f"key/{voice.name}", where, voice, "hello", 0)
            for code, says in REFUSED.items():
                fake.order("POST", HOOK, *[Refuses(403, code)] * 2)
                fake.order("POST", SEND, *[Refuses(403, code)] * 2)
                with pytest.raises(TransportError, match=f"nothing can be posted to {where.key}: .*{says}") as found:
                    await transport.post(out)
                assert not found.value.retry, code
                fake.rest._orders.clear()
                house.adapter.transport._box.messages._hooks._without.clear()
            passing: list[Fault] = [Refuses(401, 0), Refuses(403, 0), Breaks(503), Cuts(), Limits(via=False)]
            for fault in (*passing, *(Refuses(400, code) for code in refusals.LATER)):
                fake.order("POST", path, *[fault] * 20)
                with pytest.raises(TransportError) as found:
                    await transport.post(out)
                assert found.value.retry, fault
                fake.rest._orders.clear()
            for fault, retry in ((Refuses(404, 10003), False), (Refuses(403, 50001), False), (Breaks(503), True)):
                fake.order("GET", SEND, fault, fault)
                for look in (transport.find(out), transport.torn(where, 0)):
                    with pytest.raises(TransportError) as found:
                        await look
                    assert found.value.retry is retry
                fake.rest._orders.clear()
            await transport.post(out)
        assert [text.partition(": ")[2] for text in ours(house, house.general)] == ["hello", "hello"]


async def test_where_the_bot_may_not_write_at_all_that_is_named() -> None:
    async with discord_house() as house:
        house.fake.permits(house.general, house.fake.me, deny=SEND_MESSAGES | MANAGE_WEBHOOKS)
        await house.hear(house.ada, house.general, "*architect")
        (letter,) = await house.store.dead()
        assert "its role needs View Channels, Send Messages" in letter.reason
