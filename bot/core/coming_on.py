"""What a persona is told by the host when it comes on, and when the date changes: in the log, so it never changes.

Who spoke lately is not in it: that is read from the log (`bot.core.before`), so that it goes with whoever is forgotten.
"""

from __future__ import annotations

from bot.core.context import Location
from bot.core.events import Utterance
from bot.core.modes.mode import Registry
from bot.core.step_builder import StepBuilder
from bot.core.steps import HERE, Entry
from bot.personas.model import Persona

DATED = 10
"""So many personas are remembered with the date that they were told."""

NAMED = 40
"""So many commands are named in a note; a file may have hundreds."""

_PLATFORMS = {"slack": "Slack", "discord": "Discord", "terminal": "a terminal"}


def come_on(step: StepBuilder, persona: Persona, by: Utterance | None = None, *, from_whom: str = "") -> None:
    """Let `persona` be on from here: the log says so, and where and when this is.

    `by` called it. `from_whom` is the name of a coordinator that handed over.
    """
    step.note(Entry("on", persona.id))
    told = ["You came on here" + (f", called by {by.name}." if by else ".")]
    if from_whom:
        told.append(f"{from_whom} hands over to you: what was said and decided stands above; ask nobody for it again.")
    if step.context.day:
        told.insert(0, f"It is {step.context.day}.")
    if step.context.location:
        told.append(_where(step.context.location))
    told += _what_works(persona, step.modes)
    name, user = (by.name, by.user) if by else ("", "")
    step.note(Entry("note", persona.id, " ".join(told), name, call=HERE, user=user))
    _remember(step, persona.id)


def tell_date(step: StepBuilder, who: str) -> None:
    """Tell `who` the date where it was last told another one; before all that this step has logged."""
    day = step.context.day
    if not day or (who, day) in step.session.dated:
        return
    where = f" {_where(step.context.location)}" if step.context.location else ""
    step.log.insert(0, Entry("note", who, f"It is {day} now.{where}", call=HERE))
    _remember(step, who)


def _remember(step: StepBuilder, who: str) -> None:
    rest = tuple(told for told in step.session.dated if told[0] != who)
    step.change(dated=(*rest, (who, step.context.day))[-DATED:] if step.context.day else rest)


def _where(location: Location) -> str:
    platform = _PLATFORMS.get(location.platform, location.platform)
    match location.kind:
        case "direct":
            place = f"a direct message on {platform}"
        case "thread":
            place = f"a thread of the channel {location.channel} on {platform}"
        case _:
            place = f"the channel {location.channel} on {platform}"
    tables = "tables are shown as tables" if location.tables else "tables are shown as aligned text"
    return (
        f"This is {place}. It shows bold, italics, lists, quotes, links and code; {tables}; images, HTML and diagrams "
        "are not drawn."
    )


def _what_works(persona: Persona, modes: Registry) -> list[str]:
    if not persona.commands:
        return []
    able = [f"*{c.name}" for c in persona.commands if not modes.missing(c, persona)]
    if len(able) == len(persona.commands):
        return ["All of your commands work here."]
    if not able:
        return ["None of your commands works here yet."]
    more = f" and {len(able) - NAMED} more" if len(able) > NAMED else ""
    return [f"Of your commands these work here: {', '.join(able[:NAMED])}{more}."]
