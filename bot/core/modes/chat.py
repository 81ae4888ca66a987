"""Talk: people to the persona that is on, and what it replies, outside of any work."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, assert_never

from bot.core import asks, failures, replies, works
from bot.core.commands import suggested
from bot.core.events import ModelFailed, ModelReplied, Notice, Said, Utterance
from bot.core.gates import AskGate, ExitGate, FileGate, HostGate, ProposeGate, RunGate, call_of, withdrawn
from bot.core.model import Answer, Decide, Option, Run
from bot.core.modes import activation, files, finding, tooluse
from bot.core.session import Unfinished, Waiting
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry
from bot.personas.model import Persona

OWNER = "chat"

PEOPLE = 20
"""So many names of people are remembered, for the guard against a model that speaks for them."""

# ---------------------------------------------------------------- people


def talk(step: StepBuilder, lines: tuple[Utterance, ...], event: Said) -> None:
    """Plain text: an answer to the question that waits, a command named without its prefix, or talk."""
    persona = step.persona
    if persona is None:
        nobody(step, lines, event)
        return
    if refusal := files.declined(lines):
        step.tell(refusal, quotes=lines[0])
    sent = files.readable(lines)
    if not sent and not any(line.text.strip() for line in lines):
        hear(step, lines)
        return
    if files.are_too_long(lines):
        asked_about_files(step, lines)
        return
    gate = step.session.gate
    if gate is not None:
        step.decided(*lines)
    if gate is not None and call_of(gate):
        answered_in_words(step, lines, event)
        return
    held = files.held(gate)
    withdraw(step)
    found = suggested(lines[0].text, persona) if len(lines) == 1 and not held and not sent else ()
    if found:
        options = tuple(Option(f"Run *{c.name}", Run(c.name)) for c in found[:8])
        gate = RunGate(persona.id, files.with_texts(lines))
        step.halt(gate, (*options, Option("Just talk", Decide("no"))), "Shall I run that, or do you want to talk?")
        return
    say_for(step, (*held, *lines))


def withdraw(step: StepBuilder) -> None:
    """Something else was said while a confirmation waited: say in one line that it is off."""
    gate = step.session.gate
    if isinstance(gate, HostGate) and (told := withdrawn(gate)):
        if isinstance(gate, ExitGate):
            activation.stays(step)
        step.open_gate()
        step.say(told, who=gate.who)


def say_for(step: StepBuilder, lines: tuple[Utterance, ...]) -> None:
    """These words are for the persona that is on: keep them, and let it answer."""
    hear(step, lines)
    asks.ask(step)


def nobody(step: StepBuilder, lines: tuple[Utterance, ...], event: Said) -> None:
    """Text where no persona is on: suggestions for whoever meant the bot, silence in a channel."""
    lost = step.session.active
    if lost:
        step.tell(f"`{lost}` {failures.line('gone').removeprefix('That persona ')}")
    elif event.direct or any(line.addressed for line in lines):
        finding.suggest(step, lines)


def hear(step: StepBuilder, lines: tuple[Utterance, ...]) -> None:
    """Put what people said into the log, with what their files say."""
    people = list(step.session.people)
    for line in files.with_texts(lines):
        step.note(Entry("said", line.user, line.text, name=line.name, id=line.id))
        if line.name in people:
            people.remove(line.name)
        people.append(line.name)
    step.change(people=tuple(people[-PEOPLE:]))


def answered_in_words(step: StepBuilder, lines: tuple[Utterance, ...], event: Said) -> None:
    """Free text while the model's question waits: its answer, if its author can have seen the question.

    Whoever routes here goes on with the calls.
    """
    gate = step.session.gate
    if gate is None or not (call := call_of(gate)):
        return
    hear(step, lines)
    if gate.menu not in event.seen:
        step.repeat(gate.menu, "I had just asked something; please choose, or answer in your own words:")
        return
    step.open_gate()
    tooluse.answer(step, call, "They answered in their own words: what stands last below.")


def decided(
    step: StepBuilder, gate: RunGate | FileGate | AskGate | ProposeGate, option: Option, line: Utterance
) -> bool:
    """A human chose an option at a gate of the talk. True where its command is still to be run."""
    match gate:
        case FileGate():
            step.open_gate()
            decided_on_files(step, gate, option)
        case AskGate(call=call):
            step.open_gate()
            chosen = option.action.text if isinstance(option.action, Answer) else option.label
            tooluse.answer(step, call, f"{line.name} chose: {chosen}", line)
        case ProposeGate(call=call) if isinstance(option.action, Run):
            works.close_calls(step, f"{line.name} chose to run *{option.action.command}.", line)
            step.open_gate()
            return True
        case ProposeGate(call=call):
            step.open_gate()
            tooluse.answer(step, call, f"{line.name} decided not to run it and wants to go on talking.", line)
        case RunGate() if isinstance(option.action, Run):
            step.open_gate()
            return True
        case RunGate():
            step.open_gate()
            answer_held(step, files.held(gate))
        case _:
            assert_never(gate)
    return False


def answer_held(step: StepBuilder, lines: tuple[Utterance, ...]) -> None:
    """What a gate held back is to be answered now, unless it was deleted meanwhile."""
    if not lines:
        step.tell("That message was deleted meanwhile, so there is nothing to answer.")
        return
    hear(step, lines)
    asks.ask(step)


# ---------------------------------------------------------------- files


def asked_about_files(step: StepBuilder, lines: tuple[Utterance, ...]) -> None:
    """What came with the message is too long: nobody is asked for an answer before people have said what to take."""
    gate = step.session.gate
    if gate is not None and call_of(gate):
        works.close(step, "files came that are too long, and people are asked first what to take of them")
    elif gate is not None:
        withdraw(step)
        hear(step, files.held(gate))
    files.ask_first(step, lines)


def decided_on_files(step: StepBuilder, gate: FileGate, option: Option) -> None:
    """Somebody said what to do with files that are too long: take their beginning, answer without them, or neither."""
    if option.action == Decide("drop"):
        step.tell("Nothing of it was taken.")
    else:
        answer_held(step, files.held(gate, whole=option.action == Decide("yes")))


def came_along(step: StepBuilder, line: Utterance) -> None:
    """The files of a command's message, once that was run: they are for whoever is on now.

    Nobody is asked about long ones here, since the command may wait for an answer of its own.
    """
    if not line.files:
        return
    if step.persona is None:
        step.tell(f"Nobody is on to read {files.listed(line.files)}. Send it again when somebody is.", quotes=line)
        return
    only = (replace(line, text=""),)
    found = files.readable(only)
    told = [files.declined(only)]
    if files.are_too_long(only):
        told.append(f"{files.listed(found)}: too long to be taken with a command. Send it by itself, then choose.")
        hear(step, files.with_names(only, "; not read, since it is too long"))
    else:
        told += [f"I have read {files.listed(found)}."] if found else []
        hear(step, only)
    step.tell(" ".join(part for part in told if part), quotes=line)


def passed_over(step: StepBuilder, line: Utterance) -> None:
    """Files came with a number, which chooses and nothing else."""
    if line.files:
        step.tell(f"A number only chooses: {files.listed(line.files)} was not looked at.", quotes=line)


def requested(step: StepBuilder, persona: Persona, name: str, args: str, by: Utterance) -> None:
    """A command that no task stands behind: the persona answers it, as a request in words.

    `by` asks for it; its id is that of the message that `args` are from.
    """
    command = persona.command(name)
    what = f" ({command.description})" if command and command.description else ""
    wish = f"{by.name} asks for your command *{name}{what}{': ' + args if args else ''}"
    step.note(Entry("note", persona.id, wish, by.name, id=by.id if args else "", user=by.user))
    asks.ask(step)


# ---------------------------------------------------------------- the model


def result(step: StepBuilder, waiting: Waiting, event: ModelReplied | ModelFailed) -> None:
    """What the model said, as people get to see it, and the tool calls in it; or why nothing came."""
    match event:
        case ModelFailed():
            failed(step, waiting, event)
        case ModelReplied():
            heard = replies.take(step, waiting, event)
            if heard.calls:
                tooluse.begin(step, waiting, heard.calls)
            else:
                step.change(tools=None)
        case _:
            assert_never(event)


def rest(step: StepBuilder, why: str) -> None:
    """A loop of tool calls ended without a reply, for that reason: people have the floor."""
    if why:
        step.tell(f"{why}. Write to go on.")


def failed(step: StepBuilder, waiting: Waiting, event: ModelFailed) -> None:
    """No reply came: one line says why and what to do."""
    step.change(tools=None, unfinished_reply=Unfinished(waiting.who, "failed", waiting.owner))
    tell_failure(step, event)


def tell_failure(step: StepBuilder, event: ModelFailed) -> None:
    """The line on a reply that did not come; that a budget is used up, or too little is left, is said once a day.

    What a call has used although it failed may come near a budget, which is said below.
    """
    match event.reason, event.notice:
        case "budget", Notice(day) if step.session.over == day:
            pass
        case "budget-short", Notice(day) if step.session.over in (day, f"{day} short"):
            pass
        case "budget" | "budget-short", Notice(day, text):
            step.change(over=day if event.reason == "budget" else f"{day} short")
            step.tell(f"{failures.line(event.reason)} {text[:1].upper()}{text[1:]}")
        case _:
            step.tell(failures.line(event.reason, event.detail))
            replies.warn(step, event.notice)


def go_on(step: StepBuilder) -> None:
    """`*continue`: the rest of a reply that was cut or stopped."""
    if _how_it_ended(step) != "cut":
        step.tell("There is no cut reply to go on from.")
        return
    words = "Go on exactly where your last message ended; repeat nothing of it."
    step.note(Entry("note", step.session.active, words))
    asks.ask(step)


def once_more(step: StepBuilder) -> None:
    """`*retry`: the same question again, after a reply that failed, was cut or was stopped."""
    how = _how_it_ended(step)
    if not how:
        step.tell("There is nothing to try again: no reply of whoever is on broke off.")
        return
    if how == "cut":
        words = "Your last message was cut off. Answer again, from the beginning."
        step.note(Entry("note", step.session.active, words))
    asks.ask(step)


def _how_it_ended(step: StepBuilder) -> Literal["", "failed", "cut"]:
    """How the last reply of whoever is on broke off; empty where it ended by itself, or none was asked for."""
    last = step.session.unfinished_reply
    return last.how if last and step.persona and last.who == step.session.active else ""
