"""A file in the terminal: it is saved into a folder, and the post says where."""

from __future__ import annotations

from pathlib import Path

from bot.ports.transport import FormRefusedError, Outgoing


def saved(out: Outgoing, folder: Path | None) -> str:
    """Save the file of a post, over an earlier one of the same name; the line that says where.

    Raises FormRefusedError where there is no folder, or nothing can be written into it.
    """
    if out.file is None:
        raise ValueError(f"no file to save: {out.key}")
    if folder is None:
        raise FormRefusedError("a conversation in memory has no folder for files")
    path = folder / out.file.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(out.file.content)
    except OSError as error:
        raise FormRefusedError(f"{path} cannot be written: {error.strerror or error}") from error
    return f"Saved: {path}"
