"""What a start finds on disk of the start before it, and that it never finds anything wrong."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.app import library_of
from bot.personas.cache import ShelfCache
from bot.personas.files import printable
from bot.personas.library import Library
from bot.settings import load
from tests.unit.personas.test_library import agent, put, subagent
from tests.unit.personas.test_readers import BASE, BUNDLE, SKILL

VERSION = "1.2.3"

START = """
import sys
from pathlib import Path
from bot.personas.cache import ShelfCache
from bot.personas.library import Library
for _ in range(10):
    library = Library([Path(sys.argv[1])], cache=ShelfCache(Path(sys.argv[2]), sys.argv[3]))
    print(*[persona.name for persona in library.cast.personas])
"""


def age(*paths: Path, seconds: float = 3600) -> None:
    """Let the files be as old as those of a library usually are."""
    for path in paths:
        for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
            os.utime(file, (time.time() - seconds,) * 2)


def seen(library: Library) -> tuple[object, ...]:
    return library.cast, library.problems, library.overrides


def rewritten(cache: Path, change: Callable[[str], str]) -> None:
    """Change what the cache holds, as somebody would who knows how it is made."""
    line, _, body = cache.read_bytes().partition(b"\n")
    changed = change(body.decode()).encode()
    cache.write_bytes(line[:-64] + hashlib.sha256(changed).hexdigest().encode() + b"\n" + changed)


class Place:
    """A folder of personas and a cache; `start` gives the library as a new process would have it."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.path = folder / "state" / "library.cache"
        self.rosa = put(self.files / "a.md", agent("rosa", "Rosa"))
        put(self.files / "b.md", subagent("hugo"))
        age(self.files)

    def cache(self, version: str = VERSION) -> ShelfCache:
        return ShelfCache(self.path, version)

    def start(self, version: str = VERSION) -> Library:
        return Library([self.files], cache=self.cache(version))

    def names(self) -> list[str]:
        return [persona.name for persona in self.start().cast.personas]

    def mark(self) -> None:
        """Let the cache tell of a Marked where the file says Rosa: whoever meets her was told by the cache."""
        rewritten(self.path, lambda body: body.replace('"Rosa"', '"Marked"'))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.start()
    return place


def test_a_second_start_reads_no_file_again_that_is_unchanged(place: Place) -> None:
    assert place.names() == ["Rosa", "Hugo"]
    place.mark()
    assert place.names() == ["Marked", "Hugo"]


async def test_a_second_start_has_the_same_of_every_format_and_tells_the_same_problems(tmp_path: Path) -> None:
    mine, shipped, cache = tmp_path / "mine", tmp_path / "shipped", tmp_path / "cache"
    put(mine / "rosa.md", agent("rosa", more="  iconn: 🌱\ncommands:\n  - dig {bed}: run task dig.md\n"))
    put(mine / "page.md", "# Just a page\n")
    put(mine / "README.md", "# About\n\nText with a\ttab and \u2028.\n")
    put(mine / "broken.md", agent("broken", more="x: [\n"))
    put(mine / "garden.txt", BUNDLE)
    put(mine / "tasks/dig.md", "# Dig a bed\n")
    put(mine / "skill/SKILL.md", SKILL)
    put(mine / "skill/customize.toml", BASE)
    put(shipped / "rosa.md", agent("rosa"))
    put(shipped / "hugo.md", "---\nname: hugo\ndescription: Does: it\ntools: Read\n---\n\nDo it.\n")
    put(mine / "tasks" / os.fsdecode(b"caf\xe9.md"), "# Make coffee\n")
    age(mine, shipped)

    plain, first = Library([mine], shipped), Library([mine], shipped, ShelfCache(cache, VERSION))
    second = Library([mine], shipped, ShelfCache(cache, VERSION))

    assert len(plain.problems) >= 3 and len(plain.overrides) == 1 and len(plain.cast.personas) == 3
    assert seen(first) == seen(plain)
    # All but the broken one, which is read every time, and the skill's layer, which belongs to the skill.
    every = {printable(path) for path in (*mine.rglob("*"), *shipped.rglob("*")) if path.is_file()}
    kept = set(ShelfCache(cache, VERSION).load())
    assert every - kept == {str(mine / "broken.md"), str(mine / "skill/customize.toml")}
    assert seen(second) == seen(plain)
    assert await second.read("data", "soil", "") == await plain.read("data", "soil", "") == "Sand and clay."
    assert await second.read("tasks", "dig", "rosa") == "# Dig\n\nDig deep."
    assert await second.read("tasks", os.fsdecode(b"caf\xe9"), "rosa") == "# Make coffee\n"


def test_what_is_shipped_is_the_same_from_the_cache(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[3] / "agents"
    Library([], shipped, ShelfCache(tmp_path / "cache", VERSION))

    assert seen(Library([], shipped, ShelfCache(tmp_path / "cache", VERSION))) == seen(Library([], shipped))


# ---------------------------------------------------------------- files that are not as they were


def test_a_file_that_changed_is_read_again_and_kept_anew(place: Place) -> None:
    put(place.rosa, agent("rosa", "Rosa the Second"))
    age(place.rosa, seconds=1800)

    assert place.names() == ["Rosa the Second", "Hugo"]
    assert "Rosa the Second" in place.path.read_text()
    assert place.names() == ["Rosa the Second", "Hugo"]


def test_a_file_whose_time_went_back_is_read_again(place: Place) -> None:
    put(place.rosa, agent("rosa", "Olga"))
    age(place.rosa, seconds=7200)

    assert place.names() == ["Olga", "Hugo"]


def test_a_file_that_was_exchanged_for_one_of_the_same_time_and_size_is_read_again(place: Place) -> None:
    before = place.rosa.stat()
    put(place.rosa, agent("rosa", "Olga"))
    os.utime(place.rosa, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert (place.rosa.stat().st_mtime_ns, place.rosa.stat().st_size) == (before.st_mtime_ns, before.st_size)
    assert place.names() == ["Olga", "Hugo"]


def test_a_file_that_got_other_rights_is_read_again(place: Place) -> None:
    place.mark()
    place.rosa.chmod(0o600)

    assert place.names() == ["Rosa", "Hugo"]


def test_a_file_that_is_gone_is_forgotten_and_a_new_one_is_found(place: Place) -> None:
    place.rosa.unlink()
    age(put(place.files / "c.md", subagent("inga")))

    assert place.names() == ["Hugo", "Inga"]
    assert [Path(path).name for path in place.cache().load()] == ["b.md", "c.md"]


def test_a_layer_that_changed_or_went_has_its_skill_read_again(tmp_path: Path) -> None:
    def title() -> str:
        return Library([files], cache=ShelfCache(tmp_path / "cache", VERSION)).cast.personas[0].title

    files = tmp_path / "files"
    put(files / "rosa/SKILL.md", SKILL)
    layer = put(files / "rosa/customize.toml", BASE)
    age(files)
    before = title()

    put(layer, BASE.replace("Gardener", "Chief Gardener"))
    age(layer)
    assert (before, title()) == ("Gardener", "Chief Gardener")
    over = put(files / "custom/rosa.toml", '[agent]\ntitle = "Owner"\n')
    age(over)
    assert title() == title() == "Owner"
    over.unlink()
    assert title() == "Chief Gardener"


def test_a_file_that_was_written_a_moment_ago_is_not_kept(place: Place) -> None:
    put(place.rosa, agent("rosa", "Fresh"))

    assert place.names() == ["Fresh", "Hugo"]
    assert [Path(path).name for path in place.cache().load()] == ["b.md"]


def test_a_file_that_has_settled_is_kept_by_the_next_reload(place: Place) -> None:
    put(place.rosa, agent("rosa", "Ines"))
    library = place.start()
    age(place.rosa)
    library.reload()
    rewritten(place.path, lambda body: body.replace('"Ines"', '"Marked"'))

    assert place.names() == ["Marked", "Hugo"]


def test_a_file_that_could_not_be_read_is_tried_again(place: Place) -> None:
    place.rosa.write_bytes(b"\xff\xfe\x00")
    age(place.rosa)

    assert [p.severity for p in place.start().problems] == ["error"]
    assert [Path(path).name for path in place.cache().load()] == ["b.md"]
    assert [p.severity for p in place.start().problems] == ["error"]


def test_the_same_files_under_another_path_are_placed_anew(place: Place) -> None:
    for paths in ([place.files.parent], [place.rosa], [place.files]):
        assert seen(Library(paths, cache=place.cache())) == seen(Library(paths))


def test_a_library_that_is_now_the_shipped_one_is_not_taken_for_ones_own(place: Place) -> None:
    library = Library([], place.files, place.cache())

    assert [persona.source.shipped for persona in library.cast.personas] == [True, True]


def test_a_path_that_leads_elsewhere_now_is_read_anew(tmp_path: Path) -> None:
    current, cache = tmp_path / "current", tmp_path / "cache"
    for name in ("Rosa", "Olga"):
        put(tmp_path / name / "a.md", agent("rosa", name))
        os.utime(tmp_path / name / "a.md", (1e9, 1e9))

    current.symlink_to("Rosa")
    Library([current], cache=ShelfCache(cache, VERSION))
    current.unlink()
    current.symlink_to("Olga")

    assert Library([current], cache=ShelfCache(cache, VERSION)).cast.personas[0].name == "Olga"


async def test_what_a_refresh_reads_is_kept_too(place: Place) -> None:
    library = place.start()
    put(place.rosa, agent("rosa", "Olga"))
    age(place.rosa, seconds=60)
    await library.refresh()
    rewritten(place.path, lambda body: body.replace('"Olga"', '"Marked"'))

    assert place.names() == ["Marked", "Hugo"]


# ---------------------------------------------------------------- a cache that is of no use


def debug_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert {record.levelno for record in caplog.records} <= {logging.DEBUG}
    return [record.getMessage() for record in caplog.records]


def test_a_cache_of_another_version_is_not_used_and_replaced(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    place.mark()

    assert [p.name for p in place.start("1.2.4").cast.personas] == ["Rosa", "Hugo"]
    assert "another version's" in debug_lines(caplog)[0]
    assert place.cache("1.2.4").load() and not place.cache().load()


def test_a_cache_that_other_code_wrote_is_not_used(place: Place) -> None:
    place.mark()
    head, _, body = place.path.read_bytes().partition(b"\n")
    words = head.split(b" ")
    assert len(words[-2]) == 64
    place.path.write_bytes(b" ".join([*words[:-2], b"0" * 64, words[-1]]) + b"\n" + body)

    assert place.names() == ["Rosa", "Hugo"]


def test_a_cache_that_was_cut_anywhere_is_not_used(place: Place) -> None:
    content = place.path.read_bytes()
    for length in {*range(0, len(content), 97), content.index(b"\n"), content.index(b"\n") + 1, len(content) - 1}:
        place.path.write_bytes(content[:length])
        assert place.cache().load() == {}
    assert place.names() == ["Rosa", "Hugo"]
    assert place.path.read_bytes() == content


def test_a_cache_with_one_wrong_byte_is_not_used(place: Place) -> None:
    content = place.path.read_bytes()
    for at in range(0, len(content), 31):
        place.path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert place.cache().load() == {}
    assert place.names() == ["Rosa", "Hugo"]


def with_first(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """Change the shelf of the first file."""

    def changed(body: str) -> str:
        known = json.loads(body)
        change(next(iter(known.values()))[1])
        return json.dumps(known)

    return changed


@pytest.mark.parametrize(
    "change",
    [
        lambda body: "",
        lambda body: "null",
        lambda body: "[]",
        lambda body: '{"a.md": 1}',
        lambda body: '{"a.md": ["stamp"]}',
        lambda body: '{"a.md": ["stamp", null]}',
        lambda body: "[" * 100_000,
        lambda body: body[:-1],
        with_first(lambda shelf: shelf.update(reading={"personas": [{"id": "x"}]})),
        with_first(lambda shelf: shelf.update(reading={"problems": [{"path": "a", "line": "x"}]})),
        with_first(lambda shelf: shelf.update(texts=["a text of nothing"])),
        with_first(lambda shelf: shelf.update(resources=[{"kind": "data", "name": "x", "path": "/etc/passwd"}])),
    ],
)
def test_a_cache_that_somebody_made_up_is_not_used(
    place: Place, change: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rewritten(place.path, change)

    assert place.names() == ["Rosa", "Hugo"]
    assert "is not used" in debug_lines(caplog)[0]
    assert len(place.cache().load()) == 2


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("folder", "it is no regular file"),
        ("pipe", "it is no regular file"),
        ("link", "symbolic links"),
        ("too large", "it is larger than"),
    ],
)
def test_what_stands_in_the_caches_place_is_not_used(
    place: Place, kind: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    place.mark()
    cache = place.cache()
    match kind:
        case "folder":
            place.path.unlink()
            place.path.mkdir()
        case "pipe":
            place.path.unlink()
            os.mkfifo(place.path)
        case "link":
            place.path.symlink_to(place.path.rename(place.path.with_name("elsewhere")))
        case _:
            cache = ShelfCache(place.path, VERSION, limit=place.path.stat().st_size - 1)

    assert [p.name for p in Library([place.files], cache=cache).cast.personas] == ["Rosa", "Hugo"]
    assert "is not used" in debug_lines(caplog)[0] and why in debug_lines(caplog)[0]
    assert not list(place.path.parent.glob("*.new"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_cache_of_another_user_is_not_used(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    place.mark()
    os.chown(place.path, 1, 1)

    assert place.names() == ["Rosa", "Hugo"]
    assert "another user" in debug_lines(caplog)[0]


# ---------------------------------------------------------------- writing it


def test_nobody_else_may_read_the_cache(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        place = Place(tmp_path)
        place.start()
    finally:
        os.umask(before)

    assert stat.S_IMODE(place.path.stat().st_mode) == 0o600
    assert [path.name for path in place.path.parent.iterdir()] == ["library.cache"]


def test_a_start_that_finds_nothing_new_writes_nothing(place: Place) -> None:
    before = place.path.stat()
    place.start().reload()

    assert (place.path.stat().st_ino, place.path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_library_of_nobody_leaves_no_file(tmp_path: Path) -> None:
    Library([tmp_path], cache=ShelfCache(tmp_path / "state/cache", VERSION))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["a file/library.cache", "a file", "x" * 300])
def test_a_cache_that_cannot_be_written_costs_nothing_but_the_time(
    tmp_path: Path, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    place = Place(tmp_path)
    if where == "a file":
        (tmp_path / where).mkdir()
    else:
        put(tmp_path / "a file", "in the way")
    place.path = tmp_path / where

    assert place.names() == place.names() == ["Rosa", "Hugo"]
    assert any("is not written" in line for line in debug_lines(caplog))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a file", "files"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_costs_nothing_but_the_time(place: Place) -> None:
    place.path.unlink()
    place.path.parent.chmod(0o500)

    assert place.names() == ["Rosa", "Hugo"]
    assert list(place.path.parent.iterdir()) == []


def test_a_cache_that_would_be_too_large_is_not_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    place = Place(tmp_path)
    library = Library([place.files], cache=ShelfCache(place.path, VERSION, limit=500))

    assert [persona.name for persona in library.cast.personas] == ["Rosa", "Hugo"]
    assert "larger than 500 bytes" in debug_lines(caplog)[0]
    assert not place.path.parent.exists()


def test_what_a_killed_writer_left_is_taken_away_and_what_one_writes_now_is_not(tmp_path: Path) -> None:
    place = Place(tmp_path)
    old = put(place.path.with_name("library.cache.abc.new"), "half")
    young = put(place.path.with_name("library.cache.def.new"), "half")
    age(old)
    place.start()

    assert not old.exists()
    assert young.read_text() == "half"
    assert place.path.exists()


def test_many_processes_at_once_do_no_harm(place: Place) -> None:
    """Half of them are of another version, so that everybody finds the wrong file and writes a new one."""
    command = [sys.executable, "-c", START, str(place.files), str(place.path)]
    running = [
        subprocess.Popen([*command, version], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for version in (VERSION, "1.2.4", VERSION, "1.2.4")
    ]
    said = [process.communicate(timeout=60) for process in running]

    assert said == [("Rosa Hugo\n" * 10, "")] * 4
    assert len(place.cache().load() or place.cache("1.2.4").load()) == 2
    assert [path.name for path in place.path.parent.iterdir()] == ["library.cache"]


# ---------------------------------------------------------------- who has one


def test_a_library_that_is_to_be_kept_has_its_cache_beside_the_state(tmp_path: Path) -> None:
    (tmp_path / "greenroom.yaml").write_text("{}")
    put(tmp_path / "mine/a.md", agent("rosa", "Rosa"))
    age(tmp_path / "mine")
    env = {
        "GREENROOM_STORE__PATH": str(tmp_path / "state/s.sqlite3"),
        "GREENROOM_LIBRARY__PATHS": json.dumps([str(tmp_path / "mine")]),
    }
    settings = load(tmp_path / "greenroom.yaml", env)

    assert library_of(settings).cast.persona("rosa") is not None
    assert not (tmp_path / "state").exists()
    kept = library_of(settings, keep=True)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["library.cache"]
    assert seen(library_of(settings, keep=True)) == seen(kept)


def test_a_state_in_memory_leaves_no_cache_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(put(tmp_path / "greenroom.yaml", "{}"), {"GREENROOM_STORE__PATH": ":memory:"})

    assert library_of(settings, keep=True).cast.personas
    assert [path.name for path in tmp_path.iterdir()] == ["greenroom.yaml"]
