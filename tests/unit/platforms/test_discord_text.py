"""Discord's pure half: marks, mentions, markup, names, components, pictures."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from bot.core.model import Answer, Conversation, Menu, Option, Run, Voice
from bot.core.text import pieces
from bot.platforms.button_payload import Pressed, Words, packed, unpacked
from bot.platforms.discord import avatars, components, marks, markup, names
from bot.platforms.discord.options import DiscordOptions
from bot.platforms.discord.transport import DiscordTransport
from bot.platforms.discord.typed import plain_text
from bot.platforms.typed import Plain

ROOM = Conversation("discord", "1" * 19, "2" * 19, "3" * 19)
WINSTON = Voice("Winston", "🏗️", "architect")
BOT = frozenset({"100000000000000000", "200000000000000000"})


def test_a_post_is_known_by_its_mark_and_two_keys_have_two() -> None:
    content = marks.marked("Hello.", "discord:1:2/3/0")
    assert marks.mark_in(content) == marks.mark_of("discord:1:2/3/0") != marks.mark_of("discord:1:2/3/1")
    assert marks.without(content) == "Hello."
    assert len(content) == len("Hello.") + marks.LENGTH


def test_a_mark_survives_the_trimming_of_white_space() -> None:
    assert marks.mark_in(marks.marked("Hello.", "key").strip()) == marks.mark_of("key")


def test_a_text_of_nothing_has_no_mark() -> None:
    assert marks.marked("", "key") == ""
    assert marks.mark_in("Hello.") == ""


def test_a_growing_reply_is_no_finished_one_and_gives_its_text_back() -> None:
    content = marks.growing("It depends")
    assert marks.mark_in(content) == marks.GROWING
    assert marks.without(content).endswith(marks.CURSOR)
    assert marks.grown(content) == "It depends"


def test_an_open_fence_is_closed_while_a_reply_grows() -> None:
    content = marks.growing("See:\n```python\nx = 1")
    assert marks.grown(content) == "See:\n```python\nx = 1\n```"
    assert marks.grown(marks.growing("```\nx\n```\ndone")) == "```\nx\n```\ndone"


def test_a_post_is_known_by_its_file_too() -> None:
    assert marks.carries("", ["architect-1a2b.md"], "key", "architect-1a2b.md")
    assert not marks.carries("", ["other.md"], "key", "architect-1a2b.md")
    assert not marks.carries("", [], "key", "")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("*architect", Plain("*architect")),
        ("<@100000000000000000> *pm", Plain("*pm", addressed=True)),
        ("<@!100000000000000000>, hello", Plain("hello", addressed=True)),
        ("<@&200000000000000000> hello", Plain("hello", addressed=True)),
        ("what does <@100000000000000000> say?", Plain("what does say?", addressed=True)),
        ("<@300000000000000000> is right", Plain("@Ada is right", others=True)),
        ("<@&400000000000000000> look", Plain("@design look", others=True)),
        ("see <#500000000000000000>", Plain("see #general")),
        ("ask <@600000000000000000>", Plain("ask @600000000000000000", others=True)),
        ("@here: hello", Plain("@here: hello")),
        ("<:party:700000000000000000> **bold** `code`", Plain("<:party:700000000000000000> **bold** `code`")),
        ("a < b and <@b>", Plain("a < b and <@b>")),
    ],
)
def test_a_message_reads_as_people_see_it(typed: str, read: Plain) -> None:
    known = {"@300000000000000000": "Ada", "&400000000000000000": "design", "#500000000000000000": "general"}
    assert plain_text(typed, BOT, known) == read


def test_marks_in_a_copied_post_are_not_read() -> None:
    assert plain_text(f"you said: {marks.marked('No.', 'key')} why?").text == "you said: No. why?"


def test_what_discord_does_not_show_is_written_otherwise() -> None:
    text = "#### Deep\n### Shown\n---\n- [ ] open\n- [x] done\n![plan](https://a.example/p.png)\nsee `![x](y)`"
    assert markup.shown(text).split("\n") == [
        "**Deep**",
        "### Shown",
        markup.RULE,
        "- ☐ open",
        "- ☑ done",
        "[plan](https://a.example/p.png)",
        "see `![x](y)`",
    ]


def test_code_is_left_as_it_is() -> None:
    text = "```md\n#### Deep\n---\n- [ ] open\n```"
    assert markup.shown(text) == text


@pytest.mark.parametrize("text", ["####", "#### a", "---", "***", "- [ ] x", "![](u)", "##### **b**"])
def test_what_is_written_otherwise_never_becomes_longer(text: str) -> None:
    assert len(markup.shown(text)) <= len(text)


def test_a_name_above_a_text_is_bold_and_no_markup() -> None:
    content = markup.speaking("a*b\nc", "🏗️", "Hello.")
    assert content == "**🏗️ a\\*b c**\nHello."
    assert markup.said(content) == "Hello."


def test_every_name_is_one_that_discord_takes() -> None:
    assert names.name_of(WINSTON) == "🏗️ Winston"
    assert names.name_of(Voice("Clyde of Discord", "", "x")) == "Cl·yde of Dis·cord"
    assert names.name_of(Voice("here", "", "x")) == "here (persona)"
    assert len(names.name_of(Voice("👨‍👩‍👧" * 80, "🏗️", "x"))) <= 80
    assert names.webhook_name("#Greenroom: @home") == "Greenroom home"


def test_the_longest_post_fits_with_all_that_comes_to_it() -> None:
    limit = DiscordTransport.limit
    long = "```python\n" + "x = 1\n" * 800
    for piece in pieces(long, limit):
        spoken = markup.speaking("W" * 80, "👨‍👩‍👧‍👦", markup.shown(piece))
        assert len(marks.marked(spoken, "key")) <= 2000
        assert len(marks.growing(spoken[: -len("\n```")])) <= 2000


# ---------------------------------------------------------------- buttons


def menu(count: int, *, words: bool = False) -> Menu:
    return Menu(
        "7", tuple(Option(f"choice {n}", Answer(str(n)), f"hint {n}") for n in range(1, count + 1)), words=words
    )


def test_few_options_are_buttons_that_carry_all_a_press_means() -> None:
    (row,) = components.rows(ROOM, menu(5))
    assert [button["label"] for button in row["components"]] == [f"{n} choice {n}" for n in range(1, 6)]
    pressed = components.opened({"custom_id": row["components"][2]["custom_id"]})
    assert pressed == Pressed(ROOM, "7", 3)


def test_many_options_are_a_select() -> None:
    (row,) = components.rows(ROOM, menu(25))
    (select,) = row["components"]
    assert len(select["options"]) == 25
    chosen = {"custom_id": select["custom_id"], "values": [select["options"][24]["value"]]}
    assert components.opened(chosen) == Pressed(ROOM, "7", 25)


def test_a_first_option_that_is_ahead_is_a_button_beside_the_list_of_the_others() -> None:
    listed, buttons = components.rows(ROOM, replace(menu(9), ahead=True))
    assert len(buttons["components"]) == 1 and buttons["components"][0]["label"].startswith("1 ")
    assert len(listed["components"][0]["options"]) == 8


def test_an_answer_in_words_has_a_button_and_a_form() -> None:
    first, second = components.rows(ROOM, menu(5, words=True))
    assert len(first["components"]) == 5
    words = components.opened({"custom_id": second["components"][0]["custom_id"]})
    assert words == Words(ROOM, "7")
    form = components.form(words)
    field = {"type": 4, "custom_id": components.TEXT, "value": " both, please "}
    for shape in ({"type": 18, "component": field}, {"type": 1, "components": [field]}):
        submitted = {"custom_id": form["custom_id"], "components": [shape]}
        assert components.answered(submitted) == (words, "both, please")


def test_a_form_that_is_empty_or_not_ours_is_no_answer() -> None:
    form = components.form(Words(ROOM, "7"))
    assert components.answered({"custom_id": form["custom_id"], "components": []}) is None
    assert components.answered({"custom_id": "other", "components": []}) is None


def test_a_menu_that_discord_would_not_take_is_refused() -> None:
    with pytest.raises(ValueError, match="26 options"):
        components.rows(ROOM, menu(26))
    with pytest.raises(ValueError, match="cannot carry menu"):
        components.rows(Conversation("discord", "1" * 60, "2" * 60), menu(1))


def test_the_longest_ids_there_are_fit_into_a_button() -> None:
    longest = Conversation("discord", "9" * 20, "9" * 20, "9" * 20)
    assert unpacked(packed(Pressed(longest, "123456789", 25), components.CUSTOM_ID)) == Pressed(
        longest, "123456789", 25
    )


@pytest.mark.parametrize(
    "text", ["", "1", "1|7", "x|7|discord:1:2", "1||discord:1:2", "1|7|discord", "²|7|discord:1:2"]
)
def test_what_was_not_packed_is_nothing(text: str) -> None:
    assert unpacked(text) is None


def test_a_menu_with_a_bar_in_its_name_cannot_be_packed() -> None:
    with pytest.raises(ValueError, match="cannot carry"):
        packed(Pressed(ROOM, "7|8", 1), 100)


def test_long_labels_are_cut_between_characters() -> None:
    flags = "🇩🇪" * 60
    (row,) = components.rows(ROOM, Menu("1", (Option(flags, Run("help")),)))
    label = row["components"][0]["label"]
    assert len(label) <= components.LABEL
    assert label.removeprefix("1 ").removesuffix("…").replace("🇩🇪", "") == ""


# ---------------------------------------------------------------- pictures


def test_a_picture_is_small_square_and_the_same_each_time() -> None:
    picture = avatars.drawn(WINSTON)
    image = Image.open(io.BytesIO(picture))
    assert (image.size, image.format) == ((128, 128), "PNG")
    assert len(picture) < 20_000
    assert picture == avatars.drawn(WINSTON)


def test_each_persona_has_its_own_colour_and_emoji() -> None:
    mary = Voice("Mary Ann Evans", "📊", "analyst")
    assert avatars.initials(mary.name) == "ME"
    assert avatars.colour("analyst") != avatars.colour("architect")
    assert avatars.emoji_name(mary) != avatars.emoji_name(WINSTON)
    assert len(avatars.emoji_name(mary)) <= 32


@pytest.mark.parametrize("name", ["Мария", "山田", "...", ""])
def test_a_name_that_the_font_lacks_is_drawn_as_a_disc(name: str) -> None:
    assert avatars.initials(name) == ""
    assert Image.open(io.BytesIO(avatars.drawn(Voice(name, "🙂", "x")))).getpixel((64, 64)) == (255, 255, 255)


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(DiscordOptions("secret"))
