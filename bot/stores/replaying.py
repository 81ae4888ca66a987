"""How a dead letter comes back to its mailbox."""

from __future__ import annotations

from dataclasses import replace

from bot.ports.mailbox import DeadLetter, MailboxFullError, Message


def renamed(messages: tuple[Message, ...], message_id: str) -> list[Message]:
    """The messages under ids that begin with `message_id`."""
    ids = [message_id, *(f"{message_id}/{n}" for n in range(2, len(messages) + 1))]
    return [replace(message, id=id) for id, message in zip(ids, messages, strict=True)]


def full(letter: DeadLetter, waiting: int) -> MailboxFullError:
    """That the letter's messages do not fit beside those that wait."""
    return MailboxFullError(
        f"The mailbox of {letter.conversation} has no room for dead letter {letter.id}: messages waiting in it: "
        f"{waiting}. Replay it later."
    )
