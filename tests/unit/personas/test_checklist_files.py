"""The shipped checklists: as many items as a review can trust, each said once, in a form that the host can read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CHECKLISTS = Path(__file__).parents[3] / "agents" / "bmad" / "checklists"

ITEMS = {
    "architect-checklist": range(180, 201),
    "po-master-checklist": range(140, 161),
    "pm-checklist": range(120, 141),
    "change-checklist": range(55, 67),
    "story-dod-checklist": range(26, 31),
    "story-draft-checklist": range(21, 26),
}
NUMBERED_PARTS = {"architect-checklist": 10, "po-master-checklist": 10, "pm-checklist": 9}
TAGS = {"GREENFIELD ONLY", "BROWNFIELD ONLY", "UI/UX ONLY", "FRONTEND ONLY"}

ITEM = re.compile(r"^( *)- \[ \] (\S.*)$")
NUMBERED = re.compile(r"^(#{2,3}) (\d+(?:\.\d+)?)\.? (.+)$")
TAG = re.compile(r"\[\[([^\]]+)\]\]")
INSTRUCTION = re.compile(r"\[\[LLM: .*?\]\]", re.DOTALL)


@dataclass
class Section:
    number: str
    title: str
    tags: list[str]
    items: list[str] = field(default_factory=list)


def text_of(name: str) -> str:
    return (CHECKLISTS / f"{name}.md").read_text("utf-8")


def visible(name: str) -> list[str]:
    """The lines that people see: everything but the instructions for the reviewing model."""
    return INSTRUCTION.sub("", text_of(name)).splitlines()


def sections(name: str) -> list[Section]:
    found: list[Section] = []
    for line in visible(name):
        if heading := NUMBERED.match(line):
            title = TAG.sub("", heading[3]).strip()
            found.append(Section(heading[2], title, TAG.findall(heading[3])))
        elif line.startswith("## "):
            found.append(Section("", line[3:], []))
        elif item := ITEM.match(line):
            assert found, f"{name}: an item before the first heading: {line}"
            found[-1].items.append(item[2])
    return found


def items(name: str) -> list[str]:
    return [item for section in sections(name) for item in section.items]


def plain(item: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", TAG.sub("", item).casefold()))


def test_the_six_checklists_are_there_and_no_other() -> None:
    assert {path.stem for path in CHECKLISTS.iterdir()} == set(ITEMS)


@pytest.mark.parametrize("name", ITEMS)
def test_the_number_of_items_is_the_one_announced(name: str) -> None:
    assert len(items(name)) in ITEMS[name]
    assert len(items(name)) == text_of(name).count("- [ ]"), "an item that is not on a line of its own"


@pytest.mark.parametrize("name", ITEMS)
def test_every_box_is_empty(name: str) -> None:
    assert not re.search(r"^\s*[-*] \[[^ ]\]", text_of(name), re.MULTILINE)


def test_no_item_stands_twice_in_the_cast() -> None:
    seen: dict[str, str] = {}
    for name in ITEMS:
        for item in items(name):
            assert plain(item) not in seen, f"{name} and {seen[plain(item)]}: {item}"
            seen[plain(item)] = name


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_is_one_statement_on_one_line(name: str) -> None:
    for item in items(name):
        said = TAG.sub("", item).strip()
        assert 4 <= len(said.split()) <= 26, item
        assert not said.endswith((".", "?", ":")), item
        assert not re.search(r"[.?!] [A-Z]", said), f"more than one sentence: {item}"


@pytest.mark.parametrize("name", ITEMS)
def test_sections_are_numbered_without_gaps(name: str) -> None:
    top, sub = 0, 0
    for section in sections(name):
        if not section.number:
            continue
        if "." in section.number:
            sub += 1
            assert section.number == f"{top}.{sub}"
        else:
            top, sub = top + 1, 0
            assert section.number == str(top)
    assert top == NUMBERED_PARTS.get(name, top)
    assert top >= 5


@pytest.mark.parametrize("name", ITEMS)
def test_every_section_has_at_least_two_items(name: str) -> None:
    found = sections(name)
    for place, section in enumerate(found):
        if not section.number:
            assert not section.items, f"{section.title}: an item outside the numbered sections"
        elif place + 1 < len(found) and found[place + 1].number.startswith(f"{section.number}."):
            assert not section.items, f"{section.number}: an item above its first part"
        else:
            assert len(section.items) >= 2, section.number


@pytest.mark.parametrize("name", ITEMS)
def test_titles_of_sections_differ(name: str) -> None:
    titles = [section.title for section in sections(name)]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("name", ITEMS)
def test_brackets_are_balanced_and_never_nested(name: str) -> None:
    depth = 0
    for bracket in re.findall(r"\[\[|\]\]", text_of(name)):
        depth += 1 if bracket == "[[" else -1
        assert depth in (0, 1)
    assert depth == 0


@pytest.mark.parametrize("name", ITEMS)
def test_instructions_for_the_model_stand_apart_and_hold_no_items(name: str) -> None:
    text = text_of(name)
    assert INSTRUCTION.search(text), "no instruction for the reviewing model"
    for found in INSTRUCTION.finditer(text):
        assert "- [ ]" not in found[0]
        assert not re.search(r"^#", found[0], re.MULTILINE)
        assert text[: found.start()].endswith("\n\n")
        assert text[found.end() :].startswith("\n")


@pytest.mark.parametrize("name", ITEMS)
def test_tags_are_known_and_end_the_line_of_a_section_or_an_item(name: str) -> None:
    for line in visible(name):
        tags = TAG.findall(line)
        assert set(tags) <= TAGS, line
        if tags:
            assert NUMBERED.match(line) or ITEM.match(line), line
            assert len(tags) == 1 and line.endswith(f" [[{tags[0]}]]"), line


@pytest.mark.parametrize("name", ITEMS)
def test_a_tag_is_not_repeated_below_a_section_that_has_it(name: str) -> None:
    tagged: dict[str, list[str]] = {}
    for section in sections(name):
        if not section.number:
            continue
        above = tagged.get(section.number.partition(".")[0], [])
        assert not set(section.tags) & set(above), section.number
        tagged[section.number] = section.tags
        for item in section.items:
            assert not set(TAG.findall(item)) & {*section.tags, *above}, item


@pytest.mark.parametrize("name", ITEMS)
def test_it_ends_with_a_results_table_of_its_sections_and_a_verdict(name: str) -> None:
    text = INSTRUCTION.sub("", text_of(name))
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[-2:] == ["Results", "Verdict"]
    results = text.split("\n## Results\n")[1].split("\n## Verdict\n")[0]
    rows = [line.strip("|").split("|") for line in results.splitlines() if line.startswith("|")]
    assert {len(row) for row in rows} == {len(rows[0])}
    assert all(judgement in " ".join(rows[0]) for judgement in ("PASS", "PARTIAL", "FAIL"))
    main = [section for section in sections(name) if section.number and "." not in section.number]
    assert [row[0].strip() for row in rows[2:]] == [f"{section.number}. {section.title}" for section in main]
    assert all(not cell.strip() for row in rows[2:] for cell in row[1:]), "results arrive unfilled"
    verdicts = re.findall(r"^\| ([A-Z][A-Z -]+) \| \S.*\|$", text.split("\n## Verdict\n")[1], re.MULTILINE)
    assert len(verdicts) >= 3


@pytest.mark.parametrize("name", ITEMS)
def test_it_is_written_for_a_chat(name: str) -> None:
    assert not re.search(r"\b(?:IDE|terminal|your editor|file system|\.bmad-core|workspace)\b", text_of(name))


@pytest.mark.parametrize("name", ITEMS)
def test_the_markdown_is_clean(name: str) -> None:
    text = text_of(name)
    assert text.startswith("# ") and text.endswith("\n") and not text.endswith("\n\n")
    assert not re.search(r"[ \t]+$|\t|\n\n\n|\u2014|\u2013", text, re.MULTILINE)
    assert not re.search(r"\n#[^\n]*\n[^\n]|[^\n]\n#", text), "a heading without an empty line around it"


def test_what_a_story_is_done_by_rests_on_reports_of_people() -> None:
    reported = [item for item in items("story-dod-checklist") if re.search(r"person|somebody|by whom|reported", item)]
    assert len(reported) >= 10
