"""docs/commands.md: what the host understands in a chat, and the command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from bot.cli.parser import EVERYWHERE, command_line
from bot.core.command_table import HOST_COMMANDS, NEVER_BY_NEAR_MATCH, SURE


def page() -> str:
    """The page as Markdown."""
    return "\n".join([*_chat(), "", *_command_line()]) + "\n"


def _chat() -> Iterator[str]:
    yield from (
        "# Commands",
        "",
        "<!-- Written by scripts/docs from the code; change that. -->",
        "",
        "## In a chat",
        "",
        "These are understood everywhere, whoever is on; a persona's own commands and the names of personas come on",
        f"top. A slip of the pen runs the nearest command, if it is the only one that is alike by {SURE:.0f} of 100",
        "or more; some run by their exact name only.",
        "",
        "| command | what it does | exact name only |",
        "|---|---|---|",
    )
    for name, hint in HOST_COMMANDS.items():
        yield f"| `*{name}` | {hint} | {'yes' if name in NEVER_BY_NEAR_MATCH else 'no'} |"


def _command_line() -> Iterator[str]:
    parser = command_line()
    yield from ("## On the command line", "", f"`{parser.prog} --version` prints the version.")
    yield from ("", "Every command takes these, before its name or behind it:", "")
    yield from ("| option | meaning |", "|---|---|")
    for option, value, _, meaning in EVERYWHERE:
        yield f"| `{option} {value}` | {meaning} |"
    for name, command, about in _below(parser):
        yield from _one(name, command, about)


def _below(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Full name, parser and purpose of each command, and of each action of a command behind it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            purposes = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield f"{parser.prog} {name}", command, purposes.get(name, "")
                yield from _below(command)


def _one(name: str, command: argparse.ArgumentParser, about: str) -> Iterator[str]:
    taken = [action for action in command._actions if not isinstance(action, _NO_ARGUMENT)]
    actions = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    arguments = [f"`{_spelled(action)}`" for action in taken if not action.option_strings]
    yield from ("", f"### {name}", "")
    yield f"{about[:1].upper()}{about[1:]}."
    if actions:
        yield from ("", f"With one of: {', '.join(f'`{choice}`' for choice in actions[0].choices)}.")
    if arguments:
        yield from ("", f"It takes {' and '.join(arguments)}.")
    everywhere = {option for option, *_ in EVERYWHERE}
    options = [action for action in taken if action.option_strings and not everywhere & set(action.option_strings)]
    if options:
        yield from ("", "| option | meaning |", "|---|---|")
        for action in options:
            spelled = ", ".join(f"`{option}{_value(action)}`" for option in action.option_strings)
            yield f"| {spelled} | {action.help or ''} |"


_NO_ARGUMENT = (argparse._HelpAction, argparse._VersionAction, argparse._SubParsersAction)


def _value(action: argparse.Action) -> str:
    """What an option wants behind it."""
    return "" if action.nargs == 0 else f" {_spelled(action)}"


def _spelled(action: argparse.Action) -> str:
    name = str(action.metavar or "|".join(map(str, action.choices or ())) or action.dest)
    match action.nargs:
        case "*" | "+":
            return f"{name} ..."
        case "?":
            return f"[{name}]"
        case _:
            return name
