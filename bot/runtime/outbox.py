"""The way out: a post in pieces onto its platform, once, also when a worker died over it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from hashlib import blake2b

from bot.core.menus import as_text, numbered
from bot.core.model import Conversation, Receipt
from bot.core.steps import Post
from bot.core.tables import as_code
from bot.core.text import beginning, pieces
from bot.ports import Outgoing, Transport, Upload


@dataclass(frozen=True, slots=True)
class Address:
    """Where a turn's posts go, and what makes their keys: the conversation and the turn's head message."""

    conversation: Conversation
    head: str
    since: int

    def key(self, ordinal: int) -> str:
        """The key of the post with that ordinal; its pieces add `/1`, `/2`, ..."""
        return f"{self.conversation.key}/{self.head}/{ordinal}"


WHOLE = "_(this is how it begins; all of it is in the file)_"
"""Put under the beginning of a post that is too long for messages."""


def outgoing(address: Address, ordinal: int, post: Post, transport: Transport, *, again: bool) -> tuple[Outgoing, ...]:
    """What `post` becomes on a platform: pieces that fit, the menu under the last.

    Tables are drawn as code where the platform shows none. What would be more pieces than the platform wants is its
    beginning, a file with the whole as it was written, and the menu by itself.
    """
    shown = post if transport.tables else replace(post, markdown=as_code(post.markdown, finished=True))
    parts = list(pieces(as_text(shown), transport.limit))
    key = address.key(ordinal)
    upload: int | None = None
    if 0 < transport.most < len(parts) and post.markdown.strip():
        upload, menu = 1, pieces(numbered(post.menu), transport.limit) if post.menu else ()
        parts = [beginning(shown.markdown, transport.limit, f"\n\n{WHOLE}"), "", *menu]
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
            only=post.only,
            file=_file(key, post) if number == upload else None,
        )
        for number, part in enumerate(parts)
    )


def _file(key: str, post: Post) -> Upload:
    """The whole post as a file, by whose name it is found again."""
    return Upload(f"{_slug(post.voice.name)}-{blake2b(key.encode(), digest_size=5).hexdigest()}.md", post.markdown)


def _slug(name: str) -> str:
    """A name as a part of a file's: letters, digits and dashes, at most 40."""
    return re.sub(r"\W+", "-", name.casefold()).strip("-")[:40] or "text"


async def deliver(
    transport: Transport, address: Address, ordinal: int, post: Post, preview: str | None, *, again: bool
) -> Receipt:
    """Post all pieces in order and give the last one's receipt.

    With `again`, each piece is looked for before it is sent, and a preview that a dead worker left is finished
    rather than posted beside. `preview` is the ref of this worker's own.
    """
    receipt: Receipt | None = None
    number = post.completes if post.completes is not None else ordinal
    for out in outgoing(address, number, post, transport, again=again):
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
