"""A work under crashes at every point: the toy mode of `tests/fakes/toy_mode.py` on real machine, worker and store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from bot.runtime.inbox import Inbox
from bot.runtime.preview import PACE
from bot.runtime.worker import Options, Worker
from bot.stores import redis_link
from bot.stores.sqlite import SqliteStore
from tests.contract.redis_server import Server, running
from tests.fakes.clock import ManualClock
from tests.fakes.library import FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import FakePlatform
from tests.fakes.toy_mode import MODES, TOYS
from tests.scenario.sweep import CONFIGURATIONS, Configuration, Deed, Faulty, Reference, Scenario, Universe
from tests.scenario.sweep_stores import OnRedis
from tests.scenario.test_sweep_finds import Without

SCENARIOS = (
    Scenario(
        "drafted, drafted again, a tool in between, paused and taken up again",
        (
            Deed(("*pm",)),
            Deed(("*toy",)),
            Deed(("2",)),
            Deed(("more of it, please",)),
            Deed(("*architect",)),
            Deed(("hello",)),
            Deed(("*resume",)),
            Deed(("stop",)),
        ),
        (
            Says.text("A draft."),
            Says(("Let me look. ",), calls=(("load_resource", {"name": "prd-tmpl"}),)),
            Says.text("A second draft."),
            Says.text("A third draft."),
            Says.text("Hello."),
        ),
        modes=MODES,
    ),
    Scenario(
        "nested, saved by the inner one, left",
        (Deed(("*pm",)), Deed(("*toy",)), Deed(("3",)), Deed(("1",)), Deed(("2",)), Deed(("*exit",)), Deed(("no",))),
        (Says.text("Outer."), Says.text("Inner.")),
        modes=MODES,
    ),
    Scenario(
        "a chain of links, with people in between",
        (Deed(("*pm",)), Deed(("*toy",)), Deed(("4", "*status")), Deed(("4",)), Deed(("hello",))),
        (Says.text("A draft."), Says.text("Another."), Says.text("Hello.")),
        modes=MODES,
    ),
    Scenario(
        "a link that is given up, and tried again",
        (Deed(("*pm",)), Deed(("*toy",)), Deed(("4",)), Deed(("*status",)), Deed(("1",)), Deed(("Leave it",))),
        (Says.text("A draft."), Says.text("Another.")),
        modes=MODES,
        broken="Draft part 2.",
        buries=1,
    ),
    Scenario(
        "saved as two versions, and then one that comes too late",
        (Deed(("*pm",)), Deed(("*toy",)), Deed(("1",)), Deed(("1",)), Deed(("*toy",)), *[Deed(("1",))] * 3),
        (Says.text("One."), Says.text("Two."), Says.text("Three."), Says.text("Four.")),
        modes=MODES,
    ),
    Scenario(
        "handed to a thread where there is none",
        (Deed(("*architect",)), Deed(("*toy thread",)), Deed(("Again",)), Deed(("*status",))),
        (Says.text("A draft."), Says.text("Another.")),
        modes=MODES,
        threads=False,
    ),
    Scenario(
        "handed to a thread, and gone on with there",
        (
            Deed(("*architect",)),
            Deed(("*toy thread",)),
            Deed(("and what is a queue?",)),
            Deed(("Again",), thread=True),
            Deed(("*status",), thread=True),
            Deed(("*toy thread", "2")),
            Deed(("1", "2"), thread=True),
        ),
        (Says.text("A draft."), Says.text("Another.")),
        modes=MODES,
    ),
    Scenario(
        "handed to a thread in which somebody writes first",
        (Deed(("*architect",)), Deed(("*toy thread",)), Deed(("*status",), thread=True)),
        (Says.text("A draft."), Says.text("Another.")),
        modes=MODES,
        first=("The toy goes on in a thread.", "shorter, please"),
    ),
)

WORKSPACE = Scenario(
    "the workspace: added, renamed, added to, an older version again, sent, deleted",
    (
        Deed(("*docs add a.md\n# A\n\none",)),
        Deed(("*docs rename a.md b.md",)),
        Deed(("*docs add b.md\n# A\n\ntwo",)),
        Deed(("yes",)),
        Deed(("*docs restore b.md 1",)),
        Deed(("1",)),
        Deed(("*docs diff b.md", "*doc-out b.md", "*docs export")),
        Deed(("*docs add c.md\n# C",)),
        Deed(("*docs delete c.md",)),
        Deed(("1",)),
    ),
    (Says.text("Nobody asks."),),
    modes=MODES,
)

TOO_LATE = "saved as two versions, and then one that comes too late"
SAVED = {
    "nested, saved by the inner one, left": (1,),
    "a chain of links, with people in between": (),
    TOO_LATE: (1, 2, 3),
    WORKSPACE.name: (1, 2, 3),
    "handed to a thread, and gone on with there": (1,),
}
"""The versions of documents that are there at the end."""


STRIDE = 3
"""Without --soak, one crash point of so many is swept on Redis."""


def universe(scenario: Scenario, how: Configuration, *points: int) -> Universe:
    return replace(how.universe(scenario, *points), library=TOYS)


class Watched(FakePlatform):
    """Notes what of each message was watched, by its ref."""

    def __init__(self) -> None:
        super().__init__()
        self.watched: dict[str, list[str]] = {}

    async def extend(self, ref: str, text: str) -> None:
        await super().extend(ref, text)
        self.watched.setdefault(ref, []).append(text)


async def test_what_is_watched_of_a_draft_begins_the_draft_byte_for_byte() -> None:
    """Others' words in it are no quotation, neither while it is written nor in the end, for it is kept as it is."""
    draft = ("Winston: the parts\n\n", "**Winston:** <b>all</b> of it\n", "alice: \u200bthe rest.")
    platform, clock = Watched(), ManualClock()

    async def a_pace_later(_reply: int, _piece: int) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        clock.advance(PACE)
        for _ in range(20):
            await asyncio.sleep(0)

    model = FakeModel(lambda _prompt, _n: Says(draft), on_piece=a_pace_later)
    store = await SqliteStore.open(":memory:", clock=clock)
    worker = Worker(store, {"fake": platform}, model, FakeLibrary(TOYS), clock, Options(modes=MODES))
    for text in ("*pm", "*toy"):
        await Inbox(store).receive(platform.said(text))
        assert await worker.work()
    ((ref, watched),) = platform.watched.items()
    assert platform.messages[ref].sealed and platform.messages[ref].text.startswith("".join(draft))
    assert watched[0].startswith("Winston: ") and all("".join(draft).startswith(text) for text in watched)
    await store.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
@pytest.mark.parametrize("how", [how for how in CONFIGURATIONS if not how.recast], ids=lambda c: c.name)
async def test_a_crash_at_any_point_of_a_work_leaves_no_trace(scenario: Scenario, how: Configuration) -> None:
    await leaves_no_trace(scenario, how)


async def test_a_crash_at_any_point_of_a_command_on_documents_leaves_no_trace() -> None:
    """No model is asked, so there is one configuration."""
    await leaves_no_trace(WORKSPACE, CONFIGURATIONS[1])


async def leaves_no_trace(scenario: Scenario, how: Configuration) -> None:
    end, points = await universe(scenario, how).play()
    assert not end.faults and any("rests" in text or "stands" in text for _, text, _ in end.posts)
    assert SAVED.get(scenario.name, ()) == tuple(version for _, version, _ in end.documents)
    known = Reference(scenario, how.varied, (end,), points)
    for point in range(1, points + 1):
        outcome, _ = await universe(scenario, how, point).play()
        assert not known.differences(outcome), f"crash at {point} of {points}"


def each_write_has_a_key_of_its_own(store: Any) -> Any:
    """A store whose documents are written under keys that no repeat knows."""
    numbers = count()

    async def write(_key: str, *args: Any) -> Any:
        return await store.documents.write(f"k{next(numbers)}", *args)

    documents: Any = Without(store.documents, write=write)
    return Without(store, documents=documents)


async def test_the_sweep_finds_writes_that_have_no_key() -> None:
    """What was saved just before a crash would be too late for itself."""
    scenario, how = next(each for each in SCENARIOS if each.name == TOO_LATE), CONFIGURATIONS[1]
    end, points = await universe(scenario, how).play()
    known = Reference(scenario, how.varied, (end,), points)
    for point in range(1, points + 1):
        broken = replace(universe(scenario, how, point), faulty=Faulty(store=each_write_has_a_key_of_its_own))
        outcome, _ = await broken.play()
        if known.differences(outcome):
            return
    pytest.fail("no crash showed it")


# ---------------------------------------------------------------- on Redis

ON_REDIS = [s for s in SCENARIOS if s.name.startswith(("a link that is given up", "handed to a thread in which"))]
"""The scenarios with calls of the store that no talk makes: burials with what is left, messages that are put back."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("valkey")) as started:
        yield started


@pytest.mark.parametrize("scenario", ON_REDIS, ids=lambda s: s.name)
async def test_a_crash_or_a_lost_reply_on_redis_leaves_no_trace_either(
    scenario: Scenario, server: Server, soak: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_link, "_FIRST_DELAY", 0.0)
    how, ground = CONFIGURATIONS[0], OnRedis(server)
    end, points = await universe(scenario, how).play()
    known = Reference(scenario, how.varied, (end,), points)
    for point in range(0, points + 1, 1 if soak else STRIDE):
        outcome, _ = await replace(universe(scenario, how, point), ground=ground).play()
        assert not known.differences(outcome), f"crash at {point} of {points}"
    await replace(universe(scenario, how), ground=ground).play()
    for number in range(1, ground.commands + 1, 1 if soak else STRIDE):
        unheard = replace(ground, unheard=number)
        outcome, _ = await replace(universe(scenario, how), ground=unheard).play()
        assert not known.differences(outcome), f"the reply to command {number} is lost"
