"""Files that people post on Slack with what they say, and messages that they change or delete."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from PIL import Image

from bot.core.model import FILE
from bot.core.speakers import said
from bot.platforms.slack import files
from bot.runtime import incoming
from bot.runtime.lease import ended
from tests.fakes.slack_faults import Fault, Limited, Says, Status
from tests.fakes.slack_state import Person, Room
from tests.scenario.slack_house import House, slack_house
from tests.scenario.stage import answering
from tests.scenario.test_rules import never


async def team(house: House) -> tuple[Person, Room]:
    """Alice in a channel where Winston is on."""
    alice = house.fake.user("alice")
    general = house.fake.channel("general", [alice])
    await house.hear(alice, general, "*architect")
    return alice, general


# ---------------------------------------------------------------- files


async def test_a_text_file_goes_into_the_turn_with_the_question() -> None:
    async with slack_house(answering("A queue.")) as house:
        alice, general = await team(house)
        notes = house.fake.people.file(alice, "notes.md", "# Queues\n\nUse <one> & only one: 待ち行列".encode())
        (reply,) = await house.hear(alice, general, "what is in it?", files=[notes])
        assert reply.shown == "A queue."
        assert (
            said("alice", "what is in it?\n\n(sent `notes.md`:)\n```\n# Queues\n\nUse <one> & only one: 待ち行列\n```")
            in house.prompt()
        )


async def test_a_file_without_words_is_enough_to_be_answered() -> None:
    async with slack_house(answering("A queue.")) as house:
        alice, general = await team(house)
        (reply,) = await house.hear(alice, general, "", files=[house.fake.people.file(alice, "notes.md", b"one queue")])
        assert reply.shown == "A queue." and "one queue" in house.prompt()


async def test_an_image_is_declined_in_words_and_the_question_is_answered() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    async with slack_house(answering("I cannot see it.")) as house:
        alice, general = await team(house)
        photo = house.fake.people.file(alice, "photo.png", picture.getvalue(), "image/png")
        declined, reply = await house.hear(alice, general, "what is this?", files=[photo])
        assert declined.shown.startswith("`photo.png` is an image") and reply.shown == "I cannot see it."


async def test_a_file_that_is_too_long_is_asked_about_first() -> None:
    async with slack_house(answering("It begins well.")) as house:
        alice, general = await team(house)
        log = house.fake.people.file(alice, "big.log", b"a line of the log\n" * 10_000)
        (question,) = await house.hear(alice, general, "what is wrong?", files=[log])
        assert "`big.log` (180.0 KB)" in question.shown and f"{FILE:,} characters" in question.shown
        assert [b.label for b in question.buttons] == [
            f"1 Take the first {FILE:,} characters", "2 Answer without it", "3 Leave it all"
        ]  # fmt: skip
        assert house.model.prompts == []
        (reply,) = await house.hear(alice, general, "1")
        assert reply.shown == "It begins well."
        assert house.prompt().count("a line of the log") == FILE // len("a line of the log\n")


async def test_a_file_that_slack_does_not_give_is_told() -> None:
    async with slack_house(answering("I have not read it.")) as house:
        alice, general = await team(house)
        house.fake.ws.scopes -= {"files:read"}
        notes = house.fake.people.file(alice, "notes.md", b"secret")
        declined, reply = await house.hear(alice, general, "what is in it?", files=[notes])
        assert declined.shown == "`notes.md` was not given to me by Slack; send it again, or paste what matters."
        assert reply.shown == "I have not read it." and "Sign in" not in house.prompt()


async def test_a_file_of_talk_that_is_not_for_the_bot_is_not_fetched() -> None:
    async with slack_house(never) as house:
        alice, general = await team(house)
        bob = house.fake.user("bob")
        general.members.append(bob.id)
        notes = house.fake.people.file(alice, "notes.md", b"for bob")
        assert await house.hear(alice, general, "@bob have a look", files=[notes]) == []


async def test_a_file_whose_message_is_deleted_is_out_of_every_later_prompt() -> None:
    async with slack_house(answering("Noted.")) as house:
        alice, general = await team(house)
        notes = house.fake.people.file(alice, "notes.md", b"the password is swordfish")
        await house.hear(alice, general, "keep this", files=[notes])
        assert "swordfish" in house.prompt()
        ts = next(seen.ts for seen in house.fake.seen(general) if seen.files)
        await house.fake.people.deletes(general, ts)
        await house.hear(alice, general, "what do you know?")
        assert "swordfish" not in house.prompt() and "keep this" not in house.prompt()


# ---------------------------------------------------------------- files that cannot be had


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long before a file is tried again."""
    monkeypatch.setattr(incoming, "WAITS", (0.0, 0.01, 0.01))
    monkeypatch.setattr("bot.platforms.sending.WAITS", (0.01,))


@pytest.mark.usefixtures("hurried")
async def test_a_host_of_files_that_is_dead_holds_a_conversation_up_for_three_tries() -> None:
    async with slack_house(answering("I have not read it.")) as house:
        alice, general = await team(house)
        house.fake.faults.file_statuses.append(503)
        notes = house.fake.people.file(alice, "notes.md", b"one queue")
        declined, reply = await house.hear(alice, general, "what is in it?", files=[notes])
        assert declined.shown == (
            "`notes.md`: I could not fetch it (Slack answers HTTP 503); send it again later, or paste what matters."
        )
        assert reply.shown == "I have not read it." and house.fake.faults.downloads == 3


@pytest.mark.usefixtures("hurried")
async def test_a_file_that_comes_at_the_third_try_is_read() -> None:
    async with slack_house(answering("A queue.")) as house:
        alice, general = await team(house)
        house.fake.faults.file_statuses.extend([503, 500, 200])
        notes = house.fake.people.file(alice, "notes.md", b"one queue")
        (reply,) = await house.hear(alice, general, "what is in it?", files=[notes])
        assert reply.shown == "A queue." and "one queue" in house.prompt()


async def test_a_host_that_never_ends_its_answer_holds_a_conversation_up_for_a_minute_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(incoming, "WITHIN", 0.3)
    async with silent_host() as (address, _), slack_house(answering("I have not read it.")) as house:
        alice, general = await team(house)
        monkeypatch.setattr(files, "ORIGINS", frozenset((address,)))
        house.worker.transports["slack"]._files = files.Files(house.adapter._web)  # type: ignore[attr-defined]
        notes = house.fake.people.file(alice, "notes.md", b"one queue")
        notes.address = f"{address}/files-pri/notes.md"
        declined, reply = await house.hear(alice, general, "what is in it?", files=[notes])
        assert "I could not fetch it (it took too long)" in declined.shown and reply.shown == "I have not read it."


async def test_a_file_of_which_a_message_tells_only_the_id_is_looked_up() -> None:
    async with slack_house(answering("A queue.")) as house:
        alice, general = await team(house)
        notes = house.fake.people.file(alice, "notes.md", b"one queue")
        notes.only_id = True
        (reply,) = await house.hear(alice, general, "what is in it?", files=[notes])
        assert reply.shown == "A queue." and "(sent `notes.md`:)" in house.prompt() and "one queue" in house.prompt()


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("fault", [Says("file_not_found"), Status(500), Limited(30)])
async def test_a_file_that_cannot_be_looked_up_is_told_and_the_turn_goes_on(fault: Fault) -> None:
    async with slack_house(answering("I have not read it.")) as house:
        alice, general = await team(house)
        house.fake.faults.order("files.info", fault, None)
        notes = house.fake.people.file(alice, "notes.md", b"one queue")
        notes.only_id = True
        declined, reply = await house.hear(alice, general, "what is in it?", files=[notes])
        assert declined.shown.startswith("`file`: ") and reply.shown == "I have not read it."


@pytest.mark.parametrize("how", ["address", "moved"])
async def test_the_token_goes_to_no_other_host(how: str) -> None:
    async with silent_host(answers=True) as (address, calls), slack_house(answering("I have not read it.")) as house:
        alice, general = await team(house)
        notes = house.fake.people.file(alice, "notes.md", b"one queue")
        setattr(notes, how, f"{address}/notes.md")
        declined, reply = await house.hear(alice, general, "what is in it?", files=[notes])
        assert "is not kept by Slack itself" in declined.shown and reply.shown == "I have not read it."
        assert calls == []


@asynccontextmanager
async def silent_host(*, answers: bool = False) -> AsyncIterator[tuple[str, list[str]]]:
    """A host that takes connections and, unless it `answers`, says nothing; its address, and what it was sent."""
    calls: list[str] = []
    writers: list[asyncio.StreamWriter] = []

    async def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        calls.append((await reader.read(65536)).decode())
        if answers:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Type: text/plain\r\n\r\nstolen")
            await writer.drain()

    server = await asyncio.start_server(called, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", calls
    finally:
        for writer in writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        server.close()


# ---------------------------------------------------------------- edits and deletions


async def waiting(house: House, alice: Person, general: Room, text: str) -> str:
    """A message that waits in the mailbox, since nobody is at work; its ts."""
    await ended(house.serving[1:])
    ts = await house.fake.says(alice, general, text)
    await house.fake.settled()
    assert (await house.store.stats()).waiting == 1
    return ts


async def test_an_edit_of_a_message_that_waits_replaces_it() -> None:
    async with slack_house(answering("Queues.")) as house:
        alice, general = await team(house)
        ts = await waiting(house, alice, general, "tell me about ques & <b>")
        await house.fake.people.edits(alice, general, ts, "tell me about queues & <b>")
        await house.fake.settled()
        await house.restart()
        await house.quiet()
        assert "alice: tell me about queues & <b>" in house.prompt() and "ques &" not in house.prompt()
        assert len(house.model.prompts) == 1


async def test_a_deleted_message_that_waits_is_never_heard() -> None:
    async with slack_house(never) as house:
        alice, general = await team(house)
        ts = await waiting(house, alice, general, "forget that I said this")
        await house.fake.people.deletes(general, ts)
        await house.fake.settled()
        await house.restart()
        await house.quiet()
        assert house.model.prompts == []


@pytest.mark.parametrize("has_replies", [False, True])
async def test_a_deleted_message_is_out_of_every_later_prompt(has_replies: bool) -> None:
    async with slack_house(answering("Noted.")) as house:
        alice, general = await team(house)
        await house.hear(alice, general, "the password is swordfish")
        ts = next(seen.ts for seen in house.fake.seen(general) if "swordfish" in seen.text)
        if has_replies:
            await house.hear(alice, general, "// and more", thread=ts)
        await house.fake.people.deletes(general, ts)
        await house.hear(alice, general, "what do you know?")
        assert "swordfish" not in house.prompt()


async def test_an_edited_slip_runs_nothing_and_its_author_alone_is_told_once() -> None:
    async with slack_house(never) as house:
        alice, general = await team(house)
        (question,) = await house.hear(alice, general, "*exitt")
        assert question.text.startswith("Did you mean")
        ts = next(seen.ts for seen in house.fake.seen(general) if seen.text == "*exitt")
        house.fake.dispatch.redeliver_all = 3
        await house.fake.people.edits(alice, general, ts, "*status")
        await house.quiet()
        assert not any(seen.text.startswith("Active:") for seen in house.fake.seen(general))
        assert not any("An edit" in seen.text for seen in house.fake.seen(general))
        (told,) = house.fake.people.whispers(alice)
        assert told.text.startswith("An edit of an earlier message decides nothing here.")


async def test_an_edit_of_a_number_that_chose_never_chooses_again() -> None:
    async with slack_house(never) as house:
        alice, general = await team(house)
        await house.hear(alice, general, "*pm")
        await house.hear(alice, general, "*exit")
        await house.hear(alice, general, "2")
        ts = next(seen.ts for seen in house.fake.seen(general) if seen.text == "2")
        await house.hear(alice, general, "*exit")
        await house.fake.people.edits(alice, general, ts, "1")
        await house.quiet()
        session = await house.session(general)
        assert session.active == "pm" and session.gate is not None


async def test_an_edit_of_what_was_answered_is_not_answered_again() -> None:
    async with slack_house(answering("Yes.")) as house:
        alice, general = await team(house)
        await house.hear(alice, general, "one")
        ts = next(seen.ts for seen in house.fake.seen(general) if seen.text == "one")
        before = len(house.fake.seen(general))
        await house.fake.people.edits(alice, general, ts, "two")
        await house.quiet()
        assert len(house.fake.seen(general)) == before and len(house.model.prompts) == 1


async def test_a_preview_of_a_link_changes_nothing() -> None:
    async with slack_house(answering("Yes.")) as house:
        alice, general = await team(house)
        for text in ("look at https://example.com/", "*status https://example.com/"):
            ts = await house.fake.says(alice, general, text)
            await house.quiet()
            before = len(house.fake.seen(general))
            await house.fake.people.unfurls(general, ts)
            await house.quiet()
            assert len(house.fake.seen(general)) == before
