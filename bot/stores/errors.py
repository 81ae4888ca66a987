"""What a store raises besides what its port names. Messages are for people: what, where, what to do."""

from __future__ import annotations

from bot.ports import StoreError, StoreRefusedError


class StoreBusyError(StoreError):
    """Another worker has the store to itself; `holder` is its process id, where that is known."""

    def __init__(self, message: str, holder: str = "") -> None:
        super().__init__(message)
        self.holder = holder


__all__ = ["StoreBusyError", "StoreError", "StoreRefusedError"]
