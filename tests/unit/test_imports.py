"""The directions of imports that docs/architecture.md draws, and what no file of the project may name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

VALUES = {"bot.core", "bot.ports", "bot.personas.model"}
MAY_IMPORT: Mapping[str, set[str] | None] = {
    "bot.core": {
        "bot.personas.model",
        "bot.personas.labels",
        "bot.personas.lookalikes",
        "bot.personas.ranking",
        "bot.personas.naming",
        "bot.personas.readers.safe_yaml",
    },
    "bot.personas": {"bot.core", "bot.ports", "bot.platforms.terminal.harmless"},
    "bot.ports": {"bot.core", "bot.personas.model"},
    "bot.settings": set(),
    "bot.telemetry": VALUES,
    "bot.signals": set(),
    "bot.installed": set(),
    "bot.runtime": {"bot.core", "bot.exporting", "bot.personas", "bot.ports", "bot.telemetry"},
    "bot.health": VALUES | {"bot.telemetry", "bot.installed"},
    "bot.stores": VALUES | {"bot.installed"},
    "bot.platforms": VALUES,
    "bot.models": VALUES,
    "bot.operations": VALUES | {"bot.app", "bot.platforms.terminal.harmless", "bot.settings", "bot.stores"},
    "bot.exporting": set(),
    "bot.doctor": None,
    "bot.app": None,
    "bot.service": None,
    "bot.cli": None,
    "bot.__main__": None,
}
"""What each part may import of ours besides itself; None: everything."""

IMPURE = {
    "asyncio", "concurrent", "contextvars", "datetime", "io", "logging", "os", "pathlib", "random", "secrets",
    "shutil", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "uuid",
}  # fmt: skip
"""Ways out of `core`: to the disk, the clock, chance, the environment, other tasks."""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Every module that `source` imports anywhere in it, with `from a import b` as `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(module: str, part: str) -> bool:
    return module == part or module.startswith(f"{part}.")


def violations(module: str, source: str, is_package: bool = False) -> list[str]:
    if module == "bot":
        part, allowed = "bot", set()
    else:
        part = ".".join(module.split(".")[:2])
        if part not in MAY_IMPORT:
            return [f"{module}: no rule says what {part} may import; add one here and in docs/architecture.md"]
        if (rule := MAY_IMPORT[part]) is None:
            return []
        allowed = rule
    found = []
    for name in imported(source, module, is_package):
        ours = within(name, "bot") and not any(within(name, other) for other in {part, *allowed} - {"bot"})
        if ours or (part == "bot.core" and name.split(".")[0] in IMPURE):
            found.append(f"{module} imports {name}")
    return found


def test_every_module_keeps_the_directions_of_imports() -> None:
    paths = sorted((ROOT / "bot").rglob("*.py"))
    assert len(paths) > 10
    wrong = [
        line
        for path in paths
        for line in violations(module_name(path), path.read_text("utf-8"), path.name == "__init__.py")
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bot.core.machine", "import bot.runtime.worker"),
        ("bot.core.machine", "from bot.personas.library import Library"),
        ("bot.core.machine", "from bot.personas import library"),
        ("bot.core.machine", "def now():\n    from time import time\n    return time()"),
        ("bot.core.modes.chat", "from ...ports import Store"),
        ("bot.personas.library", "from bot.settings import Settings"),
        ("bot.runtime.worker", "from bot.stores.sqlite import SqliteStore"),
        ("bot.runtime.worker", "from .. import settings"),
        ("bot.stores.sqlite", "from bot.platforms import terminal"),
        ("bot.models.anthropic", "if TYPE_CHECKING:\n    from bot.stores import sqlite"),
        ("bot.settings.keys", "from bot.core.model import HOST"),
        ("bot.health.vitals", "from bot.stores.errors import StoreError"),
        ("bot.runtime.worker", "from bot.health.metrics import Metrics"),
        ("bot.gossip", ""),
    ],
)
def test_a_wrong_import_is_noticed(module: str, source: str) -> None:
    assert len(violations(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bot.core.machine", "from bot.personas.model import Persona\nfrom .modes import chat\nimport re"),
        ("bot.stores.sqlite", "from bot.ports.store import Store\nimport asyncio\nfrom bot.stores import lock"),
        ("bot.runtime.worker", "from bot.core import codec\nfrom bot.personas.library import Library"),
        ("bot.app", "from bot.stores.sqlite import SqliteStore\nfrom bot.settings import load"),
    ],
)
def test_a_right_import_is_let_be(module: str, source: str) -> None:
    assert violations(module, source) == []


# ---------------------------------------------------------------- what files may not name

# Put together here, so that this file does not name what it looks for.
REGISTRIES = [
    "py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js.org", "registry.yarn" + "pkg.com",
    "proxy.golang" + ".org", "crates" + ".io", "ruby" + "gems.org",
]  # fmt: skip
MACHINE_PATH = re.compile(r"(?<![\w.~}-])/" + r"(?:work|root|home)/")
LEFT_OUT = {"__pycache__", "build", "dist", "node_modules"}


def project_files() -> Iterator[Path]:
    """All text that belongs to the project: nothing hidden but `.ci` and `.github`, nothing that a build makes."""

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            hidden = path.name.startswith(".") and path.name not in {".ci", ".github", ".gitignore"}
            if hidden or path.name in LEFT_OUT or path.name.endswith((".egg-info", ".sqlite3")):
                continue
            if path.is_dir():
                yield from walk(path)
            else:
                yield path

    return walk(ROOT)


def forbidden(text: str) -> list[str]:
    return [name for name in REGISTRIES if name in text] + MACHINE_PATH.findall(text)


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    paths = list(project_files())
    assert ROOT / "pyproject.toml" in paths
    assert ROOT / ".ci" / "run" in paths
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in paths
        if (found := forbidden(path.read_text("utf-8", errors="replace")))
    }
    assert wrong == {}


@pytest.mark.parametrize("path", ["work", "root", "home"])
def test_a_path_of_one_machine_is_noticed_and_a_word_in_an_address_is_not(path: str) -> None:
    assert forbidden(f"see /{path}/notes.txt")
    assert forbidden(f'"/{path}/notes.txt"')
    assert not forbidden(f"https://example.com/{path}/notes.txt and some{path}/notes.txt and ./{path}/notes")


@pytest.mark.parametrize("path", sorted((ROOT / "bot" / "runtime").glob("*.py")), ids=lambda path: path.stem)
def test_the_runtime_names_no_platform(path: Path) -> None:
    """What differs between platforms comes from their adapters and from the composition root."""
    texts = (n.value for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Constant))
    named = {text for text in texts if isinstance(text, str) and text.casefold() in {"slack", "discord", "terminal"}}
    assert named == set()
