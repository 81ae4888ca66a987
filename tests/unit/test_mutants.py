"""The mutants still fit the source, and who runs them tells the killed from the living and from the broken."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutants import run
from tests.mutants.catalogue import MUTANTS
from tests.mutants.model import Edit, Mutant, StaleError

ROOT = Path(__file__).resolve().parents[2]

each = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)


def test_no_two_mutants_have_one_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@each
def test_a_mutant_still_fits_the_source(mutant: Mutant) -> None:
    for file, text in mutant.sources(ROOT).items():
        assert text != (ROOT / file).read_text("utf-8")
        if file.endswith(".py"):
            compile(text, file, "exec")


@each
def test_the_tests_of_a_mutant_are_there(mutant: Mutant) -> None:
    assert mutant.tests
    for test in mutant.tests:
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert not name or name.partition("[")[0] in functions, test


# ---------------------------------------------------------------- a project of one line


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sums.py").write_text("def plus(a: int, b: int) -> int:\n    return a + b\n")
    (tmp_path / "test_sums.py").write_text("from sums import plus\ndef test_plus(): assert plus(2, 2) == 4\n")
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # one line needs none of them
    return tmp_path


def mutant(name: str, new: str, old: str = "a + b") -> Mutant:
    return Mutant(name, (Edit("sums.py", old, new),), ("test_sums.py",))


def tried(monkeypatch: pytest.MonkeyPatch, *mutants: Mutant) -> int:
    monkeypatch.setattr(run, "MUTANTS", mutants)
    return run.main([])


def test_who_is_noticed_is_killed_by_the_test_that_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tried(monkeypatch, mutant("minus", "a - b")) == 0
    assert "killed    minus  (test_sums.py::test_plus)" in capsys.readouterr().out
    assert (project / "sums.py").read_text().endswith("a + b\n"), "only a copy is changed"


def test_who_is_not_noticed_survives(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tried(monkeypatch, mutant("times", "a * b"), mutant("minus", "a - b")) == 1
    assert capsys.readouterr().out.endswith("2 mutants, 1 of them survived or could not be tried: times\n")


def test_a_mutant_that_does_not_even_start_proves_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tried(monkeypatch, mutant("no sum", "a +")) == 1
    assert "broken    no sum" in capsys.readouterr().out


def test_tests_that_fail_without_a_mutant_prove_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "test_sums.py").write_text("def test_plus(): assert False\n")
    assert tried(monkeypatch, mutant("minus", "a - b")) == 1
    assert "fail without any mutant" in capsys.readouterr().err


@pytest.mark.parametrize("old", ["a ** b", "a"])
def test_a_mutant_that_no_longer_fits_stops_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], old: str
) -> None:
    assert tried(monkeypatch, mutant("minus", "a - b"), mutant("stale", "b", old)) == 1
    assert "stale: in sums.py this stands" in capsys.readouterr().err
    with pytest.raises(StaleError, match=r"there is no gone\.py"):
        Mutant("gone", (Edit("gone.py", "", ""),), ()).sources(project)
