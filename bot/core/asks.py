"""Asking a model: through here, whoever asks, so that a talk which has grown too long is summed up first.

The ask for the summary has the very prefix of the talk, so that it is read from the cache; the summary is an entry of
the log like any other, and the one thing that moves the start of a prompt.
"""

from __future__ import annotations

from bot.core import content
from bot.core.events import ModelFailed, ModelReplied
from bot.core.log_index import SUMMARY
from bot.core.session import Waiting
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry, Shape

OWNER = SUMMARY

REQUEST = (
    "(From the host, not from people: this conversation nears the limit of what you can read at once. Write a summary "
    "for yourself with which you can go on without the rest: who takes part and what they want, what was decided and "
    "why, facts, names and numbers that were given, open questions, and what you promised. Only the summary.)"
)


def ask(
    step: StepBuilder,
    owner: str = "chat",
    *,
    who: str = "",
    purpose: str = "reply",
    shape: Shape = "talk",
    head: str = "",
    brief: str = "",
) -> None:
    """Let `who` (the active persona without an id) speak next; `owner` gets the reply, for `purpose`."""
    wanted = Waiting(who or step.session.active, purpose, owner, shape, head=head, brief=brief)
    # Calls that are answered stand right before the next ask, so a loop of them is not cut in two.
    if step.session.crowded == wanted.who and step.session.tools is None:
        step.note(Entry("note", wanted.who, REQUEST, call=SUMMARY))
        step.ask_model(Waiting(wanted.who, SUMMARY, OWNER, "silent", then=wanted))
    else:
        step.ask_model(wanted)


def summed_up(step: StepBuilder, waiting: Waiting, event: ModelReplied | ModelFailed) -> bool:
    """Keep the summary, if it is one, and ask what was wanted. Without one the talk goes on as it is.

    False where people stopped it: then nothing more is asked.
    """
    words = content.text(content.blocks(event.content)).strip() if isinstance(event, ModelReplied) else ""
    stopped = isinstance(event, ModelReplied) and event.stop == "stopped"
    if isinstance(event, ModelReplied) and event.stop == "end_turn" and words:
        step.change(crowded="")
        step.note(Entry("compact", waiting.who, words))
        name = step.voice(waiting.who).name
        step.tell(f"This talk has grown long: {name} summed up its beginning and goes on from there.")
    elif not stopped:
        step.tell("This talk has grown long, and summing it up did not work just now. The next reply tries again.")
    then = waiting.then
    if then is None or stopped:
        return then is None
    step.ask_model(then)
    return True
