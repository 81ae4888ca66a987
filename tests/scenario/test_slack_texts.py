"""What personas write, as it stands on Slack: their own names, nothing lost, nobody called, characters whole."""

from __future__ import annotations

import asyncio
import re

import pytest
from wcwidth import iter_graphemes

from bot.app import shipped_agents
from bot.personas.library import Library
from tests.fakes.model import Says
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Fault, Status
from tests.fakes.slack_faults import Says as Refuses
from tests.fakes.slack_state import Seen
from tests.scenario.slack_house import slack_house, subscribed
from tests.scenario.stage import answering
from tests.scenario.test_rules import never

LONGEST = 3_500
PINGS = (
    "<!channel> <!here> <!everyone|all> <!subteam^S012ABC> <@U0000000001> <@U0000000001|boss> <#C1> @channel @everyone"
)


def squeezed(text: str) -> str:
    return "".join(text.split())


async def reply_to(text: str, thread: bool = False) -> tuple[list[Seen], str]:
    """What becomes of a reply of that text at the top level of a channel, or in a thread; and who is called by it."""
    async with slack_house(lambda _p, _n: Says((text,))) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        root = await house.fake.says(alice, general, "// here") if thread else None
        await house.hear(alice, general, "*architect", thread=root)
        found = await house.hear(alice, general, "go on", thread=root)
        assert all(seen.name == "Winston" for seen in found if not seen.files)
        raw = [message.text + str(message.blocks) for message in general.messages if message.bot_id]
        return found, "\n".join(raw)


@pytest.mark.parametrize("thread", [False, True])
async def test_nobody_is_called_by_what_a_model_writes(thread: bool) -> None:
    text = f"{PINGS}\n\n```\n{PINGS}\n```\n\n`{PINGS}` see <https://x.example/?a=1&b=2> and a < b"
    (reply,), raw = await reply_to(text, thread)
    assert re.findall(r"<[!@#][^>]*>", raw) == []
    assert "<https://x.example/?a=1" in raw
    assert "<!channel>" in reply.shown and "a < b" in reply.shown, "and people read what was written"


async def test_nobody_is_called_by_a_reply_that_is_still_being_written() -> None:
    text = f"Let me think about this for a while, since it is not as easy as it may look at first: {PINGS} a < b " * 3
    pieces = tuple(text[at : at + 3] for at in range(0, len(text), 3))
    async with slack_house(lambda _p, _n: Says(pieces)) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        root = await house.fake.says(alice, general, "// here")
        await house.hear(alice, general, "*architect", thread=root)
        watched: list[str] = []

        async def look(_reply: int, _number: int) -> None:
            stands = general.messages[-1].text
            if general.messages[-1].stream and stands not in watched:
                watched.append(stands)
            await asyncio.sleep(0.02 if len(watched) < 2 else 0)

        house.model.on_piece = look
        (reply,) = await house.hear(alice, general, "go on", thread=root)
        assert len(watched) >= 2
        assert re.findall(r"<[!@#]", "".join([*watched, general.messages[-1].text])) == []
        assert reply.shown.count("<!channel>") == 3


async def test_a_long_text_is_cut_at_paragraphs_and_its_code_stays_code() -> None:
    code = "```python\n" + "\n".join(f"line_{number} = {number}" for number in range(250)) + "\n```"
    text = "\n\n".join(["Words of a paragraph. " * 40] * 6 + [code] + ["And more words. " * 40] * 4)
    found, _ = await reply_to(text)
    assert 2 < len(found) <= 5
    for seen in found:
        shown = seen.blocks[0]["text"]
        assert len(shown) <= LONGEST and len(seen.text) <= 4000
        assert shown.count("```") % 2 == 0
    whole = squeezed("".join(seen.shown.replace("```python", "").replace("```", "") for seen in found))
    assert whole == squeezed(text.replace("```python", "").replace("```", ""))


@pytest.mark.parametrize("thread", [False, True])
async def test_what_is_too_long_for_five_messages_is_a_beginning_and_a_file(thread: bool) -> None:
    text = "\n\n".join(f"Paragraph {number}: " + "words " * 100 for number in range(60))
    found, _ = await reply_to(text, thread)
    beginning, upload = sorted(found, key=lambda seen: bool(seen.files))
    assert beginning.shown.startswith("Paragraph 0:") and "all of it is in the file" in beginning.shown
    (file,) = upload.files
    assert file.name.startswith("winston-") and file.content.decode() == text.strip()


REFUSALS: list[tuple[str, Fault]] = [
    ("files.getUploadURLExternal", Refuses("file_uploads_disabled")),
    ("files.getUploadURLExternal", Status(500)),
    ("files.completeUploadExternal", Refuses("posting_to_channel_denied")),
]


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize(("method", "fault"), REFUSALS)
async def test_a_long_reply_whose_file_slack_refuses_is_posted_as_messages(
    method: str, fault: Fault, thread: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.sending.WAITS", (0.01,))
    text = "\n\n".join(f"Paragraph {number}: " + "words " * 100 for number in range(60))
    fake = FakeSlack(events=subscribed())
    fake.faults.order(method, fault, None)
    async with slack_house(lambda _p, _n: Says((text,)), fake=fake) as house:
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        root = await fake.says(alice, general, "// here") if thread else None
        await house.hear(alice, general, "*architect", thread=root)
        found = await house.hear(alice, general, "go on", thread=root)
        assert squeezed("".join(seen.shown for seen in found)) == squeezed(text)
        assert len(found) > 5 and {seen.name for seen in found} == {"Winston"}
        assert not any(seen.files or seen.streaming for seen in found)
        assert (await house.store.stats()).dead == 0
        assert [entry.kind for entry in await house.log(general, root or "")][-2:] == ["said", "reply"]


@pytest.mark.parametrize("unit", ["東京特許許可局", "🇩🇪🇹🇷", "👨‍👩‍👧‍👦", "é́"])
async def test_no_character_is_taken_apart(unit: str) -> None:
    text = unit * (9_000 // len(unit))
    found, _ = await reply_to(text)
    assert len(found) > 1
    whole = set(iter_graphemes(text))
    for seen in found:
        assert set(iter_graphemes(seen.blocks[0]["text"].strip())) <= whole
    assert squeezed("".join(seen.shown for seen in found)) == text


async def test_a_table_can_be_read() -> None:
    table = "| store | speed |\n|---|---:|\n| SQLite | 10 |\n| Postgres | 200 |"
    (reply,), _ = await reply_to(f"So:\n\n{table}\n\nThat is all.")
    lines = reply.shown.split("\n")
    rows = [line for line in lines if "SQLite" in line or "Postgres" in line]
    assert "```" in reply.shown and len({len(row.rstrip()) for row in rows}) == 1, "columns are aligned"


async def test_every_persona_that_is_shipped_comes_on_under_a_name_and_an_icon_of_its_own() -> None:
    cast = Library((), shipped_agents()).cast
    async with slack_house(never, cast=cast) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        assert len(cast.personas) > 20
        for persona in cast.personas:
            await house.hear(alice, general, f"*{persona.id}")
            greeting = house.fake.seen(general)[-1]
            assert greeting.name == persona.name and greeting.icon not in ("default", ""), persona.id
            assert house.fake.ws.knows_emoji(greeting.icon), persona.id
            assert persona.name in greeting.shown and "1. `*" in greeting.shown
        assert house.fake.called("chat.update") == []
        assert [call for call in house.fake.calls if call.method.startswith("chat.") and call.error] == []


async def test_no_post_of_a_long_talk_is_ever_edited() -> None:
    async with slack_house(answering("Fine.")) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        for typed in ("*pm", "hello", "*exit", "2", "*architect", "hello", "*help", "1", "stop", "*exit"):
            await house.hear(alice, general, typed)
        assert house.fake.called("chat.update") == [] and house.fake.called("chat.delete") == []
        assert not any(seen.edited for seen in house.fake.seen(general))
