"""Which of the messages that people write in a conversation are for the bot at all."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core import commands
from bot.core.events import Utterance
from bot.core.model import Listen
from bot.core.text import is_emoji_only


@dataclass(frozen=True, slots=True)
class ListenPolicy:
    """How a conversation is listened to just now.

    `on`: a persona is on, or something is asked. `called`: it is a thread that began with a mention. `asleep`: nobody
    has spoken for long.
    """

    listen: Listen = "active"
    on: bool = True
    called: bool = False
    asleep: bool = False

    def hears(self, line: Utterance) -> bool:
        """Whether the message may lead to a post; a prefix alone makes it a possible command."""
        if not is_for_us(line):
            return False
        if line.addressed:
            return True
        if self.listen == "mention" and not self.called:
            return False
        return self.hears_talk or (bool(line.text.strip()) and not commands.is_plain(line.text))

    @property
    def hears_talk(self) -> bool:
        """Whether what is no command, and does not mention the bot, is for the persona."""
        return self.on and not self.asleep and (self.listen == "active" or (self.listen == "mention" and self.called))


def is_for_us(line: Utterance) -> bool:
    """Not empty, not an aside, not emoji alone, not for another human."""
    if not (line.text.strip() or line.files) or commands.is_aside(line.text):
        return False
    if line.others and not line.addressed:
        return False
    return bool(line.files) or not is_emoji_only(line.text) or commands.number(line.text) is not None
