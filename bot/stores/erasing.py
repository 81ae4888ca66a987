"""Taking words and names out of what is stored: JSON texts of any shape, such as log lines, states, turns, messages.

Only what says whose it is can be taken out: objects that name a message (`id`; of a menu, `said`) or a person (`user`,
or `who` of what was said or recorded). A persona's reply that quotes somebody is the persona's own words and stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Set
from typing import Any

from bot.stores import documents

_LEDGER = '{"template":'
"""How the texts begin in which a document under way keeps who accepted what."""

_PLAIN = re.compile(r"[A-Za-z0-9._:-]+")


GONE = "_(what stood here was deleted)_"
"""In the place of a post that quoted what is gone: a post cannot be empty, and its place in a turn is its key."""


NOTHING = "null"
"""In the place of a text that cannot be read because it is nested too deep."""


def without_message(text: str, ids: Set[str]) -> str:
    """`text` without the words of the messages `ids`, and the names of their files; as it was where there is none."""

    def rule(value: dict[str, Any]) -> dict[str, Any]:
        new = _without_menus(value, lambda menu: menu.get("said") in ids)
        return _emptied(new) if value.get("id") in ids else new

    return _rewritten(text, rule) if _may_name(text, ids) else text


def _emptied(value: dict[str, Any]) -> dict[str, Any]:
    """The object without the words in it."""
    words = {"text": "", "files": [], "markdown": GONE}
    return {key: words[key] if inner and key in words else inner for key, inner in value.items()}


def _without_menus(value: dict[str, Any], is_gone: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The object without those of its menus."""

    def goes(inner: Any) -> bool:
        return isinstance(inner, dict) and "options" in inner and is_gone(inner)

    kept = {key: inner for key, inner in value.items() if not goes(inner)}
    return {
        key: [one for one in inner if not goes(one)] if isinstance(inner, list) else inner
        for key, inner in kept.items()
    }


def names_message(text: str, message_id: str) -> bool:
    """Whether any object of `text` is of the message of that id, or is a menu with words of it."""
    found = False

    def rule(value: dict[str, Any]) -> dict[str, Any]:
        nonlocal found
        found = found or message_id in (value.get("id"), value.get("said"))
        return value

    if _may_name(text, {message_id}):
        _rewritten(text, rule)
    return found


def names_of(text: str, user: str) -> set[str]:
    """The names under which `text` knows the user of that id."""
    names: set[str] = set()

    def rule(value: dict[str, Any]) -> dict[str, Any]:
        if _is_theirs(value, user) and isinstance(name := value.get("name"), str) and name:
            names.add(name)
        return value

    if _may_name(text, {user}):
        _rewritten(text, rule)
    return names


def without_person(text: str, user: str, names: Set[str], pseudonym: str) -> str:
    """`text` without the words of the user of that id, who becomes `pseudonym`; `names` are taken off lists.

    What the host tells of a person without quoting them stays, with the pseudonym in the place of their name.
    """
    named = [re.escape(name) for name in sorted(names, key=len, reverse=True)]
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(named)})(?!\w)") if named else None

    def renamed(words: str) -> str:
        return pattern.sub(lambda _: pseudonym, words) if pattern else words

    def rule(value: dict[str, Any]) -> dict[str, Any]:
        new = _without_menus(value, lambda menu: menu.get("user") == user)
        if isinstance(only := value.get("only"), dict) and only.get("user") == user:
            new = _emptied({key: inner for key, inner in new.items() if key != "only"})
        if _is_theirs(value, user):
            new = {**new, "text": renamed(str(value["text"]))} if _is_about(value) else _emptied(new)
            new |= {key: pseudonym for key in ("user", "who") if value.get(key) == user}
            new |= {key: empty for key, empty in (("name", pseudonym), ("roles", [])) if value.get(key)}
        elif isinstance(markdown := new.get("markdown"), str):
            new["markdown"] = renamed(markdown)
        elif value.get("kind") == "kept" and str(value.get("text")).startswith(_LEDGER):
            # Who accepted what in a document: the acceptance stays one, without the person.
            new["text"] = documents.without_person(str(value["text"]), user, names, pseudonym)
        # Who made a list appear, and whom a chain or a work answers.
        new |= {key: pseudonym for key in ("by", "asker", "yolo_user") if value.get(key) == user}
        new |= {key: pseudonym for key in ("by", "yolo_by") if value.get(key) in names}
        for key, gone in (("people", names), ("refused", {user}), ("voices", {user})):
            if isinstance(listed := value.get(key), list):
                new[key] = [one for one in listed if one not in gone]
        return new

    return _rewritten(text, rule) if _may_name(text, {user, *names}) else text


def _is_about(value: dict[str, Any]) -> bool:
    """Whether the object tells of a person in the host's words, without any of theirs."""
    return value.get("kind") in ("note", "result") and not value.get("id") and isinstance(value.get("text"), str)


def is_from(text: str, user: str) -> bool:
    """Whether the message in `text` is that user's."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("user") == user


def _is_theirs(value: dict[str, Any], user: str) -> bool:
    """Whether the object is of something that the user did. The `who` of most others is a persona's id."""
    is_a_deed = value.get("kind") == "said" or "what" in value
    return value.get("user") == user or (value.get("who") == user and is_a_deed)


def _may_name(text: str, words: Set[str]) -> bool:
    """Whether one of `words` may stand in the JSON `text`. Plain words are never escaped there; others may be."""
    return any(word in text or not _PLAIN.fullmatch(word) for word in words)


def _rewritten(text: str, rule: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    """`text` after `rule` for each object in it, outermost first; as it was where nothing changed or it is no JSON.

    What is nested too deep to be read is none of ours and of no use to anybody: nothing of it is left.
    """
    try:
        before = json.loads(text)
        after = _walk(before, rule)
    except ValueError:
        return text
    except RecursionError:
        return NOTHING
    return text if after == before else json.dumps(after, ensure_ascii=False, separators=(",", ":"))


def _walk(value: Any, rule: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    match value:
        case dict():
            return {key: _walk(inner, rule) for key, inner in rule(value).items()}
        case list():
            return [_walk(inner, rule) for inner in value]
        case _:
            return value
