"""Quotes for YAML whose authors forgot them."""

from __future__ import annotations

import re

_ITEM = re.compile(r"^(?P<lead>\s*- +)(?P<rest>\S.*)$")
_PAIR = re.compile(r"^(?P<lead>\s*(?:- +)?[\w][\w .{}|<>\[\]*/-]*:[ \t]+)(?P<rest>\S.*)$")
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?\s*(?:#.*)?$")


def repaired(text: str) -> str:
    """`text` with every one-line value in single quotes that YAML could not have read as it stands.

    That is a value which begins with a sign of YAML's own (`*help - list`), goes on behind its closing quote
    (`"*help" - list`), or holds a colon and a space or a `#` behind a space.
    """
    lines = text.split("\n")
    block: int | None = None
    out: list[str] = []
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        if block is not None and (not line.strip() or indent > block):
            out.append(line)
            continue
        block = indent if _BLOCK.search(line) else None
        out.append(line if block is not None or line.lstrip().startswith("#") else _line(line))
    return "\n".join(out)


def _line(line: str) -> str:
    item = _ITEM.match(line)
    if item and item["rest"][0] in "\"'`*@%&!|>":
        return item["lead"] + _value(item["rest"])
    pair = _PAIR.match(line)
    return pair["lead"] + _value(pair["rest"]) if pair else line


def _value(value: str) -> str:
    value = value.rstrip()
    quote = value[0]
    if quote in "\"'":
        closed = re.fullmatch(r'"(?:[^"\\]|\\.)*"' if quote == '"' else r"'(?:[^']|'')*'", value)
        return value if closed else _quoted(value)
    if quote in "[{":
        return value
    if quote in "`*@%&!|>" or re.search(r":(?:\s|$)|\s#", value):
        return _quoted(value)
    return value


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
