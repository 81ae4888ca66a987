"""The home tab, the modals and the suggested prompts, as plain dicts, and what people do in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from wcwidth import iter_graphemes

from bot.core.model import Conversation, Inbound, Voice
from bot.personas.model import Cast, Persona
from bot.platforms.button_payload import Words
from bot.platforms.slack.arrival import (
    MICRO,
    Me,
    Mismatch,
    Payload,
    Person,
    action_of,
    conversation,
    field_of,
    is_direct,
    order_of,
)
from bot.platforms.slack.blocks import (
    METADATA,
    OPTION_VALUE,
    TEXT,
    WORDS,
    button,
    kept,
    kept_in,
    metadata,
    option_of,
    plain,
    select,
    shortened,
    units,
)
from bot.platforms.slack.markup import escaped
from bot.platforms.slack.typed import plain_text
from bot.platforms.typed import NOBODY, Names

Room = tuple[str, Voice | None, str]
"""A conversation on the home tab: its channel's id, who is on, and what is waited for ("" for nothing)."""

SECTION = 3000
"""Longest text of a section (docs, section block)."""

INPUT = 3000
"""Longest text of a field (docs, plain-text input)."""

A_PAGE = 40
"""So many personas are on one page of the home tab: with rooms and headings it stays far below Slack's 100 blocks."""

ROOMS = 30
PROMPTS = 4
"""Most suggested prompts (docs, assistant.threads.setSuggestedPrompts)."""

START = "greenroom:start"
PAGE = "greenroom:page"
ASK = "greenroom:ask"
"""The callback id of the message shortcut and of its modal."""

PERSONA = "greenroom:persona"


# ---------------------------------------------------------------- home


def home(cast: Cast, rooms: Sequence[Room], bot_name: str, page: int = 0) -> dict[str, Any]:
    """The home tab: what this is, where somebody is on, and the personas from page `page` on, counted from 0."""
    pages = max(1, -(-len(cast.personas) // A_PAGE))
    page = min(max(page, 0), pages - 1)
    shown = cast.personas[page * A_PAGE : (page + 1) * A_PAGE]
    blocks = [
        {"type": "header", "text": plain(shortened(bot_name, 150))},
        _section(
            "Type `*help` in a channel that I am in, or here under *Messages*. `*` with a name, like "
            f"`*{shown[0].id}`, brings somebody on; `*exit` sends them off."
            if shown
            else "The library holds no persona yet. The operator has to check `library.paths`."
        ),
        *_rooms(rooms),
    ]
    if shown:
        part = f" ({page + 1} of {pages})" if pages > 1 else ""
        blocks += [{"type": "header", "text": plain(f"Personas{part}")}, *map(_persona, shown)]
    turns = [
        *([button("Previous", f"{PAGE}:{page - 1}", str(page - 1))] if page else []),
        *([button("Next", f"{PAGE}:{page + 1}", str(page + 1))] if page + 1 < pages else []),
    ]
    return {"type": "home", "blocks": [*blocks, *([{"type": "actions", "elements": turns}] if turns else [])]}


def _rooms(rooms: Sequence[Room]) -> list[dict[str, Any]]:
    if not rooms:
        return []
    lines = [_room(*room) for room in rooms[:ROOMS]]
    if len(rooms) > ROOMS:
        lines.append(f"and {len(rooms) - ROOMS} more")
    found: list[str] = []
    for line in lines:
        if found and units(found[-1]) + units(line) + 1 <= SECTION:
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return [{"type": "header", "text": plain("Where I am")}, *map(_section, found)]


def _room(channel: str, voice: Voice | None, waiting: str) -> str:
    where = "Here, in private" if is_direct(channel) else f"<#{channel}>"
    who = _escaped(f"{voice.icon} {voice.name}", 80) if voice else "nobody is on"
    return f"{where}: {who}" + (f", waiting for {_escaped(waiting, 200)}" if waiting else "")


def _persona(persona: Persona) -> dict[str, Any]:
    title = f", {_escaped(persona.title, 100)}" if persona.title else ""
    use = persona.when_to_use or persona.role or persona.identity
    name = _escaped(f"{persona.icon} {persona.name}", 80).replace("*", "")
    text = f"*{name}*{title}  `*{_escaped(persona.id, 80)}`" + (f"\n{_escaped(use, 300)}" if use else "")
    return _section(text) | {"accessory": button(f"Talk with {persona.name}", START, persona.id)}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _escaped(text: str, most: int) -> str:
    """`text` on one line, cut, and with no mark of Slack's in it."""
    return escaped(shortened(text, most))


def turned(payload: Payload) -> int | None:
    """The page of the home tab that was asked for; None for every other press."""
    action = action_of(payload)
    value = str(action.get("value", ""))
    is_turn = str(action.get("action_id", "")).startswith(f"{PAGE}:") and value.isdecimal()
    return int(value) if is_turn else None


def start(payload: Payload, me: Me, sender: Person, channel: str) -> Inbound | None:
    """The persona whose button was pressed, called in `channel`, the private one; None for every other press."""
    action = action_of(payload)
    if action.get("action_id") != START or not action.get("value"):
        return None
    ts = str(action.get("action_ts", ""))
    order = order_of(ts)
    return Inbound(
        conversation=Conversation("slack", me.team, channel),
        id=f"press-{ts}-{sender.user}",
        user=sender.user,
        name=sender.name,
        text=f"*{action['value']}",
        order=order,
        at=order / MICRO,
        direct=True,
        addressed=True,
        roles=sender.roles,
        outsider=sender.outsider,
    )


# ---------------------------------------------------------------- modals


def answering(asked: Words, prompt: str = "", handle: str = "") -> dict[str, Any]:
    """The modal in which a menu is answered in words; `handle` is a private answer's address. Raises ValueError."""
    return {
        "type": "modal",
        "callback_id": WORDS,
        "title": plain("In your own words"),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "private_metadata": metadata(asked, handle),
        "blocks": [
            *([_section(escaped(shortened(prompt, 500)))] if prompt.strip() else []),
            _field("Your answer"),
        ],
    }


def notice(title: str, text: str) -> dict[str, Any]:
    """A modal that only tells something, in Slack's own markup."""
    return {"type": "modal", "title": plain(title), "close": plain("Close"), "blocks": [_section(text)]}


def asking(cast: Cast, payload: Payload, names: Names = NOBODY) -> dict[str, Any]:
    """The modal of the message shortcut: whom to ask, and what, about the message that it was used on.

    Without a persona it says so, and cannot be sent. Raises ValueError.
    """
    message = payload.get("message") or {}
    personas = [p for p in cast.personas if units(p.id) <= OPTION_VALUE]
    view = {"type": "modal", "callback_id": ASK, "title": plain("Ask a persona"), "close": plain("Cancel")}
    if not personas:
        return view | {"blocks": [_section("The library holds no persona to ask.")]}
    place = {
        "channel": str((payload.get("channel") or {}).get("id") or ""),
        "ts": str(message.get("ts") or payload.get("message_ts") or ""),
        "thread": str(message.get("thread_ts") or ""),
    }
    quote = plain_text(str(message.get("text") or ""), "", names).text
    quote = _fitting(quote, METADATA - units(kept({**place, "quote": ""})))
    options = [option_of(f"{p.icon} {p.name}", p.id, p.title or p.when_to_use) for p in personas]
    whom = {
        "type": "input",
        "label": plain("Who"),
        "element": select(PERSONA, "Choose somebody", options),
    }
    shown = [_section(_quoted(escaped(_fitting(quote, 500))))] if quote else []
    return view | {
        "submit": plain("Ask"),
        "private_metadata": kept({**place, "quote": quote}),
        "blocks": [whom, _field("Your question"), *shown],
    }


def asked(payload: Payload, me: Me, sender: Person, order: int) -> Inbound | Mismatch:
    """The question of a modal that was submitted at `order` (microseconds since the epoch).

    It goes to the thread of the message, or begins one below it, with the message's words quoted under it.
    """
    view: Mapping[str, Any] = payload.get("view") or {}
    found = kept_in(str(view.get("private_metadata") or ""))
    persona, question = field_of(view, PERSONA), field_of(view, TEXT)
    if not all(found.get(key) for key in ("channel", "ts")):
        return Mismatch("the modal was not made by this bot")
    if not persona or not question:
        return Mismatch("the question is empty, or for nobody")
    quote = f"\n{_quoted(found['quote'])}" if found.get("quote") else ""
    thread = found.get("thread") or found["ts"]
    where = conversation(me.team, {"channel": found["channel"], "thread_ts": thread})
    return Inbound(
        conversation=where,
        id=f"ask-{view.get('id', '')}",
        user=sender.user,
        name=sender.name,
        text=f"*{persona} {question}{quote}",
        order=order,
        at=order / MICRO,
        direct=is_direct(where.channel),
        addressed=True,
        roles=sender.roles,
        outsider=sender.outsider,
        hidden=True,
    )


def _field(label: str) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": TEXT, "multiline": True, "max_length": INPUT}
    return {"type": "input", "block_id": TEXT, "label": plain(label), "element": element}


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _fitting(text: str, room: int) -> str:
    """The beginning of `text` that takes at most `room` characters as JSON, with a `…` where it was cut."""
    if units(_as_json(text)) <= room:
        return text
    found, left = "", room - 1
    for grapheme in iter_graphemes(text):
        left -= units(_as_json(grapheme))
        if left < 0:
            break
        found += grapheme
    return found.rstrip() + "…"


def _as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


# ---------------------------------------------------------------- prompts


def suggested(cast: Cast) -> list[dict[str, str]]:
    """Up to four prompts for somebody who has not written yet: what there is, and a few personas to begin with."""
    first = sorted(cast.personas, key=lambda persona: not persona.is_coordinator)[: PROMPTS - 1]
    return [
        {"title": "What can be done here?", "message": "*help"},
        *({"title": shortened(_called(persona), 60), "message": f"*{persona.id}"} for persona in first),
    ]


def _called(persona: Persona) -> str:
    return f"Talk with {persona.icon} {persona.name}" + (f", {persona.title}" if persona.title else "")
