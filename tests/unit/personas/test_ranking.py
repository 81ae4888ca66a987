"""The lexical ranking: who fits what somebody wrote."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from bot.app import shipped_agents
from bot.personas.library import Library
from bot.personas.model import Command, Example, Persona
from bot.personas.ranking import Finder
from tests.bench.routing import AMONG_THREE, FIRST, found

SHIPPED = Library((), shipped_agents()).cast
PLAIN = Persona("plain", "Pat")


def ranked(words: str, *personas: Persona) -> list[str]:
    return [match.persona.id for match in Finder(personas).rank(words)]


def test_the_examples_of_the_shipped_cast_are_found() -> None:
    first, three, number = found(SHIPPED)
    assert number > 60
    assert first >= FIRST and three >= AMONG_THREE


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("kubernetes", "k8s-container-integration"),
        ("postgres", "database-state-engineer"),
        ("front end", "ux-expert"),
        ("front-end", "ux-expert"),
        ("security", "security-compliance-automation"),
        ("PRD", "pm"),
        ("invoices from stripe", "billing-resource-accounting"),
        ("How long are backups of our machines kept?", "backup-disaster-recovery-engineer"),
    ],
)
def test_a_word_leads_to_whoever_is_for_it(words: str, first: str) -> None:
    assert SHIPPED.finder.rank(words)[0].persona.id == first


@pytest.mark.parametrize("words", ["", "hello", "what is this?", "please help me", "🙂 !!!", "the"])
def test_words_that_say_nothing_find_nobody(words: str) -> None:
    assert SHIPPED.finder.rank(words) == ()


def test_examples_and_keys_that_no_reader_knows_are_not_searched_but_triggers_are() -> None:
    hidden = replace(
        PLAIN, examples=(Example(user="zebras"),), extra="description: giraffes\ntriggers:\n- okapi\nother: gnus\n"
    )
    assert ranked("zebras giraffes gnus", hidden) == []
    assert ranked("an okapi", hidden) == ["plain"]


def test_what_a_word_counts_depends_on_where_it_stands() -> None:
    named = replace(PLAIN, id="named", title="Queue Engineer")
    for_it = replace(PLAIN, id="for-it", when_to_use="Use for a queue")
    does_it = replace(PLAIN, id="does-it", commands=(Command("drain-queue", "Empty it"),))
    tells = replace(PLAIN, id="tells", instructions="You once saw a queue.")
    assert ranked("queue", tells, for_it, does_it, named) == ["named", "does-it", "for-it", "tells"]


def test_equals_stand_in_the_librarys_order_and_words_are_told() -> None:
    both = [replace(PLAIN, id=f"p{n}", when_to_use="Use for bridges and tunnels") for n in range(3)]
    assert ranked("bridge", *both) == ["p0", "p1", "p2"]
    (match, *_) = Finder(tuple(both)).rank("Is there a tunnel below these bridges?")
    assert set(match.words) == {"tunnel", "bridges"}


def test_it_is_made_when_it_is_asked_and_grows_no_faster_than_the_library() -> None:
    many = [
        replace(PLAIN, id=f"p{n}", when_to_use=f"Use for w{n}q and v{n}z", instructions="x " * 500) for n in range(800)
    ]

    def bytes_of(personas: tuple[Persona, ...]) -> int:
        tracemalloc.start()
        finder = Finder(personas)
        idle = tracemalloc.get_traced_memory()[0]
        finder.rank("bridge")
        used = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert idle < 1_000
        return used

    assert bytes_of(tuple(many)) < 6 * bytes_of(tuple(many[:200]))
