"""A link that cannot be carried is buried, and leaves its work at a gate where people can try again."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.core.codec import dump
from bot.core.events import Resumed
from bot.core.model import Conversation, Receipt
from bot.core.session import Session
from bot.ports.mailbox import Message, StoreError
from bot.ports.transport import Outgoing, TransportError
from bot.runtime.inbox import Inbox
from bot.runtime.worker import APOLOGY, EXPIRIES, FAILED, INTERRUPTED, Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.fakes.clock import ManualClock
from tests.fakes.library import FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import ROOM, FakePlatform
from tests.fakes.toy_mode import MODES, TOYS, StoppedGate
from tests.scenario.kept import session_of

RESTS = "Part 2 rests.\n\n1. Go on\n2. Leave it"


@dataclass(slots=True)
class Choosy(FakePlatform):
    """Refuses for good to post what has one of these words."""

    refused: list[str] = field(default_factory=list)

    async def post(self, out: Outgoing) -> Receipt:
        if any(word in out.text for word in self.refused):
            raise TransportError(f"refused: {out.text}", retry=False)
        return await FakePlatform.post(self, out)


@dataclass(slots=True)
class Play:
    """People play with the toy; the model's client raises while it is `broken`."""

    store: SqliteStore
    clock: ManualClock
    platform: Choosy = field(default_factory=Choosy)
    broken: bool = False
    worker: Worker = field(init=False)

    def __post_init__(self) -> None:
        self.worker = Worker(
            self.store,
            {"fake": self.platform},
            FakeModel(lambda _prompt, n: self.says(n)),
            FakeLibrary(TOYS),
            self.clock,
            Options(modes=MODES),
        )

    def says(self, number: int) -> Says:
        if self.broken:
            raise RuntimeError("the client broke")
        return Says.text(f"Draft {number}.")

    async def say(self, *texts: str, where: Conversation = ROOM) -> list[str]:
        """What is posted for them, until nothing is left to do."""
        before = set(self.platform.messages)
        for text in texts:
            await Inbox(self.store).receive(self.platform.said(text, conversation=where, at=self.clock.now()))
            await self.rest()
        return [shown.text for ref, shown in self.platform.messages.items() if ref not in before]

    async def rest(self) -> None:
        while True:
            while await self.worker.work():
                pass
            stats = await self.store.stats()
            if not stats.waiting and not stats.in_flight:
                return
            self.clock.advance(10)

    async def session(self, where: Conversation = ROOM) -> Session:
        return await session_of(self.store, where)


@pytest.fixture
async def play() -> Play:
    clock = ManualClock()
    return Play(await SqliteStore.open(":memory:", clock=clock), clock)


async def test_a_link_that_fails_again_and_again_rests_at_a_gate_and_can_be_tried_again(play: Play) -> None:
    await play.say("*pm", "*toy")
    play.broken = True
    _, told, rests = await play.say("4")
    assert (told, rests) == (f"That did not work: {FAILED}.", RESTS)
    session = await play.session()
    assert isinstance(session.gate, StoppedGate) and not session.due and session.waiting is None
    (letter,) = await play.store.dead()
    assert letter.reason == "RuntimeError: the client broke" and letter.messages[0].id.endswith("+1")
    play.broken = False
    _, draft, gate = await play.say("1")
    assert draft.startswith("Draft") and gate.startswith("Part 2 stands.")


async def test_what_a_link_came_to_before_it_was_given_up_is_kept(play: Play) -> None:
    await play.say("*pm", "*toy")
    play.broken = True
    await play.say("4")
    log = await play.store.log(ROOM.key)
    assert sum("Draft part 2." in line for line in log) == 1, "the model was asked for it"
    session = await play.session()
    assert session.work[-1].part == 2  # type: ignore[attr-defined]


async def test_a_work_that_was_handed_over_and_cannot_be_begun_rests_in_its_thread(play: Play) -> None:
    await play.say("*pm")
    play.broken = True
    _, *rest = await play.say("*toy thread")
    ((thread, _),) = play.platform.opened.values()
    assert [m.text for m in play.platform.seen(thread)] == rest
    assert rest[0] == f"That did not work: {FAILED}."
    assert isinstance((await play.session(thread)).gate, StoppedGate)
    play.broken = False
    _, draft, gate = await play.say("1", where=thread)
    assert draft.startswith("Draft") and gate.startswith("Part 1 stands.")


async def test_a_link_whose_workers_died_rests_at_a_gate(play: Play) -> None:
    await play.say("*pm", "*toy")
    await Inbox(play.store).receive(play.platform.said("4", at=play.clock.now()))
    assert await play.worker.work()
    for _ in range(EXPIRIES + 1):
        assert await play.store.claim("dies", 15.0, 99)
        play.clock.advance(16)
    await play.rest()
    assert play.platform.texts[-2:] == [f"That did not work: {INTERRUPTED}.", RESTS.replace("2 rests", "1 rests")]


async def test_what_was_given_up_stays_so_should_its_worker_die_over_the_burial(play: Play) -> None:
    """The gate was shown: a retake that might succeed by now must not go on below it."""
    await play.say("*pm", "*toy")
    bury = play.store.bury

    async def away(*_: object) -> bool:
        play.broken, play.store.bury = False, bury  # type: ignore[method-assign]
        raise StoreError("the store is away")

    play.broken, play.store.bury = True, away  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreError):
        await play.say("4")
    play.clock.advance(60)
    await play.rest()
    assert play.platform.texts[-2:] == [f"That did not work: {FAILED}.", RESTS] and len(await play.store.dead()) == 1


async def test_a_gate_that_cannot_be_shown_is_saved_all_the_same(play: Play) -> None:
    await play.say("*pm", "*toy")
    play.platform.previews, play.platform.refused = False, ["Draft", "rests"]
    await play.say("4")
    assert len(await play.store.dead()) == 1
    session = await play.session()
    assert isinstance(session.gate, StoppedGate)
    play.platform.refused = []
    assert (await play.say("hello"))[-1].endswith("1. Go on\n2. Leave it")


async def test_a_link_that_is_not_due_any_more_touches_nothing_when_it_is_buried(play: Play) -> None:
    await play.say("*pm", "*toy")
    before = await play.session()
    link = dump(Resumed("old+1", "x.w1:next"))
    await play.store.enqueue(ROOM.key, Message("old+1", link, 10**6))
    for _ in range(EXPIRIES + 1):
        assert await play.store.claim("dies", 15.0, 99)
        play.clock.advance(16)
    await play.rest()
    assert await play.session() == before and play.platform.texts[-1] == APOLOGY


async def test_what_people_began_and_failed_is_apologised_for_and_their_gate_stays(play: Play) -> None:
    await play.say("*pm", "*toy")
    before = await play.session()
    play.broken = True
    assert (await play.say("2"))[-1] == APOLOGY
    assert await play.session() == before
