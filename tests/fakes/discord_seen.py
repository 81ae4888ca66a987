"""A message of the fake of Discord as people read it: nothing that Discord keeps and does not show.

API documentation, "Messages Resource": "Message Flags" for embeds that are suppressed, "Embed Object" for what an embed
shows, "Component Reference" for text that stands in components.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.fakes.discord_components import TEXT, walk
from tests.fakes.discord_rules import EPHEMERAL, LOADING, shown_embeds
from tests.fakes.discord_state import Message

_LINK = re.compile(r"(?<!<)https?://[^\s>]+")
_UNSEEN = re.compile(r"[\s\u200b-\u200f\u2060-\u2064\ufeff]+")


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as people read it. `author` is the name it stands under; `text` its content, embeds, text displays.

    `embeds` are those that are shown, `previews` the links of the content below which Discord shows a preview.
    `buttons` are the labels of enabled buttons, `options` the labels of all menus; `ephemeral_to` names who alone
    sees it; `loading` is "is thinking ...".
    """

    id: int
    author: str
    text: str
    avatar_url: str | None
    is_webhook: bool
    embeds: tuple[dict[str, Any], ...]
    previews: tuple[str, ...]
    components: tuple[dict[str, Any], ...]
    buttons: tuple[str, ...]
    options: tuple[str, ...]
    attachments: tuple[tuple[str, bytes], ...]
    ephemeral_to: str
    reply_to: int | None
    edited: bool
    loading: bool
    pings: frozenset[str]
    message: Message

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing on it that anybody could see."""
        return not (_UNSEEN.sub("", self.text) or self.attachments or self.components or self.loading)


def seen(it: Message) -> Seen:
    """A message as it is shown."""
    every = list(walk(it.components))
    embeds = shown_embeds(it.flags, it.embeds)
    texts = [it.content, *(text for each in embeds for text in _texts(each))]
    texts += [*(each["content"] for each in every if each["type"] == TEXT)]
    options = [str(option["label"]) for each in every for option in each.get("options") or ()]
    return Seen(
        id=it.id,
        author=(it.username or it.webhook.name) if it.webhook else it.author.name,
        text="\n".join(each for each in texts if each),
        avatar_url=it.avatar_url,
        is_webhook=it.webhook is not None,
        embeds=tuple(embeds),
        previews=tuple(_LINK.findall(it.content)) if shown_embeds(it.flags, [{}]) else (),
        components=tuple(it.components),
        buttons=tuple(str(each.get("label")) for each in every if each["type"] == 2 and not each.get("disabled")),
        options=tuple(options),
        attachments=tuple((each.filename, each.data) for each in it.attachments),
        ephemeral_to=it.visible_to.name if it.flags & EPHEMERAL and it.visible_to else "",
        reply_to=it.reply_to.id if it.reply_to else None,
        edited=it.edited_at is not None,
        loading=bool(it.flags & LOADING),
        pings=frozenset(it.pings),
        message=it,
    )


def _texts(embed: dict[str, Any]) -> list[str]:
    """What an embed says, from top to bottom."""
    fields = [str(each.get(part) or "") for each in embed.get("fields") or () for part in ("name", "value")]
    around = [str((embed.get(part) or {}).get(key) or "") for part, key in (("author", "name"), ("footer", "text"))]
    return [around[0], str(embed.get("title") or ""), str(embed.get("description") or ""), *fields, around[1]]
