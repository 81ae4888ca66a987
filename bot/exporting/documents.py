"""A document as a file to hand out: Markdown always; HTML and Word with Greenroom's extra `export`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Literal, TypeAlias, get_args

ExportFormat: TypeAlias = Literal["md", "html", "docx"]

FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
"""What a document can be handed out as."""

MEDIA_TYPES = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "yaml": "application/yaml; charset=utf-8",
}

_YAML = (".yml", ".yaml")


class ExportError(ValueError):
    """A document cannot be handed out like this: why, and what to do. Said to people as it is."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file: its name without folders, what it is, and what it holds."""

    name: str
    media_type: str
    data: bytes


def export(path: str, text: str, form: str) -> Exported:
    """The document at `path` as a file. Raises ExportError for a form we have not, and where the extra is missing.

    A document in YAML stays as it is as `md`, and is shown as code in the others. What is in the text is made harmless
    for HTML: no script, nothing loaded from elsewhere, no links but to the web and to mail addresses. Takes up to some
    seconds for the longest documents: not to be called where others wait.
    """
    file = path.rpartition("/")[2] or "document"
    stem = file.rpartition(".")[0] or file
    is_yaml = file.casefold().endswith(_YAML)
    if form == "md":
        return Exported(file, MEDIA_TYPES["yaml" if is_yaml else "md"], text.encode("utf-8", "replace"))
    if form not in FORMATS:
        raise ExportError(f"I can hand documents out as {', '.join(FORMATS[:-1])} and {FORMATS[-1]}, not as {form}.")
    try:
        writer = import_module(f"bot.exporting.{'html' if form == 'html' else 'word'}")
    except ModuleNotFoundError as missing:
        raise ExportError(
            f"Files in {form} need {missing.name}, which is not installed here. Whoever runs this bot gets it with "
            "Greenroom's extra: pip install 'greenroom[export]'. As md the document can be had at once."
        ) from missing
    data: bytes = writer.written(fenced(text) if is_yaml else text, stem)
    return Exported(f"{stem}.{form}", MEDIA_TYPES[form], data)


def fenced(text: str) -> str:
    """A text as one block of code, whatever it holds."""
    marks = "```"
    while marks in text:
        marks += "`"
    return f"{marks}yaml\n{text.rstrip()}\n{marks}\n"
