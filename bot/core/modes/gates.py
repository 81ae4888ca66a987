"""Halts: opening one for the model, answering one, and leaving one behind without leaving a tool call open."""

from __future__ import annotations

from bot.core.draft import Draft
from bot.core.events import Line
from bot.core.steps import Entry

WITHDRAWN = {
    "exit": "I stay, then.",
    "forget": "Nothing is wiped, then.",
    "run": "No command, then.",
    "file": "I leave the file, then.",
}
"""What is said when something else comes instead of the confirmation; gates of a tool loop need no such line."""


def leave(draft: Draft, why: str) -> None:
    """Close whatever is waited for. Every open tool call gets a result, or the API refuses the talk for ever."""
    close_calls(draft, f"Not run: {why}.")
    draft.change(waiting=None)
    draft.open_gate()


def close_calls(draft: Draft, result: str, by: Line | None = None) -> None:
    """Answer all open tool calls with `result`, and end the loop; `by` is whom it names."""
    user, name = (by.user, by.name) if by else ("", "")
    tools = draft.session.tools
    if tools is None:
        return
    for call in tools.calls:
        draft.note(Entry("result", draft.session.active, result, name, call=call.id, user=user))
    draft.change(tools=None)


def withdraw(draft: Draft) -> None:
    """Something else was said while a confirmation waited: say in one line that it is off."""
    gate = draft.session.gate
    if gate and gate.kind in WITHDRAWN:
        draft.say(WITHDRAWN[gate.kind])
        draft.open_gate()
