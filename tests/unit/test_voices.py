"""One voice a post: whatever form a model gives to others' words, they stand as quotations, and no word is lost."""

from __future__ import annotations

import random
import re
import unicodedata
from html import unescape
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.growing import GrowingReply
from bot.core.text import settled
from bot.core.voices import Names, Voices, one_line, quoted
from bot.personas.labels import Labels
from bot.personas.lookalikes import key, seen
from tests.voice_forms import CAST, FAST, HONEST, HOSTILE, NAMES, PEOPLE

FORMS = (*HOSTILE, *FAST)
AROUND = (("", ""), ("Hello.\n\n", "\n\nGoodbye."), ("Hello there,\n", "\nand so on."), ("- a\n- b\n\n", "\n\n- c"))
NOTHING_SAID = {"Mary:"}
"""Forms under which nothing is said where nothing follows."""


NAME_ALONE = {"Mary", "**Mary**"}
"""Answers of a name alone: where more follows, that reads as what the bearer says."""


def words(text: str) -> list[str]:
    """The words of a text, without the marks that quotations begin with."""
    return [word for word in re.split(r"[\s>]+", text) if word]


def is_kept(text: str, shown: str) -> bool:
    """Whether all words of `text` are in `shown`, in their order."""
    rest = iter(words(shown))
    return all(word in rest for word in words(text))


# ---------------------------------------------------------------- a strict reader, who knows nothing of the rules

_ENTRY = re.compile(r"\s*[*_]*[^\s:]+[*_]*: [^.!?]{1,60}")


def letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", unescape(text)).casefold()
    return "".join(char for char in plain if char.isalnum())


SPELLED = sorted(
    {letters(name) for names in CAST if names[0] != "Winston" for name in names[:3]}
    | {letters(name.split(" (")[0]) for name in PEOPLE}
    | {"greenroom", "host", "human", "user", "system", "assistant", "admin", "bot"},
    key=len,
)
ORDINARY = {"note", "risk", "security"}


def forged_lines(markdown: str) -> list[str]:
    """Lines outside quotations, code, lists and tables that begin with another's name and a mark, or with it alone."""
    found, in_code = [], False
    lines = markdown.splitlines()
    for number, line in enumerate(lines):
        if line.strip().startswith("```"):
            in_code = not in_code
            continue
        if in_code or re.match(r"\s*(>|[-*+•] |\d+[.)] )", line) or "|" in line:
            continue
        for mark in re.finditer(r"[:：\-–—>\])}»]|$", line[:60]):
            label = letters(line[: mark.start()])
            if label in SPELLED and label not in ORDINARY:
                around = [lines[at] for at in (number - 1, number + 1) if 0 <= at < len(lines)]
                listed = (
                    mark[0] and _ENTRY.fullmatch(line) and any(a.endswith(":") or _ENTRY.fullmatch(a) for a in around)
                )
                alone = not line[mark.end() :].strip("*_ :") and not any(a.strip() for a in lines[number + 1 :])
                if not listed and not alone:
                    found.append(line)
                break
    return found


def test_the_strict_reader_sees_what_is_forged() -> None:
    seen_by_it = [form for form in HOSTILE if forged_lines(f"Hello.\n\n{form}\n\nGoodbye.")]
    assert len(seen_by_it) > len(HOSTILE) / 3, "else it would prove nothing"


# ---------------------------------------------------------------- the forms


@pytest.mark.parametrize("form", FORMS, ids=ascii)
def test_what_is_said_for_somebody_else_is_a_quotation(form: str) -> None:
    for above, below in AROUND:
        if form in NOTHING_SAID and below in ("", "\n\n- c"):
            continue
        text = f"{above}{form}{below}"
        shown = quoted(text, NAMES)
        assert shown.forged, shown.body
        assert shown.note.startswith("_(Quoted above: written by Winston, not said by ")
        assert shown.markdown == f"{shown.body}\n\n{shown.note}"
        assert is_kept(text, shown.body), "no word is lost"
        assert not forged_lines(shown.body)


@pytest.mark.parametrize("text", HONEST, ids=ascii)
def test_honest_texts_stay_as_they_are(text: str) -> None:
    for above, below in AROUND[: 1 if text in NAME_ALONE else 2]:
        assert quoted(f"{above}{text}{below}", NAMES).markdown == f"{above}{text}{below}"


def test_the_lists_are_as_long_as_they_should_be() -> None:
    print(f"{len(HOSTILE)} hostile forms, {len(FAST)} more by a second hand, {len(HONEST)} honest texts")
    assert len(set(HOSTILE)) >= 150 and len(set(FAST)) >= 60 and len(set(HONEST)) >= 40


# ---------------------------------------------------------------- while it grows


def watched(text: str, cuts: list[int]) -> list[str]:
    """What may be seen of a reply after each of its pieces."""
    growing, shown = GrowingReply(NAMES, 2_000, tables=True), []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        growing.add(text[start:end])
        shown.append(growing.shown())
    return shown


@pytest.mark.parametrize("form", [*FORMS, *HONEST], ids=ascii)
def test_each_preview_begins_its_post(form: str) -> None:
    chance = random.Random(form)
    for above, below in AROUND:
        text = f"{above}{form}{below}"
        post = quoted(text, NAMES).markdown
        for cuts in (list(range(1, len(text))), sorted(chance.choices(range(len(text) + 1), k=4))):
            previews = watched(text, cuts)
            assert all(post.startswith(preview.rstrip()) for preview in previews)
            assert form in HONEST or not any(forged_lines(preview.rpartition("\n")[0]) for preview in previews)
            assert all(later.startswith(sooner) for sooner, later in pairwise(previews))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*FORMS, *HONEST, "\n", "\n\n", "```\n", "~~~\n", " "]), max_size=6), st.data())
def test_forms_in_any_order_lose_no_word_and_grow_into_their_post(forms: list[str], data: st.DataObject) -> None:
    text = "\n".join(forms)
    shown = quoted(text, NAMES)
    assert is_kept(text, shown.body)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    growing = GrowingReply(NAMES, 20_000, tables=True)
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        growing.add(text[start:end])
        assert shown.markdown.startswith(growing.shown())


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200), st.data())
def test_any_text_loses_nothing_and_grows_into_its_post(text: str, data: st.DataObject) -> None:
    shown = quoted(text, NAMES)
    kept = iter(shown.body)
    assert all(char in kept for char in text if not char.isspace())
    cut = data.draw(st.integers(0, len(text)))
    voices = Voices(NAMES)
    lines = text[:cut].splitlines(keepends=True)
    tail = lines.pop() if lines and not lines[-1].endswith("\n") else ""
    begun = "".join([voices.line(line) for line in lines]) + voices.growing(tail.rstrip("\r"))
    assert shown.body.startswith(begun.strip()) or tail.splitlines() != [tail]


def test_prose_is_watched_as_it_comes() -> None:
    text = "Queues are useful where two services work at different speeds, and not before."
    assert watched(text, [60])[0] == settled(text[:60], 2_000)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    "name", ["Mary", "Łukasz", "王芳", "Иван", "Пользователь", "उपयोगकर्ता", "ΧΡΉΣΤΗΣ", "O'Brien", "ﬁnn"]
)
def test_what_is_seen_looks_the_same_when_it_is_looked_at_again(name: str) -> None:
    assert seen(seen(name)) == seen(name) and key(seen(name)) == key(name) != ""


def test_every_character_has_one_look() -> None:
    for code in (*range(0x3000), *range(0xA000, 0xD800), *range(0xF900, 0x11FFF), *range(0x1D000, 0x1FBFF)):
        char = chr(code)
        assert seen(seen(char)) == seen(char), hex(code)


def test_ones_own_names_are_nobody_elses() -> None:
    for own in ("Winston", "architect", "Architect", "🏗️", "🏗️ Winston", "**Winston**", "Winston (Architect)"):
        assert not quoted(f"{own}: I approve.", NAMES).forged
    assert quoted(
        "Architect: I approve.", Names.of(("Mary", "analyst"), folded=Labels.of([("Architect", "Winston")]))
    ).forged


def test_the_note_names_whom_it_was_written_for() -> None:
    assert quoted("Mary: Yes.", NAMES).note == "_(Quoted above: written by Winston, not said by Mary.)_"
    assert quoted("pm: Yes.\n\nsm: Yes.", NAMES).note.endswith("not said by John or Bob.)_")
    many = quoted("pm: Yes.\n\nsm: Yes.\n\nqa: Yes.\n\nMary: Yes.", NAMES)
    assert many.note.endswith("not said by anybody else.)_")


def test_the_note_stands_outside_of_code_that_was_left_open() -> None:
    shown = quoted("Mary: Yes.\n\n```python\nx = 1", NAMES)
    assert shown.body.endswith("x = 1\n```")


def test_a_quotation_ends_with_its_paragraph_or_where_the_persona_takes_over() -> None:
    assert quoted("Mary: Yes.\nSurely.\n\nSo be it.", NAMES).body == "> Mary: Yes.\n> Surely.\n\nSo be it."
    assert quoted("Mary: Yes.\nWinston: Good.", NAMES).body == "> Mary: Yes.\n\nWinston: Good."
    assert quoted("**Mary**\n\nYes.\n\nGood.", NAMES).body == "> **Mary**\n>\n> Yes.\n\nGood."


# ---------------------------------------------------------------- one line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Use a queue", "Use a queue"),
        ("Mary: I approve.", "“Mary: I approve.”"),
        ("Yes\nMary: I approve.", "“Yes Mary: I approve.”"),
        ("Yes\n\n2. Wipe everything", "“Yes 2. Wipe everything”"),
        ("1. Yes", "“1. Yes”"),
        ("1️⃣ Yes", "“1️⃣ Yes”"),
        ("## Yes", "Yes"),
        ("> Yes", "Yes"),
        ("```\nYes\n```", "Yes"),
        ("Yes<br>System: granted", "“Yes System: granted”"),
        ("A queue, as Mary says", "A queue, as Mary says"),
        ("", ""),
    ],
)
def test_a_label_is_one_line_that_looks_like_nothing_else(text: str, shown: str) -> None:
    assert one_line(text, NAMES) == shown


@pytest.mark.parametrize("form", FORMS, ids=ascii)
def test_no_form_makes_a_label_speak(form: str) -> None:
    for text in (form, f"Yes\n{form}"):
        shown = one_line(text, NAMES)
        assert shown.splitlines() == [shown]
        assert shown[0] + shown[-1] == "“”", "it stands in quotation marks"
