"""The wheel, built and installed: all that the bot reads comes along, and it runs far from a checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.personas.library import Library

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bot", "agents", "config")
FILES = ("pyproject.toml", "README.md", "LICENSE")
READ = (".py", ".json", ".lua", ".sql")
JUNK = ("__pycache__", "*.pyc", ".*")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q")


@dataclass(frozen=True)
class Installed:
    """The copy of the checkout that a wheel was built from, its file, where it was installed, and where it is run."""

    source: Path
    wheel: Path
    target: Path
    elsewhere: Path

    def run(self, *args: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """`python -m bot` with the target and the packages of this environment on the path, and no checkout.

        Without `site`, no .pth file can lead back to the checkout that an editable install names.
        """
        packages = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
        return subprocess.run(
            (sys.executable, "-S", "-m", "bot", *args),
            cwd=self.elsewhere,
            env={
                **kept,
                "HOME": str(self.elsewhere),
                "PYTHONPATH": os.pathsep.join((str(self.target), *packages)),
                "PYTHONUTF8": "1",
            },
            input=typed,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("wheel")
    source, built, target, elsewhere = (folder / name for name in ("source", "built", "target", "elsewhere"))
    for each in (source, elsewhere):
        each.mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns(*JUNK))
    for name in FILES:
        shutil.copy(ROOT / name, source / name)
    if (ROOT / ".gitignore").is_file():  # the build leaves out what it names; an unpacked sdist has none
        shutil.copy(ROOT / ".gitignore", source)
    pip("wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(built), cwd=source)
    [wheel] = built.iterdir()
    pip("install", "--no-deps", "--no-index", "--no-compile", "--target", str(target), str(wheel), cwd=elsewhere)
    yield Installed(source, wheel, target, elsewhere)
    shutil.rmtree(folder)


def pip(*args: str, cwd: Path) -> None:
    run = subprocess.run((*PIP, *args), cwd=cwd, capture_output=True, text=True, check=False, timeout=110)
    assert run.returncode == 0, run.stdout + run.stderr


def files_below(folder: Path) -> dict[str, bytes]:
    """All files of a folder by their path in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_file_that_the_bot_reads_is_in_the_wheel(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        held = {name.removeprefix("bot/") for name in wheel.namelist() if name.startswith("bot/")}
    package = set(files_below(installed.source / "bot"))
    wanted = {name for name in package if Path(name).suffix in READ}

    assert {".py", ".json", ".lua"} <= {Path(name).suffix for name in wanted}
    assert wanted <= held
    assert {name for name in held if not name.startswith("_shipped/")} <= package


@pytest.mark.parametrize("folder", ["agents", "config"])
def test_the_cast_and_the_configuration_come_along_byte_for_byte(installed: Installed, folder: str) -> None:
    held = files_below(installed.target / "bot" / "_shipped" / folder)
    assert held
    assert held == files_below(installed.source / folder)


def test_nothing_else_lands_beside_the_package(installed: Installed) -> None:
    version = tomllib.loads((installed.source / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    held = {path.name for path in installed.target.iterdir()}
    assert held == {"bot", "bin", f"greenroom-{version}.dist-info"}
    assert [path.name for path in (installed.target / "bin").iterdir()] == ["greenroom"]


def test_an_installed_bot_lists_the_whole_cast_from_its_own_files(installed: Installed) -> None:
    run = installed.run("personas", "list")

    assert (run.returncode, run.stderr) == (0, "")
    listed = [line for line in run.stdout.splitlines() if line.endswith("[shipped]")]
    cast = Library((), installed.source / "agents").cast
    assert [line.split()[1] for line in listed] == [persona.id for persona in cast.personas]
    assert f"{installed.target / 'bot' / '_shipped' / 'agents' / 'README.md'}]" in run.stdout
    assert f"[{ROOT}" not in run.stdout


def test_an_installed_bot_brings_a_persona_on_and_rehearses_with_it(installed: Installed) -> None:
    state = installed.elsewhere / "talk.db"
    run = installed.run("chat", "--model", "rehearsal", "--state", str(state), typed="*architect\nhello\n*exit\n")

    assert run.returncode == 0, run.stderr
    assert "Hello, I am **Winston**, your Architect." in run.stdout
    assert "`*create-backend-architecture`" in run.stdout
    assert "rehears" in run.stdout.casefold()
    assert "Goodbye! This was Winston, your Architect." in run.stdout
    assert state.is_file()
    beside = {path.name for path in installed.elsewhere.iterdir() if not path.name.startswith("talk.db")}
    assert beside <= {"library.cache"}, "which is not written of files that are only seconds old"


def test_an_installed_bot_reads_the_configuration_that_it_brings(installed: Installed) -> None:
    shipped = installed.target / "bot" / "_shipped" / "config" / "greenroom.yaml"
    run = installed.run("personas", "--config", str(shipped), "show", "architect")

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("🏗️  Winston (architect)")
    assert str(installed.target) in run.stdout
