"""When a talk has grown near the model's limit, the persona sums up its beginning, and goes on from there.

The ask for the summary has the very prefix of the talk, so that it is read from the cache; the summary is an entry of
the log like any other, and the one thing that moves the start of a prompt.
"""

from __future__ import annotations

from bot.core import content
from bot.core.draft import Draft
from bot.core.events import ModelReplied
from bot.core.session import Waiting
from bot.core.steps import AskModel, Entry

PURPOSE = "compaction"

REQUEST = (
    "(From the host, not from people: this conversation nears the limit of what you can read at once. Write a summary "
    "for yourself with which you can go on without the rest: who takes part and what they want, what was decided and "
    "why, facts, names and numbers that were given, open questions, and what you promised. Only the summary.)"
)


def begin(draft: Draft, who: str) -> None:
    """Ask `who` for a summary; nobody watches."""
    draft.note(Entry("note", who, REQUEST, call=PURPOSE))
    draft.change(waiting=Waiting(who, PURPOSE))
    draft.request = AskModel(who, show=False)


def summed_up(draft: Draft, who: str, event: ModelReplied) -> None:
    """Keep the summary, if it is one."""
    words = content.text(content.blocks(event.content)).strip()
    if event.stop != "end_turn" or not words:
        failed(draft)
        return
    draft.change(waiting=None)
    draft.note(Entry("compact", who, words))
    draft.tell(f"This talk has grown long: {draft.voice(who).name} summed up its beginning and goes on from there.")


def failed(draft: Draft) -> None:
    """Without a summary the talk goes on as it is; the next reply tries again."""
    draft.change(waiting=None)
    draft.tell("This talk has grown long, and summing it up did not work just now. The next reply tries again.")
