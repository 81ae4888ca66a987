"""What stands in a conversation, for a platform that keeps nothing itself: the browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

PostState = Literal["growing", "shown", "gone"]
"""growing: a preview that was not sealed yet. shown: as it is to stay, until somebody edits it. gone: taken back."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One message of a conversation, of a person or of the bot, as it stands now.

    `number` is its place: numbers of a conversation grow, are never used again, and may have gaps. `change` is the
    place of its last change among all changes of the conversation, counted the same way. `id` is what its author calls
    it: the key of a post, or the id of a person's message. `body` is JSON text, and "" of what is gone. `at` is when it
    was put there, in seconds since the epoch.
    """

    number: int
    id: str
    body: str
    state: PostState
    change: int
    at: float


class Posts(Protocol):
    """The messages of conversations, as their platform shows them; a part of what a store keeps.

    They go with their conversation: `Upkeep.forget`, `expire`, `blank`, `forget_user`, `dump` and `restore` see to them
    too, so a body names its message, its author and its words as an entry of the log does (`id`, `user`, `name`,
    `text`), or as a post (`markdown`). What those change is a change like any other. `Upkeep.reset` leaves them.

    Any call may raise StoreError.
    """

    async def put(self, conversation: str, id: str, body: str, *, growing: bool = False) -> int:
        """Put a message below all others; its number. What bears that id already stays as it is, with its number."""

    async def change(self, conversation: str, id: str, body: str, *, growing: bool = False) -> bool:
        """Give it another body; sealed for good without `growing`.

        False, and nothing changes, where there is none, where it is gone, or where it was sealed and `growing` is set.
        """

    async def remove(self, conversation: str, id: str) -> bool:
        """Take it back: its place stays, its body does not. False where there is none; done twice, it is done once."""

    async def one(self, conversation: str, id: str) -> Kept | None:
        """The message of that id, also when it is gone; None where there never was one."""

    async def page(self, conversation: str, before: int | None = None, limit: int = 100) -> tuple[Kept, ...]:
        """The newest `limit` messages with numbers below `before` (None: of all), in order, without what is gone."""

    async def changes(self, conversation: str, after: int, limit: int = 100) -> tuple[Kept, ...]:
        """The first `limit` messages that changed after the change of that number, in the order of their changes."""

    async def growing(self, conversation: str, after: int) -> tuple[Kept, ...]:
        """The previews with numbers above `after` that were never sealed, in order."""
