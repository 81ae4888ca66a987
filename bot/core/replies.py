"""A model's reply, whoever asked for it: into the log as it came, before people as its shape has it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core import content, failures, shapes, speakers
from bot.core.events import ModelReplied, Notice
from bot.core.session import Call, Unfinished, Waiting
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry

MARKS = {
    "max_tokens": "_(cut: the reply reached its length limit)_",
    "cut": "_(cut: the connection to the model broke)_",
    "late": "_(cut: the reply took longer than it may)_",
    "oversized": "_(cut: the model's server sent far more than it was asked for, so I stopped reading)_",
    "model_context_window_exceeded": "_(cut: the conversation has filled the model's context)_",
    "refusal": "_(the model declined to go on)_",
    "pause_turn": "_(the model paused here; write to go on)_",
}
"""What is put under a reply that did not end by itself."""

CUTS = {
    "cut": MARKS["cut"],
    "network": MARKS["cut"],
    "timeout": "_(cut: the model did not go on in time)_",
}
"""Marks of a call that failed in mid-reply, for reasons whose own words fit only where no reply has come."""


STOPPED = "_(stopped by "
"""How the line begins that is put under a reply that people have stopped."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply that was taken: what people see of its words, its tool calls, and whether it ended by itself.

    `text` is all that it said, `mark` the line below what did not end by itself.
    """

    words: str
    calls: tuple[Call, ...]
    whole: bool
    text: str = ""
    mark: str = ""


def take(step: StepBuilder, waiting: Waiting, event: ModelReplied) -> Heard:
    """Keep the reply in the log and post what people may see of it. Calls count only if the model stopped for them."""
    heard = keep(step, waiting, event)
    if heard.words:
        words = f"{heard.words}\n\n{heard.mark}" if heard.mark else heard.words
        step.say(words, completes=event.ask, who=waiting.who)
    elif heard.mark:
        step.tell(heard.mark)
    elif not heard.calls and waiting.shape != "silent":
        step.tell(f"{step.voice(waiting.who).name} had nothing to say. Ask again, or in other words.")
    warn(step, event.notice)
    return heard


def text_of(event: ModelReplied) -> str:
    """All words of a reply, as they came."""
    return content.text(content.blocks(event.content))


def calls_of(event: ModelReplied) -> tuple[Call, ...]:
    """Its tool calls, which count only if the model stopped for them."""
    return content.calls(content.blocks(event.content)) if event.stop == "tool_use" else ()


def keep(step: StepBuilder, waiting: Waiting, event: ModelReplied, *, unsaid: bool | None = None) -> Heard:
    """Keep the reply in the log; whoever asked posts it.

    With `unsaid` nothing of it is posted, and nobody else has heard it. Where that is not said, it is so of a text that
    is proposed and comes with calls.
    """
    persona = step.cast.persona(waiting.who)
    blocks = content.blocks(event.content)
    calls = calls_of(event)
    words = shapes.shown(waiting.shape, content.text(blocks), step.names(waiting.who), waiting.brief)
    if unsaid or (unsaid is None and calls and waiting.shape != "talk"):
        words = ""
    if kept := content.written(b for b in blocks if b["type"] != "tool_use" or calls):
        # A person may have had the name before the persona was there.
        name = speakers.apart(persona.name if persona else waiting.who, (s.name for s in step.session.speakers))
        step.note(Entry("reply", waiting.who, words, name=name, content=kept))
    mark = _mark(event)
    step.change(unfinished_reply=Unfinished(waiting.who, "cut", waiting.owner) if mark else None)
    if event.crowded:
        step.change(crowded=waiting.who)
    return Heard(words, calls, not mark, content.text(blocks), mark)


def _mark(event: ModelReplied) -> str:
    """What is put under the reply: why it is not whole, "" where it is."""
    match event.stop:
        case "stopped":
            return f"{STOPPED}{speakers.label(event.by)})_"
        case "cut" if event.reason:
            return CUTS.get(event.reason) or f"_(cut: {failures.line(event.reason)})_"
        case how:
            return MARKS.get(how, "")


def warn(step: StepBuilder, notice: Notice | None) -> None:
    """Tell once a day of each budget that it is nearly used up."""
    if notice is None:
        return
    day, *told = step.session.warned.split() or [""]
    told = told if day == notice.day else []
    if new := [scope for scope in notice.scopes if scope not in told]:
        step.change(warned=" ".join((notice.day, *told, *new)))
        step.tell(notice.text[:1].upper() + notice.text[1:])
