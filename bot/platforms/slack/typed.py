"""What people type, as Slack delivers it, read back into what they meant to type."""

from __future__ import annotations

import re

from bot.platforms.typed import CALL, NOBODY, Names, Plain, without_call

_MARK = re.compile(r"<(?P<mark>[^<>\n]*)>|&(?P<sign>amp|lt|gt);")
_SIGN = re.compile("&(amp|lt|gt);")
_SIGNS = {"amp": "&", "lt": "<", "gt": ">"}
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "keycap_ten")
_KEYS = {f":{name}:": str(number) for number, name in enumerate(_DIGITS)}
"""Emoji of keys with digits, as Slack names them: alone they are a choice."""


def mentioned(text: str) -> tuple[str, ...]:
    """The ids of the people and channels that `text` names, so that their names can be looked up."""
    marks = (found["mark"] or "" for found in _MARK.finditer(text))
    return tuple(dict.fromkeys(mark[1:].partition("|")[0] for mark in marks if mark[:1] in ("@", "#")))


def plain_text(text: str, bot: str = "", names: Names = NOBODY) -> Plain:
    """`text` as people typed it: marks by their names, escapes undone, the mention of the user `bot` taken off.

    A bullet that the composer made of a single `* word` is an asterisk again; several bullets are a list. A group
    (`@design`) counts as other people, `@here` does not: it calls everybody, us too.
    """
    addressed = others = False

    def read(found: re.Match[str]) -> str:
        nonlocal addressed, others
        if found["sign"]:
            return _SIGNS[found["sign"]]
        target, _, label = (_unescaped(part) for part in found["mark"].partition("|"))
        kind, ident = target[:1], target[1:]
        match kind:
            case "@" if bot and ident == bot:
                addressed = True
                return CALL
            case "@":
                others = True
                return f"@{names.get(ident) or label or ident}"
            case "#":
                return f"#{label or names.get(ident) or ident}"
            case "!":
                others = others or ident.startswith("subteam^")
                return _special(ident, label)
            case _:
                return _link(target, label)

    read_out = without_call(_MARK.sub(read, text.replace(CALL, "")))
    if "\n" not in read_out:
        read_out = re.sub(r"^[•◦]", "*", read_out)
    read_out = _KEYS.get(read_out, read_out)
    return Plain(read_out, addressed, others)


def _unescaped(text: str) -> str:
    return _SIGN.sub(lambda found: _SIGNS[found[1]], text)


def _special(ident: str, label: str) -> str:
    """`<!here>`, `<!subteam^S1|@design>`, `<!date^...|20 March>` (docs, formatting message text)."""
    if ident.startswith("date^"):
        return label
    return f"@{(label or ident.removeprefix('subteam^')).lstrip('@')}"


def _link(address: str, label: str) -> str:
    """An address; with its label before it, unless Slack made the link of the label itself."""
    bare = re.sub(r"^(?:https?://|mailto:|tel:)", "", address)
    if label in ("", address):
        return address if bare == address or address.startswith("http") else bare
    return label if label.rstrip("/") == bare.rstrip("/") else f"{label} ({address})"
