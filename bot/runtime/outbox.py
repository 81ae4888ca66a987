"""The way out: a post in pieces onto its platform, once, also when a worker died over it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.menus import as_text
from bot.core.model import Conversation, Post, Receipt
from bot.core.text import pieces
from bot.ports import Outgoing, Transport


@dataclass(frozen=True, slots=True)
class Address:
    """Where a turn's posts go, and what makes their keys: the conversation and the turn's head message."""

    conversation: Conversation
    head: str
    since: int

    def key(self, ordinal: int) -> str:
        """The key of the post with that ordinal; its pieces add `/1`, `/2`, ..."""
        return f"{self.conversation.key}/{self.head}/{ordinal}"


def outgoing(address: Address, ordinal: int, post: Post, limit: int, *, again: bool) -> tuple[Outgoing, ...]:
    """The pieces of `post`, each at most `limit` characters, the menu under the last."""
    text = as_text(post)
    parts = pieces(text, limit)
    key = address.key(ordinal)
    last = len(parts) - 1
    return tuple(
        Outgoing(
            key=f"{key}/{number}" if number else key,
            conversation=address.conversation,
            voice=post.voice,
            text=part,
            since=address.since,
            menu=post.menu if number == last else None,
            again=again,
        )
        for number, part in enumerate(parts)
    )


async def deliver(
    transport: Transport, address: Address, ordinal: int, post: Post, preview: str | None, *, again: bool
) -> Receipt:
    """Post all pieces in order and give the last one's receipt.

    With `again`, each piece is looked for before it is sent, and a preview that a dead worker left is finished
    rather than posted beside. `preview` is the ref of this worker's own.
    """
    receipt: Receipt | None = None
    number = post.completes if post.completes is not None else ordinal
    for out in outgoing(address, number, post, transport.limit, again=again):
        receipt = await transport.find(out) if again else None
        if receipt is None:
            if again and preview is None and post.completes is not None:
                torn = await transport.torn(address.conversation, address.since)
                preview = torn[0] if torn else None
            if preview is not None:
                receipt = await transport.seal(preview, out)
            receipt = receipt or await transport.post(out)
        preview = None
    if receipt is None:
        raise RuntimeError(f"a post of no pieces: {address.key(ordinal)}")
    return receipt
