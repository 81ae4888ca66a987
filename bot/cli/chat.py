"""`greenroom chat`: the conversation in this terminal, on a screen or through pipes."""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.codes import BROKEN_PIPE, FAILURE, USAGE
from bot.cli.ending import FINISH, finished, until_a_signal, until_left
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.app import Bot
    from bot.core.model import Inbound
    from bot.personas.library import Library
    from bot.platforms.terminal.typed import Typing
    from bot.runtime.inbox import Inbox

DUMB = ("dumb", "unknown")
"""Terminals that cannot move their cursor; they get one message a line."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What a talk has: `first` is said before anything is typed, and `leave` is set when it is to end."""

    settings: Settings
    library: Library
    typing: Typing
    first: tuple[Inbound, ...]
    leave: asyncio.Event


def chat(args: argparse.Namespace, settings: Settings) -> int:
    """Talk in this terminal; the exit code."""
    from bot.health.errors import HealthError
    from bot.platforms.terminal.typed import TerminalError
    from bot.stores.errors import StoreError

    try:
        return asyncio.run(_converse(args, settings))
    except TerminalError as error:
        print(error, file=sys.stderr)
        return USAGE
    except (HealthError, StoreError) as error:
        print(error, file=sys.stderr)
        return FAILURE


async def _converse(args: argparse.Namespace, settings: Settings) -> int:
    from bot.app import library_of
    from bot.platforms.terminal.typed import Orders, Place, Typing

    library = library_of(settings, keep=True)
    typing = Typing(Place(args.user, args.channel), Orders(), names_of(library), settings.name)
    first = opening(typing, library, args.who, args.words) if args.who else ()
    talk = _on_screen if _is_a_screen() else _through_pipes
    try:
        return await until_a_signal(lambda leave: talk(Talk(settings, library, typing, first, leave)), library)
    except OSError as error:
        print(f"This terminal cannot be used any more: {error.strerror or error}.", file=sys.stderr)
        return FAILURE


def opening(typing: Typing, library: Library, who: str, words: list[str]) -> tuple[Inbound, ...]:
    """What calls the persona that `who` names, and what is said to it then. Raises TerminalError."""
    from bot.cli.who import persona_of

    messages = [typing.message(f"*{persona_of(library, who).id}")]
    if text := " ".join(words).strip():
        messages.append(replace(typing.message(text), addressed=True))
    return tuple(messages)


def names_of(library: Library) -> Callable[[str], bool]:
    """Whether a word is the name of a persona or a document."""
    return lambda name: bool(library.cast.persona(name) or library.cast.document(name))


def _is_a_screen() -> bool:
    return all(s is not None and s.isatty() for s in (sys.stdin, sys.stdout)) and os.environ.get("TERM") not in DUMB


def files_of(settings: Settings) -> Path | None:
    """The folder that files of a terminal's chat are saved in, beside its state; None where that is in memory."""
    path = settings.store.path
    return None if str(path) == ":memory:" else path.absolute().parent / "files"


async def _on_screen(talk: Talk) -> int:
    from bot.app import DRAIN, running
    from bot.cli.start import first_screen
    from bot.core.session import ConversationState
    from bot.platforms.terminal.offers import Offers, offers
    from bot.platforms.terminal.posts import ScreenTransport
    from bot.platforms.terminal.screen import Screen

    async def saved() -> ConversationState:
        return await bot.inbox.saved(typing.place.conversation) or ConversationState()

    async def look() -> Offers:
        return offers(await saved(), talk.library.cast)

    typing, path = talk.typing, talk.settings.store.path
    screen = Screen(typing, look, path.with_name(f"{path.name}.history"))
    transport = ScreenTransport(screen, typing.orders, files_of(talk.settings))
    async with running(talk.settings, talk.library, {"terminal": transport}) as bot:
        await _go_on(bot.inbox, typing)
        welcome = first_screen(talk.settings, talk.library, (await saved()).session)
        await screen.converse(bot.inbox.receive, bot.answered, welcome, talk.first, talk.leave)
        patience = FINISH if talk.leave.is_set() else DRAIN
        await finished(bot.answered(), lambda: _stop(bot, typing), patience)
    return 0


async def _go_on(inbox: Inbox, typing: Typing) -> None:
    """Have what is typed now stand behind all that is kept, whatever the clock said when that was typed."""
    for where in await inbox.conversations("terminal"):
        typing.orders.go_on_behind(await inbox.last_seen(where))
        with suppress(ValueError, KeyError, TypeError):  # kept by a newer build, which is left alone
            saved = await inbox.saved(where)
            typing.orders.go_on_behind(
                max((anchor.order for anchor in saved.number_anchors), default=0) if saved else 0
            )


async def _stop(bot: Bot, typing: Typing) -> None:
    """Stop every reply of this terminal: each is kept as far as it came."""
    for where in await bot.inbox.conversations("terminal"):
        await bot.inbox.stop(replace(typing.message("stop"), conversation=where, name="the end of the chat"))


async def _through_pipes(talk: Talk) -> int:
    from bot.app import running
    from bot.personas.lint import at_start
    from bot.platforms.terminal.plain import Lines, OutputError, PlainTransport, converse

    if sys.stdin is None or sys.stdout is None:
        print("The input or the output of this chat is closed; give it both.", file=sys.stderr)
        return USAGE
    for line in at_start(talk.library):
        print(line, file=sys.stderr)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    lines, typing = Lines(sys.stdin.fileno()), talk.typing
    transport = PlainTransport(sys.stdout, typing.orders, files=files_of(talk.settings))
    try:
        async with running(talk.settings, talk.library, {"terminal": transport}, in_background=False) as bot:
            await _go_on(bot.inbox, typing)
            said = converse(lines.next, sys.stderr, typing, bot.inbox.receive, bot.answered, talk.first, talk.leave)
            until = until_left(said, talk.leave, lambda: _stop(bot, typing))
            return 0 if await transport.while_open(until) else FAILURE
    except OutputError as error:
        # What could not be printed is still in the stream, and would be tried again, loudly, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.is_broken_pipe:
            return BROKEN_PIPE
        print(error, file=sys.stderr)
        return FAILURE
