"""Mistakes in words for people: which key, what was expected, what was found, and what was perhaps meant."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from bot.settings.keys import DELIMITER, PREFIX, Alias, Settings
from bot.settings.yaml_lines import Key

ELSEWHERE = "set ANTHROPIC_API_KEY in the environment, or ANTHROPIC_API_KEY_FILE to the path of a file that holds it"
"""Where a secret belongs."""

_NEAR = 70.0
"""Similarity in percent from which an unknown key is taken for a slip: `naem` for `name` has 75."""

_SECRET_KEY = re.compile(r"secret|passw|credential|api_?key|token$", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"\s*sk-", re.IGNORECASE)


class SettingsError(Exception):
    """What has to be mended before the bot can start: one line a problem, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(" ".join(problem.splitlines()) for problem in problems)
        super().__init__("\n".join(self.problems))


def holds_secret(key: Key, value: object) -> bool:
    """Whether the key's last part names a secret, or the value begins like one."""
    return bool(_SECRET_KEY.search(str(key[-1]))) or (isinstance(value, str) and bool(_SECRET_VALUE.match(value)))


def dotted(key: Key) -> str:
    """The key as the file's readers know it: `model.name`."""
    return ".".join(str(part) for part in key)


def variable(key: Key) -> str:
    """The key as the environment knows it: `GREENROOM_MODEL__NAME`."""
    return PREFIX + DELIMITER.join(str(part) for part in key).upper()


def default(key: Key) -> object:
    """The default at `key`, sections as maps; None where there is no such key."""
    value: object = _defaults()
    for part in key:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def expected(wrong: Mapping[str, Any]) -> str:
    """What should have stood where one of pydantic's errors was found."""
    match wrong["type"]:
        case "value_error":
            return str(wrong["ctx"]["error"])
        case "string_type":
            return "text (in quotes, where YAML takes it for something else)"
        case "string_too_short" | "string_too_long" | "string_pattern_mismatch":
            return "text of 1 to 80 characters, in one line"
        case "bool_type" | "bool_parsing":
            return "true or false"
        case "literal_error":
            return str(wrong["ctx"]["expected"]).replace("'", "")
        case "tuple_type":
            return "a list"
        case "path_type":
            return "a path"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "keys and values below it"
        case _:
            return str(wrong["msg"])


def found(value: object) -> str:
    """A wrong value, short, and without what may be a secret."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str() if "@" in value or _SECRET_VALUE.match(value):
            return "something that may hold a secret"
        case str():
            return json.dumps(value if len(value) <= 60 else f"{value[:57]}...", ensure_ascii=False)
        case Mapping():
            return "keys and values"
        case list() | tuple():
            return f"[{', '.join(found(item) for item in value[:10])}{', ...' if len(value) > 10 else ''}]"
        case _:
            return str(value)


def unknown(key: Key, spelled: Callable[[Key], str]) -> str:
    """That there is no such key, and the nearest one, or else what there is in its place."""
    from rapidfuzz import fuzz  # 15 ms that only a mistake is worth

    known = list(_keys(_defaults()))
    if key[:2] == ("model", "aliases") and key[:3] not in known:
        known += [(*key[:3], name) for name in Alias.model_fields]
    nearness = {
        # A right name in the wrong section is as near as a slip in the right one.
        other: max(fuzz.ratio(dotted(key), dotted(other)), fuzz.ratio(str(key[-1]), str(other[-1])) - 5)
        for other in known
    }
    nearest = max(known, key=lambda other: nearness[other])
    if nearness[nearest] >= _NEAR:
        return f"no such key; did you mean {spelled(nearest)}?"
    section = key[:-1] if key[:-1] in known else ()
    return f"no such key; there are {', '.join(spelled(other) for other in known if other[:-1] == section)}"


@cache
def _defaults() -> Mapping[str, Any]:
    return Settings().model_dump(exclude={"secrets"})


def _keys(values: Mapping[str, Any], key: Key = ()) -> Iterator[Key]:
    for name, value in values.items():
        yield (*key, name)
        if isinstance(value, Mapping):
            yield from _keys(value, (*key, name))
