"""The wheel, built and installed: all that the bot reads comes along, and it runs far from a checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.personas.library import Library

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bot", "greenroom", "agents", "config")
FILES = ("pyproject.toml", "README.md", "LICENSE")
INSIDE = "greenroom/code/bot/"
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

    def run(self, *args: str, typed: str = "", before: Sequence[Path] = ()) -> subprocess.CompletedProcess[str]:
        """`python -m greenroom` with the target and the packages of this environment on the path, and no checkout.

        What is `before` them comes first.

        Without `site`, no .pth file can lead back to the checkout that an editable install names.
        """
        packages = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
        return subprocess.run(
            (sys.executable, "-S", "-m", "greenroom", *args),
            cwd=self.elsewhere,
            env={
                **kept,
                "HOME": str(self.elsewhere),
                "PYTHONPATH": os.pathsep.join((*map(str, before), str(self.target), *packages)),
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
        held = {name.removeprefix(INSIDE) for name in wheel.namelist() if name.startswith(INSIDE)}
    package = set(files_below(installed.source / "bot"))
    wanted = {name for name in package if Path(name).suffix in READ}

    assert {".py", ".json", ".lua"} <= {Path(name).suffix for name in wanted}
    assert wanted <= held
    assert {name for name in held if not name.startswith("_shipped/")} <= package


@pytest.mark.parametrize("folder", ["agents", "config"])
def test_the_cast_and_the_configuration_come_along_byte_for_byte(installed: Installed, folder: str) -> None:
    held = files_below(installed.target / INSIDE / "_shipped" / folder)
    assert held
    assert held == files_below(installed.source / folder)


def test_nothing_else_lands_beside_the_package(installed: Installed) -> None:
    version = tomllib.loads((installed.source / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    held = {path.name for path in installed.target.iterdir()}
    assert held == {"greenroom", "bin", f"greenroom-{version}.dist-info"}
    assert {path.name for path in (installed.target / "greenroom").iterdir()} == {"__init__.py", "__main__.py", "code"}
    assert [path.name for path in (installed.target / "greenroom" / "code").iterdir()] == ["bot"]
    assert [path.name for path in (installed.target / "bin").iterdir()] == ["greenroom"]


def test_an_installed_bot_lists_the_whole_cast_from_its_own_files(installed: Installed) -> None:
    run = installed.run("personas", "list")

    assert (run.returncode, run.stderr) == (0, "")
    listed = [line for line in run.stdout.splitlines() if line.endswith("[shipped]")]
    cast = Library((), installed.source / "agents").cast
    assert [line.split()[1] for line in listed] == [persona.id for persona in cast.personas]
    assert f"{installed.target / INSIDE / '_shipped' / 'agents' / 'README.md'}]" in run.stdout
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
    shipped = installed.target / INSIDE / "_shipped" / "config" / "greenroom.yaml"
    run = installed.run("personas", "--config", str(shipped), "show", "architect")

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("🏗️  Winston (architect)")
    assert str(installed.target) in run.stdout


# ---------------------------------------------------------------- others who are called `bot`

THEIRS = "raise RuntimeError('this is another bot')\n"


def another_bot(folder: Path) -> Path:
    """A package called `bot` of somebody else."""
    package = folder / "bot"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(THEIRS)
    (package / "__main__.py").write_text(THEIRS)
    return folder


@pytest.mark.parametrize("where", ["on the path before it", "installed beside it", "in the current folder"])
def test_another_package_called_bot_is_never_taken_for_ours(installed: Installed, where: str, tmp_path: Path) -> None:
    folder = {
        "on the path before it": tmp_path,
        "installed beside it": installed.target,
        "in the current folder": installed.elsewhere,
    }[where]
    another_bot(folder)
    try:
        run = installed.run("personas", "list", before=[tmp_path])
        script = installed.run("chat", "--model", "rehearsal", "--state", str(tmp_path / "s.db"), typed="*pm\n")
    finally:
        shutil.rmtree(folder / "bot")
    assert run.returncode == 0, run.stderr
    assert f"{installed.target / INSIDE / '_shipped'}" in run.stdout
    assert script.returncode == 0 and "I am **John**" in script.stdout, script.stderr


def test_the_installed_script_starts_ours_too(installed: Installed, tmp_path: Path) -> None:
    other = another_bot(tmp_path)
    packages = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    path = os.pathsep.join((str(other), str(installed.target), *packages))
    run = subprocess.run(
        (sys.executable, "-S", str(installed.target / "bin" / "greenroom"), "--version"),
        cwd=installed.elsewhere,
        env={"PYTHONPATH": path, "PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0 and run.stdout.startswith("greenroom "), run.stderr


def test_another_bot_that_was_imported_before_is_told(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text("")
    run = subprocess.run(
        (sys.executable, "-c", "import bot, sys; from greenroom import main; sys.exit(main())"),
        cwd=tmp_path,
        env={"PYTHONPATH": os.pathsep.join((str(tmp_path), str(installed.target)))},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 2 and run.stderr.startswith("Another package called bot was imported")
