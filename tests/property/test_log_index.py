"""A prompt read from where it begins is, byte for byte, the prompt of the whole log."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bot.core.codec import dump, load
from bot.core.log_index import BACK, MOST, LogIndex, is_at
from bot.core.prompt import prompt
from bot.core.session import ConversationState
from bot.core.steps import Entry
from bot.personas.model import Persona
from tests.fakes.library import ARCHITECT, CAST, PM

WHO = [persona.id for persona in CAST.personas]
OTHERS = [f"other{n}" for n in range(MOST)]


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """Anything that a log may hold, in any order: more orderly ones are among these."""
    early = draw(st.sampled_from((0, 0, BACK - 10, BACK + 5)))
    log = [Entry("said", "U1", f"early {n}", name="alice", id=f"e{n}") for n in range(early)]
    for n in range(draw(st.integers(0, 40))):
        kind = draw(st.sampled_from(("on", "off", "said", "said", "reply", "reply", "result", "note", "compact")))
        who = draw(st.sampled_from([*WHO[:2], *WHO[:2], *WHO, *OTHERS]))
        match kind:
            case "said":
                user = draw(st.sampled_from(["U1", "U2", "U3"]))
                name = draw(st.sampled_from(["alice", "Alice", "Winston"]))
                log.append(Entry("said", user, draw(st.sampled_from(["", f"words {n}"])), name=name, id=f"m{n}"))
            case "reply":
                call = {"type": "tool_use", "id": f"call{n}", "name": "ask", "input": {}}
                content = json.dumps([{"type": "text", "text": f"reply {n}"}, call])
                log.append(Entry("reply", who, f"reply {n}", who.title(), content))
            case "result":
                log.append(Entry("result", who, f"result {n}", call=f"call{draw(st.integers(0, n))}"))
            case "on" | "off":
                log.append(Entry(kind, who))
            case "note" | "compact":
                log.append(Entry(kind, who, f"{kind} {n}"))
    return log


@given(logs(), st.integers(0, 120), st.integers(0, 50), st.sampled_from([ARCHITECT, PM]))
def test_a_prompt_from_where_it_begins_is_that_of_the_whole_log(
    log: list[Entry], stored: int, back: int, who: Persona
) -> None:
    index = LogIndex().grown(log[:stored])
    beginning = index.grown(log[stored:]).beginning(who.id)

    assert index.lines == len(log[:stored])
    if beginning is not None:
        for first in (beginning.first, max(0, beginning.first - back)):
            assert prompt(who, log[first:]) == prompt(who, log)
            assert is_at(beginning, log[first:], first)


@given(logs(), st.lists(st.integers(0, 40), max_size=5))
def test_an_index_grows_turn_by_turn_as_it_does_at_once(log: list[Entry], cuts: list[int]) -> None:
    index, before = LogIndex(), 0
    for cut in [*sorted(cuts), len(log)]:
        index, before = index.grown(log[before:cut]), max(before, cut)
        index = load(dump(ConversationState(index=index)), ConversationState).index
    assert index == LogIndex().grown(log)
    assert len(index.beginnings) <= MOST


@given(logs())
def test_nothing_is_read_that_a_prompt_cannot_use(log: list[Entry]) -> None:
    """A little above the last coming on, or the last summary with what stands word for word above it."""
    index = LogIndex().grown(log)
    for beginning in index.beginnings:
        came = max(n for n, e in enumerate(log) if (e.kind, e.who) == ("on", beginning.who))
        summed = max((n for n, e in enumerate(log) if (e.kind, e.who) == ("compact", beginning.who)), default=-1)
        if summed < came:
            assert beginning.first == max(0, came - BACK)
        else:
            assert beginning.first > came
            is_note = log[beginning.first].kind == "note"  # one that is still to be answered
            assert is_note or sum(e.kind == "said" for e in log[beginning.first : summed]) <= 3


def test_one_who_came_on_last_is_always_known() -> None:
    log = [Entry("on", who) for who in ("pm", *OTHERS)]
    index = LogIndex().grown(log)
    assert index.beginning(OTHERS[-1]) is not None and index.beginning("pm") is None
    assert index.grown([Entry("compact", "pm", "Summed up.")]).beginning("pm") is None


def test_an_index_of_another_log_is_seen_through() -> None:
    log = [Entry("said", "U1", "one"), Entry("on", "pm"), Entry("said", "U1", "two")]
    beginning = LogIndex().grown(log).beginning("pm")
    assert beginning is not None and is_at(beginning, log[1:], 1)
    assert not is_at(beginning, log[2:], 1)
    assert not is_at(beginning, [], 1)
