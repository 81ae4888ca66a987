"""A conversation in which documents are written: the real machine, step by step, with a house that is all memory.

The cast is the one that is shipped, read from its files. What people do is typed; what the model says comes from a
function, by default the rehearsal model's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from bot.core import works
from bot.core.codec import dump, load
from bot.core.context import Context
from bot.core.events import (
    BudgetTold,
    DocumentRead,
    DocumentRefused,
    DocumentsListed,
    DocumentStale,
    DocumentWritten,
    Event,
    LibraryRead,
    ModelFailed,
    ModelReplied,
    Picked,
    Recalled,
    ResourceLoaded,
    Result,
    Resumed,
    Said,
    ThreadOpened,
    Utterance,
)
from bot.core.machine import step
from bot.core.modes.documents.state import DocumentWork
from bot.core.modes.registry import MODES
from bot.core.prompt import Prompt, prompt
from bot.core.session import Session, Step
from bot.core.steps import (
    AskModel,
    Entry,
    ForgetAll,
    ListDocuments,
    LoadResource,
    OpenThread,
    Post,
    ReadDocument,
    ReadLibrary,
    Recall,
    Record,
    TellBudget,
    WriteDocument,
)
from bot.models import rehearsal
from bot.personas.library import Library
from bot.personas.model import Cast
from tests.fakes.model import refuse_what_the_api_refuses

AGENTS = Path(__file__).parents[2] / "agents"

Says = Callable[[Prompt], str | ModelReplied | ModelFailed]


@lru_cache(maxsize=1)
def shipped() -> Cast:
    """The cast that is shipped."""
    library = Library([], AGENTS, None)
    return library.cast


@lru_cache(maxsize=64)
def resource(kind: str, name: str) -> str | None:
    """The text of a file of the shipped pack."""
    path = AGENTS / "bmad" / ("" if kind == "config" else kind) / name
    return path.read_text("utf-8") if path.is_file() else None


@dataclass(frozen=True, slots=True)
class Kept:
    """A version of a document."""

    version: int
    text: str
    meta: str


@dataclass(slots=True)
class Desk:
    """One conversation. `documents` are the versions of each path; `posts` all that was said, `records` the trail."""

    says: Says = rehearsal.lines
    cast: Cast = field(default_factory=shipped)
    session: Session = field(default_factory=Session)
    log: list[Entry] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    links: list[Resumed] = field(default_factory=list)
    documents: dict[str, list[Kept]] = field(default_factory=dict)
    writes: list[WriteDocument] = field(default_factory=list)
    requests: list[object] = field(default_factory=list)
    context: Context = field(default_factory=Context)
    counter: int = 0
    turns: int = 0
    asks: int = 0
    largest: int = 0
    refuses: str = ""

    # ------------------------------------------------------------ what people do

    def type(self, text: str, name: str = "ana", *, on: bool = True, seen: tuple[str, ...] | None = None) -> list[Post]:
        """Somebody types; with `on`, links that come of it are followed. What is posted is given back."""
        self.turns += 1
        turn = f"t{self.turns}"
        line = Utterance(name.upper(), name, text, f"m{self.turns}", 1000.0 + self.turns)
        before = len(self.posts)
        self.live(Said(turn, (line,), tuple(self.anchors) if seen is None else seen))
        if on:
            self.follow()
        return self.posts[before:]

    def press(self, number: int, menu: str, name: str = "ana") -> list[Post]:
        """Somebody presses a button of that menu."""
        self.turns += 1
        before = len(self.posts)
        self.live(Picked(f"t{self.turns}", name.upper(), name, menu, number, 1000.0 + self.turns))
        self.follow()
        return self.posts[before:]

    def follow(self, most: int = 400) -> None:
        """Follow links until none is due."""
        for _ in range(most):
            if not self.links:
                return
            self.next()
        raise AssertionError("the chain does not end")

    def next(self) -> None:
        """Follow one link."""
        self.turns += 1
        self.live(replace(self.links.pop(0), turn=f"t{self.turns}"))

    # ------------------------------------------------------------ what the house does

    def live(self, event: Event) -> None:
        """One turn: its steps, until no request is left."""
        done = self.take(event, self.context)
        for _ in range(80):
            if done.request is None:
                break
            done = self.take(self.result(done), Context(host=self.context.host))
        assert done.request is None, "every turn ends"
        assert works.is_at_rest(self.session, MODES), (self.session, event)
        size = len(dump(self.session))
        self.largest = max(self.largest, size)

    def take(self, event: Event, context: Context) -> Step:
        done = step(self.session, event, self.cast, context)
        assert load(dump(done.session), Session) == done.session
        assert not (isinstance(done.request, AskModel) and done.session.gate), "no model is asked while people are"
        self.session = done.session
        self.log += done.log
        if done.next:
            self.links.append(Resumed("", done.next))
        for post in done.posts:
            if isinstance(post, Record):
                self.records.append(post)
                continue
            self.posts.append(post)
            if post.offers:
                self.anchors.append(post.menu.id if post.menu else "")
        if done.request is not None:
            self.requests.append(done.request)
        return done

    def result(self, done: Step) -> Result:
        match done.request:
            case AskModel(who, shape, _, brief):
                return self.ask(who, replace(self.prompt(who), shape=shape, brief=brief))
            case LoadResource(_, kind, name):
                text = resource(kind, name)
                return ResourceLoaded(kind, name, text, "" if text is not None else "it is gone")
            case Recall(ids):
                return Recalled({e.id: e.text for e in self.log if e.kind == "kept" and e.id in ids and e.text})
            case ReadDocument(path):
                kept = self.documents.get(path)
                last = kept[-1] if kept else Kept(0, "", "")
                return DocumentRead(path, last.version, last.text, last.meta)
            case WriteDocument() as request:
                return self.write(request)
            case ReadLibrary():
                return LibraryRead(1, ())
            case TellBudget():
                return BudgetTold("Nothing was spent.")
            case OpenThread():
                return ThreadOpened(None)
            case ListDocuments():
                return DocumentsListed(())
            case ForgetAll() | None:
                raise AssertionError("nothing comes back from this")
            case _:
                raise AssertionError(f"this house does not do {done.request}")

    def prompt(self, who: str) -> Prompt:
        """What the model of that persona is asked now; refused where the service would refuse it."""
        persona = self.cast.persona(who)
        assert persona is not None
        made = prompt(persona, self.log)
        refuse_what_the_api_refuses(made)
        return made

    def ask(self, who: str, made: Prompt) -> ModelReplied | ModelFailed:
        self.asks += 1
        said = self.says(made)
        if isinstance(said, str):
            return ModelReplied(1, json.dumps([{"type": "text", "text": said}]), "end_turn")
        return said

    def write(self, request: WriteDocument) -> DocumentWritten | DocumentStale | DocumentRefused:
        if self.refuses:
            return DocumentRefused(request.path, self.refuses)
        known = {e.id: e.text for e in self.log if e.kind == "kept"}
        assert all(known.get(part) for part in request.parts), "what is written was kept"
        versions = self.documents.setdefault(request.path, [])
        now = versions[-1].version if versions else 0
        if now != request.base:
            return DocumentStale(request.path, now)
        self.counter += 1
        text = ""
        for part in request.parts:
            text = f"{text.rstrip(chr(10))}\n\n{known[part].lstrip(chr(10))}" if text else known[part]
        self.writes.append(request)
        versions.append(Kept(self.counter, text, request.meta))
        return DocumentWritten(request.path, self.counter)

    # ------------------------------------------------------------ what there is to see

    @property
    def work(self) -> DocumentWork | None:
        """The document under way."""
        top = works.top(self.session)
        return top if isinstance(top, DocumentWork) else None

    def text(self, path: str) -> str:
        """The document as it stands."""
        return self.documents[path][-1].text

    @property
    def last(self) -> Post:
        """The last post."""
        return self.posts[-1]

    def labels(self) -> list[str]:
        """The options of the last menu."""
        menus = [post.menu for post in self.posts if post.menu]
        return [option.label for option in menus[-1].options]
