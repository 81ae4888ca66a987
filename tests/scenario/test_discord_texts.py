"""What personas write, as it stands on Discord: their own names, nothing lost, nobody called, characters whole."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from wcwidth import iter_graphemes

from bot.app import shipped_agents
from bot.personas.library import Library
from bot.personas.model import Cast
from bot.platforms.discord import marks, streaming
from bot.platforms.discord.names import LONGEST
from tests.fakes.discord import Seen
from tests.fakes.discord_rules import sanitized
from tests.fakes.discord_state import MANAGE_WEBHOOKS
from tests.fakes.library import ARCHITECT, PM
from tests.fakes.model import Says
from tests.scenario.discord_house import House, discord_house, words
from tests.scenario.stage import answering
from tests.scenario.test_rules import never

CONTENT = 2000
PINGS = "@everyone @here <@{bob}> <@!{bob}> <@&{role}> <#{channel}> </help:700000000000000000>"


def squeezed(text: str) -> str:
    return "".join(text.split())


def hostile(house: House) -> str:
    """Everything that calls somebody on Discord."""
    team = house.fake.role(house.guild, "team")
    return PINGS.format(bob=house.bob.id, role=team.id, channel=house.general.id)


async def reply_to(text: str, place: str = "channel") -> list[Seen]:
    """What becomes of a reply of that text in a channel, in a thread, in private, or where there are no webhooks."""
    async with discord_house(lambda _p, _n: Says((text,))) as house:
        room = house.general
        match place:
            case "thread":
                room = house.ada.starts_thread(house.general, "plans")
            case "private":
                room = house.ada.opens_dm()
            case "nameless":
                house.fake.permits(room, house.fake.me, deny=MANAGE_WEBHOOKS)
        await house.hear(house.ada, room, "*architect")
        found = await house.hear(house.ada, room, "go on")
        assert all(len(seen.text) <= CONTENT and not seen.pings for seen in found)
        return found


# ---------------------------------------------------------------- nobody is called


@pytest.mark.parametrize("place", ["channel", "thread", "private", "nameless"])
async def test_nobody_is_called_by_what_a_model_writes(place: str) -> None:
    text = "@everyone @here <@700000000000000001> <@&700000000000000002>\n\n```\n@everyone\n```\n\n`@here`"
    (reply,) = await reply_to(text, place)
    assert text in words(reply), "and people read what was written"


async def test_nobody_is_called_by_anything_that_the_bot_says_in_a_long_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "PACE", 0.01)
    opening = "Let me think about this for a while, since it is not as easy as it may look at first: "
    async with discord_house() as house:
        calls = hostile(house)
        question = Says(calls=(("ask", {"question": f"{calls}?", "options": [f"{calls} yes", calls]}),))
        pieces = tuple((opening + calls * 6)[at : at + 20] for at in range(0, 800, 20))
        house.model.script = lambda _p, n: question if n == 2 else Says(pieces)

        async def slowly(_reply: int, _number: int) -> None:
            await asyncio.sleep(0.005)

        house.model.on_piece = slowly
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        await house.hear(house.ada, house.general, "*architect")
        await house.hear(house.ada, house.general, f"what about {calls} // <@{house.fake.me.id}>")
        asked = (await house.hear(house.ada, house.general, "ask me"))[-1]
        await house.press(house.ada, asked, asked.buttons[0])
        for what in (f"*{calls}", calls, f"zzz {calls}", f"agent {calls}"):
            await house.answered(house.ada.slash(house.general, "greenroom", what=what))
        edited = [call for call in house.fake.calls if call.method == "PATCH"]
        assert len(edited) > 2
        sent = [call for call in house.fake.calls if isinstance(call.body, dict) and "content" in call.body]
        assert sent and all(call.body["allowed_mentions"] == {"parse": []} for call in sent)
        ours = [seen for seen in house.fake.seen(house.general) if seen.author != "ada"]
        assert all(seen.pings == frozenset() for seen in ours)
        assert any("@everyone" in seen.text for seen in ours)


# ---------------------------------------------------------------- long texts


@pytest.mark.parametrize("place", ["channel", "nameless"])
async def test_a_long_text_is_cut_at_paragraphs_and_its_code_stays_code(place: str) -> None:
    code = "```python\n" + "\n".join(f"line_{number} = {number}" for number in range(250)) + "\n```"
    text = "\n\n".join(["Words of a paragraph. " * 25, code, "And more words. " * 40])
    found = await reply_to(text, place)
    assert 2 < len(found) <= 5
    assert all(seen.text.count("```") % 2 == 0 for seen in found)
    assert sum("```python" in seen.text for seen in found) >= 2, "code that is cut goes on as the same code"
    bodies = [words(seen).removeprefix("**🏗️ Winston**\n") for seen in found]
    whole = squeezed("".join(body.replace("```python", "").replace("```", "") for body in bodies))
    assert whole == squeezed(text.replace("```python", "").replace("```", ""))


@pytest.mark.parametrize("place", ["channel", "thread", "private"])
async def test_what_is_too_long_for_five_messages_is_a_beginning_and_a_file(place: str) -> None:
    text = "\n\n".join(f"Paragraph {number}: " + "words " * 100 for number in range(60))
    beginning, upload = await reply_to(text, place)
    assert "Paragraph 0:" in words(beginning) and "all of it is in the file" in words(beginning)
    ((name, data),) = upload.attachments
    assert name.startswith("winston-") and data.decode() == text.strip()


@pytest.mark.parametrize(
    "unit",
    ["東京特許許可局", "🇩🇪🇹🇷", "👨‍👩‍👧‍👦", "é́", "İıŞşĞğ", "😀", "👍🏽"],
    ids=["japanese", "flags", "families", "accents", "turkish", "faces", "thumbs"],
)
@pytest.mark.parametrize("place", ["channel", "nameless"])
async def test_no_character_is_taken_apart_and_none_is_lost(unit: str, place: str) -> None:
    text = unit * (6_000 // len(unit))
    found = await reply_to(text, place)
    assert 1 < len(found) <= 5
    whole = set(iter_graphemes(text))
    bodies = [words(seen).removeprefix("**🏗️ Winston**\n") for seen in found]
    for body in bodies:
        assert set(iter_graphemes(body.strip())) <= whole
    assert squeezed("".join(bodies)) == text


async def test_characters_of_two_units_count_once_as_discord_counts_them() -> None:
    text = "😀" * 1_800
    (reply,) = await reply_to(text)
    assert words(reply) == text and len(text.encode("utf-16-le")) // 2 > CONTENT


async def test_joiners_of_a_persona_are_no_mark_and_stay() -> None:
    text = "A family: 👨\u200d👩\u200d👧\u200d👦 and a word joiner a\u2060b, and at the end \u200b\u200c\u200d"
    (reply,) = await reply_to(text)
    assert reply.text.startswith(text.rstrip()) and marks.mark_in(reply.text)


@pytest.mark.parametrize(
    "text", ["#### **", "#### \n####", "***", "```", "`", "\\", "> ", "||", "<@", "# ", "https://x.example/", "a\x00b"]
)
async def test_whatever_a_persona_writes_it_stands_there(text: str) -> None:
    for place in ("channel", "private"):
        (reply,) = await reply_to(text, place)
        assert marks.mark_in(reply.text) and words(reply).removeprefix("**🏗️ Winston**\n")


async def test_a_table_can_be_read() -> None:
    table = "| store | speed |\n|---|---:|\n| SQLite | 10 |\n| Postgres | 200 |"
    (reply,) = await reply_to(f"So:\n\n{table}\n\nThat is all.")
    rows = [line for line in words(reply).split("\n") if "SQLite" in line or "Postgres" in line]
    assert "```" in reply.text and len({len(row.rstrip()) for row in rows}) == 1, "columns are aligned"


async def test_the_longest_words_of_a_person_and_a_persona_go_through() -> None:
    text = "x" * CONTENT
    async with discord_house(answering("Fine.")) as house:
        await house.hear(house.ada, house.general, "*architect")
        (reply,) = await house.hear(house.ada, house.general, text)
        assert words(reply) == "Fine." and text in house.prompt()


# ---------------------------------------------------------------- names


async def test_every_persona_that_is_shipped_comes_on_under_a_name_and_a_picture_of_its_own() -> None:
    cast = Library((), shipped_agents()).cast
    async with discord_house(never, cast=cast) as house:
        assert len(cast.personas) > 20
        pictures: dict[str, str] = {}
        for persona in cast.personas:
            greeting = (await house.hear(house.ada, house.general, f"*{persona.id}"))[-1]
            assert greeting.author == sanitized(f"{persona.icon} {persona.name}"), persona.id
            assert persona.name in words(greeting) and "1. `*" in words(greeting)
            assert greeting.avatar_url is not None, persona.id
            pictures[greeting.avatar_url] = persona.id
        assert len(pictures) == len(cast.personas)
        assert len(house.fake.webhooks(house.general)) == 1
        assert [call.path for call in house.fake.calls if call.status >= 400] == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Clyde", "🏗 Cl·yde"),
        ("The DISCORD Expert", "🏗 The DIS·CORD Expert"),
        ("Ada " * 40, None),
        ("👩‍👩‍👧‍👦" * 30, None),
        ("  two   spaces ", "🏗 two spaces"),
        ("東京", "🏗 東京"),
    ],
)
async def test_a_name_that_discord_does_not_take_as_it_is_arrives_all_the_same(name: str, shown: str | None) -> None:
    cast = Cast(personas=(replace(ARCHITECT, name=name), PM))
    async with discord_house(answering("Fine."), cast=cast) as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        (reply,) = await house.hear(house.ada, house.general, "hello")
        assert greeting.is_webhook and reply.author == greeting.author and words(reply) == "Fine."
        assert len(greeting.author) <= LONGEST
        if shown:
            assert greeting.author == shown
        else:
            assert greeting.author.endswith("…")
            whole = set(iter_graphemes(sanitized(f"🏗 {name}…")))
            assert set(iter_graphemes(greeting.author)) <= whole


@pytest.mark.parametrize("name", ["_" * 200, "👩‍👩‍👧‍👦" * 30, "A name " * 40])
async def test_a_long_name_leaves_room_for_the_text_below_it(name: str) -> None:
    text = "x" * 1_850
    cast = Cast(personas=(replace(ARCHITECT, name=name),))
    async with discord_house(lambda _p, _n: Says((text,)), cast=cast) as house:
        room = house.ada.opens_dm()
        await house.hear(house.ada, room, "*architect")
        (reply,) = await house.hear(house.ada, room, "hello")
        assert words(reply).endswith(f"**\n{text}") and len(reply.text) <= CONTENT


async def test_a_name_is_no_markup_where_it_stands_in_the_text() -> None:
    cast = Cast(personas=(replace(ARCHITECT, name="**Win** _ston_ @everyone"),))
    async with discord_house(answering("Fine."), cast=cast) as house:
        house.fake.permits(house.general, house.fake.me, deny=MANAGE_WEBHOOKS)
        await house.hear(house.ada, house.general, "*architect")
        (reply,) = await house.hear(house.ada, house.general, "hello")
        assert words(reply) == "**🏗️ \\*\\*Win\\*\\* \\_ston\\_ @everyone**\nFine."
        assert reply.pings == frozenset()
