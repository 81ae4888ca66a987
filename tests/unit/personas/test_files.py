"""Folders that strangers filled: links, odd names, odd encodings, and bounds, on a real file system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.personas.files import MAX_BYTES, UnreadableError, decoded, flaw_of_path, text_of_file, walk


def inside(root: Path, limit: int = 100) -> list[str]:
    return [str(found.inside) for found in walk(root, limit).files]


def told(root: Path, limit: int = 100) -> str:
    return "\n".join(map(str, walk(root, limit).problems))


def put(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_files_come_in_a_stable_order_and_tool_folders_are_left_out(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.md", "a/b/c.md", ".git/x.md", "node_modules/y.md", ".hidden/agents/h.md"):
        put(tmp_path / name)

    assert inside(tmp_path) == [".hidden/agents/h.md", "a/b/c.md", "a/z.md", "b.md"]


def test_a_link_out_of_the_library_is_refused(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret.md", "password")
    library = tmp_path / "library"
    library.mkdir()
    (library / "file.md").symlink_to(secret)
    (library / "folder").symlink_to(tmp_path)

    assert inside(library) == []
    assert told(library).count("a link that leads out of the library") == 2


def test_a_link_inside_the_library_is_followed_once(tmp_path: Path) -> None:
    put(tmp_path / "b/real.md")
    (tmp_path / "a.md").symlink_to(tmp_path / "b/real.md")
    (tmp_path / "loop").symlink_to(tmp_path)

    assert inside(tmp_path) == ["a.md"]
    assert told(tmp_path) == ""


def test_a_library_that_is_itself_a_link_works(tmp_path: Path) -> None:
    put(tmp_path / "real/a.md")
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert inside(tmp_path / "link") == ["a.md"]
    assert text_of_file(tmp_path / "link/a.md", tmp_path / "link") == "x"


def test_links_that_lead_nowhere_or_in_circles_are_told(tmp_path: Path) -> None:
    (tmp_path / "gone.md").symlink_to(tmp_path / "nothing")
    (tmp_path / "round.md").symlink_to(tmp_path / "round.md")

    assert inside(tmp_path) == []
    assert told(tmp_path).count("cannot be read") == 2


def test_a_mounted_configuration_with_its_dotdot_folders_is_read_once(tmp_path: Path) -> None:
    put(tmp_path / "..2026_01/a.md")
    (tmp_path / "..data").symlink_to("..2026_01")
    (tmp_path / "a.md").symlink_to("..data/a.md")

    assert inside(tmp_path) == ["a.md"]
    assert told(tmp_path) == ""


@pytest.mark.parametrize("name", ["a\nb.md", "a\x1bb.md", "con.md", "a:b.md", "back\\slash.md", "dot.", "rtl\u202e.md"])
def test_names_that_no_other_system_takes_are_told(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)

    assert inside(tmp_path) == []
    assert "rename it" in told(tmp_path)
    assert told(tmp_path).isprintable()


def test_a_name_that_is_no_text_is_shown_escaped(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff.md", "wb") as file:
        file.write(b"x")

    walked = walk(tmp_path)

    assert [str(found.inside) for found in walked.files] == ["\udcff.md"]


def test_a_pipe_is_left_out_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")

    assert inside(tmp_path) == []
    with pytest.raises(UnreadableError, match="no regular file"):
        text_of_file(tmp_path / "pipe.md", tmp_path)


def test_too_many_files_are_cut_and_told(tmp_path: Path) -> None:
    for number in range(12):
        put(tmp_path / f"{number:02}.md")

    assert len(inside(tmp_path, 10)) == 10
    assert "more than 10 files" in told(tmp_path, 10)


def test_folders_that_lie_too_deep_are_told(tmp_path: Path) -> None:
    put(tmp_path.joinpath(*"abcdefghijklmnopqrstuvwxyz") / "deep.md")

    assert inside(tmp_path) == []
    assert "folders deep" in told(tmp_path)


def test_a_library_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "No such file" in told(tmp_path / "nowhere")


def test_a_device_is_no_library() -> None:
    assert "neither a file nor a folder" in told(Path("/dev/null"))


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"ros\xc3\xa9", "rosé"), (b"\xef\xbb\xbfrose", "rose"), (b"a\r\nb", "a\r\nb"), (b"", "")],
)
def test_utf8_is_read_with_or_without_a_mark(content: bytes, text: str) -> None:
    assert decoded(content) == text


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        (b"\xff\xfea\x00", "UTF-16", 1),
        (b"\xfe\xff\x00a", "UTF-16", 1),
        (b"one\ntwo\x00", "NUL", 2),
        (b"one\n\ntr\xe4ge", "not UTF-8", 3),
        (b"x" * (MAX_BYTES + 1), "4 MiB", 1),
    ],
)
def test_other_encodings_are_told_with_their_line(content: bytes, reason: str, line: int) -> None:
    with pytest.raises(UnreadableError, match=reason) as caught:
        decoded(content)

    assert caught.value.line == line
    assert caught.value.mend


def test_a_file_that_became_a_link_out_is_not_read(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret.md", "password")
    (tmp_path / "library").mkdir()
    (tmp_path / "library/a.md").symlink_to(secret)

    with pytest.raises(UnreadableError, match="leads out"):
        text_of_file(tmp_path / "library/a.md", tmp_path / "library")


def test_a_folder_that_became_a_link_out_is_not_read_through(tmp_path: Path) -> None:
    put(tmp_path / "outside/a.md", "password")
    (tmp_path / "library").mkdir()
    (tmp_path / "library/tasks").symlink_to(tmp_path / "outside")

    with pytest.raises(UnreadableError, match="leads out"):
        text_of_file(tmp_path / "library/tasks/a.md", tmp_path / "library")


@pytest.mark.parametrize(
    "path",
    [
        "../a",
        "a/../../b",
        "/etc/passwd",
        "\\\\host\\a",
        "C:\\a",
        "c:a",
        "~/a",
        "a//b",
        "",
        ".",
        "a/con",
        "nul.txt",
        "a\x00b",
    ],
)
def test_paths_that_lead_out_are_known(path: str) -> None:
    assert flaw_of_path(path)


@pytest.mark.parametrize("path", ["a.md", ".bmad-core/tasks/a.md", "übung/ä.md", "a b/c.yaml", "console.md"])
def test_plain_paths_are_fine(path: str) -> None:
    assert flaw_of_path(path) == ""
