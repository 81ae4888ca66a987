"""Files that people post on Discord with what they say, and messages that they change or delete."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import test_utils, web
from PIL import Image
from yarl import URL

from bot.core.model import FILE, Attachment
from bot.core.speakers import said
from bot.platforms import attachments
from bot.platforms.discord import files
from bot.runtime import incoming
from tests.fakes import discord_cdn as cdn
from tests.fakes.discord import Seen
from tests.fakes.discord_rest import Breaks
from tests.fakes.discord_state import Message
from tests.fakes.model import Script
from tests.scenario.discord_house import House, discord_house, words
from tests.scenario.stage import answering
from tests.scenario.test_rules import never


@asynccontextmanager
async def with_winston(script: Script) -> AsyncIterator[House]:
    """A house where Winston is on in the general channel."""
    async with discord_house(script) as house:
        await house.hear(house.ada, house.general, "*architect")
        yield house


async def send(house: House, text: str, *files: tuple[str, bytes]) -> list[Seen]:
    """What is posted because Ada sends files with words, or without."""
    return await house.hear(house.ada, house.general, text, attachments=files)


def picture() -> bytes:
    found = io.BytesIO()
    Image.new("RGB", (4, 4)).save(found, "PNG")
    return found.getvalue()


# ---------------------------------------------------------------- files


async def test_a_text_file_goes_into_the_turn_with_the_question() -> None:
    async with with_winston(answering("A queue.")) as house:
        notes = "# Queues\n\nUse <one> & only one: 待ち行列"
        (reply,) = await send(house, "what is in it?", ("notes.md", notes.encode()))
        assert words(reply) == "A queue."
        assert said("Ada", f"what is in it?\n\n(sent `notes.md`:)\n```\n{notes}\n```") in house.prompt()


async def test_several_files_are_read_in_their_order() -> None:
    async with with_winston(answering("Both.")) as house:
        await send(house, "compare", ("one.txt", b"the first"), ("two.py", b"print('the second')"))
        assert house.prompt().index("the first") < house.prompt().index("the second")


@pytest.mark.parametrize("in_private", [False, True])
async def test_a_long_paste_is_read_as_what_was_said(in_private: bool) -> None:
    async with discord_house(answering("A fox.")) as house:
        room = house.ada.opens_dm() if in_private else house.general
        await house.hear(house.ada, room, "*architect")
        pasted = house.ada.pastes(room, "the quick brown fox\n" * 150)
        await house.taken(room, pasted.id)
        await house.quiet()
        assert house.prompt().count("the quick brown fox") == 150
        assert words(house.fake.seen(room)[-1]).endswith("A fox.")


async def test_an_image_is_declined_in_words_and_the_question_is_answered() -> None:
    async with with_winston(answering("I cannot see it.")) as house:
        declined, reply = await send(house, "what is this?", ("photo.png", picture()))
        assert words(declined).startswith("`photo.png` is an image") and words(reply) == "I cannot see it."


async def test_what_only_says_that_it_is_text_is_declined() -> None:
    async with with_winston(answering("I cannot read it.")) as house:
        declined, reply = await send(house, "and this?", ("notes.txt", b"\x00\x01\x02\xff" * 100))
        assert "`notes.txt`" in words(declined) and words(reply) == "I cannot read it."


async def test_a_file_that_is_too_long_is_asked_about_first() -> None:
    async with with_winston(answering("It begins well.")) as house:
        (question,) = await send(house, "what is wrong?", ("big.log", b"a line of the log\n" * 10_000))
        assert "`big.log` (180.0 KB)" in words(question) and f"{FILE:,} characters" in words(question)
        assert question.buttons == (
            f"1 Take the first {FILE:,} characters", "2 Answer without it", "3 Leave it all"
        )  # fmt: skip
        assert house.model.prompts == []
        told = await house.press(house.bob, question, question.buttons[0])
        assert words(told[-1]) == "It begins well."
        assert house.prompt().count("a line of the log") == FILE // len("a line of the log\n")


async def test_a_file_of_talk_that_is_not_for_the_bot_is_not_fetched() -> None:
    async with with_winston(never) as house:
        assert await send(house, f"{house.bob.mention} have a look", ("notes.md", b"for bob")) == []


async def test_a_file_whose_address_has_run_out_meanwhile_is_asked_for_again() -> None:
    async with with_winston(answering("I have not read it.")) as house:
        await house.rests()
        said = house.ada.says(house.general, "what is in it?", attachments=[("notes.md", b"a queue")])
        await house.taken(house.general, said.id)
        house.fake.advance(2 * 86_400)
        async with house.restarted():
            await house.quiet()
        declined, reply = house.fake.seen(house.general)[-2:]
        assert words(declined) == "`notes.md` is not there any more; send it again."
        assert words(reply) == "I have not read it." and "a queue" not in house.prompt()


NOTES = ("notes.md", b"a queue " * 2000)


@pytest.mark.parametrize(
    "fault",
    [
        cdn.Fails(503),
        cdn.Fails(429),
        cdn.Fails(500),
        cdn.Breaks(),
        cdn.Hangs(2.0),
    ],
    ids=repr,
)
async def test_a_file_that_cannot_be_fetched_is_tried_three_times_and_then_the_talk_goes_on(
    fault: cdn.Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "WAITS", (0.0, 0.01, 0.02))
    monkeypatch.setattr(attachments, "PATIENCE", 0.3)
    async with with_winston(answering("I have not read it.")) as house:
        house.fake.cdn.order(*[fault] * 3)
        declined, reply = await send(house, "what is in it?", NOTES)
        assert "`notes.md`: I could not fetch it (Discord" in words(declined) and words(reply) == "I have not read it."
        assert len(house.fake.cdn.asked) == 3 and "a queue" not in house.prompt()
        assert "sent `notes.md`, which cannot be read here" in house.prompt(), "the model knows it too"
        assert (await house.store.stats()).dead == 0


@pytest.mark.parametrize("fault", [cdn.Fails(503), cdn.Breaks(), cdn.Hangs(2.0)], ids=repr)
async def test_a_file_that_can_be_fetched_at_the_third_try_is_read(
    fault: cdn.Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "WAITS", (0.0, 0.01, 0.02))
    monkeypatch.setattr(attachments, "PATIENCE", 0.3)
    async with with_winston(answering("A queue.")) as house:
        house.fake.cdn.order(fault, fault)
        (reply,) = await send(house, "what is in it?", NOTES)
        assert words(reply) == "A queue." and "a queue a queue" in house.prompt()


async def test_a_redirect_to_another_host_is_not_followed() -> None:
    async with with_winston(answering("I have not read it.")) as house:
        house.fake.cdn.order(cdn.Fails(302, "http://127.0.0.1:9/"))
        declined, _ = await send(house, "what is in it?", NOTES)
        assert words(declined).startswith("`notes.md` is not kept by Discord itself")
        assert len(house.fake.cdn.asked) == 1


def test_three_tries_take_less_than_a_minute() -> None:
    assert len(incoming.WAITS) * attachments.PATIENCE + sum(incoming.WAITS) < incoming.WITHIN


@pytest.mark.parametrize(
    ("address", "is_fetched"),
    [
        ("https://cdn.discordapp.com/attachments/1/2/notes.md?ex=1&is=2&hm=3", True),
        ("https://media.discordapp.net/attachments/1/2/notes.md", True),
        ("http://cdn.discordapp.com/attachments/1/2/notes.md", False),
        ("https://cdn.discordapp.com:8443/attachments/1/2/notes.md", False),
        ("https://cdn.discordapp.com.evil.example/notes.md", False),
        ("https://evil.example/cdn.discordapp.com/notes.md", False),
        ("https://cdn.discordapp.com@evil.example/notes.md", False),
        ("http://169.254.169.254/latest/meta-data/", False),
        ("file:///etc/passwd", False),
        ("//cdn.discordapp.com/notes.md", False),
        ("https://[cdn.discordapp.com/notes.md", False),
        ("", False),
    ],
)
def test_files_are_fetched_from_discords_own_hosts_alone(address: str, is_fetched: bool) -> None:
    try:
        found = URL(address, encoded=True)
    except ValueError:
        assert not is_fetched
    else:
        assert files.source().has(found) is is_fetched


async def test_a_file_of_another_host_is_never_asked_for_and_the_talk_goes_on() -> None:
    asked: list[str] = []

    async def other(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="a trap")

    app = web.Application()
    app.router.add_get("/{path:.*}", other)
    async with test_utils.TestServer(app) as server, discord_house() as house:
        file = Attachment("notes.md", 6, "text/plain", str(server.make_url("/attachments/1/2/notes.md")))
        read = await house.adapter.transport.read(file, FILE)
        assert read.problem.startswith("`notes.md` is not kept by Discord") and read.text is None and asked == []


async def test_a_file_whose_message_is_deleted_before_it_is_read_is_never_heard() -> None:
    async with with_winston(never) as house:
        await house.rests()
        said = house.ada.says(house.general, "keep this", attachments=[("notes.md", b"swordfish")])
        await house.taken(house.general, said.id)
        house.ada.deletes(said)
        await house.taken(house.general, house.bob.says(house.general, "// so far").id)
        async with house.restarted():
            await house.quiet()


async def test_a_file_whose_message_is_deleted_is_out_of_every_later_prompt() -> None:
    async with with_winston(answering("Noted.")) as house:
        await send(house, "keep this", ("notes.md", b"the password is swordfish"))
        assert "swordfish" in house.prompt()
        house.ada.deletes(found(house, "keep this"))
        await house.hear(house.ada, house.general, "what do you know?")
        assert "swordfish" not in house.prompt() and "keep this" not in house.prompt()


async def test_what_is_too_long_to_post_is_a_file_and_is_posted_once_though_discord_fails() -> None:
    text = "\n\n".join(f"Paragraph {number}: " + "words " * 100 for number in range(60))
    async with with_winston(answering(text)) as house:
        house.fake.order("POST", "/webhooks/*/*", Breaks(502, after=True))
        beginning, upload = await house.hear(house.ada, house.general, "tell me all")
        assert words(beginning).startswith("Paragraph 0:") and "all of it is in the file" in words(beginning)
        ((name, data),) = upload.attachments
        assert name.startswith("winston-") and data.decode().split() == text.split()
        assert {beginning.author, upload.author} == {"🏗 Winston"}


# ---------------------------------------------------------------- edits and deletions


def found(house: House, text: str) -> Message:
    """The message of a person with that text."""
    return next(seen.message for seen in house.fake.seen(house.general) if seen.text == text)


async def waiting(house: House, *texts: str) -> list[Message]:
    """Messages that wait in the mailbox, since nobody is at work."""
    await house.rests()
    said = [house.ada.says(house.general, text) for text in texts]
    await house.taken(house.general, said[-1].id)
    assert (await house.store.stats()).waiting == len(texts)
    return said


async def told(house: House) -> None:
    """Wait until what Discord has told so far is taken, while nobody is at work."""
    await house.taken(house.general, house.bob.says(house.general, "// so far").id)


async def test_an_edit_of_a_message_that_waits_replaces_it() -> None:
    async with with_winston(answering("Queues.")) as house:
        (said,) = await waiting(house, "tell me about ques & <b>")
        house.ada.edits(said, "tell me about queues & <b>")
        await told(house)
        async with house.restarted():
            await house.quiet()
        assert "Ada: tell me about queues & <b>" in house.prompt() and "ques &" not in house.prompt()
        assert len(house.model.prompts) == 1


@pytest.mark.parametrize("count", [1, 3])
async def test_deleted_messages_that_wait_are_never_heard(count: int) -> None:
    async with with_winston(never) as house:
        said = await waiting(house, *(f"forget that I said {number}" for number in range(count)))
        house.ada.deletes(*said)
        await told(house)
        async with house.restarted():
            await house.quiet()


@pytest.mark.parametrize("at_once", [False, True])
async def test_deleted_messages_are_out_of_every_later_prompt(at_once: bool) -> None:
    async with with_winston(answering("Noted.")) as house:
        texts = ("the password is swordfish", "and swordfish again")
        for text in texts:
            await house.hear(house.ada, house.general, text)
        messages = [found(house, text) for text in texts]
        for some in [messages] if at_once else [[each] for each in messages]:
            house.ada.deletes(*some)
        await house.hear(house.ada, house.general, "what do you know?")
        assert "swordfish" not in house.prompt()


async def test_an_edited_slip_runs_nothing_and_its_author_is_told_once() -> None:
    async with with_winston(never) as house:
        (question,) = await house.hear(house.ada, house.general, "*exitt")
        assert words(question).startswith("Did you mean")
        house.ada.edits(found(house, "*exitt"), "*status", repeat=3)
        await house.caught_up(house.general)
        house.ada.edits(found(house, "*status"), "*help")
        await house.caught_up(house.general)
        every = [words(seen) for seen in house.fake.seen(house.general)]
        assert not any(text.startswith("Active:") for text in every)
        (told,) = [text for text in every if "An edit of an earlier message decides nothing here" in text]
        assert told.startswith(f"<@{house.ada.id}>"), "Discord has no whisper without an interaction"


async def test_an_edit_of_a_number_that_chose_never_chooses_again() -> None:
    async with with_winston(never) as house:
        await house.hear(house.ada, house.general, "*pm")
        await house.hear(house.ada, house.general, "*exit")
        await house.hear(house.ada, house.general, "2")
        await house.hear(house.ada, house.general, "*exit")
        house.ada.edits(found(house, "2"), "1")
        await house.caught_up(house.general)
        session = await house.session(house.general)
        assert session.active == "pm" and session.gate is not None


async def test_an_edit_of_what_was_answered_is_not_answered_again() -> None:
    async with with_winston(answering("Yes.")) as house:
        await house.hear(house.ada, house.general, "one")
        house.ada.edits(found(house, "one"), "two")
        assert await house.hear(house.bob, house.general, "// nothing") == []
        assert len(house.model.prompts) == 1


async def test_an_edit_of_a_command_that_has_run_before_a_restart_runs_nothing_and_is_told() -> None:
    async with with_winston(never) as house:
        await house.hear(house.ada, house.general, "*status")
        house.fake.advance(300)
        await house.hear(house.ada, house.general, "*help")
        async with house.restarted():
            house.ada.edits(found(house, "*status"), "*exit")
            (told,) = await house.hear(house.bob, house.general, "// nothing")
            assert "An edit of an earlier message decides nothing here" in words(told)
            assert (await house.session(house.general)).active == "architect"


@pytest.mark.parametrize("text", ["look at https://example.com/", "*status https://example.com/"])
async def test_a_preview_of_a_link_changes_nothing(text: str) -> None:
    async with with_winston(answering("Yes.")) as house:
        await house.hear(house.ada, house.general, text)
        before = len(house.model.prompts)
        house.fake.unfurls(found(house, text), title="Example")
        assert await house.hear(house.bob, house.general, "// nothing") == []
        assert len(house.model.prompts) == before
