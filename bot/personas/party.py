"""Guests and rooms of a party, as a skill's `customize.toml` defines them: kept here for the party."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartyMember:
    """Somebody who can join a party, and is called nowhere else: `code` is unique, `persona` how they talk."""

    code: str
    name: str
    icon: str = "👤"
    title: str = ""
    persona: str = ""
    capabilities: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class PartyGroup:
    """A room: who is in it (codes of members, ids of personas; with none the scene invites), and the scene."""

    id: str
    name: str
    members: tuple[str, ...] = ()
    scene: str = ""
    memory: bool = False
