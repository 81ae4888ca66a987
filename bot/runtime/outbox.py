"""The way out: a post in pieces onto its platform, once, also when a worker died over it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from hashlib import blake2b

from bot.core.menus import as_text, numbered
from bot.core.model import Conversation, Receipt
from bot.core.steps import Post
from bot.core.tables import as_code
from bot.core.text import beginning, pieces
from bot.ports.transport import FormRefusedError, Outgoing, Transport, Upload

log = logging.getLogger(__name__)


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

MOST = 20
"""The most messages of text that a post becomes where the platform refuses its file."""

LEFT_OUT = (
    "_(The file with all of this was refused, and I stop after {count} messages: {left:,} characters are missing.)_"
)
"""Put below a post that is too long even for `MOST` messages."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is in the file that goes with a post, and what people call it; `data` where it is no text."""

    name: str
    text: str = ""
    data: bytes = b""


REFUSED = "_(The file `{name}` was refused here.)_"
"""Put below a post whose file can be shown in no other way."""

GONE = "_(The file is gone: its document was deleted meanwhile.)_"


def outgoing(
    address: Address, ordinal: int, post: Post, transport: Transport, *, again: bool, no_file: bool = False
) -> tuple[Outgoing, ...]:
    """What `post` becomes on a platform: pieces that fit, the menu under the last.

    Tables are drawn as code where the platform shows none. What would be more pieces than the platform wants is its
    beginning, a file with the whole as it was written, and the menu by itself. With `no_file` it is pieces all the
    same, at most `MOST` and the menu; their keys are others than those of the form with a file.
    """
    shown = post if transport.tables else replace(post, markdown=as_code(post.markdown, finished=True))
    parts = list(pieces(as_text(shown), transport.limit))
    key = address.key(ordinal)
    upload: int | None = None
    # A file is seen by everybody in the channel, so what is for one person comes in pieces.
    if 0 < transport.most < len(parts) and post.markdown.strip() and post.only is None:
        menu = pieces(numbered(post.menu), transport.limit) if post.menu else ()
        if not no_file:
            upload = 1
            parts = [beginning(shown.markdown, transport.limit, f"\n\n{WHOLE}"), "", *menu]
        else:
            key = f"{key}/m"
            if len(parts) > MOST:
                body = pieces(shown.markdown, transport.limit)
                note = LEFT_OUT.format(count=MOST, left=sum(map(len, body[MOST:])))
                parts = [*body[:MOST], note, *menu] if len(body) > MOST else [*body, *menu]
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
    return Upload(_filename(f"{post.voice.name}.md", key), post.markdown)


def _filename(name: str, key: str) -> str:
    """A name for the file of that key alone, like `name` and with its ending."""
    stem, dot, ending = name.rpartition(".")
    digest = blake2b(key.encode(), digest_size=5).hexdigest()
    return f"{_slug(stem)}-{digest}.{_slug(ending)}" if dot and stem else f"{_slug(name)}-{digest}.md"


def _slug(name: str) -> str:
    """A name as a part of a file's: letters, digits and dashes, at most 40."""
    return re.sub(r"\W+", "-", name.casefold()).strip("-")[:40] or "text"


async def deliver(
    transport: Transport,
    address: Address,
    ordinal: int,
    post: Post,
    preview: str | None,
    *,
    again: bool,
    content: Content | None = None,
) -> Receipt:
    """Post all pieces in order and give the last one's receipt.

    With `content`, that goes up as a file before them; where it is refused, its text stands below the post's.

    With `again`, each piece is looked for before it is sent, and a preview that a dead worker left is finished
    rather than posted beside. `preview` is the ref of this worker's own. A file goes first, so that no text promises
    one that the platform then refuses; where it does, the whole is posted as messages.
    """
    receipt: Receipt | None = None
    number = post.completes if post.completes is not None else ordinal
    if content is not None:
        post = await _with_file(transport, address, number, post, content, again=again)
    outs = outgoing(address, number, post, transport, again=again)
    if upload := next((out for out in outs if out.file), None):
        instead = outgoing(address, number, post, transport, again=again, no_file=True)
        # Whoever has begun with messages goes on with them, also where a file would be taken by now.
        if (again and await transport.find(instead[0])) or not await _uploaded(transport, upload, again=again):
            outs = instead
        else:
            outs = tuple(out for out in outs if out is not upload)
    for out in outs:
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


async def _with_file(
    transport: Transport, address: Address, ordinal: int, post: Post, content: Content, *, again: bool
) -> Post:
    """Put the post's file up; the post as it is to be said then. Raises TransportError."""
    key = f"{address.key(ordinal)}/f"
    upload = Upload(_filename(content.name.rpartition("/")[2], key), content.text, content.data)
    where = address.conversation
    out = Outgoing(key, where, post.voice, "", address.since, again=again, file=upload, only=post.only)
    if await _uploaded(transport, out, again=again):
        return post
    if content.data or not content.text.strip():
        return replace(post, markdown=f"{post.markdown}\n\n{REFUSED.format(name=content.name)}".lstrip())
    return replace(post, markdown=f"{post.markdown}\n\n{content.text}".lstrip())


async def _uploaded(transport: Transport, upload: Outgoing, *, again: bool) -> bool:
    """Put a post's file up; False where the platform refuses it for good. Raises TransportError."""
    if again and await transport.find(upload):
        return True
    try:
        await transport.post(upload)
    except FormRefusedError as error:
        log.warning("the file of %s was refused (%s); it is posted as messages", upload.key, error)
        return False
    return True
