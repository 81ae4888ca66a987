"""Talk: people to the persona, the persona's replies, and the tools in between."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from bot.core import failures, tools
from bot.core.commands import suggested
from bot.core.draft import Draft
from bot.core.model import (
    Answer,
    Call,
    Decide,
    Entry,
    Gate,
    Line,
    LoadResource,
    ModelFailed,
    ModelReplied,
    Option,
    ResourceLoaded,
    Run,
    Said,
    Tools,
    Waiting,
)
from bot.core.modes import gates
from bot.core.text import own_words
from bot.personas.model import Cast, Persona

PEOPLE = 20
"""So many names of people are remembered, for the guard against a model that speaks for them."""

MARKS = {
    "max_tokens": "_(cut: the reply reached its length limit)_",
    "cut": "_(cut: the connection to the model broke)_",
    "model_context_window_exceeded": "_(cut: the conversation has filled the model's context)_",
    "refusal": "_(the model declined to go on)_",
    "pause_turn": "_(the model paused here; write to go on)_",
}
"""What is put under a reply that did not end by itself."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""What the Messages API takes as the id and the name of a tool call."""

# ---------------------------------------------------------------- people


def talk(draft: Draft, lines: tuple[Line, ...], event: Said) -> None:
    """Plain text: an answer to the question that waits, a command named without its prefix, or talk."""
    persona = draft.persona
    if persona is None:
        nobody(draft, lines, event)
        return
    gate = draft.session.gate
    held: tuple[Line, ...] = ()
    if gate and gate.call:
        answered_in_words(draft, lines, event)
        return
    if gate:
        held = gate.said
        gates.withdraw(draft)
    found = suggested(lines[0].text, persona) if len(lines) == 1 and not held else ()
    if found:
        options = tuple(Option(f"Run *{c.name}", Run(c.name)) for c in found[:8])
        gate = Gate("run", "", said=lines)
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
    """Put what people said into the log."""
    people = list(draft.session.people)
    for line in lines:
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
    said = "\n".join(f"{line.name}: {line.text}" for line in lines)
    draft.open_gate()
    _answer_call(draft, gate.call, f"They answered in their own words:\n{said}")
    advance(draft)


def chosen(draft: Draft, gate: Gate, answer: Answer, name: str) -> None:
    """Somebody chose an option of the model's question."""
    draft.open_gate()
    draft.tell(f"{name} chose: {answer.text}")
    _answer_call(draft, gate.call, f"{name} chose: {answer.text}")
    advance(draft)


def declined(draft: Draft, gate: Gate, name: str) -> None:
    """Somebody decided against a command: talk it is, or nothing at all."""
    draft.open_gate()
    if gate.call:
        draft.tell(f"{name} chose to go on talking.")
        _answer_call(draft, gate.call, f"{name} decided not to run it and wants to go on talking.")
        advance(draft)
    elif gate.said:
        hear(draft, gate.said)
        draft.ask()
    else:
        draft.tell("Nothing was done.")


def requested(draft: Draft, persona: Persona, name: str, args: str, line: str) -> None:
    """A command that no task stands behind: the persona answers it, as a request in words."""
    command = persona.command(name)
    what = f" ({command.description})" if command and command.description else ""
    wish = f"{line} asks for your command *{name}{what}{': ' + args if args else ''}"
    draft.note(Entry("note", persona.id, wish))
    draft.ask()


# ---------------------------------------------------------------- the model


def replied(draft: Draft, event: ModelReplied) -> None:
    """What the model said, as people get to see it, and the tool calls in it."""
    waiting = draft.session.waiting
    if waiting is None:
        return
    draft.change(waiting=None)
    persona = draft.cast.persona(waiting.who)
    blocks = _blocks(event.content)
    calls = _calls(blocks) if event.stop == "tool_use" else ()
    raw = "".join(b["text"] for b in blocks if b["type"] == "text")
    words = own_words(raw, *speakers(draft.cast, waiting.who, draft.session.people), finished=True)
    kept = [b for b in blocks if b["type"] != "tool_use" or any(b["id"] == c.id for c in calls)]
    if any(b["type"] in ("text", "tool_use") for b in kept):
        content = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
        draft.note(Entry("reply", waiting.who, words, name=persona.name if persona else waiting.who, content=content))
    mark = f"_(stopped by {event.by})_" if event.stop == "stopped" else MARKS.get(event.stop, "")
    if words:
        draft.say(f"{words}\n\n{mark}" if mark else words, completes=event.ask, who=waiting.who)
    elif mark:
        draft.tell(mark)
    elif raw.strip():
        draft.tell(f"{draft.voice(waiting.who).name} spoke only for somebody else, so nothing of it is posted.")
    elif not calls:
        draft.tell(f"{draft.voice(waiting.who).name} had nothing to say. Ask again, or in other words.")
    if not calls:
        draft.change(tools=None)
        return
    draft.change(tools=Tools(calls, (draft.session.tools.round if draft.session.tools else 0) + 1))
    advance(draft)


def failed(draft: Draft, event: ModelFailed) -> None:
    """No reply came: one line says why and what to do."""
    draft.change(waiting=None, tools=None)
    draft.tell(failures.line(event.reason, event.detail))


def speakers(cast: Cast, who: str, people: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that `who` may speak under, and those that it may not."""
    persona = cast.persona(who)
    own = (persona.name, persona.id) if persona else (who,)
    return own, (*(p.name for p in cast.personas), *people)


def _blocks(content: str) -> list[dict[str, Any]]:
    """The blocks of `content` that can be sent back to the API: whatever else a model sent is dropped."""
    try:
        given = json.loads(content)
    except ValueError:
        given = []
    whole = [b for b in given if isinstance(b, dict) and _is_whole(b)] if isinstance(given, list) else []
    first = {b["id"]: position for position, b in reversed(list(enumerate(whole))) if b["type"] == "tool_use"}
    return [b for position, b in enumerate(whole) if b["type"] != "tool_use" or first[b["id"]] == position]


def _is_whole(block: dict[str, Any]) -> bool:
    match block.get("type"):
        case "text":
            return isinstance(block.get("text"), str) and bool(block["text"].strip())
        case "thinking":
            return isinstance(block.get("thinking"), str) and bool(block.get("signature"))
        case "redacted_thinking":
            return isinstance(block.get("data"), str)
        case "tool_use":
            named = all(isinstance(block.get(key), str) and _NAME.fullmatch(block[key]) for key in ("id", "name"))
            return named and isinstance(block.get("input"), dict)
        case _:
            return False


def _calls(blocks: list[dict[str, Any]]) -> tuple[Call, ...]:
    made = {b["id"]: b for b in blocks if b["type"] == "tool_use"}
    return tuple(Call(i, b["name"], json.dumps(b["input"], ensure_ascii=False)) for i, b in made.items())


# ---------------------------------------------------------------- the tool loop


def advance(draft: Draft) -> None:
    """Carry out the open calls in order; when all are answered, ask the model again, `ROUNDS` times at most."""
    while draft.session.tools and draft.session.tools.calls:
        call = draft.session.tools.calls[0]
        persona = draft.persona
        match tools.read(call) if persona else tools.Malformed("The persona is gone."):
            case tools.Asked(question, options):
                _rest_is_not_run(draft, call)
                choices = tuple(Option(text, Answer(text)) for text in options)
                draft.halt(Gate("ask", "", call=call.id), choices, question)
                return
            case tools.Proposed(command, args) if persona and (known := persona.command(command)):
                _rest_is_not_run(draft, call)
                run = Option(f"Run *{known.name}{' ' + args if args else ''}", Run(known.name, args), known.description)
                gate = Gate("propose", "", known.name, args, call.id)
                draft.halt(
                    gate, (run, Option("Just talk", Decide("no"))), "There is a command for that. Shall I run it?"
                )
                return
            case tools.Proposed(command, _):
                _answer_call(draft, call.id, f"Refused: you have no command named {command!r}.")
            case tools.Wanted(name, _) if persona and (found := draft.cast.resource(persona, name)):
                if not any(d.stem == found.stem for d in persona.dependencies):
                    _answer_call(draft, call.id, f"Refused: {name!r} is not one of your resources.")
                    continue
                draft.say(f"_Loading {found.kind}/{found.name}_")
                draft.change(waiting=Waiting(persona.id, "resource"))
                draft.request = LoadResource(persona.id, found.kind, found.name)
                return
            case tools.Wanted(name, _):
                _answer_call(draft, call.id, f"There is no resource named {name!r} in the library.")
            case tools.Malformed(why):
                _answer_call(draft, call.id, f"Refused: {why}")
    _next_round(draft)


def loaded(draft: Draft, event: ResourceLoaded) -> None:
    """The resource that a call wanted has been read, or not."""
    state = draft.session.tools
    draft.change(waiting=None)
    if state is None or not state.calls:
        return
    call = state.calls[0]
    wanted = tools.read(call)
    start = wanted.start if isinstance(wanted, tools.Wanted) else 0
    text = f"It could not be read: {event.problem}" if event.text is None else tools.part(event.text, start)
    _answer_call(draft, call.id, text)
    advance(draft)


def _next_round(draft: Draft) -> None:
    if draft.session.tools is None:
        return
    if draft.session.tools.round >= tools.ROUNDS:
        draft.change(tools=None)
        draft.tell(f"{draft.voice().name} used tools {tools.ROUNDS} times in a row and was halted. Write to go on.")
        return
    draft.ask("tools")


def _rest_is_not_run(draft: Draft, call: Call) -> None:
    """A halt ends the round: calls behind it are answered, so that only the one that waits stays open."""
    state = draft.session.tools
    if state is None:
        return
    for other in state.calls:
        if other.id != call.id:
            draft.note(Entry("result", draft.session.active, "Not run: people were asked first.", call=other.id))
    draft.change(tools=replace(state, calls=(call,)))


def _answer_call(draft: Draft, call_id: str, result: str) -> None:
    state = draft.session.tools
    if state is None:
        return
    draft.note(Entry("result", draft.session.active, result, call=call_id))
    draft.change(tools=replace(state, calls=tuple(c for c in state.calls if c.id != call_id)))
