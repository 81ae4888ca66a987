"""Definitions that several tests use: those of the cast, and small ones of their own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bot.core.documents.definition import Definition, Section, Stops
from bot.core.documents.reading import definition
from bot.core.documents.units import Unit, unit

TEMPLATES = Path(__file__).resolve().parents[3] / "agents" / "bmad" / "templates"
CAST = sorted(path.name.removesuffix("-tmpl.yaml") for path in TEMPLATES.iterdir())


@cache
def cast(name: str) -> Definition:
    return definition((TEMPLATES / f"{name}-tmpl.yaml").read_text("utf-8"))


def of(*sections: Section, stops: Stops = "marked", allow_skip: bool = False) -> Definition:
    return Definition("t", "Note", "docs/t.md", sections, stops=stops, allow_skip=allow_skip)


def unit_of(definition: Definition, ident: str) -> Unit:
    found = unit(definition, ident)
    assert found is not None, ident
    return found
