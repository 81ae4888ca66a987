"""What the bot may do on a server: the permissions it asks for, in words, and the link by which it is invited."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

RIGHTS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "View Channels": (1 << 10, "to see the channels that it is meant to work in"),
        "Send Messages": (1 << 11, "to answer there"),
        "Send Messages in Threads": (1 << 38, "to answer in threads"),
        "Create Public Threads": (1 << 35, "to give a longer work, such as a document, a thread of its own"),
        "Read Message History": (1 << 16, "to catch up on what was said while it was away, and to post nothing twice"),
        "Embed Links": (1 << 14, "to put a frame around its own lists and accounts"),
        "Attach Files": (1 << 15, "to send as a file what is too long for messages"),
        "Manage Webhooks": (1 << 29, "to let each persona speak under its own name and picture"),
    }
)
"""Each permission by the name that Discord shows, with its bit (docs, permissions) and what it is for."""

SCOPES = ("bot", "applications.commands")
"""What the link installs: the bot's user, and the slash command."""

ADMINISTRATOR = 1 << 3

AUTHORIZE = "https://discord.com/oauth2/authorize"
"""Where people choose a server for a bot (docs, OAuth2, bot authorization flow)."""


def permissions() -> int:
    """All that the bot asks for, as one number."""
    return sum(bit for bit, _ in RIGHTS.values())


def missing(granted: int) -> list[str]:
    """The names of those of `RIGHTS` that `granted` does not hold; an administrator has all of them."""
    if granted & ADMINISTRATOR:
        return []
    return [name for name, (bit, _) in RIGHTS.items() if not granted & bit]


def missing_to_speak(granted: int, *, thread: bool) -> list[str]:
    """The names of the rights without which the bot could not answer in a channel, or in a `thread`."""
    needed = ("View Channels", "Send Messages in Threads" if thread else "Send Messages")
    return [name for name in missing(granted) if name in needed]


def invitation(application: str) -> str:
    """The link by which the application of that id is invited to a server."""
    query = {"client_id": application, "scope": " ".join(SCOPES), "permissions": permissions()}
    return f"{AUTHORIZE}?{urlencode(query)}"
