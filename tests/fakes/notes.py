"""A template of three small sections, for sweeps in which every call of a port counts; and a cast that writes by it."""

from __future__ import annotations

from dataclasses import replace

from bot.personas.model import Command, Resource
from tests.fakes.library import ARCHITECT, CAST, PM, TEXTS

TEMPLATE = """\
template:
  id: note
  name: Note
  output:
    format: markdown
    filename: docs/note.md
    title: Note
workflow:
  mode: interactive
sections:
  - id: what
    title: What
    instruction: Say what it is.
  - id: why
    title: Why
    type: bullet-list
    elicit: true
    instruction: Say why it is so.
  - id: then
    title: Then
    instruction: Say what comes of it.
"""
METHODS = """\
# Methods

**Look twice**

- Look at it again.
- Fits: everything.

**Turn it round**

- Say the opposite.
"""
TEXTS["templates/note-tmpl.yaml"] = TEMPLATE
TEXTS["data/elicitation-methods.md"] = METHODS

NOTES = replace(
    CAST,
    personas=tuple(
        replace(p, commands=(*p.commands, Command("note", "Write a note", uses=("create-doc", "note-tmpl"))))
        if p.id in (PM.id, ARCHITECT.id)
        else p
        for p in CAST.personas
    ),
    resources=(
        *CAST.resources,
        Resource("templates", "note-tmpl.yaml", "bmad/templates/note-tmpl.yaml", "bmad"),
        Resource("data", "elicitation-methods.md", "bmad/data/elicitation-methods.md", "bmad"),
    ),
)
WHAT, WHY, THEN = "It is a note.", "- because it is short\n- and kept", "Somebody reads it."
