"""Talk: people to the persona, the persona's replies, and the tools in between."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from bot.core import content, failures
from bot.core import speakers as labels
from bot.core.commands import suggested
from bot.core.draft import Draft
from bot.core.events import Line, ModelFailed, ModelReplied, Said
from bot.core.model import HOST, Answer, Decide, Option, Run
from bot.core.modes import compaction, files, gates, tooluse
from bot.core.session import Gate, Unfinished
from bot.core.steps import Entry
from bot.core.voices import Names, quoted
from bot.personas.model import Cast, Persona

PEOPLE = 20
"""So many names of people are remembered, for the guard against a model that speaks for them."""

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

# ---------------------------------------------------------------- people


def talk(draft: Draft, lines: tuple[Line, ...], event: Said) -> None:
    """Plain text: an answer to the question that waits, a command named without its prefix, or talk."""
    persona = draft.persona
    if persona is None:
        nobody(draft, lines, event)
        return
    if refusal := files.declined(lines):
        draft.tell(refusal, quotes=lines[0])
    sent = files.readable(lines)
    if not sent and not any(line.text.strip() for line in lines):
        hear(draft, lines)
        return
    if files.are_too_long(lines):
        asked_about_files(draft, lines)
        return
    gate = draft.session.gate
    if gate:
        draft.decided(*lines)
    held: tuple[Line, ...] = ()
    if gate and gate.call:
        answered_in_words(draft, lines, event)
        return
    if gate:
        held = files.held(gate)
        gates.withdraw(draft)
    found = suggested(lines[0].text, persona) if len(lines) == 1 and not held and not sent else ()
    if found:
        options = tuple(Option(f"Run *{c.name}", Run(c.name)) for c in found[:8])
        gate = Gate("run", "", said=files.with_texts(lines))
        draft.halt(gate, (*options, Option("Just talk", Decide("no"))), "Shall I run that, or do you want to talk?")
        return
    hear(draft, (*held, *lines))
    draft.ask()


def nobody(draft: Draft, lines: tuple[Line, ...], event: Said) -> None:
    """Text where no persona is on: a hint for whoever meant the bot, silence in a channel."""
    lost = draft.session.active
    if lost:
        draft.tell(f"`{lost}` {failures.line('gone').removeprefix('That persona ')}")
    elif event.direct or any(line.addressed for line in lines):
        draft.tell("Nobody is on yet. `*help` shows who is here and how this works; `*` and a name calls them.")


def hear(draft: Draft, lines: tuple[Line, ...]) -> None:
    """Put what people said into the log, with what their files say."""
    people = list(draft.session.people)
    for line in files.with_texts(lines):
        draft.note(Entry("said", line.user, line.text, name=line.name, id=line.id))
        if line.name in people:
            people.remove(line.name)
        people.append(line.name)
    draft.change(people=tuple(people[-PEOPLE:]))


def answered_in_words(draft: Draft, lines: tuple[Line, ...], event: Said) -> None:
    """Free text while the model's question waits: its answer, if its author can have seen the question."""
    gate = draft.session.gate
    if gate is None:
        return
    hear(draft, lines)
    if gate.menu not in event.seen:
        draft.repeat(gate.menu, "I had just asked something; please choose, or answer in your own words:")
        return
    draft.open_gate()
    tooluse.answer(draft, gate.call, "They answered in their own words: what stands last below.")
    tooluse.advance(draft)


def chosen(draft: Draft, gate: Gate, answer: Answer, by: Line) -> None:
    """Somebody chose an option of the model's question."""
    draft.open_gate()
    tooluse.answer(draft, gate.call, f"{by.name} chose: {answer.text}", by)
    tooluse.advance(draft)


def declined(draft: Draft, gate: Gate, by: Line) -> None:
    """Somebody decided against a command: talk it is, or nothing at all."""
    draft.open_gate()
    if gate.call:
        tooluse.answer(draft, gate.call, f"{by.name} decided not to run it and wants to go on talking.", by)
        tooluse.advance(draft)
    elif gate.said:
        answer_held(draft, files.held(gate))
    else:
        draft.tell("Nothing was done.")


def answer_held(draft: Draft, lines: tuple[Line, ...]) -> None:
    """What a gate held back is to be answered now, unless it was deleted meanwhile."""
    if not lines:
        draft.tell("That message was deleted meanwhile, so there is nothing to answer.")
        return
    hear(draft, lines)
    draft.ask()


# ---------------------------------------------------------------- files


def asked_about_files(draft: Draft, lines: tuple[Line, ...]) -> None:
    """What came with the message is too long: nobody is asked for an answer before people have said what to take."""
    gate = draft.session.gate
    if gate and gate.call:
        gates.leave(draft, "files came that are too long, and people are asked first what to take of them")
    elif gate:
        gates.withdraw(draft)
        hear(draft, files.held(gate))
    files.ask_first(draft, lines)


def decided_on_files(draft: Draft, gate: Gate, choice: Literal["yes", "no", "drop"]) -> None:
    """Somebody said what to do with files that are too long: take their beginning, answer without them, or neither."""
    draft.open_gate()
    if choice == "drop":
        draft.tell("Nothing of it was taken.")
    else:
        answer_held(draft, files.held(gate, whole=choice == "yes"))


def came_along(draft: Draft, line: Line) -> None:
    """The files of a command's message, once that was run: they are for whoever is on now.

    Nobody is asked about long ones here, since the command may wait for an answer of its own.
    """
    if not line.files:
        return
    if draft.persona is None:
        draft.tell(f"Nobody is on to read {files.listed(line.files)}. Send it again when somebody is.", quotes=line)
        return
    only = (replace(line, text=""),)
    found = files.readable(only)
    told = [files.declined(only)]
    if files.are_too_long(only):
        told.append(f"{files.listed(found)}: too long to be taken with a command. Send it by itself, then choose.")
        hear(draft, files.with_names(only, "; not read, since it is too long"))
    else:
        told += [f"I have read {files.listed(found)}."] if found else []
        hear(draft, only)
    draft.tell(" ".join(part for part in told if part), quotes=line)


def passed_over(draft: Draft, line: Line) -> None:
    """Files came with a number, which chooses and nothing else."""
    if line.files:
        draft.tell(f"A number only chooses: {files.listed(line.files)} was not looked at.", quotes=line)


def requested(draft: Draft, persona: Persona, name: str, args: str, by: Line) -> None:
    """A command that no task stands behind: the persona answers it, as a request in words.

    `by` asks for it; its id is that of the message that `args` are from.
    """
    command = persona.command(name)
    what = f" ({command.description})" if command and command.description else ""
    wish = f"{by.name} asks for your command *{name}{what}{': ' + args if args else ''}"
    draft.note(Entry("note", persona.id, wish, by.name, id=by.id if args else "", user=by.user))
    draft.ask()


# ---------------------------------------------------------------- the model


def replied(draft: Draft, event: ModelReplied) -> None:
    """What the model said, as people get to see it, and the tool calls in it."""
    waiting = draft.session.waiting
    if waiting is None:
        return
    draft.change(waiting=None)
    if waiting.purpose == compaction.PURPOSE:
        compaction.summed_up(draft, waiting.who, event)
        return
    persona = draft.cast.persona(waiting.who)
    whole = content.blocks(event.content)
    calls = content.calls(whole) if event.stop == "tool_use" else ()
    raw = content.text(whole)
    words = quoted(raw, speakers(draft.cast, waiting.who, draft.session.people)).markdown
    if kept := content.written(b for b in whole if b["type"] != "tool_use" or calls):
        # A person may have had the name before the persona was there.
        name = labels.apart(persona.name if persona else waiting.who, (s.name for s in draft.session.speakers))
        draft.note(Entry("reply", waiting.who, words, name=name, content=kept))
    mark = f"_(stopped by {labels.label(event.by)})_" if event.stop == "stopped" else MARKS.get(event.stop, "")
    if words:
        draft.say(f"{words}\n\n{mark}" if mark else words, completes=event.ask, who=waiting.who)
    elif mark:
        draft.tell(mark)
    elif not calls:
        draft.tell(f"{draft.voice(waiting.who).name} had nothing to say. Ask again, or in other words.")
    draft.change(unfinished_reply=Unfinished(waiting.who, "cut") if mark else None)
    if event.notice and draft.session.warned != event.notice.day:
        draft.change(warned=event.notice.day)
        draft.tell(event.notice.text[:1].upper() + event.notice.text[1:])
    if calls:
        tooluse.begin(draft, calls)
        return
    draft.change(tools=None)
    if event.crowded and words:
        compaction.begin(draft, waiting.who)


def failed(draft: Draft, event: ModelFailed) -> None:
    """No reply came: one line says why and what to do."""
    waiting = draft.session.waiting
    if waiting and waiting.purpose == compaction.PURPOSE:
        compaction.failed(draft)
        return
    unfinished = Unfinished(waiting.who, "failed") if waiting else draft.session.unfinished_reply
    draft.change(waiting=None, tools=None, unfinished_reply=unfinished)
    if event.notice is None:
        draft.tell(failures.line(event.reason, event.detail))
    elif draft.session.over != event.notice.day:
        draft.change(over=event.notice.day)
        draft.tell(f"{failures.line(event.reason)} {event.notice.text[:1].upper()}{event.notice.text[1:]}")


def go_on(draft: Draft) -> None:
    """`*continue`: the rest of a reply that was cut or stopped."""
    if _how_it_ended(draft) != "cut":
        draft.tell("There is no cut reply to go on from.")
        return
    draft.note(
        Entry("note", draft.session.active, "Go on exactly where your last message ended; repeat nothing of it.")
    )
    draft.ask()


def once_more(draft: Draft) -> None:
    """`*retry`: the same question again, after a reply that failed, was cut or was stopped."""
    how = _how_it_ended(draft)
    if not how:
        draft.tell("There is nothing to try again: no reply of whoever is on broke off.")
        return
    if how == "cut":
        draft.note(
            Entry("note", draft.session.active, "Your last message was cut off. Answer again, from the beginning.")
        )
    draft.ask()


def _how_it_ended(draft: Draft) -> Literal["", "failed", "cut"]:
    """How the last reply of whoever is on broke off; empty where it ended by itself, or none was asked for."""
    unfinished = draft.session.unfinished_reply
    return unfinished.how if unfinished and draft.persona and unfinished.who == draft.session.active else ""


def speakers(cast: Cast, who: str, people: tuple[str, ...]) -> Names:
    """The names that `who` may speak under, and those of everybody else: people, the cast, the host."""
    persona = cast.persona(who)
    own = (persona.name, persona.id, persona.title, persona.icon) if persona else (who,)
    return Names.of(own, people, (HOST.name,), folded=cast.labels)
