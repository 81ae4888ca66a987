"""What can be written behind `greenroom`: the parsers of all commands. Nothing here does anything."""

from __future__ import annotations

import argparse
import difflib
import getpass
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from bot.cli.examples import EXAMPLES

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EVERYWHERE = (
    ("--config", "FILE", Path, "the configuration (greenroom.yaml)"),
    ("--state", "FILE", str, "the file that keeps the conversations (store.path)"),
    ("--model", "NAME", str, "an alias or id, or `rehearsal` to try without a key (model.name)"),
)
"""Options that every command takes, before its name or behind it: option, value, type, meaning."""

SHELLS = ("bash", "zsh", "fish", "tcsh")


class Parser(argparse.ArgumentParser):
    """A parser whose errors name the nearest word that there is, and where to read more.

    Options are written out: a slip such as `--stat` must not be taken for one of them.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **given})

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            what = str(action.metavar or action.dest).lower()
            words = [str(choice) for choice in action.choices]
            raise argparse.ArgumentError(None, f"there is no {what} {value!r}{or_nearest(str(value), words)}")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with exit code 2."""
        if message.endswith("required: ACTION"):
            actions = next(action for action in self._actions if isinstance(action, argparse._SubParsersAction))
            message = f"say what to do: {', '.join(actions.choices)}"
        told = _ended(message.removeprefix("argument "))
        self.exit(2, f"{self.prog}: {told} `{self.prog} --help` shows what can be written.\n")


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?")) else f"{sentence}."


def or_nearest(word: str, words: Iterable[str]) -> str:
    """What to put behind a word that does not exist: the one that was meant, else all that there are."""
    known = list(words)
    near = difflib.get_close_matches(word.casefold(), known, n=1)
    return f"; did you mean {near[0]}?" if near else f": choose from {', '.join(known)}"


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """The command line; `command` is None where none is named. Ends the process where it is wrong."""
    parser = command_line()
    args, unknown = parser.parse_known_args(words)
    if args.command in ("chat", "ask") and not any(word.startswith("-") for word in unknown):
        # Words behind an option: argparse has given all words that stand before it, and takes no more.
        args.words, unknown = [*args.words, *unknown], []
    if unknown:
        at: argparse.ArgumentParser = getattr(args, "parser", parser)
        word = unknown[0].partition("=")[0]
        if word.startswith("-"):
            near = difflib.get_close_matches(word, _options(at), n=1)
            at.error(f"there is no option {word}{f'; did you mean {near[0]}?' if near else ''}")
        at.error(f"{word!r} is one word too many")
    return args


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [option for action in parser._actions for option in action.option_strings]


def command_line() -> argparse.ArgumentParser:
    """The parser of everything."""
    from bot import operations
    from bot.personas import tool
    from bot.platforms import tool as platforms

    parser: argparse.ArgumentParser = Parser(
        prog="greenroom",
        description="A chat bot that hosts personas. Without a command, it opens the chat at a terminal.",
    )
    parser.add_argument("--version", action="version", version=f"greenroom {version('greenroom')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _chat(commands)
    _ask(commands)
    commands.add_parser("run", help="serve on Slack and Discord, wherever there is a token for")
    tool.add_parser(commands)
    platforms.add_parser(commands)
    operations.add_parser(commands)
    doctor = commands.add_parser(
        "doctor", help="look at the configuration and all that it names, and say what is wrong"
    )
    doctor.add_argument("--online", action="store_true", help="call the model once too, which costs a few tokens")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    completion = commands.add_parser("completion", help="print a script that completes command lines in a shell")
    completion.add_argument("shell", choices=SHELLS)
    for path, one in below(parser):
        _finish(one, path)
    return parser


def _chat(commands: Subparsers) -> None:
    chat = commands.add_parser("chat", help="talk with the personas in this terminal")
    chat.add_argument("who", nargs="?", metavar="PERSONA", help="who comes on first: an id, a name or a role")
    chat.add_argument("words", nargs="*", default=[], metavar="WORDS", help="what you say to them first")
    chat.add_argument("--in", dest="channel", metavar="CHANNEL", default="general", help="where you begin (#general)")
    chat.add_argument("--as", dest="user", metavar="USER", default=_user(), help="who you are")


def _ask(commands: Subparsers) -> None:
    ask = commands.add_parser(
        "ask",
        help="ask a persona once, print the answer, and end",
        description="Asks a persona once and prints the answer. What comes through standard input goes along as a "
        "file; without WORDS it is the question. Nothing is kept unless --state names a file. Exit codes: 0 the answer "
        "is whole, 1 there is none or it was cut, 2 the command line or the configuration is wrong.",
    )
    ask.add_argument("who", metavar="PERSONA", help="an id, a name or a role, as in `greenroom personas list`")
    ask.add_argument("words", nargs="*", default=[], metavar="WORDS", help="the question")
    ask.add_argument("--as", dest="user", metavar="USER", default=_user(), help="who you are")
    ask.add_argument("--json", action="store_true", help="print the answer, and what it took, as JSON")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "you"


def below(parser: argparse.ArgumentParser, path: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The parser itself and every one below it, each with the words that lead to it ("" for the first)."""
    yield path, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, one in action.choices.items():
                yield from below(one, f"{path} {name}".strip())


def _finish(parser: argparse.ArgumentParser, path: str) -> None:
    """Give a parser what all of them have: the options of every command, and examples."""
    group = parser.add_argument_group("everywhere, before a command or behind it")
    for option, value, kind, meaning in EVERYWHERE:
        # What stands before the command must not be undone by what is missing behind it.
        default = argparse.SUPPRESS if path else None
        group.add_argument(option, metavar=value, type=kind, default=default, help=meaning)
    shown = [(" ".join(filter(None, ("greenroom", path, rest))), meaning) for rest, meaning in EXAMPLES[path]]
    width = max(len(line) for line, _ in shown)
    lines = [f"  {line:<{width}}  {meaning}".rstrip() for line, meaning in shown]
    parser.epilog = "\n".join(["examples:", *lines])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    if parser.description and len(parser.description) > 79:
        parser.description = _wrapped(parser.description)
    if path:
        parser.set_defaults(parser=parser)


def _wrapped(text: str) -> str:
    import textwrap

    return textwrap.fill(text, 79)
