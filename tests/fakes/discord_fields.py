"""Every field that a call may have, each with the page of Discord's API documentation that names it.

Discord passes over what it does not know, so a field in the wrong call, or one that is misspelled, does nothing, and
nobody notices. The fake notes it in `fake.rest.undocumented`, and each scenario of the bot ends with a look there; the
library sends some that no page names, when it is left to write messages itself. The rules for what stands in a field
are in `discord_rules` and `discord_components`, under the same pages. The documentation is that of August 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Fields = Mapping[str, tuple[type, ...]]

TEXT, NUMBER, FLAG, LIST, OBJECT, ID = (str,), (int,), (bool,), (list,), (dict,), (str, int)


@dataclass(frozen=True, slots=True)
class Page:
    """What a page names: fields of the body, and of the query, whose values are always texts."""

    title: str
    body: Fields
    query: frozenset[str] = frozenset()


def fields(texts: str = "", **others: tuple[type, ...]) -> Fields:
    """Fields by name; `texts` are those that take a text."""
    return {**dict.fromkeys(texts.split(), TEXT), **others}


# ---------------------------------------------------------------- what is sent more than once

_SHARED: Fields = fields(
    "content", embeds=LIST, allowed_mentions=OBJECT, components=LIST, attachments=LIST, flags=NUMBER
)

MENTIONS = Page(
    "Messages Resource, Allowed Mentions Object", fields(parse=LIST, roles=LIST, users=LIST, replied_user=FLAG)
)
REFERENCE = Page(
    "Messages Resource, Message Reference Structure",
    fields(type=NUMBER, message_id=ID, channel_id=ID, guild_id=ID, fail_if_not_exists=FLAG),
)
EMBED = Page(
    "Messages Resource, Embed Structure",
    fields(
        "title type description url timestamp",
        color=NUMBER, footer=OBJECT, image=OBJECT, thumbnail=OBJECT, author=OBJECT, fields=LIST, flags=NUMBER,
    ),
)  # fmt: skip
ATTACHMENT = Page(
    "Messages Resource, Attachment Request Structure",
    fields("filename title description waveform", id=ID, duration_secs=(float, int), is_spoiler=FLAG),
)
COMPONENTS: Mapping[int, Page] = {
    1: Page("Component Reference, Action Row Structure", fields(components=LIST)),
    2: Page(
        "Component Reference, Button Structure",
        fields("label custom_id url", style=NUMBER, emoji=OBJECT, sku_id=ID, disabled=FLAG),
    ),
    3: Page(
        "Component Reference, String Select Structure",
        fields(
            "custom_id placeholder", options=LIST, min_values=NUMBER, max_values=NUMBER, required=FLAG, disabled=FLAG
        ),
    ),
    4: Page(
        "Component Reference, Text Input Structure",
        fields("custom_id value placeholder label", style=NUMBER, min_length=NUMBER, max_length=NUMBER, required=FLAG),
    ),
    10: Page("Component Reference, Text Display Structure", fields("content")),
    18: Page("Component Reference, Label Structure", fields("label description", component=OBJECT)),
}
OPTION = Page(
    "Component Reference, Select Option Structure", fields("label value description", emoji=OBJECT, default=FLAG)
)
COMMAND_OPTION = Page(
    "Application Commands, Application Command Option Structure",
    fields(
        "name description",
        type=NUMBER, name_localizations=OBJECT, description_localizations=OBJECT, required=FLAG, choices=LIST,
        options=LIST, channel_types=LIST, min_value=(int, float), max_value=(int, float), min_length=NUMBER,
        max_length=NUMBER, autocomplete=FLAG, file_types=LIST,
    ),
)  # fmt: skip
CHOICE = Page(
    "Application Commands, Application Command Option Choice Structure",
    fields("name", name_localizations=OBJECT, value=(str, int, float)),
)

# ---------------------------------------------------------------- calls

_CHANNEL, _HOOK = "/channels/{channel}", "/webhooks/{webhook}"
_THREAD = frozenset(("thread_id", "with_components"))
_COMMAND = Page(
    "Application Commands, Create Global Application Command",
    fields(
        "name description default_member_permissions id",
        name_localizations=OBJECT, description_localizations=OBJECT, options=LIST, dm_permission=FLAG,
        default_permission=FLAG, integration_types=LIST, contexts=LIST, type=NUMBER, nsfw=FLAG,
    ),
)  # fmt: skip
CALLS: Mapping[tuple[str, str], Page] = {
    ("GET", f"{_CHANNEL}/messages"): Page(
        "Messages Resource, Get Channel Messages", {}, frozenset(("around", "before", "after", "limit"))
    ),
    ("POST", f"{_CHANNEL}/messages"): Page(
        "Messages Resource, Create Message",
        {
            **_SHARED,
            **fields(nonce=ID, tts=FLAG, message_reference=OBJECT, sticker_ids=LIST, enforce_nonce=FLAG, poll=OBJECT),
        },
    ),
    ("PATCH", f"{_CHANNEL}/messages/{{message}}"): Page("Messages Resource, Edit Message", _SHARED),
    ("POST", f"{_CHANNEL}/messages/bulk-delete"): Page(
        "Messages Resource, Bulk Delete Messages", fields(messages=LIST)
    ),
    ("POST", f"{_CHANNEL}/messages/{{message}}/threads"): Page(
        "Channels Resource, Start Thread from Message",
        fields("name", auto_archive_duration=NUMBER, rate_limit_per_user=NUMBER),
    ),
    ("POST", f"{_CHANNEL}/threads"): Page(
        "Channels Resource, Start Thread without Message",
        fields("name", auto_archive_duration=NUMBER, type=NUMBER, invitable=FLAG, rate_limit_per_user=NUMBER),
    ),
    ("PATCH", _CHANNEL): Page(
        "Channels Resource, Modify Channel, Thread",
        fields(
            "name",
            archived=FLAG,
            auto_archive_duration=NUMBER,
            locked=FLAG,
            invitable=FLAG,
            rate_limit_per_user=NUMBER,
            flags=NUMBER,
            applied_tags=LIST,
        ),
    ),
    ("POST", f"{_CHANNEL}/webhooks"): Page("Webhook Resource, Create Webhook", fields("name avatar")),
    ("PATCH", _HOOK): Page("Webhook Resource, Modify Webhook", fields("name avatar", channel_id=ID)),
    ("PATCH", f"{_HOOK}/{{token}}"): Page("Webhook Resource, Modify Webhook with Token", fields("name avatar")),
    ("POST", f"{_HOOK}/{{token}}"): Page(
        "Webhook Resource, Execute Webhook",
        {**_SHARED, **fields("username avatar_url thread_name", tts=FLAG, applied_tags=LIST, poll=OBJECT)},
        _THREAD | {"wait"},
    ),
    ("GET", f"{_HOOK}/{{token}}/messages/{{message}}"): Page(
        "Webhook Resource, Get Webhook Message", {}, frozenset(("thread_id",))
    ),
    ("PATCH", f"{_HOOK}/{{token}}/messages/{{message}}"): Page(
        "Webhook Resource, Edit Webhook Message", {**_SHARED, **fields(poll=OBJECT)}, _THREAD
    ),
    ("DELETE", f"{_HOOK}/{{token}}/messages/{{message}}"): Page(
        "Webhook Resource, Delete Webhook Message", {}, frozenset(("thread_id",))
    ),
    ("POST", "/interactions/{interaction}/{token}/callback"): Page(
        "Receiving and Responding, Interaction Response Structure",
        fields(type=NUMBER, data=OBJECT),
        frozenset(("with_response",)),
    ),
    ("POST", "/users/@me/channels"): Page("Users Resource, Create DM", fields(recipient_id=ID)),
    ("GET", "/users/@me/guilds"): Page(
        "Users Resource, Get Current User Guilds", {}, frozenset(("before", "after", "limit", "with_counts"))
    ),
    ("GET", "/guilds/{guild}"): Page("Guild Resource, Get Guild", {}, frozenset(("with_counts",))),
    ("GET", "/applications/{application}/commands"): Page(
        "Application Commands, Get Global Application Commands", {}, frozenset(("with_localizations",))
    ),
    ("GET", "/applications/{application}/guilds/{guild}/commands"): Page(
        "Application Commands, Get Guild Application Commands", {}, frozenset(("with_localizations",))
    ),
    ("PUT", "/applications/{application}/commands"): _COMMAND,
    ("PUT", "/applications/{application}/guilds/{guild}/commands"): _COMMAND,
    ("POST", "/applications/{application}/emojis"): Page(
        "Emoji Resource, Create Application Emoji", fields("name image")
    ),
}
"""What each call may have; one that is not here takes nothing."""

FOLLOW_UP = Page(
    "Receiving and Responding, Create Followup Message",
    {
        name: kinds
        for name, kinds in CALLS["POST", f"{_HOOK}/{{token}}"].body.items()
        if name not in ("username", "avatar_url")
    },
    frozenset(("wait", "with_components")),
)
"""As Execute Webhook, but for `thread_id`, `avatar_url` and `username`; `wait` is always true."""

ANSWERS: Mapping[int, Page] = {
    **dict.fromkeys(
        (4, 5, 7),
        Page("Receiving and Responding, Messages", {**_SHARED, **fields(tts=FLAG, poll=OBJECT)}),
    ),
    6: Page("Receiving and Responding, Interaction Callback Type", {}),
    8: Page("Receiving and Responding, Autocomplete", fields(choices=LIST)),
    9: Page("Receiving and Responding, Modal", fields("custom_id title", components=LIST)),
}

# ---------------------------------------------------------------- looking


def undocumented(method: str, template: str, query: Mapping[str, str], body: object, *, follow_up: bool) -> list[str]:
    """What a call has that its page does not name, or that is of another type than it says: a line each."""
    page = FOLLOW_UP if follow_up else CALLS.get((method, template), Page(f"{method} {template}, by no page", {}))
    found = [f"{page.title}: no query {name}" for name in query if name not in page.query]
    for each in body if isinstance(body, list) else [body]:
        if isinstance(each, dict):
            found += _wrong(page, each)
            if template.endswith("/callback") and isinstance(each.get("data"), dict):
                found += _wrong(ANSWERS.get(each.get("type", 6), ANSWERS[6]), each["data"])
    return found


def _wrong(page: Page, given: Mapping[str, Any]) -> Iterator[str]:
    for name, value in given.items():
        kinds = page.body.get(name)
        if kinds is None:
            yield f"{page.title}: no field {name}"
        elif value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            yield f"{page.title}: {name} is {type(value).__name__}"
        else:
            for inner, each in _inside(page, name, value):
                yield from _wrong(inner, each)


def _inside(page: Page, name: str, value: object) -> Iterator[tuple[Page, Mapping[str, Any]]]:
    """The objects in a field, each with its page."""
    pages = {
        "allowed_mentions": MENTIONS,
        "message_reference": REFERENCE,
        "embeds": EMBED,
        "attachments": ATTACHMENT,
        "choices": CHOICE,
        "options": OPTION if page.title.startswith("Component Reference") else COMMAND_OPTION,
    }
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, dict):
            continue
        if name in ("components", "component"):
            kind = COMPONENTS.get(each.get("type", 0))
            if kind is not None:
                both = {"type": NUMBER, "id": NUMBER}
                yield Page(kind.title, {**kind.body, **both}), each
        elif name in pages:
            yield pages[name], each
