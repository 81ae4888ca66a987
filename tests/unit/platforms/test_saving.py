"""A file in the terminal is saved, and the post says where."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bot.core.model import HOST, Conversation
from bot.platforms.terminal.plain import PlainTransport
from bot.platforms.terminal.typed import Orders
from bot.ports.transport import FormRefusedError, Outgoing, Upload

HERE = Conversation("terminal", "local", "general")


def out(data: bytes = b"") -> Outgoing:
    return Outgoing("k1", HERE, HOST, "", 0, file=Upload("prd-1a2b.md", "# PRD\n", data))


async def test_a_file_is_saved_into_a_folder_that_is_made_for_it(tmp_path: Path) -> None:
    printed = io.StringIO()
    transport = PlainTransport(printed, Orders(), files=tmp_path / "a" / "files")

    await transport.post(out())
    await transport.post(out(b"PK\xff"))

    saved = tmp_path / "a" / "files" / "prd-1a2b.md"
    assert saved.read_bytes() == b"PK\xff", "the same one sent again replaces it"
    assert f"Saved: {saved}" in printed.getvalue()


async def test_without_a_folder_or_where_it_cannot_be_written_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("no folder")
    for folder in (None, tmp_path / "files"):
        with pytest.raises(FormRefusedError):
            await PlainTransport(io.StringIO(), Orders(), files=folder).post(out())
