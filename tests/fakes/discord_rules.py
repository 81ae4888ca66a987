"""What Discord refuses in messages, names, mentions and uploads, and the errors that it says so with. Pure.

Limits: Discord's API documentation, "Messages Resource", "Webhook Resource", "Emoji Resource", "Users Resource". The
nested `errors` object is that of "Reference, Error Messages". Lengths count code points.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.discord_components import check_components
from tests.fakes.discord_errors import ApiError, Form

CONTENT = 2000
UPLOAD = 10 * 1024 * 1024
EMOJI = 256 * 1024

SUPPRESS_EMBEDS = 1 << 2
HAS_THREAD = 1 << 5
EPHEMERAL = 1 << 6
LOADING = 1 << 7
SUPPRESS_NOTIFICATIONS = 1 << 12
COMPONENTS_V2 = 1 << 15

SENDS = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2
ANSWERS = SENDS | EPHEMERAL
EDITS = SUPPRESS_EMBEDS | COMPONENTS_V2


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request: `files[n]`."""

    number: int
    filename: str
    data: bytes


def check_message(body: Mapping[str, Any], files: Sequence[Upload], *, settable: int = SENDS) -> None:
    """Refuse a body that Discord would not take for a message or an edit; `settable` are the flags it may carry.

    Emptiness is for `check_not_empty`, since an edit may leave out what the message has.
    """
    form = Form()
    content = form.text(body, ("content",), 0, CONTENT, nullable=True)
    embeds = form.sequence(body, ("embeds",), 10)
    _check_embeds(form, embeds)
    flags = body.get("flags") or 0
    if not isinstance(flags, int):
        form.wrong(("flags",), "NUMBER_TYPE_COERCE", f'Value "{flags}" is not int.')
        flags = 0
    if flags & ~settable:
        form.wrong(("flags",), "BASE_TYPE_CHOICES", f"The flags {flags & ~settable} cannot be set here.")
    layout = bool(flags & COMPONENTS_V2)
    for name, value in (("content", content), ("embeds", embeds)):
        if layout and value:
            form.wrong(
                (name,),
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
            )
    check_components(form, body.get("components"), layout=layout)
    check_allowed_mentions(form, body.get("allowed_mentions"))
    nonce = body.get("nonce")
    if nonce is not None and len(str(nonce)) > 25:
        form.wrong(("nonce",), "NONCE_TYPE_TOO_LONG", "Nonce must be 25 or fewer in length.")
    _check_files(form, body, files)
    form.done()


def shown_embeds(flags: int, embeds: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The embeds of a message as anybody gets them: none with SUPPRESS_EMBEDS, its own ones neither.

    "Messages Resource, Message Flags": "do not include any embeds when serializing this message".
    """
    return () if flags & SUPPRESS_EMBEDS else embeds


def check_not_empty(content: str, *rest: Collection[Any]) -> None:
    """Refuse a message of nothing."""
    if not content.strip() and not any(rest):
        raise ApiError(400, 50006, "Cannot send an empty message")


def check_words(blocked: Mapping[str, int], content: str, embeds: Sequence[Mapping[str, Any]]) -> None:
    """Refuse what automatic moderation or the filter of harmful links does not let pass.

    "Opcodes and Status Codes, JSON Error Codes": 200000 and 240000; "Auto Moderation" looks at what a message says.
    """
    said = "\n".join([content, *(str(each.get("description") or "") for each in embeds)])
    for word, code in blocked.items():
        if word in said:
            raise ApiError(400, code, "Message was blocked")


def _check_embeds(form: Form, embeds: Sequence[Any]) -> None:
    total = 0
    for number, embed in enumerate(embeds):
        at = ("embeds", number)
        if not isinstance(embed, Mapping):
            form.wrong(at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            continue
        texts = [form.text(embed, (*at, "title"), 0, 256), form.text(embed, (*at, "description"), 0, 4096)]
        for part, key, limit in (("footer", "text", 2048), ("author", "name", 256)):
            if isinstance(embed.get(part), Mapping):
                texts.append(form.text(embed[part], (*at, part, key), 0, limit))
        for index, field in enumerate(form.sequence(embed, (*at, "fields"), 25)):
            texts.append(form.text(field, (*at, "fields", index, "name"), 1, 256, required=True))
            texts.append(form.text(field, (*at, "fields", index, "value"), 1, 1024, required=True))
        for part in ("image", "thumbnail"):
            if isinstance(embed.get(part), Mapping):
                _check_url(form, (*at, part, "url"), embed[part].get("url"), ("http", "https", "attachment"))
        total += sum(len(text.strip()) for text in texts)
    if total > 6000:
        form.wrong(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def _check_files(form: Form, body: Mapping[str, Any], files: Sequence[Upload]) -> None:
    if any(len(file.data) > UPLOAD for file in files):
        raise ApiError(413, 40005, "Request entity too large")
    attachments = form.sequence(body, ("attachments",), 10)
    if len(files) > 10:
        form.wrong(("files",), "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    for number, attachment in enumerate(attachments):
        if not isinstance(attachment, Mapping) or "id" not in attachment:
            form.wrong(("attachments", number, "id"), "BASE_TYPE_REQUIRED", "This field is required")
            continue
        form.text(attachment, ("attachments", number, "description"), 0, 1024, nullable=True)


def check_name(form: Form, field: str, name: object, *, required: bool = True) -> None:
    """A webhook's name, or the one that it posts under: 1 to 80 characters, without certain words."""
    if name is None and not required:
        return
    if not isinstance(name, str):
        form.wrong((field,), "BASE_TYPE_REQUIRED", "This field is required")
        return
    if not 1 <= len(name.strip()) <= 80:
        form.wrong((field,), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 80 in length.")
    for word in ("clyde", "discord"):
        if word in name.lower():
            form.wrong((field,), "USERNAME_INVALID_CONTAINS", f'Username cannot contain "{word}"')
    # "Usernames and Nicknames": these are reserved, and these substrings would look like mentions and code.
    if name.strip().lower() in ("everyone", "here"):
        form.wrong((field,), "USERNAME_INVALID_CONTAINS", f'Username cannot be "{name.strip()}"')
    for word in ("@", "#", ":", "```"):
        if word in name and field == "name":
            form.wrong((field,), "USERNAME_INVALID_CONTAINS", f'Username cannot contain "{word}"')


def check_webhook_voice(body: Mapping[str, Any]) -> None:
    """The name and the picture that a webhook posts under."""
    form = Form()
    check_name(form, "username", body.get("username") or None, required=False)
    if body.get("avatar_url"):
        _check_url(form, ("avatar_url",), body["avatar_url"], ("http", "https"))
    form.done()


def _check_url(form: Form, at: tuple[str | int, ...], url: object, schemes: Sequence[str]) -> None:
    if not isinstance(url, str) or len(url) > 2048 or not re.fullmatch(r"[a-z]+://[^\s/]+\S*", url):
        form.wrong(at, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
    elif url.split(":")[0] not in schemes:
        form.wrong(at, "URL_TYPE_INVALID_SCHEME", f'Scheme "{url.split(":")[0]}" must be one of {tuple(schemes)}.')


def check_allowed_mentions(form: Form, allowed: object) -> None:
    """`parse` and the lists of ids exclude one another."""
    if allowed is None:
        return
    if not isinstance(allowed, Mapping):
        form.wrong(("allowed_mentions",), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return
    parse = allowed.get("parse") or []
    for number, kind in enumerate(parse):
        if kind not in ("users", "roles", "everyone"):
            choices = "('users', 'roles', 'everyone')"
            form.wrong(("allowed_mentions", "parse", number), "BASE_TYPE_CHOICES", f"Value must be one of {choices}.")
    for kind in ("users", "roles"):
        listed = allowed.get(kind) or []
        if len(listed) > 100:
            form.wrong(("allowed_mentions", kind), "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")
        if listed and kind in parse:
            text = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            form.wrong(("allowed_mentions",), "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", text)


def pings(text: str, allowed: Mapping[str, Any] | None, replied: int | None = None) -> Iterator[str]:
    """Who is called by a text: `@everyone`, `@here`, `<@id>`, `<@&id>`, and the author `replied` to.

    Without `allowed` everything counts, as it does at Discord. Code is not looked at: what a fence would hide counts.
    """
    parse = ("users", "roles", "everyone") if allowed is None else allowed.get("parse") or ()
    users = {str(each) for each in (allowed or {}).get("users") or ()}
    roles = {str(each) for each in (allowed or {}).get("roles") or ()}
    if "everyone" in parse:
        yield from dict.fromkeys(re.findall(r"@(?:everyone|here)", text))
    for user in dict.fromkeys(re.findall(r"<@!?(\d+)>", text)):
        if "users" in parse or user in users:
            yield f"<@{user}>"
    for role in dict.fromkeys(re.findall(r"<@&(\d+)>", text)):
        if "roles" in parse or role in roles:
            yield f"<@&{role}>"
    if replied is not None and (allowed is None or allowed.get("replied_user")):
        yield f"<@{replied}>"


_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")


def image(data_uri: object, field: str, limit: int = UPLOAD) -> bytes:
    """The bytes of a `data:image/...;base64,` URI of a picture."""
    form = Form()
    found = re.fullmatch(r"data:image/(png|jpeg|gif|webp|avif);base64,(.+)", str(data_uri), re.DOTALL)
    data = b""
    if found:
        try:
            data = base64.b64decode(found[2], validate=True)
        except binascii.Error:
            found = None
    riff = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    if not found or not (data.startswith(_MAGIC) or riff or data[4:12] == b"ftypavif"):
        form.wrong((field,), "IMAGE_INVALID", "Invalid image data")
    elif len(data) > limit:
        form.wrong((field,), "BINARY_TYPE_MAX_SIZE", f"File cannot be larger than {limit / 1024} kb.")
    form.done()
    return data


def check_emoji(body: Mapping[str, Any], taken: Collection[str]) -> bytes:
    """The picture of a new emoji of the application."""
    form = Form()
    name = form.text(body, ("name",), 2, 32, required=True)
    if name and not re.fullmatch(r"[A-Za-z0-9_]+", name):
        form.wrong(("name",), "STRING_TYPE_REGEX", "String value did not match validation regex.")
    if name in taken:
        form.wrong(("name",), "APPLICATION_EMOJI_NAME_ALREADY_TAKEN", "An emoji with that name already exists")
    form.done()
    data = image(body.get("image"), "image", EMOJI)
    if len(taken) >= 2000:
        raise ApiError(400, 30008, "Maximum number of emojis reached (2000)")
    return data
