"""What is typed at a terminal: the terminal's own words, or a message for a conversation."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.model import Conversation, Inbound
from bot.personas.model import fold
from bot.platforms.terminal.harmless import harmless

_NAME = re.compile(r"[\w.-]{1,40}")
_MENTION = re.compile(r"(?<!\w)@([\w.-]+)")

OWN_WORDS = {
    "/join": ("CHANNEL", "go to another channel"),
    "/dm": ("", "talk with the bot in private"),
    "/as": ("USER", "be somebody else"),
    "/quit": ("", "leave"),
    "/?": ("", "show these words"),
}
"""The terminal's own words: what stands behind each, and what it does."""


class TerminalError(Exception):
    """One of the terminal's own words was not usable; the text says why and what to do."""


class Orders:
    """The terminal's order of things: nanoseconds of the clock, and always more than the last."""

    def __init__(self) -> None:
        self._last = 0

    def go_on_behind(self, order: int) -> None:
        """Give out none up to that one: a process before this gave it out, by a clock that may have been ahead."""
        self._last = max(self._last, order)

    def next(self) -> int:
        """A number above every one given out so far, in this process and, by the clock, in those before it."""
        self._last = max(self._last + 1, time.time_ns())
        return self._last


@dataclass(slots=True)
class Place:
    """Who types, and where. `channel` is empty in a direct message."""

    user: str
    channel: str = "general"

    def __post_init__(self) -> None:
        self.user = checked(self.user, "user")
        if self.channel:
            self.channel = checked(self.channel, "channel")

    @property
    def conversation(self) -> Conversation:
        """Where a message that is typed now goes."""
        return Conversation("terminal", "local", self.channel or f"@{self.user}")

    @property
    def label(self) -> str:
        """The place for people: `#general`, or `DM`."""
        return f"#{self.channel}" if self.channel else "DM"


def checked(name: str, what: str) -> str:
    """`name` as a channel or user. Raises TerminalError."""
    name = name.strip().lstrip("#@")
    if not _NAME.fullmatch(name):
        raise TerminalError(f"{name!r} is no name for a {what}: letters, digits, `-`, `_` and `.`, at most 40.")
    return name


@dataclass(slots=True)
class Typing:
    """Reads what is typed. `is_known` says whether a word behind an `@` is a persona; `bot` is the bot's own name."""

    place: Place
    orders: Orders
    is_known: Callable[[str], bool]
    bot: str = "greenroom"
    left: bool = field(default=False, init=False)

    def read(self, text: str) -> Inbound | str | None:
        """A message to be sent, a line to show instead, or None for nothing at all. Sets `left` on `/quit`.

        Raises TerminalError.
        """
        text = harmless(text).strip()
        if not text:
            return None
        if text.startswith("/"):
            word, _, rest = text[1:].partition(" ")
            match word.casefold():
                case "quit" | "q":
                    self.left = True
                    return None
                case "join":
                    self.place.channel = checked(rest, "channel")
                    return f"You are {self.place.user} in {self.place.label}."
                case "dm":
                    self.place.channel = ""
                    return f"You are {self.place.user} in a direct message with the bot."
                case "as":
                    self.place.user = checked(rest, "user")
                    return f"You are {self.place.user} in {self.place.label}."
                case "?":
                    words = [f"{word} {what}".rstrip() + f": {does}" for word, (what, does) in OWN_WORDS.items()]
                    return "\n".join([*words, "Everything else goes to the chat; *help begins it."])
        return self._message(text)

    def message(self, text: str) -> Inbound:
        """A message with exactly this text, said here and now."""
        return self._message(text)

    def _message(self, text: str) -> Inbound:
        order = self.orders.next()
        names = {fold(name) for name in _MENTION.findall(text)}
        addressed = fold(self.bot) in names
        others = any(name != fold(self.bot) and not self.is_known(name) for name in names)
        if addressed:
            text = re.sub(rf"(?i)@{re.escape(self.bot)}\b[:,]?", "", text).strip()
        return Inbound(
            conversation=self.place.conversation,
            id=f"t{order}",
            user=self.place.user,
            name=self.place.user,
            text=text,
            order=order,
            at=time.time(),
            direct=not self.place.channel,
            # Whoever types here types to the bot, unless they name another human.
            addressed=addressed or not others,
            others=others,
        )
