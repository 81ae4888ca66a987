"""What a persona may do with the documents of its channel, by the `tools` that its file names."""

from __future__ import annotations

from typing import Literal, assert_never

from bot.personas.model import Persona, fold

READING = frozenset({"read"})
WRITING = frozenset({"write", "edit", "multiedit"})
"""Names of tools in persona files, folded, that stand for the documents of a chat."""

DOCS = "docs/"
"""Below this folder a documentation agent may save."""

Saves = Literal["anywhere", "docs", "never"]


def can_read(persona: Persona) -> bool:
    """Whether it may list and read the channel's documents: with Read, or where its file names no tools at all."""
    return bool(READING & _allowed(persona))


def saves(persona: Persona) -> Saves:
    """Where its works may save: with Write or Edit, or with no `tools` named; a documentation agent in docs/ only."""
    if not WRITING & _allowed(persona):
        return "never"
    return "docs" if _is_for_docs(persona) else "anywhere"


def may_save(persona: Persona, path: str) -> bool:
    """Whether its works may save a document at this path. What it only drafts, a human saves."""
    match saves(persona):
        case "anywhere":
            return True
        case "docs":
            return fold(path).startswith(DOCS)
        case "never":
            return False
        case other:
            assert_never(other)


def told(persona: Persona) -> str:
    """What of this it may do, in its own words; empty where its file says nothing about it."""
    if persona.tools is None and not persona.restricted:
        return ""
    reads = "read the documents of this channel" if can_read(persona) else ""
    match saves(persona):
        case "anywhere":
            keeps = "save what you accept"
        case "docs":
            keeps = f"save what you accept below `{DOCS}`"
        case "never":
            keeps = ""
        case other:
            assert_never(other)
    if reads and keeps:
        return f"I can {reads}, and {keeps}."
    if reads or keeps:
        return f"I can {reads or keeps}; I cannot {'save any' if reads else 'read what is there'}."
    return "I can neither read nor save documents; what I draft, somebody else has to save."


def _allowed(persona: Persona) -> frozenset[str]:
    barred = {fold(tool) for tool in persona.restricted}
    named = READING | WRITING if persona.tools is None else {fold(tool) for tool in persona.tools}
    return frozenset((READING | WRITING if "*" in named else named) - barred)


def _is_for_docs(persona: Persona) -> bool:
    """Whether its file's name, `docs-...`, says that it is a documentation agent."""
    name = persona.source.path.rpartition("/")[2]
    return persona.source.format == "agent-template" and name.casefold().startswith("docs-")
