"""Folders that the public package's own installer makes, read by the library and by an independent reading.

`pytest tests/installs --installs` fetches the package with npm and runs its installer; it takes minutes and needs the
network, so it runs only when it is asked for. Nothing of the package is kept.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.personas.library import Library
from bot.personas.model import Persona
from tests.installs.independent import Seen, agents_of, words

PACKS = ("bmad-2d-phaser-game-dev", "bmad-creative-writing", "bmad-godot-game-dev", "bmad-infrastructure-devops")
ANSWERS = ("--modules", "bmm,core", "--user-name", "Ana", "-y")
EDITORS = ("claude-code", "codex", "trae", "cursor")
INSTALLERS = {
    "4.44.3": ("tools/installer/bin/bmad.js", "-d", ("-f", "-i", *EDITORS, "-e", *PACKS)),
    "6.0.1": ("tools/cli/bmad-cli.js", "--directory", (*ANSWERS, "--tools", "none")),
    "6.2.0": ("tools/cli/bmad-cli.js", "--directory", (*ANSWERS, "--tools", "none")),
    "6.12.0": ("tools/installer/bmad-cli.js", "--directory", (*ANSWERS, "--tools", "claude-code")),
}
NAMES_A_FILE = re.compile(r"^(?:run|execute|use) (?:the )?task `?\w+-|\bcreate-doc\b|-tmpl\b", re.IGNORECASE)
"""What a menu for people does not say."""

AGENTS = {"4.44.3": 37, "6.0.1": 10, "6.2.0": 9, "6.12.0": 5}
"""How many agents each install has, counted by hand; without the copies that 4.44.3 makes for editors."""


@pytest.fixture(scope="module", params=INSTALLERS)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    if not request.config.getoption("--installs"):
        pytest.skip("needs npm, the network and minutes: --installs")
    version: str = request.param
    package, into = tmp_path_factory.mktemp("package"), tmp_path_factory.mktemp("project")
    npm = shutil.which("npm")
    assert npm, "npm is not installed"
    get = [npm, "install", f"bmad-method@{version}", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run([*get, "--prefix", str(package)], check=True, capture_output=True, timeout=600)
    script, folder, more = INSTALLERS[version]
    command = ["node", str(package / "node_modules/bmad-method" / script), "install", folder, str(into), *more]
    env = {**os.environ, "CI": "1"}
    subprocess.run(command, check=True, capture_output=True, timeout=600, cwd=into, stdin=subprocess.DEVNULL, env=env)
    return version, into


def read_as(persona: Persona, seen: Seen) -> None:
    """Whether the persona is who the independent reading saw, with everything of the menu in its order."""
    assert persona.id.rpartition("/")[2] == seen.id
    assert (persona.name, persona.title, persona.icon or "") == (seen.name, seen.title, seen.icon or persona.icon)
    assert len(persona.commands) == len(seen.menu)
    for command, (key, text) in zip(persona.commands, seen.menu, strict=True):
        assert key in (command.name, *command.aliases)
        assert persona.command(key) is not None
        told = words(f"{command.description} {command.prompt} {persona.instructions}")
        assert set(text.split()) <= set(told.split()), (seen.file, key)
        assert not NAMES_A_FILE.search(command.label), (seen.file, key, command.label)


def test_every_agent_of_an_install_is_there_with_name_icon_and_menu(installed: tuple[str, Path]) -> None:
    version, root = installed
    seen = agents_of(root)
    assert len(seen) == AGENTS[version]

    library = Library([root])

    personas = {persona.source.path: persona for persona in (*library.cast.personas, *library.cast.shadowed)}
    copies = {p.path: p.reason for p in library.problems if p.severity == "note" and " is the same as in " in p.reason}
    for one in seen:
        if one.file in copies:
            read_as(personas[copies[one.file].split(" is the same as in ")[1].rpartition(":")[0]], one)
        else:
            read_as(personas[one.file], one)
    assert len(library.cast.personas) == len({one.id for one in seen})
    assert [str(problem) for problem in library.problems if problem.severity == "error"] == []


def test_no_override_is_a_persona_and_every_workflow_has_its_own_name(installed: tuple[str, Path]) -> None:
    _, root = installed
    cast = Library([root]).cast

    assert not [persona.id for persona in cast.personas if "customize" in persona.id]
    assert not [
        resource.name
        for resource in cast.resources
        if resource.kind == "workflows" and resource.stem in ("workflow", "skill", "instructions")
    ]


def test_everybody_of_an_id_can_be_called_by_pack(installed: tuple[str, Path]) -> None:
    _, root = installed
    cast = Library([root]).cast

    for persona in (*cast.personas, *cast.shadowed):
        plain = persona.id.rpartition("/")[2]
        assert persona in cast.all_of(plain)
        assert cast.persona(persona.id) == persona
        assert cast.in_pack(persona.pack, plain) == persona


def test_the_party_of_an_install_is_kept(installed: tuple[str, Path]) -> None:
    version, root = installed
    cast = Library([root]).cast

    codes = {member.code for member in cast.party_members}
    assert bool(codes) == (version == "6.12.0")
    for group in cast.party_groups:
        assert group.scene and set(group.members) <= codes
