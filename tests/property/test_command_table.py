"""What is found among the names of a cast is what comparing with every one of them finds, and it costs no memory."""

from __future__ import annotations

import tracemalloc
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from bot.core.command_table import HOST_COMMANDS, LONGEST, CommandTable
from bot.core.commands import understand
from bot.personas.model import Cast, Command, Document, Persona, fold
from tests.fakes.library import CAST, PM

words = st.text("abeno-_ ıİÄß", max_size=8)
personas = st.builds(
    Persona,
    id=words,
    name=words,
    title=words,
    commands=st.lists(st.builds(Command, name=words), max_size=3).map(tuple),
)
casts = st.builds(
    Cast,
    personas=st.lists(personas, max_size=6).map(tuple),
    documents=st.lists(st.builds(Document, id=words, title=words, text=words), max_size=2).map(tuple),
)


def names(table: CommandTable) -> list[list[str]]:
    """The folded names of all that can be named, in the table's order."""
    return [[fold(name) for name in target.names] for target in table]


@given(casts, words.map(fold), st.sampled_from([60.0, 70.0, 85.0]), st.booleans())
def test_all_that_is_like_a_name_is_found_with_its_score(cast: Cast, text: str, least: float, alone: bool) -> None:
    table = CommandTable(cast, None if alone or not cast.personas else cast.personas[0])
    expected = {}
    for place, called in enumerate(names(table)):
        best = max((fuzz.ratio(text, name) for name in called if name), default=0.0)
        if text and best >= least:
            expected[place] = best
    assert table.like(text, least) == expected


@given(casts, words.map(fold))
def test_an_exact_name_is_that_of_the_first_that_has_it_as_its_own(cast: Cast, text: str) -> None:
    table = CommandTable(cast, cast.personas[0] if cast.personas else None)
    first = next((table[place] for place, called in enumerate(names(table)) if called[0] == text), None)
    assert table.exactly(text) == first


@given(casts, words.map(fold).filter(bool))
def test_what_holds_a_text_is_found_beginnings_first(cast: Cast, text: str) -> None:
    table = CommandTable(cast, cast.personas[0] if cast.personas else None)
    everything = list(zip(table, names(table), strict=True))
    begins = [target for target, called in everything if any(name.startswith(text) for name in called)]
    holds = [target for target, called in everything if any(text in name for name in called) and target not in begins]
    found = list(table.holding(text))
    assert found[: len(begins)] == begins
    assert [target for target in found if target not in begins] == holds


@given(st.text(st.characters(max_codepoint=127)))
def test_folding_plain_letters_the_short_way_is_folding(text: str) -> None:
    assert fold(text) == " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def test_the_nearest_of_the_whole_library_are_worth_mentioning() -> None:
    table = CommandTable(CAST, PM)
    assert [target.label for target in table.nearest("winsten")] == ["*architect"]
    assert table.nearest("prd")[0].label in ("*create-prd", "*create-brownfield-prd")
    assert "*bmad-orchestrator" in [target.label for target in table.nearest("orchestrater")]
    assert [target.label for target in table.nearest("winsten", people=True)] == ["*architect"]
    assert table.nearest("x" * 10 * LONGEST) == ()
    own = {command.name for command in PM.commands}
    assert len(table) == len(own | HOST_COMMANDS.keys()) + len(CAST.personas) + len(CAST.documents)


def test_a_cast_is_not_written_to_and_no_persona_adds_to_what_it_takes() -> None:
    """A table a persona, each with all the personas in it, took 431 MiB with 1,000 of them."""
    people = tuple(Persona(f"maker-{n}", f"Maker {n}", f"Maker of Things {n}") for n in range(200))
    cast = Cast(people)
    assert not hasattr(cast, "__dict__")
    understand("*help", cast, people[0])
    tracemalloc.start()
    try:
        for persona in people:
            understand("*hlp", cast, persona)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 50_000
