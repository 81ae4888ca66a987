"""What operators and the passing of time do to conversations: looked at, replayed, forgotten, moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from bot.ports.mailbox import DeadLetter


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """A conversation as lists show it. `at` is when it was last written to; `version` its state's, 0 without one."""

    key: str
    at: float
    waiting: int
    in_flight: bool
    version: int


@dataclass(frozen=True, slots=True)
class Erased:
    """What was forgotten, or would be: pieces of each kind that were deleted, or rewritten without a person.

    `sessions` are states, `entries` lines of logs, `messages` those in mailboxes and turns, `letters` dead letters,
    `records` lines of the audit trail, which are never deleted, `posts` what stands on platforms that keep nothing.
    """

    conversations: int = 0
    sessions: int = 0
    turns: int = 0
    entries: int = 0
    messages: int = 0
    letters: int = 0
    records: int = 0
    posts: int = 0

    def plus(self, other: Erased) -> Erased:
        """The sums."""
        return Erased(
            self.conversations + other.conversations,
            self.sessions + other.sessions,
            self.turns + other.turns,
            self.entries + other.entries,
            self.messages + other.messages,
            self.letters + other.letters,
            self.records + other.records,
            self.posts + other.posts,
        )


@dataclass(frozen=True, slots=True)
class Expired:
    """What a look at what is idle has done: conversations with a state that are `gone`, and all that was `noted`."""

    gone: int = 0
    noted: int = 0


class Upkeep(Protocol):
    """What operators and the passing of time do to conversations: looked at, replayed, forgotten, moved.

    Any call may raise StoreError.
    """

    async def blank(self, conversation: str, message_id: str) -> bool:
        """Empty the text of a message that was deleted, wherever the conversation keeps it; False where it is not.

        That is in the log, the state, the turn in flight with its messages and its stop, and the dead letters: in
        every JSON object whose `id` is the message's, `text` becomes empty. A turn in flight goes on with what it
        knows, but what it commits is blanked too. A message that no turn has taken is for `amend`.
        """

    async def conversations(self, after: str = "", limit: int = 100) -> tuple[ConversationInfo, ...]:
        """The first `limit` conversations that have a state or mail, by key in code point order, behind `after`."""

    async def dead_letter(self, id: int) -> DeadLetter | None:
        """That dead letter; None where there is none."""

    async def replay(self, id: int, message_id: str) -> bool:
        """Move a dead letter's messages to the end of their mailbox; False where there is no such letter.

        The first gets the new id `message_id`, and those behind it `message_id/2` and so on, so that nothing of the
        turn that failed is taken for theirs. False too, and nothing is moved, where that id was seen before. Raises
        MailboxFullError.
        """

    async def forget(self, conversation: str, *, dry_run: bool = False) -> Erased:
        """Delete state, log, mailbox, turn, usage, posts and dead letters; who has a claim on it loses that.

        The audit trail stays, and so do the fence, `last_seen` and, for their 25 hours, the ids seen: no late write, no
        backfill and no redelivery brings anything back. With `dry_run` it only counts.
        """

    async def reset(self, conversation: str) -> Erased:
        """Delete state, turn and mail, so that it begins anew; log, posts, dead letters and all else of it stay.

        Who has a claim on it loses that.
        """

    async def forget_user(self, user: str, pseudonym: str, within: str = "", *, dry_run: bool = False) -> Erased:
        """Take a person out of all conversations whose key begins with `within`.

        What they said loses its text, and their id and name become `pseudonym`, in logs, states, turns, messages and
        dead letters; what they said that no turn has taken is deleted. In the audit trail their id becomes
        `pseudonym`. A turn in flight that had anything of theirs starts again from what is left. What personas said
        stays as it is, also where it quotes them or calls them by name. With `dry_run` it only counts.
        """

    async def expire(self, idle: float) -> Expired:
        """Look once for what has had nothing to do for `idle` seconds, and delete what an earlier look has noted.

        No single look deletes anything, since the clock may be wrong: what is found is noted, and goes when a look of
        a day or more later, by the store's own time, finds it untouched, and no look between has found it too young.
        So do dead letters of that age; the audit trail stays. At most some thousand of each are noted and deleted at a
        time, a few at once, so that others get their turn in between; a look that is cancelled, or fails, has done
        some of it.
        """

    async def dump(self, conversation: str) -> dict[str, Any] | None:
        """All of a conversation as values for JSON, for `restore` into any store; None where nothing is kept of it."""

    async def restore(self, conversation: str, dumped: dict[str, Any]) -> bool:
        """Put what `dump` gave under that key; False where something is kept there. Lines of the audit are added.

        A turn that was in flight is due at once and goes on from its last checkpoint. Of the ids seen, those of the
        mail and of what was said come along. Raises ValueError for what no `dump` gave.
        """
