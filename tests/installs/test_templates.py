"""The document templates of the public package, read, drafted by a careful writer, put together and taken apart.

`pytest tests/installs --installs` fetches the package with npm; nothing of it is kept.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.core.documents.assembly import Part, apart, assembled, in_order, traces
from bot.core.documents.checks import faults
from bot.core.documents.composing import Frame, composed
from bot.core.documents.definition import FIELDS, Definition, Section, digest, from_json, to_json
from bot.core.documents.headings import is_open, is_titled
from bot.core.documents.outline import outline
from bot.core.documents.prompting import task
from bot.core.documents.reading import read
from bot.core.documents.sharding import join, shard
from bot.core.documents.units import closing, skeleton, stops, units
from tests.unit.documents.drafting import draft

VERSION = "4.44.3"
FILES, SECTIONS, ELICITS = 45, 1705, 228
"""Counted by hand; four sections with a stop each stand under the older name `subsections`."""


@pytest.fixture(scope="module")
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    if not request.config.getoption("--installs"):
        pytest.skip("needs npm and the network: --installs")
    package = tmp_path_factory.mktemp("package")
    npm = shutil.which("npm")
    assert npm, "npm is not installed"
    get = [npm, "install", f"bmad-method@{VERSION}", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]
    subprocess.run([*get, str(package)], check=True, capture_output=True, timeout=600)
    return sorted((package / "node_modules/bmad-method").rglob("templates/*.yaml"))


def independent(sections: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for section in sections:
        yield section
        yield from independent(section.get("sections") or section.get("subsections") or [])


def parts_of(definition: Definition) -> list[Part]:
    return [Part(each.id, composed(definition, each, draft(definition, each), Frame())) for each in units(definition)]


def test_all_templates_are_read_as_an_independent_reading_has_them(files: list[Path]) -> None:
    counts = [0, 0, 0]
    for path in files:
        text = path.read_text("utf-8")
        plain = list(independent(yaml.safe_load(text).get("sections") or []))
        definition, findings = read(text)

        assert findings == (), path
        own = [section for section in definition.walk() if section.id != FIELDS]
        assert [each.id for each in own] == [values["id"] for values in plain], path
        assert [each.title for each in own] == [values.get("title", "") for values in plain], path
        assert [each.elicit for each in own] == [bool(values.get("elicit")) for values in plain], path
        assert [each.repeatable for each in own] == [bool(values.get("repeatable")) for values in plain], path
        assert [bool(each.condition) for each in own] == ["condition" in values for values in plain], path
        assert [bool(each.instruction) for each in own] == ["instruction" in values for values in plain], path
        assert digest(from_json(to_json(definition))) == digest(definition)
        counts = [counts[0] + 1, counts[1] + len(plain), counts[2] + sum("elicit" in values for values in plain)]
    assert counts == [FILES, SECTIONS, ELICITS]


def test_each_stops_where_it_says_or_at_each_section_or_at_the_end(files: list[Path]) -> None:
    sizes: list[int] = []
    for path in files:
        definition = read(path.read_text("utf-8"))[0]
        marked = sum(section.elicit for section in definition.walk())
        top = len(definition.sections)
        interactive = definition.interactive
        assert len(stops(definition)) == (marked or (top if interactive else 0)), path
        assert interactive or len(closing(definition)) == len(units(definition))
        sizes.append(len(str(skeleton(definition))))
    assert max(sizes) < 2_000


def test_a_careful_draft_of_every_unit_has_no_fault_and_the_document_every_section_once(files: list[Path]) -> None:
    for path in files:
        definition = read(path.read_text("utf-8"))[0]
        parts = parts_of(definition)
        for unit, part in zip(units(definition), parts, strict=True):
            assert faults(definition, unit, part.text, {}) == (), (path, unit.id)
            assert len(task(definition, unit, {})) < 10_000, (path, unit.id)
        text = assembled(definition, parts, {})
        ordered = in_order(definition, parts)
        found = apart(text, traces(ordered))
        assert found is not None and found[-len(ordered) :] == ordered, path
        if definition.format == "markdown":
            assert_headings(definition, text, path)
            shards = shard(text)
            assert join(shards.index, {file.name: file.text for file in shards.files}) == text, path


def assert_headings(definition: Definition, text: str, path: Path) -> None:
    """The document's headings are the template's titles, each once, in its order."""
    titled: list[Section] = [section for section in definition.walk() if section.title]
    headings = outline(text)[1:]
    assert len(headings) == len(titled), path
    for section, heading in zip(titled, headings, strict=True):
        written = section.title.partition(": {")[0] if section.title.endswith("}") else section.title
        known = is_open(section.title) or is_titled(section.title, heading.title) or is_titled(written, heading.title)
        assert known, (path, section.id, heading.title)
