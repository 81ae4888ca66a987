"""The generated pages of docs/, and writing them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.reference import commands, settings

DOCS = Path(__file__).resolve().parents[2] / "docs"

PAGES: dict[str, Callable[[], str]] = {"commands.md": commands.page, "settings.md": settings.page}
"""What writes each page of docs/."""


def main() -> None:
    """Write those that are not as the code has it, and name them."""
    for name, page in PAGES.items():
        file, text = DOCS / name, page()
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            print(f"docs/{name}")
