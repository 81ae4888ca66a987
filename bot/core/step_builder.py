"""A step in the making: what the modes write into, and what `machine.step` gives as a `Step`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypedDict, Unpack

from bot.core import speakers
from bot.core.context import NOTHING, Context
from bot.core.events import Utterance
from bot.core.gates import Gate, with_menu, words_at
from bot.core.menus import mark_of
from bot.core.model import HOST, MENU_OPTIONS, Menu, Option, Turnover, Voice, Whisper
from bot.core.session import Passed, Session, Step, Tools, Unfinished, Waiting, Work
from bot.core.speakers import Speaker
from bot.core.steps import AskModel, DocumentFile, Entry, OpenThread, Post, Record, Request
from bot.core.voices import Names
from bot.personas.model import Cast, Persona

if TYPE_CHECKING:
    from bot.core.modes.mode import Registry

PAGE = 20
"""Entries of a long list that are shown at once; with the two ways to turn the page, below Discord's 25."""

DECIDED = 50
"""So many messages that decided something are remembered, to tell who edits them that this changes nothing."""

OPEN_MENUS = 8
"""So many menus stay open in a conversation; the oldest gives way."""


def voice_of(cast: Cast, ident: str) -> Voice:
    """The voice of the persona `ident`, also where the library has lost it; the host's without an id."""
    if not ident:
        return HOST
    persona = cast.persona(ident)
    return Voice(persona.name, persona.icon, persona.id) if persona else Voice(ident, "👤", ident)


def names_of(cast: Cast, who: str, people: tuple[str, ...], host: str) -> Names:
    """The names that `who` may speak under, and those of everybody else: people, the cast, the host.

    `host` is the name that the bot itself speaks under; its own is nobody else's either.
    """
    persona = cast.persona(who)
    own = (persona.name, persona.id, persona.title, persona.icon) if persona else (who,)
    return Names.of(own, people, (HOST.name, host), folded=cast.labels)


class Changes(TypedDict, total=False):
    """The fields of a session, so that mypy refuses a change of any other; a test compares the two."""

    personas: tuple[str, ...]
    yolo: bool
    waiting: Waiting | None
    gate: Gate | None
    tools: Tools | None
    menus: tuple[Menu, ...]
    turn: str
    counter: int
    people: tuple[str, ...]
    speakers: tuple[Speaker, ...]
    unfinished_reply: Unfinished | None
    refused: tuple[str, ...]
    warned: str
    over: str
    mentions: tuple[str, ...]
    decided: tuple[str, ...]
    called: bool
    work: tuple[Work, ...]
    paused: tuple[tuple[Work, ...], ...]
    due: str
    handed: tuple[str, ...]
    crowded: str
    dated: tuple[tuple[str, str], ...]
    yolo_by: str
    yolo_user: str
    passed: tuple[Passed, ...]


@dataclass(slots=True)
class StepBuilder:
    """The one mutable thing of the core, and it never leaves a call of `machine.step`."""

    session: Session
    cast: Cast
    modes: Registry
    context: Context = NOTHING
    log: list[Entry] = field(default_factory=list)
    posts: list[Post | Record] = field(default_factory=list)
    request: Request | None = None
    next: str = ""
    answers: Waiting | None = None
    """What was waited for, where this step's event is its result."""

    def finished(self) -> Step:
        """The step that has come together. Raises RuntimeError for a thread that is to hang on no post."""
        if isinstance(self.request, OpenThread) and all(isinstance(p, Record) or p.only for p in self.posts):
            raise RuntimeError(f"a thread is opened below a post, and there is none for {self.request}")
        return Step(self.session, tuple(self.log), tuple(self.posts), self.request, self.next)

    def change(self, **changes: Unpack[Changes]) -> None:
        """Give the session these fields."""
        self.session = replace(self.session, **changes)

    def begin_turn(self, turn: str) -> None:
        """A turn of that id begins: its menus are counted from 1."""
        self.change(turn=mark_of(turn), counter=0)

    # -------------------------------------------------------- who is here

    @property
    def persona(self) -> Persona | None:
        """The active persona; None where there is none, or where the library has lost it."""
        return self.cast.persona(self.session.active) if self.session.active else None

    def voice(self, ident: str = "") -> Voice:
        """The voice of a persona (of the active one without an id); the host's where there is none."""
        return voice_of(self.cast, ident or self.session.active)

    def labelled(self, user: str, name: str) -> str:
        """The label that a person goes by here, whom the session remembers by it from now on."""
        others = (self.context.host, HOST.name, "host", *(persona.name for persona in self.cast.personas))
        found = speakers.given(user, name, self.session.speakers, others)
        if self.session.speakers[-1:] != (Speaker(user, found),):
            self.change(speakers=speakers.remembered(self.session.speakers, user, found))
        return found

    def names(self, who: str) -> Names:
        """The names that `who` may speak under here, and those of everybody else."""
        return names_of(self.cast, who, self.session.people, self.context.host)

    # -------------------------------------------------------- saying things

    def say(self, markdown: str, menu: Menu | None = None, *, completes: int | None = None, who: str = "") -> None:
        """Post under the name of the active persona, or of `who`."""
        self.posts.append(Post(self.voice(who), markdown, menu, completes))

    def tell(
        self,
        markdown: str,
        menu: Menu | None = None,
        *,
        only: Whisper | None = None,
        quotes: Utterance | None = None,
        file: DocumentFile | None = None,
    ) -> None:
        """Post as the host; where the platform can do that, for the eyes of `only`. It has words of `quotes`."""
        ident, user = (quotes.id, quotes.user) if quotes else ("", "")
        self.posts.append(Post(HOST, markdown, menu, only=only, id=ident, user=user, file=file))

    def note(self, entry: Entry) -> None:
        """Add to the log."""
        self.log.append(entry)

    def record(self, what: str, who: str, sha: str = "") -> None:
        """Add to the audit trail: who decided what, and the hash of the text that they saw."""
        self.posts.append(Record(what, who, sha))

    def decided(self, *lines: Utterance) -> None:
        """Remember that these messages decided something, for an edit of them decides nothing."""
        self.change(decided=(*self.session.decided, *(line.id for line in lines))[-DECIDED:])

    # -------------------------------------------------------- asking

    def ask_model(self, waiting: Waiting) -> None:
        """Let `waiting.who` speak next. Modes use `asks.ask`, which sees to long talks first.

        Raises RuntimeError while a gate is open: a human is to speak then, and no model.
        """
        if self.session.gate is not None:
            raise RuntimeError(f"a model would be asked while people are asked ({self.session.gate})")
        self.wait(AskModel(waiting.who, waiting.shape, waiting.head, waiting.brief), waiting)

    def wait(self, request: Request, waiting: Waiting) -> None:
        """Make a request, whose result goes to `waiting.owner`. Raises RuntimeError where there is one already."""
        if self.request is not None:
            raise RuntimeError(f"a step makes one request, not {self.request} and {request}")
        self.request = request
        self.change(waiting=waiting)

    def chain(self, tag: str) -> None:
        """Go on in a turn of its own, so that people get a word in: only a `Resumed` with this tag counts from now."""
        self.next = tag
        self.change(due=tag)

    def menu(
        self,
        options: tuple[Option, ...],
        *,
        prompt: str = "",
        lasting: bool = False,
        words: bool = False,
        quotes: Utterance | None = None,
        held: str = "",
        ahead: bool = False,
    ) -> Menu:
        """A new menu, open from now on. `options` are at least one and at most 25. They have words of `quotes`."""
        if not 1 <= len(options) <= MENU_OPTIONS:
            raise ValueError(f"a menu has 1 to {MENU_OPTIONS} options, not {len(options)}")
        number = self.session.counter + 1
        made = Menu(f"{self.session.turn}.{number}", options, prompt, lasting, words, held=held, ahead=ahead)
        if quotes:
            made = replace(made, said=quotes.id, user=quotes.user)
        gate = self.session.gate.menu if self.session.gate else ""
        kept = [m for m in self.session.menus if m.id == gate]
        rest = [m for m in self.session.menus if m.id != gate]
        room = OPEN_MENUS - 1 - len(kept)
        self.change(counter=number, menus=(*kept, *rest[-room:], made))
        return made

    def page(
        self,
        name: str,
        options: tuple[Option, ...],
        first: int = 0,
        *,
        prompt: str = "",
        quotes: Utterance | None = None,
    ) -> Menu:
        """The part of a list that starts at entry `first`, with the ways to the rest of it; it lasts.

        It has words of `quotes`.
        """
        if len(options) <= MENU_OPTIONS:
            return self.menu(options, prompt=prompt, lasting=True, quotes=quotes)
        first = first if 0 <= first < len(options) else 0
        shown = options[first : first + PAGE]
        after, before = first + PAGE, max(0, first - PAGE)
        total = len(options)
        ways: list[Option] = []
        if after < total:
            ways.append(Option(f"Next: {after + 1}-{min(after + PAGE, total)} of {total}", Turnover(name, after)))
        if first > 0:
            ways.append(Option(f"Back: {before + 1}-{first} of {total}", Turnover(name, before)))
        return self.menu((*shown, *ways), prompt=prompt, lasting=True, quotes=quotes)

    def halt(
        self,
        gate: Gate,
        options: tuple[Option, ...],
        question: str,
        *,
        by_host: bool = False,
        quotes: Utterance | None = None,
    ) -> None:
        """Ask `question` with `options`, and wait for a human at `gate`. Its persona asks, or the host.

        A link that was due no longer is: people come first, and a work stands again when they have decided.
        """
        menu = self.menu(options, words=words_at(gate) == "answer")
        self.change(gate=with_menu(gate, menu.id), due="")
        if by_host or not gate.who:
            self.tell(question, menu, quotes=quotes)
        else:
            self.say(question, menu, who=gate.who)

    def repeat(self, menu_id: str, question: str) -> None:
        """Put an open menu before people again, under a new id; where a gate waits for it, it waits for the new one."""
        old = self.open_menu(menu_id)
        if old is None:
            return
        self.close(menu_id)
        quoted = Utterance(old.user, "", "", old.said, 0.0) if old.said else None
        shown = {"lasting": old.lasting, "words": old.words, "ahead": old.ahead}
        new = self.menu(old.options, prompt=old.prompt, quotes=quoted, held=old.held, **shown)
        gate = self.session.gate
        if gate and gate.menu == menu_id:
            self.change(gate=with_menu(gate, new.id))
        self.say(question, new, who=gate.who if gate and gate.menu == new.id else "")

    def open_menu(self, menu_id: str) -> Menu | None:
        """The menu of that id, if it may still be chosen from."""
        return next((m for m in self.session.menus if m.id == menu_id), None)

    def close(self, menu_id: str) -> None:
        """Let nobody choose from this menu any more."""
        self.change(menus=tuple(m for m in self.session.menus if m.id != menu_id))

    def open_gate(self) -> None:
        """The human event that the gate waited for has come, or it is given up: no gate, and its menu has passed."""
        if self.session.gate:
            self.close(self.session.gate.menu)
            self.change(gate=None)
