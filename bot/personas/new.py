"""A new persona from a few questions: the agent template, filled in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.personas.naming import slug
from bot.personas.readers.safe_yaml import dump
from bot.personas.readers.template import flaws

Ask = Callable[[str], str]
"""Puts a question and returns the line typed in answer. Raises EOFError where nobody answers any more."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The agent template's fields. A trigger between slashes is a pattern, any other a keyword."""

    role: str
    name: str
    responsibilities: tuple[str, ...]
    capabilities: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    restricted: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()


def file_name(answers: Answers) -> str:
    """What the file is to be called; `[type]-[specialization]-[capability]` where the name has those parts."""
    return f"{slug(answers.name)}.agent.yaml"


def text_of_answers(answers: Answers) -> str:
    """The filled-in template, as YAML."""
    tools: dict[str, object] = {}
    if answers.allowed:
        tools["allowed"] = list(answers.allowed)
    if answers.restricted:
        tools["restricted"] = list(answers.restricted)
    values: dict[str, object] = {
        "role": answers.role,
        "name": answers.name,
        "responsibilities": list(answers.responsibilities),
        "capabilities": list(answers.capabilities),
    }
    if tools:
        values["tools"] = tools
    if answers.triggers:
        values["triggers"] = [_trigger(text) for text in answers.triggers]
    return dump(values)


def interview(ask: Ask, say: Callable[[str], None]) -> Answers:
    """Ask for the fields one by one, and again where an answer does not do. Raises EOFError."""
    say("A new persona. Lists take several answers with commas between them; nothing skips a question marked (-).")
    role = _asked(ask, say, "What is its role? (such as api-developer): ", _required)
    name = _asked(ask, say, "What is it called? (such as API Developer): ", _nameable)
    responsibilities = _asked(ask, say, "What is it responsible for?: ", _required)
    capabilities = ask("What can it do? (-): ")
    allowed = ask("Which tools may it use? (-): ")
    restricted = ask("Which tools may it never use? (-): ")
    triggers = _asked(ask, say, "Which words call for it? A pattern goes between slashes (-): ", _matchable)
    return Answers(
        role=role,
        name=name,
        responsibilities=_listed(responsibilities),
        capabilities=_listed(capabilities),
        allowed=_listed(allowed),
        restricted=_listed(restricted),
        triggers=_listed(triggers),
    )


def _asked(ask: Ask, say: Callable[[str], None], question: str, flaw_of: Callable[[str], str]) -> str:
    while True:
        answer = " ".join(ask(question).split())
        flaw = flaw_of(answer)
        if not flaw:
            return answer
        say(flaw)


def _required(answer: str) -> str:
    return "" if answer.strip(", ") else "This one is needed."


def _nameable(answer: str) -> str:
    return "" if slug(answer) else "A name needs at least one letter or digit."


def _matchable(answer: str) -> str:
    return "; ".join(flaws({"triggers": [_trigger(text) for text in _listed(answer)]}))


def _listed(answer: str) -> tuple[str, ...]:
    """The answers between commas; one inside slashes is a pattern's own."""
    parts = re.findall(r"\s*/(?:\\.|[^/\\])+/(?=\s*(?:,|$))|[^,]+", answer)
    return tuple(part.strip() for part in parts if part.strip())


def _trigger(text: str) -> dict[str, str]:
    if len(text) > 2 and text.startswith("/") and text.endswith("/"):
        return {"pattern": text[1:-1], "priority": "high"}
    return {"keyword": text, "priority": "medium"}
