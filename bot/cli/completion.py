"""Scripts that complete command lines in a shell, made by shtab from the parsers."""

from __future__ import annotations

import argparse

import shtab

from bot.cli.parser import below

_PATHS = {"FILE": shtab.FILE, "PATH": shtab.FILE, "file": shtab.FILE, "DIR": shtab.DIRECTORY}
_PERSONAS = shtab.cmd("greenroom personas list --ids 2>/dev/null")


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for `shell`. It asks `greenroom` itself who there is, and the shell for files."""
    for _, one in below(parser):
        for action in one._actions:
            name = str(action.metavar or action.dest)
            if found := _PATHS.get(name) or (_PERSONAS if name == "PERSONA" else None):
                action.complete = found  # type: ignore[attr-defined]  # where shtab looks for it
    return shtab.complete(parser, shell)
