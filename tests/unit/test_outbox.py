"""What a post becomes on a platform, and what of it people watch before."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.core.growing import GrowingReply
from bot.core.model import Activate, Conversation, Menu, Option, Voice, Whisper
from bot.core.steps import Post
from bot.core.tables import as_code
from bot.core.voices import Names, quoted
from bot.ports.transport import Outgoing
from bot.runtime.outbox import MOST, REFUSED, WHOLE, Address, Content, deliver, outgoing
from tests.fakes.platform import FakePlatform

WINSTON = Voice("Winston", "🏗️", "architect")
HERE = Address(Conversation("fake", "team", "general"), "in1", 7)
MENU = Menu("m1", (Option("Draw", Activate("architect")), Option("Write", Activate("pm"), "a PRD")), "Which?")
NUMBERS = "1. Draw\n2. Write - a PRD\n\nWhich?"
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n"
DRAWN = "```\na  b\n-  -\n1  2\n```\n"


def sent(post: Post, platform: FakePlatform | None = None, ordinal: int = 3) -> tuple[Outgoing, ...]:
    return outgoing(HERE, ordinal, post, platform or FakePlatform(limit=200), again=False)


def texts(post: Post, platform: FakePlatform | None = None) -> list[str]:
    return [out.text for out in sent(post, platform)]


def test_a_short_post_is_one_message_with_its_menu_written_out() -> None:
    assert sent(Post(WINSTON, "Hello.", MENU)) == (
        Outgoing("fake:team:general/in1/3", HERE.conversation, WINSTON, f"Hello.\n\n{NUMBERS}", 7, MENU),
    )


def test_a_long_post_is_in_pieces_with_its_menu_under_the_last() -> None:
    found = sent(Post(WINSTON, "word " * 80, MENU))
    assert [out.key.rpartition("in1")[2] for out in found] == ["/3", "/3/1", "/3/2"]
    assert [out.menu for out in found] == [None, None, MENU]
    assert found[-1].text.endswith(NUMBERS) and not any(out.file for out in found)
    assert all(len(out.text) <= 200 and (out.voice, out.since) == (WINSTON, 7) for out in found)


def test_what_is_too_long_for_messages_is_its_beginning_a_file_and_the_menu() -> None:
    whole = "word " * 500
    first, second, third = sent(Post(WINSTON, whole, MENU))
    assert first.text.startswith("word word") and first.text.endswith(f"word\n\n{WHOLE}") and len(first.text) <= 200
    assert second.text == "" and second.file is not None and second.file.text == whole
    assert third.text == NUMBERS and (first.menu, second.menu, third.menu) == (None, None, MENU)
    assert first.file is None and third.file is None
    assert len(sent(Post(WINSTON, whole))) == 2


def test_a_platform_without_files_gets_all_pieces() -> None:
    found = sent(Post(WINSTON, "word " * 500), FakePlatform(limit=200, most=0))
    assert len(found) > 10 and not any(out.file for out in found)


def test_as_many_pieces_as_a_platform_wants_are_no_file_yet() -> None:
    pieces = len(sent(Post(WINSTON, "word " * 150), FakePlatform(limit=200, most=0)))
    assert len(sent(Post(WINSTON, "word " * 150), FakePlatform(limit=200, most=pieces))) == pieces
    assert sent(Post(WINSTON, "word " * 150), FakePlatform(limit=200, most=pieces - 1))[1].file


def test_a_menu_that_is_longer_than_a_message_is_in_pieces_too() -> None:
    menu = Menu("m2", tuple(Option("An option of some length", Activate("x"), "and its hint") for _ in range(25)))
    beginning, file, *numbers = sent(Post(WINSTON, "word " * 500, menu))
    assert file.file and beginning.text.endswith(WHOLE)
    assert "\n".join(out.text for out in numbers).count("An option") == 25
    assert all(len(out.text) <= 200 for out in numbers)
    assert [out.menu for out in numbers] == [None] * (len(numbers) - 1) + [menu]
    alone = sent(Post(WINSTON, "", menu))
    assert len(alone) > 5 and not any(out.file for out in alone)


def test_the_name_of_a_file_is_its_posts_own_and_always_the_same() -> None:
    post = Post(Voice("Łukasz  Mc/Neil!", "📋", "pm"), "word " * 500)

    def name(found: tuple[Outgoing, ...]) -> str:
        return next(out.file.name for out in found if out.file)

    assert name(sent(post)) == name(outgoing(HERE, 3, post, FakePlatform(limit=200), again=True))
    assert name(sent(post)).startswith("łukasz-mc-neil-") and name(sent(post)).endswith(".md")
    others = [replace(HERE, head="in2"), replace(HERE, conversation=Conversation("fake", "team", "general", "t"))]
    names = {name(outgoing(where, 3, post, FakePlatform(limit=200), again=False)) for where in others}
    assert len({*names, name(sent(post)), name(sent(post, ordinal=4))}) == 4
    assert name(sent(replace(post, voice=Voice("🟢", "🟢")))).startswith("text-")


def test_what_one_person_is_to_see_stays_theirs_in_every_piece() -> None:
    only = Whisper("Ualice", "handle")
    for length in (1, 80, 500):
        assert {out.only for out in sent(Post(WINSTON, "word " * length, MENU, only=only))} == {only}


def test_again_is_said_of_every_piece() -> None:
    found = outgoing(HERE, 3, Post(WINSTON, "word " * 80), FakePlatform(limit=200), again=True)
    assert len(found) > 1 and all(out.again for out in found)


def test_a_table_is_drawn_where_the_platform_shows_none() -> None:
    post = Post(WINSTON, f"So:\n\n{TABLE}\nYes.", MENU)
    assert texts(post, FakePlatform(tables=True)) == [f"So:\n\n{TABLE}\nYes.\n\n{NUMBERS}"]
    assert texts(post, FakePlatform(tables=False)) == [f"So:\n\n{DRAWN}\nYes.\n\n{NUMBERS}"]


def test_a_menu_is_no_table_whatever_its_labels_are() -> None:
    menu = Menu("m3", (Option("a | b", Activate("x")),), "|---|")
    assert texts(Post(WINSTON, "So.", menu), FakePlatform(tables=False)) == ["So.\n\n1. a | b\n\n|---|"]


def test_a_file_keeps_its_tables_as_they_were_written() -> None:
    whole = f"{TABLE}\n" + "word " * 500
    first, second = sent(Post(WINSTON, whole), FakePlatform(limit=200, tables=False))
    assert first.text.startswith(DRAWN) and second.file is not None and second.file.text == whole


# ---------------------------------------------------------------- a file that is refused

LONG = Post(WINSTON, "\n\n".join(f"Paragraph {number}. " + "word " * 20 for number in range(14)), MENU, completes=3)


async def test_a_long_reply_whose_file_is_refused_is_posted_as_messages() -> None:
    platform = FakePlatform(limit=200, refuses_files=True)
    await deliver(platform, HERE, 3, LONG, None, again=False)
    shown = platform.seen(HERE.conversation)
    assert " ".join(m.text for m in shown).split() == f"{LONG.markdown} {NUMBERS}".split()
    assert not any(m.file for m in shown) and not any(WHOLE in m.text for m in shown)
    assert [m.menu for m in shown] == [None] * (len(shown) - 1) + [MENU]


async def test_what_was_watched_of_it_becomes_its_first_message() -> None:
    platform = FakePlatform(limit=200, refuses_files=True)
    ref = await platform.preview(Outgoing(HERE.key(3), HERE.conversation, WINSTON, "", 7))
    assert ref
    await platform.extend(ref, LONG.markdown[:60])
    await deliver(platform, HERE, 3, LONG, ref, again=False)
    first = platform.messages[ref]
    assert first.sealed and LONG.markdown.startswith(first.text) and WHOLE not in first.text


async def test_no_text_promises_a_file_before_the_file_is_there() -> None:
    platform = FakePlatform(limit=200)
    await deliver(platform, HERE, 3, LONG, None, again=False)
    file, first, menu = platform.seen(HERE.conversation)
    assert file.file and first.text.endswith(WHOLE) and menu.menu == MENU


async def test_what_is_too_long_for_messages_too_says_how_much_is_missing() -> None:
    platform = FakePlatform(limit=200, refuses_files=True)
    post = replace(LONG, markdown="".join(f"{number:04} " for number in range(2000)))
    await deliver(platform, HERE, 3, post, None, again=False)
    *body, note, menu = platform.seen(HERE.conversation)
    assert len(body) == MOST and menu.text == NUMBERS and menu.menu == MENU
    kept = " ".join(m.text for m in body).split()
    assert kept == post.markdown.split()[: len(kept)]
    missing = int(note.text.partition("messages: ")[2].partition(" ")[0].replace(",", ""))
    assert abs(missing - 5 * (2000 - len(kept))) < 40, "but for white space at the cuts"


def test_what_one_person_is_to_see_goes_up_as_no_file() -> None:
    found = sent(Post(WINSTON, "word " * 500, MENU, only=Whisper("Ualice", "handle")))
    assert len(found) > 5 and not any(out.file for out in found)


class CrashError(Exception):
    """The process is gone."""


@dataclass
class Dying:
    """A platform whose caller dies at the call with that number, counted twice: before its effect and after."""

    platform: FakePlatform
    at: int
    count: int = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.platform, name)
        if not callable(real):
            return real

        async def called(*args: Any) -> Any:
            self._point()
            answer = await real(*args)
            self._point()
            return answer

        return called

    def _point(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise CrashError


@pytest.mark.parametrize("then", [True, False], ids=["refused again", "taken by now"])
@pytest.mark.parametrize("watched", [True, False])
async def test_a_crash_at_any_call_mixes_no_two_forms_and_says_nothing_twice(watched: bool, then: bool) -> None:
    at, crashed = 0, True
    while crashed:
        at, crashed = at + 1, False
        platform = FakePlatform(limit=200, refuses_files=True)
        ref = None
        if watched:
            ref = await platform.preview(Outgoing(HERE.key(3), HERE.conversation, WINSTON, "", 0))
            await platform.extend(str(ref), LONG.markdown[:60])
        where = replace(HERE, since=0)
        try:
            await deliver(Dying(platform, at), where, 3, LONG, ref, again=False)
        except CrashError:
            crashed = True
            platform.refuses_files = then
            await deliver(platform, where, 3, LONG, None, again=True)
        shown = platform.seen(HERE.conversation)
        assert all(m.sealed for m in shown)
        files = [m for m in shown if m.file]
        if files:
            assert len(shown) == 3 and len(files) == 1 and sum(WHOLE in m.text for m in shown) == 1
        else:
            said = " ".join(m.text for m in shown).split()
            assert said == f"{LONG.markdown} {NUMBERS}".split(), at
    assert at > 10


# ---------------------------------------------------------------- what is watched before


NAMES = Names.of(["Winston"], ["John"])
REPLY = f"Well, {'so ' * 9}it is.\n\n{TABLE}\nAnd 👨‍👩‍👧‍👦 say: {'word ' * 400}"


def watched(platform: FakePlatform, reply: str, step: int) -> list[str]:
    """What may be seen of a reply that comes in pieces of so many characters, after each of them."""
    growing = GrowingReply(NAMES, platform.limit, tables=platform.tables)
    shown = []
    for start in range(0, len(reply), step):
        growing.add(reply[start : start + step])
        shown.append(growing.shown())
    return shown


@pytest.mark.parametrize("most", [0, 5])
@pytest.mark.parametrize("tables", [True, False])
@pytest.mark.parametrize("limit", [200, 400, 2000])
def test_what_was_watched_becomes_the_first_piece(limit: int, tables: bool, most: int) -> None:
    platform = FakePlatform(limit=limit, most=most, tables=tables)
    shown = watched(platform, REPLY, 1)
    post = Post(WINSTON, quoted(REPLY, NAMES).markdown, completes=3)
    first = sent(post, platform)[0]
    assert shown[-1] and all(first.text.startswith(text) for text in shown)


def test_a_table_is_watched_as_it_will_be_posted() -> None:
    shown = watched(FakePlatform(limit=2000, tables=False), REPLY, 1)
    assert not any("|" in text for text in shown) and any(DRAWN in text for text in shown)
    assert any(TABLE in text for text in watched(FakePlatform(limit=2000), REPLY, 7))


def test_prose_is_watched_before_its_line_ends() -> None:
    shown = watched(FakePlatform(limit=2000, tables=False), "word " * 400, 5)
    assert "".join(shown[:7]) == "" and shown[9].startswith("word " * 8) and len(shown[100]) > 480


def test_the_drawing_of_a_part_begins_the_drawing_of_the_reply() -> None:
    whole = as_code(REPLY, finished=True)
    assert all(whole.startswith(as_code(REPLY[:length], finished=False)) for length in range(len(REPLY)))


# ---------------------------------------------------------------- a file that goes with a post


async def delivered(platform: FakePlatform, post: Post, content: Content, *, again: bool = False) -> None:
    await deliver(platform, HERE, 3, post, None, again=again, content=content)


async def test_a_documents_file_goes_up_before_the_words_that_tell_of_it() -> None:
    platform = FakePlatform()
    await delivered(platform, Post(WINSTON, "Here it is.", MENU), Content("docs/PRD v2.md", "# PRD"))

    file, words = platform.seen()
    assert file.file is not None and file.text == "" and file.voice == WINSTON
    assert file.file.content == b"# PRD" and re.fullmatch(r"prd-v2-[0-9a-f]{10}\.md", file.file.name)
    assert words.text == f"Here it is.\n\n{NUMBERS}" and words.menu == MENU


async def test_a_repeated_post_puts_its_file_up_once() -> None:
    platform = FakePlatform(clock=7)
    for again in (False, True):
        await delivered(platform, Post(WINSTON, "Here."), Content("a.zip", data=b"PK\x00\xff"), again=again)

    file, words = platform.seen()
    assert file.file is not None and file.file.content == b"PK\x00\xff" and file.file.name.endswith(".zip")
    assert words.text == "Here."


async def test_where_the_file_is_refused_its_text_stands_below_the_post() -> None:
    platform = FakePlatform(refuses_files=True)
    await delivered(platform, Post(WINSTON, "Here.", MENU), Content("a.md", "# All of it"))
    await delivered(platform, Post(WINSTON, "And an archive."), Content("a.zip", data=b"PK"))

    assert platform.texts == [
        f"Here.\n\n# All of it\n\n{NUMBERS}", f"And an archive.\n\n{REFUSED.format(name='a.zip')}"
    ]  # fmt: skip


async def test_a_long_text_whose_file_is_refused_is_posted_as_messages_and_no_more_than_so_many() -> None:
    platform = FakePlatform(limit=200, refuses_files=True)
    await delivered(platform, Post(WINSTON, "Here."), Content("a.md", "word " * 2000))

    assert platform.texts[0].startswith("Here.") and len(platform.texts) == MOST + 1
    assert "characters are missing" in platform.texts[-1]
