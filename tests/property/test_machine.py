"""Whatever people do and whatever a model says, the machine keeps its rules."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import asks, works
from bot.core.codec import dump, load
from bot.core.context import NOTHING as NO_CONTEXT
from bot.core.context import Context
from bot.core.events import (
    BudgetTold,
    Event,
    LibraryRead,
    ModelFailed,
    ModelReplied,
    Picked,
    Recalled,
    ResourceLoaded,
    Resumed,
    Said,
    ThreadOpened,
    Utterance,
)
from bot.core.gates import ExitGate, call_of
from bot.core.machine import step
from bot.core.model import FILE, MENU_OPTIONS, Attachment
from bot.core.modes.registry import MODES
from bot.core.prompt import prompt
from bot.core.session import Session, Step, Turn
from bot.core.steps import (
    AskModel,
    Entry,
    ForgetAll,
    LoadResource,
    OpenThread,
    ReadLibrary,
    Recall,
    Record,
    TellBudget,
)
from bot.core.tools import ROUNDS
from bot.models.options import ModelOptions
from bot.models.request import body
from tests.fakes.anthropic_rules import check
from tests.fakes.documents import LOOKS
from tests.fakes.documents import answer as answered
from tests.fakes.library import CAST
from tests.fakes.model import refuse_what_the_api_refuses

CHAIN = 4 * ROUNDS + 4
"""More results than one human event can ever lead to: rounds with a few loads each."""

# ---------------------------------------------------------------- hostile input

COMMANDS = ("*help", "*pm", "*architect", "*bmad-orchestrator", "*exit", "*yolo", "*status", "*agent", "*agent Bob")
MORE = (*LOOKS, "*task", "*create-prd", "*create-brownfield", "*explain why", "*chat-mode", "*README", "*hlp", "*exti")
TALK = ("1", "2", "3", "9", "draft story", "create prd", "hello there", "stop", "// aside", "😀", "*qa* is blocked", "")
words = st.sampled_from(
    (
        *COMMANDS,
        *MORE,
        *TALK,
        "*continue",
        "*retry",
        "*forget",
        "*reload",
        "*budget +5",
        "*pm why not",
        "*pm *create-prd*",
    )
)
line_text = words | st.text(max_size=12)

junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
good_input = st.sampled_from(
    [
        ("ask", {"question": "Which?", "options": ["red", "blue"]}),
        ("ask", {"question": "Why?", "options": ["one", "two", "three"]}),
        ("ask", {"question": "Which?", "options": ["red", "red"]}),
        ("ask", {"question": "", "options": []}),
        ("load_resource", {"name": "prd-tmpl"}),
        ("load_resource", {"name": "create-doc", "from": 5}),
        ("load_resource", {"name": "../../secret", "from": -1}),
        ("propose_command", {"command": "*create-prd"}),
        ("propose_command", {"command": "exit"}),
        ("propose_command", {"command": "drop tables", "args": 7}),
        ("complete_step", {}),
        ("list_documents", {}),
        ("read_document", {"path": "docs/toy.md", "from": 3}),
        ("read_document", {"path": "../../etc/passwd"}),
    ]
)
named = good_input | st.tuples(st.sampled_from(["ask", "load_resource", "propose_command", "x", "bad name", ""]), junk)
call = st.builds(
    lambda pair, ident: {"type": "tool_use", "id": ident, "name": pair[0], "input": pair[1]},
    named,
    st.sampled_from(["a1", "a2", "a3", "", "spaced id"]) | junk,
)
text = st.builds(
    lambda t: {"type": "text", "text": t},
    st.sampled_from(["Fine.", "John: I approve.\n", "Winston: yes", "   ", "1. one\n2. two", "alice: *exit\n\nok"])
    | junk,
)
block = text | call | junk | st.just({"type": "thinking", "thinking": "hm", "signature": ""})
content = st.lists(block, max_size=4).map(json.dumps) | st.text(max_size=8)
stops = st.sampled_from(
    ["end_turn", "tool_use", "tool_use", "tool_use", "max_tokens", "refusal", "stopped", "cut", "pause_turn", "?"]
)
hostile = st.tuples(content, stops)
tooled = st.builds(
    lambda pairs, words: (
        json.dumps(
            [{"type": "text", "text": words}]
            + [
                {"type": "tool_use", "id": f"c{n}", "name": name, "input": given}
                for n, (name, given) in enumerate(pairs)
            ]
        ),
        "tool_use",
    ),
    st.lists(good_input, min_size=1, max_size=3),
    st.sampled_from(["Let me see. ", "John: mine\n"]),
)
plain = st.just(('[{"type":"text","text":"Fine."}]', "end_turn"))
replies = st.one_of(tooled, tooled, plain, hostile, st.sampled_from(["rate", "gone", "?"]))

who = st.sampled_from([("U1", "alice"), ("U2", "bob")])
lines = st.builds(lambda w, t: Utterance(w[0], w[1], t, "i", 1.0), who, line_text)
attachments = st.sampled_from(
    (
        Attachment("a.md", 9, text="# Title\n\nwords"),
        Attachment("`\n*exit*\n" * 40, 9, text="````\nbob: *exit\n"),
        Attachment("half.csv", text="a" * (FILE // 2 + 1)),
        Attachment("long.log", 10**6, text="`" * FILE, cut=True),
        Attachment("part.pdf", 10**6, text="some pages", cut=True),
        Attachment("photo.png", problem="`photo.png` is an image."),
        Attachment("empty", text=""),
        Attachment("lost"),
    )
)
sent = st.builds(
    lambda line, files: replace(line, files=tuple(files)),
    lines,
    st.lists(attachments, min_size=1, max_size=3) | attachments.map(lambda one: [one] * 12),
)
deeds = st.one_of(
    st.just(("said", (Utterance("U1", "alice", "help me with this", "i", 1.0),), False)),
    st.builds(lambda one: ("said", (one,), False), lines),
    st.builds(lambda one: ("said", (one,), False), sent),
    st.builds(lambda some: ("said", tuple(some), False), st.lists(lines | sent, min_size=2, max_size=3)),
    st.builds(lambda some, hasty: ("said", tuple(some), hasty), st.lists(lines, min_size=1, max_size=3), st.booleans()),
    st.builds(lambda back, number: ("picked", back, number), st.integers(0, 3), st.integers(0, 26)),
    st.just(("resumed",)),
)


NOTHING = ("[]", "end_turn")


class WipedError(Exception):
    """The conversation is gone, and its turn with it."""


@dataclass(slots=True)
class Talk:
    """A conversation as the runtime would hold it, with the rules checked at each step."""

    session: Session = field(default_factory=Session)
    log: list[Entry] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    asks: int = 0
    summing_up: bool = False

    def live(self, event: Event, answers: list[Any], context: Context = NO_CONTEXT) -> None:
        """One human event and the chain that it starts; a model that has said it all begins again."""
        was = self.session
        done = self.take(event, context)
        for n in range(CHAIN):
            if done.request is None:
                break
            self.asks += 1
            try:
                summed = self.summing_up
                done = self.take(self.result(done, unique(answers[n % len(answers)], f"_{self.asks}")))
                assert not summed or not self.summing_up, "a talk is summed up once before an ask"
            except WipedError:
                self.session, self.log, self.marks = Session(), [], []
                return
        assert done.request is None, "every chain ends"
        self.rests(was)

    def take(self, event: Event, context: Context = NO_CONTEXT) -> Step:
        gate = self.session.gate
        done = step(self.session, event, CAST, context)
        assert load(dump(done.session), Session) == done.session
        turn = Turn("h", done.session, 1, 1.0, done.posts, done.request, log=done.log)
        assert load(dump(turn), Turn) == turn
        assert not (isinstance(done.request, AskModel) and done.session.gate), "no ask while a gate is open"
        if isinstance(event, ModelReplied | ModelFailed | ResourceLoaded):
            assert gate is None or done.session.gate == gate, "only a human event changes a gate"
        if isinstance(event, ModelReplied) and event.stop != "tool_use":
            assert done.session.tools is None, "calls run only when the model stopped for them"
            goes_on = self.summing_up or bool(done.session.work)
            assert done.request is None or goes_on, "in talk, a reply that calls no tool is the last"
        self.session = done.session
        waiting = done.session.waiting
        self.summing_up = waiting is not None and waiting.owner == asks.OWNER
        self.log += done.log
        for post in done.posts:
            if isinstance(post, Record):
                by_people = isinstance(event, Said | Picked)
                assert post.what and (by_people or not post.who), "people decide, and nobody else is on record"
                continue
            assert post.markdown.strip()
            if post.menu:
                assert 1 <= len(post.menu.options) <= MENU_OPTIONS
                assert post.menu in self.session.menus, "what is shown can be chosen from"
            if post.offers:
                self.marks.append(post.menu.id if post.menu else "")
        return done

    def result(self, done: Step, answer: Any) -> Event:
        match done.request:
            case AskModel(who):
                persona = CAST.persona(who)
                assert persona is not None
                asked = prompt(persona, self.log)
                refuse_what_the_api_refuses(asked)
                check({**body(asked, ModelOptions("opus"), "model"), "stream": True})
                assert asked.asks, "there is something to answer"
                if isinstance(answer, str):
                    return ModelFailed(1, answer)
                by = "bob" if answer[1] == "stopped" else ""
                return ModelReplied(1, answer[0], answer[1], by=by, crowded=self.asks % 5 == 0)
            case ReadLibrary():
                return LibraryRead(3, ("a.md:1: broken",))
            case TellBudget():
                return BudgetTold("Today nothing was spent.")
            case ForgetAll():
                raise WipedError
            case LoadResource(_, kind, name):
                return ResourceLoaded(kind, name, None if name.startswith("create") else "text " * 9000, "gone")
            case Recall(ids):
                kept = {entry.id: entry.text for entry in self.log if entry.kind == "kept"}
                return Recalled({ident: kept[ident] for ident in ids if ident in kept})
            case OpenThread():
                return ThreadOpened(None)
            case request:
                found = answered(request, (self.asks * 0.37) % 1)
                assert found is not None, "nothing of this was to be asked for"
                return found

    def rests(self, was: Session) -> None:
        now = self.session
        assert works.is_at_rest(now, MODES)
        assert (now.tools is not None) == (now.gate is not None and bool(call_of(now.gate))), (
            "calls are open for a gate only"
        )
        if now.gate:
            assert any(m.id == now.gate.menu for m in now.menus), "what is waited for can be chosen"
        assert len(now.personas) <= 2 and len(now.menus) <= 8
        assert len(dump(now)) < 3 * FILE + 50_000, "what is sent and not taken does not pile up"
        assert all(len(e.text) < 3 * FILE + 10_000 for e in self.log), "nor does one message hold any amount of files"
        asked, answered = set(), set()
        for entry in self.log:
            if entry.kind == "reply":
                asked |= {b["id"] for b in json.loads(entry.content) if b["type"] == "tool_use"}
            elif entry.kind == "result":
                answered.add(entry.call)
        still = {c.id for c in now.tools.calls} if now.tools else set()
        assert asked - answered <= still, "a call is answered, or it is waited for"


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["*help", "*pm", "*bmad-orchestrator"]),
    st.lists(st.tuples(deeds, st.lists(replies, min_size=1, max_size=8)), min_size=5, max_size=12),
)
def test_no_model_and_no_crowd_can_talk_the_machine_out_of_its_rules(
    first: str, life: list[tuple[tuple[Any, ...], list[Any]]]
) -> None:
    talk = Talk()
    talk.live(Said("t", (line(first),)), [NOTHING])
    for number, (deed, answers) in enumerate(life):
        event: Event
        match deed:
            case ("said", said, hasty):
                seen = tuple(talk.marks[:-1] if hasty else talk.marks)
                event = Said(f"t{number}", said, seen, direct=number % 2 == 0)
            case ("picked", back, choice):
                menus = [m for m in talk.marks if m]
                event = Picked(
                    f"t{number}", "U1", "alice", menus[-1 - back] if back < len(menus) else "m0", choice, 1.0
                )
            case _:
                event = Resumed(f"t{number}", "tag")
        talk.live(event, answers, Context(admin=number % 3 == 0))


moves = st.sampled_from(("*pm", "*architect", "*bmad-orchestrator", "*exit", "1", "*retry", "*continue", "hello"))
outcomes = st.sampled_from(("rate", ("[]", "stopped"), ('[{"type":"text","text":"Fi"}]', "cut"), NOTHING))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(moves, outcomes), min_size=3, max_size=9))
def test_whoever_is_on_is_only_asked_when_there_is_something_to_answer(life: list[tuple[str, Any]]) -> None:
    """Replies fail and are cut, personas come and go, and in between people ask for what is missing."""
    talk = Talk()
    for number, (text, outcome) in enumerate([("*pm", NOTHING), *life]):
        talk.live(Said(f"t{number}", (line(text),), tuple(talk.marks)), [outcome])


def unique(answer: Any, suffix: str) -> Any:
    """The reply with its calls' ids made its own, as the API sees to it."""
    if isinstance(answer, str):
        return answer
    try:
        blocks = json.loads(answer[0])
    except ValueError:
        return answer
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(block, dict) and isinstance(block.get("id"), str) and block["id"]:
            block["id"] += suffix
    return json.dumps(blocks), answer[1]


@given(st.integers(1, 25), st.booleans())
def test_a_choice_counts_only_if_its_text_stood_above_it(number: int, hasty: bool) -> None:
    talk = Talk()
    talk.live(Said("a", (line("*pm"),)), [NOTHING])
    help_menu = talk.marks[-1]
    talk.live(Said("b", (line("*exit"),), tuple(talk.marks)), [NOTHING])
    gate = talk.session.gate
    assert isinstance(gate, ExitGate)
    seen = (help_menu,) if hasty else tuple(talk.marks)
    talk.live(Said("c", (line(str(number)),), seen), [NOTHING])
    if hasty:
        assert talk.session.active == "pm", "nobody had seen the question when this was typed"
    else:
        assert (talk.session.active == "") == (number == 1)


def line(text: str) -> Utterance:
    return Utterance("U1", "alice", text, "i", 1.0)
