"""Works: begun, nested, paused, resumed, ended. Whatever kind of work it is, this is the same for all.

`Session.work` is a stack: the last does its part for the one before it, and what it comes to goes back there. A pause
takes the whole stack aside. After every turn a work rests at a gate of its own, or before a link that is due, or its
mode says that people have the floor (`is_at_rest`).
"""

from __future__ import annotations

from bot.core.coming_on import come_on
from bot.core.events import GaveUp, Handed, Resumed, Utterance
from bot.core.gates import is_of_work
from bot.core.model import Option, Run
from bot.core.modes.mode import Registry, Returned
from bot.core.session import Session, Work
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry

DEPTH = 3
"""So deep works nest: a task, its checklist, a document of that."""

PAUSED = 5
"""So many stacks of works may be paused in a conversation."""

HANDED = 50
"""So many hand-overs are remembered, against one that comes again."""


def top(session: Session) -> Work | None:
    """The work that is being done; None where there is none."""
    return session.work[-1] if session.work else None


def begin(step: StepBuilder, work: Work) -> bool:
    """Begin a work, for the one that is being done if there is one. False, told, where works would nest too deep."""
    if len(step.session.work) >= DEPTH:
        step.tell(f"Works can only be {DEPTH} deep: {work.title} was not begun.")
        return False
    step.change(work=(*step.session.work, work))
    return True


def change(step: StepBuilder, work: Work) -> None:
    """Give the work on top another state. Raises ValueError where that is not of the same work."""
    now = top(step.session)
    if now is None or now.id != work.id:
        raise ValueError(f"the work on top is {now.id if now else 'none'}, not {work.id}")
    step.change(work=(*step.session.work[:-1], work))


def end(step: StepBuilder, why: str) -> None:
    """End the work on top, for that reason, and give what it came to back to the one below it."""
    work = top(step.session)
    if work is None:
        return
    close(step, why)
    step.modes.of(work).left(step, work, why)
    step.change(work=step.session.work[:-1])
    below = top(step.session)
    if below is not None:
        step.modes.of(below).result(step, below, Returned(why, work), "work")


def close(step: StepBuilder, why: str) -> None:
    """Close whatever is waited for. Every open tool call gets a result, or the API refuses the talk for ever.

    A link that was due no longer is: a work that goes on stands again first.
    """
    close_calls(step, f"Not run: {why}.")
    step.change(waiting=None, due="")
    step.open_gate()


def close_calls(step: StepBuilder, result: str, by: Utterance | None = None) -> None:
    """Answer all open tool calls with `result`, and end the loop; `by` is whom it names."""
    user, name = (by.user, by.name) if by else ("", "")
    tools = step.session.tools
    if tools is None:
        return
    for call in tools.calls:
        step.note(Entry("result", tools.who, result, name, call=call.id, user=user))
    step.change(tools=None)


# ---------------------------------------------------------------- pausing


def pause(step: StepBuilder, why: str) -> bool:
    """Put what is being done aside, said. False, told, where as many are paused as may be; nothing changes then."""
    session = step.session
    work = top(session)
    if work is None:
        return True
    if len(session.paused) >= PAUSED:
        step.tell(
            f"{len(session.paused)} works are paused already, and {work.title} would be one more. "
            "`*resume` shows them: go on with one and finish or leave it first."
        )
        return False
    close(step, why)
    step.change(work=(), paused=(session.work, *session.paused))
    step.tell(f"{work.title} is paused. `*resume` goes on with it.")
    return True


def resume(step: StepBuilder, args: str) -> None:
    """`*resume [number]`: go on with what was paused; a list where several are."""
    paused = step.session.paused
    if not paused:
        step.tell("Nothing is paused.")
        return
    wanted = args.strip()
    if not wanted and len(paused) > 1:
        options = tuple(Option(f"{_title(step.modes, works)}", Run("resume", works[-1].id)) for works in paused)
        step.tell("Which one shall go on?", step.menu(options, prompt="Pick a number."))
        return
    found = _found(paused, wanted)
    if found is None:
        step.tell(f"No work `{wanted}` is paused. `*resume` shows what is.")
        return
    rest = tuple(works for works in paused if works is not found)
    aside = step.session.work
    close(step, "a paused work goes on")
    if aside:
        # One takes the other's place, so there is always room.
        step.tell(f"{aside[-1].title} is paused. `*resume` goes on with it.")
        rest = (aside, *rest)
    step.change(work=found, paused=rest)
    step.modes.of(found[-1]).taken_up(step, found[-1])


def _found(paused: tuple[tuple[Work, ...], ...], wanted: str) -> tuple[Work, ...] | None:
    if not wanted:
        return paused[0]
    if wanted.isdecimal() and 1 <= int(wanted) <= len(paused):
        return paused[int(wanted) - 1]
    return next((works for works in paused if works[-1].id == wanted), None)


def _title(modes: Registry, works: tuple[Work, ...]) -> str:
    return modes.of(works[-1]).status(works[-1])


def stand(step: StepBuilder) -> None:
    """Show again what the work on top waits for, at a gate of its own; not while another question stands."""
    work = top(step.session)
    if work is not None and step.session.gate is None:
        step.modes.of(work).stands(step, work)


def command(step: StepBuilder, word: str, args: str, line: Utterance) -> bool:
    """A command of the host, for the work on top; False where there is none, or it does not take the command."""
    work = top(step.session)
    return work is not None and step.modes.of(work).command(step, work, word, args, line)


def come_to_rest(step: StepBuilder) -> None:
    """Let the work on top stand again where a step would leave it with nothing that can bring it on.

    That is so where its model's call was answered by a command that only looks, or where a result was not its own.
    """
    session, work = step.session, top(step.session)
    is_busy = session.waiting is not None or session.tools is not None or step.request is not None
    if work is None or is_busy or session.gate is not None or session.due:
        return
    if not step.modes.of(work).floor_is_open(work):
        stand(step)


# ---------------------------------------------------------------- links and hand-overs


def resumed(step: StepBuilder, event: Resumed) -> None:
    """The next link of a chain; one that is not due (any more) does nothing."""
    work, due = top(step.session), step.session.due
    if work is None or not due or event.tag != due:
        return
    step.change(due="")
    step.modes.of(work).resumed(step, work, link_of(event.tag))


def link(work: Work, name: str) -> str:
    """The tag of a work's link of that name."""
    return f"{work.id}:{name}"


def link_of(tag: str) -> str:
    """The name of the link that a tag is of."""
    return tag.rpartition(":")[2]


def handed(step: StepBuilder, event: Handed) -> None:
    """A work comes from the channel above: its persona comes on here without a greeting, and begins it, once.

    What is said in its thread is for it, also where a conversation listens to mentions alone: somebody has called it.
    """
    if event.key in step.session.handed:
        return
    step.change(handed=(*step.session.handed, event.key)[-HANDED:], called=True)
    persona = step.cast.persona(event.persona)
    mode = step.modes.begun_by(event.command)
    if persona is None or mode is None:
        gone = f"`{event.persona}` is no longer in the library" if persona is None else f"no `*{event.command}` here"
        step.tell(f"This work cannot begin: {gone}.")
        return
    if not pause(step, f"*{event.command} was handed over to this thread"):
        return
    close(step, f"*{event.command} was handed over to this thread")
    name = step.labelled(event.asker, event.name) if event.asker else ""
    by = Utterance(event.asker, name, "", event.turn, 0.0)
    if step.session.active != persona.id:
        for ident in reversed(step.session.personas):
            step.note(Entry("off", ident))
        step.change(personas=(persona.id,))
        come_on(step, persona, by if event.asker and event.name else None)
    mode.start(step, event.command, event.args, by)


def gave_up(step: StepBuilder, event: GaveUp) -> None:
    """A link was given up: the work rests at a gate where it can be tried again."""
    work = top(step.session)
    close_calls(step, f"Not run: {event.reason}.")
    step.change(waiting=None, due="")
    if work is not None:
        step.open_gate()
        step.modes.of(work).failed(step, work, event.reason)


# ---------------------------------------------------------------- the rest rule


def is_at_rest(session: Session, modes: Registry) -> bool:
    """Whether a conversation may be left as it is: somebody, or a link that is due, can bring it on.

    A work has a gate (its own, or one that confirms something above it), or a link that is due, or people have the
    floor in it. Nothing is asked for, and a call is open for a gate only.
    """
    if session.waiting is not None or (session.tools is not None and session.gate is None):
        return False
    work = top(session)
    if work is None:
        return not session.due and not is_of_work(session.gate)
    return session.gate is not None or bool(session.due) or modes.of(work).floor_is_open(work)


def work_id(step: StepBuilder, number: int = 1) -> str:
    """An id for a work that begins in this turn: no other work of the conversation has it."""
    return f"{step.session.turn}.w{number + len(step.session.work)}"
