"""The machine: session and event in, step out. Pure, total, and the only place that decides what happens next.

It only routes: what people do goes to `people`, results to whoever asked for them, links and hand-overs to the works.
"""

from __future__ import annotations

from typing import assert_never

from bot.core import coming_on, people, routing, works
from bot.core.context import NOTHING, Context
from bot.core.events import (
    BudgetTold,
    DocumentDeleted,
    DocumentHistoryTold,
    DocumentRead,
    DocumentRefused,
    DocumentRenamed,
    DocumentsListed,
    DocumentStale,
    DocumentWritten,
    Event,
    GaveUp,
    Handed,
    LibraryRead,
    ModelFailed,
    ModelReplied,
    Picked,
    Recalled,
    ResourceLoaded,
    Resumed,
    Said,
    ThreadOpened,
)
from bot.core.modes.mode import Registry
from bot.core.modes.registry import MODES
from bot.core.session import Session, Step
from bot.core.step_builder import StepBuilder
from bot.core.steps import AskModel
from bot.personas.model import Cast


def step(session: Session, event: Event, cast: Cast, context: Context = NOTHING, modes: Registry = MODES) -> Step:
    """What `event` leads to. At most one request comes back; no model is asked while a gate is open."""
    made = StepBuilder(session, cast, modes, context)
    match event:
        case Said():
            made.begin_turn(event.turn)
            people.said(made, event)
        case Picked():
            made.begin_turn(event.turn)
            people.pressed(made, event)
        case Resumed():
            made.begin_turn(event.turn)
            works.resumed(made, event)
        case Handed():
            made.begin_turn(event.turn)
            works.handed(made, event)
        case GaveUp():
            made.begin_turn(event.turn)
            works.gave_up(made, event)
        case (
            ModelReplied()
            | ModelFailed()
            | ResourceLoaded()
            | LibraryRead()
            | BudgetTold()
            | Recalled()
            | DocumentRead()
            | DocumentWritten()
            | DocumentStale()
            | DocumentRefused()
            | ThreadOpened()
            | DocumentsListed()
            | DocumentHistoryTold()
            | DocumentRenamed()
            | DocumentDeleted()
        ):
            routing.result(made, event)
        case _:
            assert_never(event)
    works.come_to_rest(made)
    if isinstance(made.request, AskModel):
        coming_on.tell_date(made, made.request.who)
    return made.finished()
