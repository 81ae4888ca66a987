"""`greenroom ask`: one question to one persona, one answer, and the end."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from bot.app import library_of, options_of, running
from bot.cli.chat import names_of
from bot.cli.codes import FAILURE, USAGE
from bot.cli.ending import until_a_signal, until_left
from bot.cli.who import persona_of
from bot.core.events import Account
from bot.core.model import FILE, Attachment, Conversation, Inbound
from bot.core.session import ConversationState
from bot.health.errors import HealthError
from bot.personas.library import Library
from bot.personas.lint import at_start
from bot.personas.model import Persona
from bot.platforms.terminal.harmless import harmless
from bot.platforms.terminal.plain import NEWER, OutputError, PlainTransport
from bot.platforms.terminal.typed import Orders, Place, TerminalError, Typing
from bot.ports.transport import Outgoing
from bot.runtime.turns import account
from bot.settings import Settings
from bot.stores.errors import StoreError

HERE = Conversation("terminal", "local", "ask")

_LETTER = 4
"""Most bytes of a character in UTF-8."""


@dataclass(slots=True)
class Answer:
    """What came of a question: the persona's posts, the host's lines beside them, and whether the answer is whole."""

    persona: Persona
    said: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_whole: bool = False
    used: Account = field(default_factory=Account)

    def take(self, _: TextIO, out: Outgoing) -> None:
        """Keep a post."""
        (self.said if out.voice.persona else self.notes).append(harmless(out.text))

    @property
    def text(self) -> str:
        """The answer as Markdown."""
        return "\n\n".join(self.said)

    def as_data(self) -> dict[str, Any]:
        """For `--json`."""
        used = self.used
        return {
            "persona": self.persona.id,
            "name": self.persona.name,
            "answer": self.text,
            "whole": self.is_whole,
            "notes": self.notes,
            "tokens": {"read": used.read, "cached": used.cached, "written": used.written},
            "dollars": used.cost,
        }


def ask(args: argparse.Namespace, settings: Settings) -> int:
    """Ask, print the answer, and give the exit code."""
    try:
        words, files = _question(" ".join(args.words).strip(), material())
        return asyncio.run(_ask(args, settings, words, files))
    except TerminalError as error:
        print(error, file=sys.stderr)
        return USAGE
    except (HealthError, StoreError, OutputError) as error:
        print(error, file=sys.stderr)
        return FAILURE


def material() -> str:
    """What comes through standard input; empty at a terminal. Raises TerminalError where it cannot be taken."""
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    found = sys.stdin.buffer.read(FILE * _LETTER + 1)
    text = found.decode("utf-8-sig", errors="replace")
    if b"\0" in found:
        raise TerminalError("What came through standard input is no text, so nothing was asked. Give it as text.")
    if len(text) > FILE:
        raise TerminalError(
            f"What came through standard input is more than {FILE:,} characters, so nothing was asked. Give the part "
            "that matters."
        )
    return text.strip()


def _question(words: str, text: str) -> tuple[str, tuple[Attachment, ...]]:
    """What is asked, and the file that goes along. Raises TerminalError where nothing is asked."""
    if not (words or text):
        raise TerminalError('Nothing is asked: write it behind the name, as in `greenroom ask pm "What is an MVP?"`.')
    if not words:
        return text, ()
    return words, (Attachment("standard input", len(text.encode()), text=text),) if text else ()


async def _ask(args: argparse.Namespace, settings: Settings, words: str, files: tuple[Attachment, ...]) -> int:
    library = library_of(settings, keep=settings.store.path.parent.is_dir())
    for line in at_start(library):
        print(line, file=sys.stderr)
    answer = Answer(persona_of(library, args.who))
    typing = Typing(Place(args.user, HERE.channel), Orders(), names_of(library), settings.name)
    question = replace(typing.message(words), direct=True, addressed=True, files=files)
    where = settings if args.state else _keeping_nothing(settings)

    async def talk(leave: asyncio.Event) -> int:
        return await _asked(answer, where, library, typing, question, leave)

    code = await until_a_signal(talk, library)
    for note in answer.notes:
        print(note, file=sys.stderr)
    if args.json:
        print(json.dumps(answer.as_data(), ensure_ascii=False, indent=2))
    elif answer.said:
        print(answer.text)
    return code


def _keeping_nothing(settings: Settings) -> Settings:
    """The settings with a store that ends with the process, so that a bot may be at work beside it."""
    store = settings.store.model_copy(update={"path": Path(":memory:"), "url": ""})
    health = settings.health.model_copy(update={"listen": ""})
    return settings.model_copy(update={"store": store, "health": health})


async def _asked(
    answer: Answer, settings: Settings, library: Library, typing: Typing, question: Inbound, leave: asyncio.Event
) -> int:
    """Call the persona, ask, and note what came of it; the exit code."""
    transport = PlainTransport(sys.stdout, typing.orders, write=answer.take)
    async with running(settings, library, {"terminal": transport}, in_background=False) as bot:

        async def said() -> bool:
            call = replace(typing.message(f"*{answer.persona.id}"), direct=True)
            await bot.inbox.receive(call)
            if not await bot.answered():
                return False
            answer.said.clear()  # the greeting
            # What is read is known only now to stand behind the call.
            await bot.inbox.receive(replace(question, id=f"t{(order := typing.orders.next())}", order=order))
            return await bot.answered()

        async def stop() -> None:
            await bot.inbox.stop(replace(typing.message("stop"), name="the end of this command"))

        is_answered = await until_left(said(), leave, stop)
        saved = await bot.inbox.saved(HERE) or ConversationState()
        answer.used = account(saved, settings.model.context, options_of(settings).cost)
        answer.is_whole = is_answered and bool(answer.said) and saved.session.unfinished_reply is None
        if not is_answered and not leave.is_set():
            answer.notes.append(NEWER)
    return 0 if answer.is_whole else FAILURE
