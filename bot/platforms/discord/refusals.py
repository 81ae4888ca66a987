"""What a refusal of Discord's means: whether to wait, to send it in another form, or to give it up. Pure.

The codes are those of Discord's documentation, "Opcodes and Status Codes, JSON Error Codes".
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.platforms.discord.rights import RIGHTS
from bot.platforms.discord.web import (
    INVALID_WEBHOOK_TOKEN,
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    TOO_LARGE,
    TOO_MANY_WEBHOOKS,
    UNKNOWN_CHANNEL,
    UNKNOWN_WEBHOOK,
    RefusedError,
)
from bot.ports.transport import FormRefusedError, TransportError

HOOK_GONE = (UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN, UNKNOWN_CHANNEL)
"""A webhook that was deleted, or that belongs to another channel by now: it must not be called again."""

INVALID_FORM = 50035
"""A field of the body is wrong, so the refusal says nothing about the next message."""

LATER = frozenset(
    (20016, 20022, 20028, 20029, 30046, 40003, 40004, 40006, 40062, 40333, 110000, 110001, 130000)
)  # fmt: skip
"""Limits and outages that Discord tells by a code: slow mode, write limits, edits of old messages, what it has switched
off for a while, overload."""

BLOCKED: Mapping[int, str] = {
    200000: "the server's automatic moderation (AutoMod) blocks words in it",
    200001: "the server's automatic moderation (AutoMod) blocks words in it",
    240000: "it holds a link that Discord takes for harmful",
    20009: "Discord takes it for explicit content, which cannot be sent here",
}
"""What is refused for its words, whoever says them: the reason, for people."""

NOWHERE: Mapping[int, str] = {
    UNKNOWN_CHANNEL: "the channel or thread was deleted",
    MISSING_ACCESS: "the bot does not see the channel: give its role the permission View Channel",
    50007: "they do not take direct messages of the bot",
    50083: "the thread is archived and locked",
    50278: "the bot and they have no server in common any more",
    160005: "the thread is locked",
}
"""Where nothing of the bot's own can be posted in any form, in words."""

_REFUSED: Mapping[int, str] = {
    **NOWHERE,
    MISSING_PERMISSIONS: f"the bot lacks a permission there: its role needs {', '.join(RIGHTS)}",
    TOO_LARGE: "the file is larger than Discord takes",
    50045: "the file is larger than Discord takes",
    400001: "Discord has limited uploads of files on that server",
}

_WITHOUT: Mapping[int, str] = {
    MISSING_PERMISSIONS: "the bot lacks the permission Manage Webhooks there: give it to the bot's role",
    TOO_MANY_WEBHOOKS: "the channel has as many webhooks as Discord allows: delete one in its settings, Integrations",
    30058: "the server has as many webhooks as Discord allows: delete some in its settings, Integrations",
    50024: "a channel of that kind has no webhooks",
    60003: (
        "the server demands two-factor authentication of whoever makes webhooks: switch it on for the Discord account "
        "that owns the bot's application"
    ),
}


def passes(error: RefusedError) -> bool:
    """Whether the same call may be taken later.

    A token that is no longer good says nothing about the post; nor does an answer without a code of Discord's, which
    comes from what stands before it.
    """
    if error.code in LATER:
        return True
    return error.status != 413 if not error.code else error.status == 401 and error.code != INVALID_WEBHOOK_TOKEN


def is_of_file(error: RefusedError) -> bool:
    """Whether Discord refuses a file, and would take a message without it."""
    return error.status == 413 or error.code in (TOO_LARGE, 30015, 50045, 50046, 50110, 50123, 50146, 400001)


def without_hook(error: RefusedError) -> str:
    """Why personas have no webhook in a channel, and what to do about it."""
    return _WITHOUT.get(error.code) or f"Discord refuses its webhook ({error})"


def told(error: RefusedError, place: str, *, file: bool = False) -> TransportError:
    """The refusal for whoever has to mend it; with a `file`, that of a form where the same words may still pass."""
    says = f"nothing can be posted to {place}: {_REFUSED.get(error.code) or f'Discord says {error}'}"
    if file and not passes(error) and error.code not in NOWHERE:
        return FormRefusedError(says)
    return TransportError(says, retry=passes(error))
