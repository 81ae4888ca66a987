"""A message of the fake of Discord as people read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.fakes.discord_components import TEXT, walk
from tests.fakes.discord_rules import EPHEMERAL, LOADING
from tests.fakes.discord_state import Message


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as people read it. `author` is the name it stands under; `text` its content, embeds, text displays.

    `buttons` are the labels of enabled buttons, `options` the labels of all menus; `ephemeral_to` names who alone
    sees it; `loading` is "is thinking ...".
    """

    id: int
    author: str
    text: str
    avatar_url: str | None
    is_webhook: bool
    embeds: tuple[dict[str, Any], ...]
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


def seen(it: Message) -> Seen:
    """A message as it is shown."""
    every = list(walk(it.components))
    texts = [it.content, *(str(each.get("description") or "") for each in it.embeds)]
    texts += [*(each["content"] for each in every if each["type"] == TEXT)]
    options = [str(option["label"]) for each in every for option in each.get("options") or ()]
    return Seen(
        id=it.id,
        author=(it.username or it.webhook.name) if it.webhook else it.author.name,
        text="\n".join(each for each in texts if each),
        avatar_url=it.avatar_url,
        is_webhook=it.webhook is not None,
        embeds=tuple(it.embeds),
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
