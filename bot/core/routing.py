"""Who goes on: a result goes to whoever made the request, a choice to whoever decides the gate."""

from __future__ import annotations

from bot.core import asks, works
from bot.core.events import (
    BudgetTold,
    DocumentRead,
    DocumentsListed,
    LibraryRead,
    ModelFailed,
    ModelReplied,
    ResourceLoaded,
    Result,
    Utterance,
)
from bot.core.gates import (
    AskGate,
    DocsGate,
    ExitGate,
    FileGate,
    ForgetGate,
    Gate,
    MeantGate,
    ProposeGate,
    RunGate,
    WorkGate,
)
from bot.core.model import Option
from bot.core.modes import activation, chat, docs, docs_results, host_commands, tooluse
from bot.core.modes.mode import Returned
from bot.core.session import Unfinished, Waiting
from bot.core.step_builder import StepBuilder


def result(step: StepBuilder, event: Result) -> None:
    """Give a result to whoever waits for it. One that nobody waits for does nothing.

    Raises ValueError for one that its owner cannot have asked for: the session was made by other code.
    """
    waiting = step.answers = step.session.waiting
    step.change(waiting=None)
    if waiting is None:
        return
    match waiting.owner:
        case chat.OWNER if isinstance(event, ModelReplied | ModelFailed):
            chat.result(step, waiting, event)
        case tooluse.OWNER if isinstance(event, ResourceLoaded | DocumentRead | DocumentsListed):
            tooluse.loaded(step, event)
        case asks.OWNER if isinstance(event, ModelReplied | ModelFailed):
            if not asks.summed_up(step, waiting, event):
                _stopped_before(step, waiting)
        case host_commands.OWNER if isinstance(event, LibraryRead):
            host_commands.library_read(step, event)
        case host_commands.OWNER if isinstance(event, BudgetTold):
            host_commands.budget_told(step, event)
        case docs.OWNER:
            docs_results.result(step, waiting.purpose, event)
        case name if step.modes.has(name):
            _to_work(step, name, event, waiting.purpose)
        case name:
            raise ValueError(f"{type(event).__name__} is nothing that {name!r} can have asked for")
    settle(step)


def _to_work(step: StepBuilder, name: str, event: Result | Returned, purpose: str) -> None:
    work = works.top(step.session)
    if work is not None and work.mode == name:
        step.modes.of(work).result(step, work, event, purpose)


def _stopped_before(step: StepBuilder, waiting: Waiting) -> None:
    """People stopped the summary that was to come before an ask: it is as if they had stopped the ask."""
    then = waiting.then
    if then is None:
        return
    step.change(unfinished_reply=Unfinished(then.who, "failed", then.owner))
    if step.modes.has(then.owner):
        work = works.top(step.session)
        if work is not None:
            step.modes.of(work).failed(step, work, "stopped")
    else:
        step.tell("Stopped. `*retry` asks again.")


def settle(step: StepBuilder) -> None:
    """Carry a loop of calls on, where nobody is waited for: a human or a result has answered one of them."""
    loop = step.session.tools
    if loop is None or step.session.gate is not None or step.request is not None:
        return
    returned = tooluse.advance(step)
    if returned is None:
        return
    if loop.owner == chat.OWNER:
        chat.rest(step, returned.why)
    else:
        _to_work(step, loop.owner, returned, loop.purpose)


def decided(step: StepBuilder, gate: Gate, option: Option, line: Utterance) -> bool:
    """A human chose `option` at `gate`. True where the option's own action is still to be carried out."""
    match gate:
        case ExitGate():
            activation.exit_decided(step, option)
        case ForgetGate():
            host_commands.forget_decided(step, option, line)
        case MeantGate():
            return host_commands.meant_decided(step, option)
        case DocsGate():
            docs.decided(step, gate, option, line)
        case RunGate() | FileGate() | AskGate() | ProposeGate():
            return chat.decided(step, gate, option, line)
        case _:
            _decided_in_work(step, gate, option, line)
    return False


def _decided_in_work(step: StepBuilder, gate: WorkGate, option: Option, line: Utterance) -> None:
    work = works.top(step.session)
    step.open_gate()
    if work is not None and work.mode == gate.mode:
        step.modes.of(work).chosen(step, work, gate, option, line)
