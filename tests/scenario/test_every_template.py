"""Every template of the cast, walked to the end by the rehearsal model: by pressing 1, and under yolo."""

from __future__ import annotations

import json

import pytest

from bot.core.documents import reading
from bot.core.documents.definition import Definition
from bot.core.documents.headings import is_titled, lines_of, owner_of
from bot.core.documents.leaks import copied
from bot.core.documents.units import units
from bot.core.modes.documents.state import StopGate
from bot.core.prompt import Prompt
from bot.core.steps import Post
from bot.models.rehearsal import lines
from tests.fakes.writing import AGENTS, Desk

TEMPLATES = sorted(path.stem for path in (AGENTS / "bmad" / "templates").glob("*.yaml"))
LARGEST = 32_000
"""Bytes of a session at most."""


def definition(stem: str) -> Definition:
    return reading.definition((AGENTS / "bmad" / "templates" / f"{stem}.yaml").read_text("utf-8"))


def begun(stem: str, *, yolo: bool = False) -> Desk:
    """The document of that template, begun with all its conditional sections."""
    desk = Desk()
    desk.type("*bmad-master")
    if yolo:
        desk.type("*yolo")
    desk.type(f"*create-doc {stem} Rota")
    if desk.work and desk.work.phase == "asking":
        desk.type("2" if len(desk.labels()) > 1 else "1")
    return desk


def finished(desk: Desk) -> Desk:
    """Press 1 until the document is finished; what can be written several times is written twice."""
    for _ in range(120):
        if desk.work is None:
            return desk
        is_over = desk.labels() == ["Add another", "Complete"] and desk.work.instances > 1
        desk.type("2" if is_over else "1")
    raise AssertionError(f"{desk.work} does not end")


def document(desk: Desk) -> str:
    ((_, versions),) = desk.documents.items()
    return versions[-1].text


def has_every_section_once_in_order(known: Definition, text: str) -> None:
    if known.format == "yaml":
        assert text.strip()
        return
    titles = [line.title for line in lines_of(text) if line.level == 2]
    wanted = tuple(section for section in known.sections if section.title)
    owners = [owner_of(wanted, title) for title in titles]
    assert None not in owners, "a heading of no section"
    order = [wanted.index(owner) for owner in owners if owner]
    assert order == sorted(order) and set(order) == set(range(len(wanted)))
    assert all(order.count(place) == 1 or section.repeatable for place, section in enumerate(wanted))
    for section in known.walk():
        if section.title and not section.repeatable:
            assert any(is_titled(section.title, line.title) for line in lines_of(text) if line.level), section.title


def nothing_was_saved_unseen(desk: Desk) -> None:
    """Each text of a version was in a post before it was written, byte for byte, and its acceptance is on record."""
    kept = {entry.id: entry.text for entry in desk.log if entry.kind == "kept"}
    seen = "\n".join(post.markdown for post in desk.posts)
    for write in desk.writes:
        for part in write.parts:
            assert ".title" in part or kept[part] in seen
    known = set[str]()
    for write in desk.writes:
        new = [part for part in write.parts if ".title" not in part and part not in known]
        known |= set(new)
        assert new, "a version says something new"
    rows = json.loads(desk.writes[-1].meta)["ledger"]["parts"]
    hashes = {record.sha for record in desk.records if record.what.startswith("accepted")}
    assert rows and all(row["sha"] in hashes and row["accepted"] for row in rows)


@pytest.mark.parametrize("stem", TEMPLATES)
def test_each_template_is_walked_to_the_end_by_pressing_one(stem: str) -> None:
    known, desk = definition(stem), finished(begun(stem))
    text = document(desk)
    has_every_section_once_in_order(known, text)
    nothing_was_saved_unseen(desk)
    assert copied(tuple(known.walk()), text) == ()
    assert desk.largest <= LARGEST
    assert not desk.session.work and "is finished" in desk.last.markdown
    plan = units(known)
    stops = [post for post in desk.posts if post.menu and post.menu.options[0].label == "Proceed"]
    repeated = sum(unit.repeatable and unit.stop for unit in plan)
    assert len(stops) >= sum(unit.stop for unit in plan) + repeated, "no stop was left out; a repeated one comes twice"
    assert all(len(post.menu.options) == 9 for post in stops if post.menu)


@pytest.mark.parametrize("stem", TEMPLATES)
def test_each_template_is_walked_to_the_end_under_yolo(stem: str) -> None:
    known, desk = definition(stem), begun(stem, yolo=True)
    for _ in range(5):
        if desk.work is None:
            break
        assert not isinstance(desk.session.gate, StopGate), "yolo skips the stops of sections"
        desk.type("1")
    assert desk.work is None, desk.work
    text = document(desk)
    has_every_section_once_in_order(known, text)
    nothing_was_saved_unseen(desk)
    assert copied(tuple(known.walk()), text) == ()
    assert desk.session.yolo is False and "Yolo is **off** again" in desk.last.markdown
    assert all("yolo; ana" in r.what for r in desk.records if r.what.startswith("accepted"))


def test_the_happy_path_of_a_prd_takes_few_acts_and_posts() -> None:
    """Four epics, nobody objecting, and no stop left out."""
    desk = Desk(says=four_epics)
    desk.type("*pm create-prd Rota")
    desk.type("2")
    acts = 2
    while desk.work is not None:
        desk.type("2" if desk.labels() == ["Add another", "Complete"] else "1")
        acts += 1
    posts = [post for post in desk.posts if isinstance(post, Post)]
    stops = [post for post in posts if post.menu and post.menu.options[0].label == "Proceed"]
    print(f"{acts} acts, {len(posts)} posts, {len(stops)} stops")
    assert len(stops) == 8, "requirements, goals of the interface, technology, list of epics, four epics"
    assert acts <= 12 and len(posts) <= 18


def four_epics(prompt: Prompt) -> str:
    said = lines(prompt)
    if "Epic List" in prompt.brief and "epic-list" in prompt.brief and "Epic 2 Rehearsal two" in said:
        return "\n".join(f"{n}. Epic {n} Part {n}: what people have then (covers FR{n})" for n in range(1, 5))
    return said
