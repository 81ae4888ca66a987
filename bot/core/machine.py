"""The machine: session and event in, step out. Pure, total, and the only place that decides what happens next."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from bot.core import commands, speakers
from bot.core.command_table import NEVER_BY_NEAR_MATCH, Target
from bot.core.commands import One, Several, Unknown
from bot.core.draft import Draft
from bot.core.events import (
    BudgetTold,
    Event,
    LibraryRead,
    Line,
    ModelFailed,
    ModelReplied,
    Picked,
    Refusal,
    ResourceLoaded,
    Resumed,
    Said,
)
from bot.core.listening import Ear
from bot.core.menus import is_of_an_older_build, label
from bot.core.model import Activate, Answer, Decide, Menu, Option, ReadOut, Run, Turnover, Whisper
from bot.core.modes import activation, chat, gates, orders, tooluse
from bot.core.session import Gate, Session, Step
from bot.core.steps import Entry
from bot.personas.model import Cast

REFUSED = 50
"""So many users are remembered as having been told that they are not heard."""

MENTIONS = 50
"""So many messages that mentioned the bot are remembered, for the threads that may begin below them."""


def step(session: Session, event: Event, cast: Cast) -> Step:
    """What `event` leads to. At most one request comes back; a result never asks a model while a gate is open."""
    draft = Draft(session, cast)
    if isinstance(event, Said | Picked | Resumed):
        draft.begin(event.turn)
    if isinstance(event, Said | Picked):
        draft.account, draft.admin, draft.host = event.account, event.admin, event.host
        draft.by = event.user if isinstance(event, Picked) else next((line.user for line in event.lines), "")
    match event:
        case Said():
            _inherit(draft, event.inherit)
            _said(draft, event)
        case Picked():
            _inherit(draft, event.inherit)
            _refuse(draft, event.refusals, (event.user,))
            if event.refusals:
                return draft.finished()
            _pressed(draft, event)
        case Resumed():
            pass  # no mode of this build cuts its chains
        case ModelReplied():
            chat.replied(draft, event)
        case ModelFailed():
            chat.failed(draft, event)
        case ResourceLoaded():
            tooluse.loaded(draft, event)
        case LibraryRead():
            orders.library_read(draft, event)
        case BudgetTold():
            draft.change(waiting=None)
            draft.tell(event.text)
        case _:
            assert_never(event)
    return draft.finished()


def _inherit(draft: Draft, personas: tuple[str, ...]) -> None:
    """A thread begins with the persona that its channel has."""
    if personas and not draft.session.personas and draft.cast.persona(personas[-1]):
        draft.change(personas=personas[-1:])
        draft.note(Entry("on", personas[-1]))


def _refuse(draft: Draft, refusals: tuple[Refusal, ...], heard: tuple[str, ...]) -> None:
    """Tell those who are not heard why, once until they are heard again."""
    refused = {refusal.user for refusal in refusals}
    told = [user for user in draft.session.refused if user in refused or user not in heard]
    for refusal in refusals:
        if refusal.user not in told:
            draft.tell(f"{speakers.label(refusal.name)}: {refusal.why}")
            told.append(refusal.user)
    if tuple(told) != draft.session.refused:
        draft.change(refused=tuple(told[-REFUSED:]))


# ---------------------------------------------------------------- what people write


def _said(draft: Draft, event: Said) -> None:
    session = draft.session
    if event.called:
        draft.change(called=True)
    if mentions := tuple(line.id for line in event.lines if line.addressed and not event.direct):
        draft.change(mentions=(*session.mentions, *mentions)[-MENTIONS:])
    ear = Ear(event.listen, bool(session.active), session.called or event.called, event.asleep)
    if event.lines and event.lines[0].edited:
        _edited(draft, event.lines[0], ear)
        return
    heard = (line for line in event.lines if ear.hears(line))
    lines = tuple(replace(line, name=draft.labelled(line.user, line.name)) for line in heard)
    refusals = tuple(r for r in event.refusals if r.line is None or ear.hears(r.line))
    _refuse(draft, refusals, tuple(line.user for line in event.lines))
    for line in lines:
        if line.hidden:
            draft.tell(f"{line.name} wrote: {_shown(line.text)}", quotes=line)
    if len(lines) == 1:
        line = lines[0]
        meaning = commands.understand(line.text, draft.cast, draft.persona)
        if meaning is not None:
            draft.decided(line)
            _command(draft, meaning, line)
            chat.came_along(draft, line)
            return
        number = commands.number(line.text)
        if number is not None and event.seen and event.seen[-1] and not event.asleep:
            draft.decided(line)
            _numbered(draft, event.seen[-1], number, line)
            chat.passed_over(draft, line)
            return
        if commands.is_stop(line.text) and not line.files and draft.session.gate is None:
            if draft.persona:
                draft.tell("Nothing is being written just now.")
            return
    if not ear.hears_talk and not any(line.addressed for line in lines):
        return
    if lines:
        chat.talk(draft, lines, event)


def _edited(draft: Draft, line: Line, ear: Ear) -> None:
    """Somebody has edited a message that was taken: that decides nothing, and they are told where it might have."""
    meant = ear.hears(line) and not commands.is_plain(line.text)
    if meant or line.id in draft.session.decided:
        draft.tell(
            "An edit of an earlier message decides nothing here. If you mean it, send it as a new message.",
            only=Whisper(line.user),
        )


def _shown(text: str) -> str:
    """What somebody wrote, for others; a command as code, so that no platform reads its asterisk as markup."""
    return f"`{text}`" if text.startswith("*") and "\n" not in text else text


def _command(draft: Draft, meaning: One | Several | Unknown, line: Line) -> None:
    match meaning:
        case One(target, _, exact) if not exact and target.is_dangerous:
            gates.leave(draft, "something else was asked")
            yes = Option(f"Yes, {target.label}", target.action)
            draft.halt(
                Gate("run", ""), (yes, Option("No", Decide("no"))), f"Did you mean `{target.label}`?", by_host=True
            )
        case One(target, args, exact):
            if not exact:
                draft.tell(f"I take that as `{target.label}`.")
            _act(draft, target.action, args, line)
        case Several(found, args):
            menu = draft.menu(tuple(_option(t, args) for t in found[:20]), quotes=line)
            draft.tell("Which one do you mean?", menu, quotes=line)
        case Unknown(word, found):
            _unknown(draft, word, found, line)
        case _:
            assert_never(meaning)


def _unknown(draft: Draft, word: str, found: tuple[Target, ...], line: Line) -> None:
    owners = [p for p in draft.cast.personas if p.command(word)][:9]
    menu: Menu | None = None
    if owners:
        options = tuple(Option(f"*{p.id} {word}", Activate(p.id, word), f"{p.icon} {p.name}") for p in owners)
        menu = draft.menu(options, quotes=line)
        told = f"`*{word}` is a command of somebody who is not on. Call them with it?"
    elif found:
        menu = draft.menu(tuple(_option(t, "") for t in found))
        told = f"There is no `*{word}`. The nearest that there is:"
    else:
        told = f"There is no `*{word}`, and nothing like it. `*help` shows what there is."
    draft.tell(told, menu, quotes=line)


def _option(target: Target, args: str) -> Option:
    action = target.action
    match action:
        case Run(command, _):
            return Option(target.label, Run(command, args), target.hint)
        case Activate(persona, _):
            return Option(target.label, Activate(persona, args), target.hint)
        case _:
            return Option(target.label, action, target.hint)


# ---------------------------------------------------------------- choices


def _pressed(draft: Draft, event: Picked) -> None:
    """A press shows on no platform by itself: what it chose is said, and what is wrong with it only to who pressed."""
    menu, gate, only = draft.open_menu(event.menu), draft.session.gate, Whisper(event.user, event.handle)
    if menu and is_of_an_older_build(menu.id):
        # Another menu may have had this id before a wipe, and its buttons still stand there.
        draft.tell("That choice has passed: the bot was updated.", only=only)
        draft.repeat(menu.id, "Please choose here:")
        return
    option = menu.pick(event.number) if menu else None
    if menu is None or option is None:
        now = "What is asked now stands further down." if gate else "`*help` shows what can be chosen now."
        draft.tell(f"That choice has passed. {now}", only=only)
    elif _is_for_admins(gate, menu, option) and not draft.admin:
        draft.record("was refused to wipe the conversation: not an admin")
        draft.tell("Only an admin can decide that.", only=only)
    else:
        name = draft.labelled(event.user, event.name)
        draft.tell(f"{name} chose: {label(option)}")
        _choose(draft, menu, option, Line(event.user, name, "", event.turn, event.at))


def _numbered(draft: Draft, menu_id: str, number: int, line: Line) -> None:
    """Somebody typed a number below the menu of that id."""
    menu, gate = draft.open_menu(menu_id), draft.session.gate
    option = menu.pick(number) if menu else None
    if menu is None:
        _passed(draft, gate)
    elif option is None:
        draft.tell(f"There is no {number} in that list; it goes from 1 to {len(menu.options)}.")
    elif _is_for_admins(gate, menu, option) and not draft.admin:
        draft.record("was refused to wipe the conversation: not an admin")
        draft.repeat(menu_id, "Only an admin can decide that.")
    else:
        if gate and gate.menu == menu_id and (gate.call or isinstance(option.action, Run)):
            draft.tell(f"{line.name} chose: {label(option)}")
        _choose(draft, menu, option, line)


def _is_for_admins(gate: Gate | None, menu: Menu, option: Option) -> bool:
    """Whether choosing it decides what only admins may decide."""
    return gate is not None and gate.kind == "forget" and gate.menu == menu.id and option.action == Decide("yes")


def _choose(draft: Draft, menu: Menu, option: Option, line: Line) -> None:
    gate = draft.session.gate
    if not menu.lasting:
        draft.close(menu.id)
    if gate and gate.menu == menu.id:
        _decided(draft, gate, option, line)
    else:
        _chosen(draft, menu, option, line)


def _passed(draft: Draft, gate: Gate | None) -> None:
    if gate:
        draft.repeat(gate.menu, "That choice has passed. What is asked now:")
    else:
        draft.tell("That choice has passed. `*help` shows what can be chosen now.")


def _decided(draft: Draft, gate: Gate, option: Option, line: Line) -> None:
    """A choice that a gate waited for."""
    match option.action:
        case Answer():
            chat.chosen(draft, gate, option.action, line)
        case Decide(choice) if gate.kind == "file":
            chat.decided_on_files(draft, gate, choice)
        case Decide("yes") if gate.kind == "forget":
            orders.forget_decided(draft)
        case Decide("yes"):
            draft.open_gate()
            activation.depart(draft)
        case Decide("no") if gate.kind == "forget":
            draft.open_gate()
            draft.tell("Nothing was wiped.")
        case Decide("no") if gate.kind == "exit":
            draft.open_gate()
            draft.say("I stay.")
        case Decide():
            chat.declined(draft, gate, line)
        case Run(command, args):
            gates.close_calls(draft, f"{line.name} chose to run *{command}; the host runs it now.", line)
            draft.open_gate()
            _act(draft, Run(command, args), args, line)
        case _:
            draft.open_gate()
            _act(draft, option.action, "", line)


def _chosen(draft: Draft, menu: Menu, option: Option, line: Line) -> None:
    """A choice from a list that nothing waited for."""
    if menu.said:
        # What the option holds was said by somebody, not by whoever chose it.
        name = line.name if line.user == menu.user else "Somebody"
        line = replace(line, user=menu.user, name=name, id=menu.said)
    match option.action:
        case Turnover(what, first):
            orders.turn_page(draft, what, first, menu)
        case Answer() | Decide():
            _passed(draft, draft.session.gate)
        case Activate(_, then) as action:
            _act(draft, action, then, line)
        case Run(_, args) as action:
            _act(draft, action, args, line)
        case ReadOut() as action:
            _act(draft, action, "", line)
        case _:
            assert_never(option.action)


def _act(draft: Draft, action: Run | Activate | ReadOut | Turnover | Decide | Answer, args: str, line: Line) -> None:
    match action:
        case Activate(ident, _):
            persona = draft.cast.persona(ident)
            if persona is None:
                draft.tell(f"`{ident}` is no longer in the library. `*agent` lists who is here.")
                return
            then = args.strip("* ")
            activation.activate(draft, persona, alone=not then)
            if then:
                _then(draft, then, line)
        case Run(command, _):
            orders.run(draft, command, args, line)
        case ReadOut(ident):
            orders.read_out(draft, ident)
        case Turnover() | Decide() | Answer():
            _passed(draft, draft.session.gate)
        case _:
            assert_never(action)


def _then(draft: Draft, text: str, line: Line) -> None:
    """What came with an activation: a command of the persona, or words for it."""
    meaning = commands.understand(f"*{text}", draft.cast, draft.persona)
    match meaning:
        case One(Target(action=Run(command, _) as action), args, exact) if exact or command not in NEVER_BY_NEAR_MATCH:
            _act(draft, action, args, line)
        case None if line.text:
            chat.hear(draft, (replace(line, text=text, files=()),))
            draft.ask()
        case _:
            draft.tell(f"There is no command `*{text.split()[0]}` to begin with.", quotes=line)
            activation.help_here(draft)
