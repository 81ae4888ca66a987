"""What comes in with an event and is no event: who may decide, who is not heard, how the conversation listens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bot.core.events import Account, Refusal
from bot.core.listening import ListenPolicy
from bot.core.model import HOST


@dataclass(frozen=True, slots=True)
class Location:
    """Where a conversation is, as a persona is told: the platform, the channel's name or id there, and its kind.

    With `tables`, Markdown tables are shown as tables.
    """

    platform: str
    channel: str
    kind: Literal["channel", "thread", "direct"] = "channel"
    tables: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of a human event, as the runtime knows them.

    `account` is what the conversation has used. `admin`: all of it comes from admins. `refusals` are the messages that
    are not heard: they are among no event's lines. `listening` decides which messages are for the bot. `inherit` are
    the personas of the channel in which this thread has just begun; `called`: it began below a message that was
    addressed to the bot. `host` is the name that the bot itself speaks under. `day` is the date of the event, in words
    for a persona, and `location` where it happens; "" and None where nobody knows. `has_model`: a model is set up.
    `approver`: all of it comes from people who may accept sections of documents. `opens_thread`: a work that begins
    here goes on in a thread of its own.
    """

    account: Account = field(default_factory=Account)
    admin: bool = False
    refusals: tuple[Refusal, ...] = ()
    listening: ListenPolicy = field(default_factory=ListenPolicy)
    inherit: tuple[str, ...] = ()
    called: bool = False
    host: str = HOST.name
    day: str = ""
    location: Location | None = None
    has_model: bool = True
    approver: bool = True
    opens_thread: bool = False


NOTHING = Context()
"""Of a result, which has no surroundings of its own."""
