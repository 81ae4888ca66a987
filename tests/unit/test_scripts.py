"""The scripts, run in a small checkout of their own with a Python and a pip that only write down what they are told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("_venv.sh", "_stages.sh", "run", "check", "test", "bench", "docs", "mutants")
SCRIPTS = [ROOT / "scripts" / name for name in NAMES] + [ROOT / ".ci" / "run"]

PYTHON = """#!/bin/bash
[[ $1 != -c ]] || exec REAL "$@"
if [[ $1 == -m && $2 == venv ]]; then
    echo "venv $3" >>"$CALLS"
    mkdir -p "$3/bin"
    printf 'home = /usr/bin\\ncommand = /usr/bin/python3 -m venv %s\\n' "$3" >"$3/pyvenv.cfg"
    cp "$0" "$3/bin/python"
    cp "$(dirname "$0")/../pip" "$3/bin/pip"
fi
""".replace("REAL", sys.executable)
PIP = """#!/bin/bash
[[ -z ${PIP_BREAKS-} ]] || { echo "no network" >&2; exit 1; }
echo "pip $*" >>"$CALLS"
for tool in ruff mypy pytest greenroom; do
    printf '#!/bin/bash\\necho "%s $*" >>"$CALLS"\\n[[ ${BREAKS-} != %s ]]\\n' "$tool" "$tool" >"$(dirname "$0")/$tool"
    chmod +x "$(dirname "$0")/$tool"
done
"""
OLD_PYTHON = "#!/bin/bash\nexit 1\n"


class Checkout:
    """A copy of the scripts, and what they called."""

    def __init__(self, folder: Path) -> None:
        self.outside = folder
        self.root = folder / "check out"
        self.calls_file = folder / "calls"
        for script in SCRIPTS:
            copy = self.root / script.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(script, copy)
        (self.root / "pyproject.toml").write_text("[project]\n")
        (self.root / "constraints.txt").write_text("one==1\n")
        self.write(folder / "bin" / "python3.13", PYTHON)
        self.write(folder / "pip", PIP)

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def start(self, script: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.outside / 'bin'}:/usr/bin:/bin"
        return subprocess.run(
            [str(self.root / script), *args],
            cwd=self.outside,
            env={"PATH": path, "CALLS": str(self.calls_file), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def calls(self) -> list[str]:
        """What was called since this was last asked."""
        calls = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        self.calls_file.unlink(missing_ok=True)
        return calls


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def installs(extra: str = "") -> str:
    return f"pip install -q --disable-pip-version-check -e .{extra} -c constraints.txt"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_bash_can_read_the_script(script: Path) -> None:
    assert subprocess.run(["bash", "-n", str(script)], capture_output=True, check=False).returncode == 0
    assert script.name.startswith("_") or os.access(script, os.X_OK)


def test_the_first_run_makes_the_environment_and_installs_into_it(checkout: Checkout) -> None:
    run = checkout.start("scripts/run", "--model", "re hearsal")

    assert run.returncode == 0, run.stderr
    assert checkout.calls() == [f"venv {checkout.root}/.venv", installs(), "greenroom chat --model re hearsal"]


def test_the_second_run_only_starts(checkout: Checkout) -> None:
    checkout.start("scripts/run")
    checkout.calls()

    run = checkout.start("scripts/run")

    assert run.stderr == ""
    assert checkout.calls() == ["greenroom chat"]


@pytest.mark.parametrize("file", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_what_is_needed_installs_again(checkout: Checkout, file: str) -> None:
    checkout.start("scripts/run")
    checkout.calls()
    (checkout.root / file).write_text("# changed\n")

    checkout.start("scripts/run")

    assert checkout.calls() == [installs(), "greenroom chat"]


def test_an_installation_that_failed_is_tried_again(checkout: Checkout) -> None:
    failed = checkout.start("scripts/run", PIP_BREAKS="yes")

    assert failed.returncode != 0
    assert "no network" in failed.stderr
    assert checkout.calls() == [f"venv {checkout.root}/.venv"]
    checkout.start("scripts/run")
    assert checkout.calls() == [installs(), "greenroom chat"]


def test_a_checkout_that_was_moved_gets_a_new_environment(checkout: Checkout) -> None:
    checkout.start("scripts/run")
    checkout.root = checkout.root.rename(checkout.outside / "moved")
    checkout.calls()

    run = checkout.start("scripts/run")

    assert run.returncode == 0, run.stderr
    assert checkout.calls() == [f"venv {checkout.root}/.venv", installs(), "greenroom chat"]


def test_an_environment_that_lost_its_python_is_made_again(checkout: Checkout) -> None:
    checkout.start("scripts/run")
    python = checkout.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(checkout.outside / "gone")
    checkout.calls()

    checkout.start("scripts/run")

    assert checkout.calls()[0] == f"venv {checkout.root}/.venv"


def test_without_a_python_that_is_new_enough_it_says_so(checkout: Checkout) -> None:
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        checkout.write(checkout.outside / "bin" / name, OLD_PYTHON)

    run = checkout.start("scripts/run")

    assert run.returncode == 1
    assert run.stderr.startswith(
        "run: needs Python 3.11 or newer; install it and start again (found: python3.13 (too old)"
    )
    assert not (checkout.root / ".venv").exists()


def test_a_python_without_venv_is_named_with_the_package_that_it_misses(checkout: Checkout) -> None:
    for name in ("python3.13", "python3.12", "python3"):
        checkout.write(checkout.outside / "bin" / name, OLD_PYTHON)
    checkout.write(checkout.outside / "bin" / "python3.11", "#!/bin/bash\n[[ $2 != *ensurepip* ]]\n")

    run = checkout.start("scripts/run")

    assert run.returncode == 1
    assert "python3.11 (without its venv module; on Debian and Ubuntu: apt-get install python3.11-venv)" in run.stderr


@pytest.mark.parametrize(
    ("script", "last"),
    [
        ("scripts/check", []),
        ("scripts/test", ["pytest -n 3 --dist worksteal"]),
        (".ci/run", ["pytest -n 3 --dist worksteal --durations=10"]),
    ],
)
def test_a_test_run_goes_through_every_stage(checkout: Checkout, script: str, last: list[str]) -> None:
    run = checkout.start(script)

    assert run.returncode == 0, run.stderr
    stages = ["ruff check .", "ruff format --check .", "mypy", *last]
    assert [call.strip() for call in checkout.calls()[2:]] == stages
    assert [line[3:] for line in run.stdout.splitlines() if line.startswith("== ")] == stages


def test_arguments_of_a_test_run_are_pytests(checkout: Checkout) -> None:
    checkout.start("scripts/test", "-k", "a name")

    assert checkout.calls()[-1] == "pytest -k a name"


@pytest.mark.parametrize("stage", ["ruff", "mypy", "pytest"])
def test_a_stage_that_fails_fails_the_run_after_the_others_had_their_say(checkout: Checkout, stage: str) -> None:
    run = checkout.start("scripts/test", BREAKS=stage)

    assert run.returncode == 1
    assert f"  {stage}" in run.stdout.partition("Failed:")[2]
    assert checkout.calls()[-1].startswith("pytest")


@pytest.mark.parametrize("stage", ["ruff", "mypy"])
def test_style_and_types_fail_after_all_of_them_had_their_say(checkout: Checkout, stage: str) -> None:
    run = checkout.start("scripts/check", BREAKS=stage)

    assert run.returncode == 1
    assert f"  {stage}" in run.stdout.partition("Failed:")[2]
    assert checkout.calls()[-1].strip() == "mypy"


def test_what_the_tests_installed_is_enough_for_a_run_but_not_the_other_way_round(checkout: Checkout) -> None:
    checkout.start("scripts/test")
    assert installs("[test]") in checkout.calls()
    checkout.start("scripts/run")
    assert checkout.calls() == ["greenroom chat"]

    (checkout.root / "constraints.txt").write_text("one==2\n")
    checkout.start("scripts/run")
    checkout.start("scripts/test")

    assert [call for call in checkout.calls() if call.startswith("pip")] == [installs(), installs("[test]")]


def test_bench_lists_what_can_be_measured_and_refuses_other_names(checkout: Checkout) -> None:
    bench = checkout.root / "tests" / "bench"
    bench.mkdir(parents=True)
    (bench / "__init__.py").write_text("")
    (bench / "queue.py").write_text("def main() -> int:\n    return 0\n")
    (bench / "shared.py").write_text("RATIO = 2\n")

    assert checkout.start("scripts/bench").stdout == "queue\n"
    refused = checkout.start("scripts/bench", "shared")

    assert refused.returncode == 1
    assert refused.stderr == "bench: no measurement is called shared; there are: queue\n"
    assert checkout.calls() == []


def test_bench_measures_one_after_the_other_and_stops_at_a_failure(checkout: Checkout) -> None:
    bench = checkout.root / "tests" / "bench"
    bench.mkdir(parents=True)
    (bench.parent / "__init__.py").touch()
    for name, status in {"queue": 0, "memory": 1, "start": 0}.items():
        (bench / f"{name}.py").write_text(f"def main() -> int:\n    print('{name}', flush=True)\n    return {status}\n")

    run = checkout.start("scripts/bench", "queue", "memory", "start")

    assert run.returncode == 1
    assert run.stdout == "== queue\nqueue\n== memory\nmemory\n"


def test_every_dependency_has_a_pin_within_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines())
    pinned = {canonicalize_name(name): version for name, version in pins.items()}

    for line in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        needed = Requirement(line)
        assert needed.specifier.contains(pinned[canonicalize_name(needed.name)]), line


def test_constraints_are_plain_pins_without_the_project() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()

    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line) for line in lines)
    names = [canonicalize_name(line.split("==")[0]) for line in lines]
    assert len(names) == len(set(names))
    assert "greenroom" not in names
