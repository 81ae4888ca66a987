"""The core configuration: read, resolved in paths and texts, and told where it is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.documents.core_config import MAX_CONFIG, CoreConfig, core_config, resolved, resolved_path
from bot.core.documents.filenames import flaw_of_path
from bot.core.documents.reading import TemplateError
from tests.unit.documents.cases import CAST, cast

BMAD = Path(__file__).resolve().parents[3] / "agents" / "bmad"
SHIPPED = (BMAD / "core-config.yaml").read_text("utf-8")


def test_the_shipped_configuration_has_no_findings_and_says_what_an_independent_reading_says() -> None:
    plain = yaml.safe_load(SHIPPED)

    config, findings = core_config(SHIPPED)

    assert findings == ()
    assert (config.prd, config.prd_folder) == (plain["prd"]["prdFile"], plain["prd"]["prdShardedLocation"])
    assert config.architecture == plain["architecture"]["architectureFile"]
    assert config.architecture_folder == plain["architecture"]["architectureShardedLocation"]
    assert (config.stories, config.qa) == (plain["devStoryLocation"], plain["qa"]["qaLocation"])
    assert list(config.always_load) == plain["devLoadAlwaysFiles"]
    assert (config.prd_sharded, config.architecture_sharded, config.technical_documents) == (True, True, ())
    assert config.epic_files(1) == "epic-1-*.md"


def test_what_nobody_says_is_as_usual() -> None:
    config, findings = core_config("slashPrefix: X\n")

    assert findings == ()
    assert config.prd == CoreConfig().prd == "docs/prd.md"
    assert config.texts["slashPrefix"] == "X"


def test_places_of_an_installed_pack_are_taken_as_they_are_meant() -> None:
    config, findings = core_config(
        "prd: {prdFile: ./papers/prd.md, prdSharded: no}\ndevDebugLog: .ai/debug-log.md\nqa: {qaLocation: papers/qa/}\n"
        "customTechnicalDocuments: papers/rules.md\n"
    )

    assert findings == ()
    assert (config.prd, config.qa, config.prd_sharded) == ("papers/prd.md", "papers/qa", False)
    assert config.texts["devDebugLog"] == ".ai/debug-log.md"
    assert config.technical_documents == ("papers/rules.md",)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("qa:\n  qaLocation: ../qa\n", 2, "`qa.qaLocation` names no place among the documents: '../qa' leads through"),
        (
            "devStoryLocation: /etc\n",
            1,
            "`devStoryLocation` names no place among the documents: '/etc' is not relative",
        ),
        ("qa: docs/qa\n", 1, "`qa` is not a block of keys"),
        ("prd:\n  prdfile: x\n", 2, "the key `prdfile` is not known here"),
        ("prd:\n  prdSharded: perhaps\n", 2, "`prdSharded: perhaps` is neither true nor false"),
        (
            "devLoadAlwaysFiles:\n  - docs/a.md\n  - ../b.md\n",
            1,
            "a file of `devLoadAlwaysFiles` is left out: '../b.md'",
        ),
        ("slashPrefix: a\nslashPrefix: b\n", 2, "the key `slashPrefix` stands here a second time"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_the_usual_value_is_used(text: str, line: int, reason: str) -> None:
    config, (finding,) = core_config(text)

    assert finding.line == line
    assert finding.reason.startswith(reason)
    assert config.qa == "docs/qa"
    assert config.stories == "docs/stories"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "there are no keys"),
        ("- a", "there are no keys"),
        ("a: [", "it is not valid"),
        ("x" * MAX_CONFIG * 2, "more"),
    ],
)
def test_a_broken_one_is_an_error_with_a_way_out(text: str, reason: str) -> None:
    with pytest.raises(TemplateError, match=reason) as raised:
        core_config(text)
    assert raised.value.mend


def test_keys_are_filled_in_texts_and_other_braces_stay() -> None:
    config = CoreConfig()

    assert resolved("{qa.qaLocation}/gates/{story}-{{x}}.yml in {devStoryLocation}, {prd.gone}, {ratio.x}", config) == (
        "docs/qa/gates/{story}-{{x}}.yml in docs/stories, {prd.gone}, {ratio.x}",
        ("prd.gone",),
    )


def test_a_key_may_stand_bare_at_the_beginning_of_a_path() -> None:
    config = CoreConfig()

    assert resolved_path("qa.qaLocation/gates/{{epic_num}}.yml", config) == ("docs/qa/gates/{{epic_num}}.yml", ())
    assert resolved_path("qa.other/x.yml", config) == ("{qa.other}/x.yml", ("qa.other",))
    assert resolved_path("my.folder/x.md", config) == ("my.folder/x.md", ())


@pytest.mark.parametrize("name", CAST)
def test_every_file_name_of_the_cast_leads_below_the_documents(name: str) -> None:
    path, missing = resolved_path(cast(name).filename, CoreConfig())

    assert missing == ()
    assert path.startswith("docs/")
    assert flaw_of_path(re.sub(r"\{\{.*?\}\}", "x", path)) == ""


@pytest.mark.parametrize("path", sorted((BMAD / "tasks").iterdir()), ids=lambda path: path.stem)
def test_every_key_that_a_task_names_is_known(path: Path) -> None:
    text, missing = resolved(path.read_text("utf-8"), core_config(SHIPPED)[0])

    assert missing == ()
    assert "{qa." not in text and "{devStoryLocation}" not in text


values = st.text(alphabet="a./~\\: -\x00é{}", max_size=8)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["prdFile", "prdShardedLocation", "epicFilePattern"]), values), values)
def test_whatever_is_written_no_place_leads_out_of_the_documents(prd: dict[str, str], stories: str) -> None:
    text = yaml.safe_dump({"prd": prd, "devStoryLocation": stories}, allow_unicode=True)

    config, _ = core_config(text)

    assert [flaw_of_path(path) for path in (config.prd, config.prd_folder, config.stories)] == ["", "", ""]
