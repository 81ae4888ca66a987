"""The tool loop: call after call, a halt where people are asked, and back to the model, so many times and no more."""

from __future__ import annotations

from dataclasses import replace

from bot.core import tools
from bot.core.draft import Draft
from bot.core.events import Line, ResourceLoaded
from bot.core.model import Answer, Decide, Option, Run
from bot.core.session import Call, Gate, Tools, Waiting
from bot.core.steps import Entry, LoadResource


def begin(draft: Draft, calls: tuple[Call, ...]) -> None:
    """Take up the calls of a reply; of more than `tools.CALLS`, those behind are refused.

    All calls of a reply need a result, or the API would refuse the conversation from then on.
    """
    before = draft.session.tools
    refused = f"Refused: of the calls of one reply only the first {tools.CALLS} are carried out."
    for call in calls[tools.CALLS :]:
        draft.note(Entry("result", draft.session.active, refused, call=call.id))
    draft.change(tools=Tools(calls[: tools.CALLS], (before.round if before else 0) + 1))
    advance(draft)


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
                answer(draft, call.id, f"Refused: you have no command named {command!r}.")
            case tools.Wanted(name, _) if persona and (found := draft.cast.resource(persona, name)):
                if not any(d.stem == found.stem for d in persona.dependencies):
                    answer(draft, call.id, f"Refused: {name!r} is not one of your resources.")
                    continue
                draft.say(f"_Loading {found.kind}/{found.name}_")
                draft.change(waiting=Waiting(persona.id, "resource"))
                draft.request = LoadResource(persona.id, found.kind, found.name)
                return
            case tools.Wanted(name, _):
                answer(draft, call.id, f"There is no resource named {name!r} in the library.")
            case tools.Malformed(why):
                answer(draft, call.id, f"Refused: {why}")
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
    answer(draft, call.id, text)
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


def answer(draft: Draft, call_id: str, result: str, by: Line | None = None) -> None:
    """Give an open call its result; `by` is whom it names."""
    state = draft.session.tools
    if state is None:
        return
    user, name = (by.user, by.name) if by else ("", "")
    draft.note(Entry("result", draft.session.active, result, name, call=call_id, user=user))
    draft.change(tools=replace(state, calls=tuple(c for c in state.calls if c.id != call_id)))
