"""However a stream is cut and its lines are ended: the same events, and never more than they may hold."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models.sse import EventReader, TooLongError

calm = settings(max_examples=300, deadline=None)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
words = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
fields = st.one_of(
    words.map(lambda text: f"data: {text}"),
    words.map(lambda text: f"data:{text}"),
    st.sampled_from(
        ["data", "event: ping", "event: message_start", "event", ": comment", ":", "id: 7", "retry: 9", ""]
    ),
    words,
)


def parsed(wire: str) -> list[tuple[str, str]]:
    """What the standard says, line by line and written down as it stands there."""
    found, name, data = [], "", ""
    lines = wire.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line in lines[:-1]:  # the last one has not ended
        if line == "":
            if data:
                found.append((name, data.removesuffix("\n")))
            name, data = "", ""
        elif not line.startswith(":"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                data += value + "\n"
            elif field == "event":
                name = value
    return found


def read(wire: bytes, cuts: list[int], longest: int = 10_000) -> list[tuple[str, str]]:
    reader, found = EventReader(longest), []
    places = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    for start, end in itertools.pairwise(places):
        found += reader.read(wire[start:end])
    return found


@calm
@given(st.lists(st.tuples(fields, ENDS), max_size=30), st.booleans(), st.lists(st.integers(0, 400), max_size=20))
def test_a_stream_reads_the_same_however_it_is_cut(lines: list[tuple[str, str]], mark: bool, cuts: list[int]) -> None:
    wire = ("\ufeff" if mark else "") + "".join(line + end for line, end in lines)
    # One empty data line is an event of an empty text to the standard's letter, and none to its sense.
    expected = [(name, data) for name, data in parsed(wire) if data]
    assert [event for event in read(wire.encode(), cuts) if event[1]] == expected
    assert [event for event in read(wire.encode(), list(range(len(wire.encode())))) if event[1]] == expected


@calm
@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner), max_leaves=5), ENDS, st.integers(1, 9))
def test_json_comes_through_byte_by_byte(value: Any, end: str, step: int) -> None:
    data = json.dumps(value, ensure_ascii=True)
    wire = f"event: content_block_delta{end}data: {data}{end}{end}".encode()
    assert read(wire, list(range(0, len(wire), step))) == [("content_block_delta", data)]


def taken(reader: EventReader, chunk: bytes) -> int:
    """How many bytes of such chunks it takes before it says that they are too many."""
    for count in range(100_000):
        try:
            assert reader.read(chunk) == []
        except TooLongError:
            return count * len(chunk)
    raise AssertionError("there is no bound")


@pytest.mark.parametrize("line", ["data: ", ": ", "event: ", "nothing"])
@pytest.mark.parametrize("step", [1, 100, 5_000])
def test_a_line_without_an_end_is_not_kept_beyond_the_bound(line: str, step: int) -> None:
    reader = EventReader(1_000)
    assert reader.read(b"event: ping\ndata: {}\n\n" + line.encode()) == [("ping", "{}")]
    assert taken(reader, b"x" * step) <= 1_000 + step


def test_many_lines_of_one_event_are_not_kept_beyond_the_bound_either() -> None:
    assert taken(EventReader(1_000), b"data: one more\n") <= 1_100


def test_what_came_before_a_line_that_is_too_long_is_given() -> None:
    reader = EventReader(1_000)
    assert reader.read(b"data: 1\n\ndata: " + b"x" * 2_000) == [("", "1")]
    with pytest.raises(TooLongError):
        reader.read(b"x")


def test_a_stream_of_comments_holds_nothing() -> None:
    reader = EventReader(1_000)
    for _ in range(1_000):
        assert reader.read(b": still here\n\n: and here\n") == []


def test_what_is_no_utf_8_is_told() -> None:
    with pytest.raises(UnicodeDecodeError):
        EventReader(1_000).read(b"data: \xff\n\n")
