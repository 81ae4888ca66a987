"""What the beginning of a chat says beside the talk: who answers, and what is wrong with persona files."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.core.session import Session
from bot.personas.library import Library
from bot.personas.lint import at_start
from bot.platforms.terminal.welcome import Line, welcome
from bot.settings import REHEARSAL, Settings

NO_KEY = (
    "No key is set, so they greet and show their menus, but cannot answer you. Set ANTHROPIC_API_KEY, or start with "
    "--model rehearsal to try the flows."
)


def first_screen(settings: Settings, library: Library, session: Session) -> tuple[Line, ...]:
    """The first screen of a conversation that stands where `session` says."""
    return welcome(library.cast, session.active, who_answers(settings), at_start(library))


def who_answers(settings: Settings) -> str:
    """Which model answers, and whether there is a key for it, in words."""
    chosen = settings.model
    if chosen.name == REHEARSAL:
        return "No model answers: a stand-in rehearses, and says so in every reply."
    alias = chosen.aliases.get(chosen.name)
    named = f"{chosen.name} ({alias.id})" if alias else chosen.name
    if chosen.base_url:
        return f"The model {named} answers, at {urlsplit(chosen.base_url).hostname}."
    if settings.secrets.anthropic_api_key is None:
        return NO_KEY
    return f"The model {named} answers; a key is set, and `greenroom doctor --online` tries it."
