"""What a store raises besides what its port names. Messages are for people: what, where, what to do."""

from __future__ import annotations

from bot.ports.mailbox import MailboxFullError, StoreError, StoreRefusedError, StoreSettingsError


class StoreBusyError(StoreError):
    """Another worker has the store to itself; `holder` is its process id, where that is known."""

    def __init__(self, message: str, holder: str = "") -> None:
        super().__init__(message)
        self.holder = holder


def is_taken(conversation: str, answer: int) -> bool:
    """Whether a message was new, of what putting it into its mailbox came to: 1, 0, or minus the number that wait."""
    if answer < 0:
        raise MailboxFullError(
            f"The mailbox of {conversation} is full: {-answer} messages wait in it. Send this one again later."
        )
    return bool(answer)


__all__ = ["StoreBusyError", "StoreError", "StoreRefusedError", "StoreSettingsError", "is_taken"]
