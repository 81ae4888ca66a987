"""How personas introduce themselves: as a person would say it, whatever form their file has."""

from __future__ import annotations

import pytest

from bot.app import shipped_agents
from bot.core.modes.activation import greeting
from bot.personas.library import Library
from bot.personas.model import Cast, Persona
from bot.personas.readers import read

CASES = [
    ("Call for a PRD", "Call me for a PRD."),
    ("Call when data has to come back", "Call me when data has to come back."),
    ("Use for code reviews", "Call me for code reviews."),
    ("Use when implementing a story", "Call me when implementing a story."),
    ("You need a schema", "Call me when you need a schema."),
    ("Call me at night", "Call me at night."),
    ("System design, documents", "In short: System design, documents."),
]


@pytest.mark.parametrize(("when", "said"), CASES)
def test_what_a_persona_is_for_is_said_in_her_own_words(when: str, said: str) -> None:
    assert greeting(Persona("x", "Xenia", when_to_use=when), Cast(personas=())).split("\n\n")[1] == said


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("Use this agent when data has to come back. Not before.", "Call me when data has to come back. Not before."),
        ("Use this agent when NovaCron talks to clouds.", "Call me when NovaCron talks to clouds."),
        ("Use this agent for SQL.", "Call me for SQL."),
        ("Expert in Rust.", "In short: Expert in Rust."),
    ],
)
def test_a_subagent_says_it_with_the_words_of_its_file(description: str, said: str) -> None:
    (persona,) = read(f"---\nname: x-y\ndescription: {description}\n---\nYou are X.\n", "agents/x-y.md").personas
    assert greeting(persona, Cast(personas=(persona,))).split("\n\n")[1] == said


def test_everybody_of_the_shipped_cast_says_when_to_call_them() -> None:
    cast = Library((), shipped_agents()).cast
    for persona in cast.personas:
        hello, what, *_ = greeting(persona, cast).split("\n\n")
        assert hello.startswith("Hello, I am **")
        assert what.startswith(("Call me ", "I coordinate ")), (persona.id, what)
