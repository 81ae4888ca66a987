"""The command lines of the operations; what they do is imported when it is done."""

from __future__ import annotations

import argparse
import datetime
from typing import TYPE_CHECKING

from bot.core.model import Conversation
from bot.ports.budgets import BY

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add all of them to the command line."""
    _sessions(subparsers)
    _dead(subparsers)
    _audit(subparsers)
    _forget(subparsers)
    _usage(subparsers)
    _docs(subparsers)


def _docs(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("docs", help="list, show, export and import the documents of channels")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = actions.add_parser("list", parents=[_common()], help="the documents of a channel, or which have some")
    listed.add_argument("conversation", type=conversation, metavar="CHANNEL", nargs="?")
    show = actions.add_parser("show", parents=[_common()], help="one document, or with --history its versions")
    show.add_argument("conversation", type=conversation, metavar="CHANNEL")
    show.add_argument("path", metavar="PATH")
    show.add_argument("--version", type=_whole, default=0, metavar="N", help="that version (the newest)")
    show.add_argument("--history", action="store_true", help="list its versions instead")
    _moving(actions, "docs", "CHANNEL", "documents with all versions, a line of JSON a channel", "into this channel")


def _sessions(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("sessions", help="list, show, reset, export and import conversations")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", parents=[_common(limit=100)], help="all conversations, and what goes on in them")
    show = actions.add_parser("show", parents=[_common()], help="one conversation: its session and its last lines")
    show.add_argument("conversation", type=conversation, metavar="CONVERSATION")
    show.add_argument("--lines", type=_whole, default=10, metavar="N", help="how many lines of its log (10)")
    reset = actions.add_parser(
        "reset", parents=[_common()], help="let one begin anew: nobody on, nothing under way; its log stays"
    )
    reset.add_argument("conversation", type=conversation, metavar="CONVERSATION")
    _moving(
        actions, "sessions", "CONVERSATION", "conversations and their documents, a line of JSON each", "under this key"
    )


def _moving(actions: Subparsers, command: str, what: str, lines: str, where: str) -> None:
    """Add `export` and `import` of what `what` names, by these words for their help."""
    export = actions.add_parser("export", parents=[_common(json=False)], help=f"write out {lines}")
    export.add_argument("conversations", nargs="*", type=conversation, metavar=what)
    export.add_argument("--all", action="store_true", help="all of them")
    export.add_argument("--to", metavar="FILE", help="where to (else standard output); only you can read the file")
    export.add_argument("--force", action="store_true", help="overwrite the file")
    into = actions.add_parser("import", parents=[_common(json=False)], help=f"take in what `{command} export` wrote")
    into.add_argument("file", metavar="FILE", help="the file, or - for standard input")
    into.add_argument("--as", dest="key", type=conversation, metavar=what, help=where)


def _dead(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("dead", help="list, show and replay the messages that the bot gave up on")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", parents=[_common(limit=100)], help="all dead letters, newest first")
    show = actions.add_parser("show", parents=[_common()], help="one dead letter, with what was said")
    show.add_argument("id", type=_whole, metavar="ID")
    replay = actions.add_parser("replay", parents=[_common(json=False)], help="put them back into their mailboxes")
    replay.add_argument("ids", type=_whole, nargs="+", metavar="ID")


def _audit(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("audit", parents=[_common(limit=100)], help="who decided what, newest first")
    parser.add_argument("--conversation", type=conversation, metavar="CONVERSATION", help="only there")


def _forget(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("forget", help="wipe a conversation, or take a person out of all of them")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    user = actions.add_parser(
        "user",
        parents=[_common()],
        help="delete what a person said, and their name",
        description="Deletes what a person said, and their name; the audit trail keeps a pseudonym. What personas "
        "said stays, also where they quote that person or call them by name.",
    )
    user.add_argument("id", metavar="ID", help="the person's id on their platform, such as U024BE7LH")
    user.add_argument("--within", default="", metavar="KEY", help="only conversations whose key begins so: slack:T1:")
    user.add_argument("--pseudonym", metavar="NAME", help="who did it, for the audit trail (a random one)")
    one = actions.add_parser(
        "conversation", parents=[_common()], help="delete all of a conversation but its audit trail"
    )
    one.add_argument("conversation", type=conversation, metavar="CONVERSATION")
    one.add_argument("--documents", action="store_true", help="and the documents of the channel, which stay otherwise")
    for action in (user, one):
        action.add_argument("--dry-run", action="store_true", help="only say what would be deleted")


def _usage(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("usage", parents=[_common()], help="what models have cost: tokens and dollars a day")
    parser.add_argument("--day", type=_day, metavar="DAY", help="a day in UTC, such as 2026-11-21 (today)")
    parser.add_argument("--by", choices=BY, default="channel", help="what it is told apart by (channel)")


def _day(text: str) -> str:
    """A day in ISO form, for argparse. Raises ArgumentTypeError."""
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2026-11-21") from None


def conversation(text: str) -> str:
    """A conversation's key, for argparse. Raises ArgumentTypeError."""
    try:
        return Conversation.parse(text).key
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no conversation; write platform:workspace:channel[:thread], as `sessions list` shows it"
        ) from None


def _whole(text: str) -> int:
    """A whole number from 1, for argparse. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def _common(*, limit: int = 0, json: bool = True) -> argparse.ArgumentParser:
    """What such commands have in common; with a `limit`, how many lines are shown unless told otherwise."""
    parser = argparse.ArgumentParser(add_help=False)
    if json:
        parser.add_argument("--json", action="store_true", help="print it as JSON")
    if limit:
        parser.add_argument("--limit", metavar="N", type=_whole, default=limit, help=f"at most so many ({limit})")
    return parser
