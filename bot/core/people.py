"""What people write and choose, and where it goes: a command, a choice, words for a work, talk."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from bot.core import choices, commands, doc_arguments, routing, speakers, works
from bot.core.coming_on import come_on
from bot.core.command_table import NEVER_BY_NEAR_MATCH, Target
from bot.core.commands import One, Several, Unknown
from bot.core.events import Picked, Refusal, Said, Utterance
from bot.core.gates import ExitGate, ForgetGate, Gate, HostGate, call_of, is_of_work, says_who_chose, words_at
from bot.core.menus import is_of_an_older_build, label
from bot.core.model import (
    Action,
    Activate,
    Answer,
    Choose,
    Decide,
    Menu,
    Option,
    ReadOut,
    Run,
    Turnover,
    Whisper,
)
from bot.core.modes import activation, chat, finding, host_commands
from bot.core.session import Passed
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry
from bot.personas.model import fold

REFUSED = 50
"""So many users are remembered as having been told that they are not heard."""

MENTIONS = 50
"""So many messages that mentioned the bot are remembered, for the threads that may begin below them."""

PASSED = 8
"""So many decided questions of works are remembered, to tell who comes too late who was first."""

FITTING = 5
"""So many personas are offered to whoever types a word that is no command but what somebody knows about."""

WITHOUT_ARGS = frozenset({"help", "status", "yolo", "exit", "chat-mode", "usage", "retry", "continue"})
"""Commands of the host that take nothing: with words behind one, a persona that is called is spoken to."""

GOODBYES = frozenset({"exit", "leave", "quit", "bye", "goodbye"})
"""Words that mean yes where a persona asks whether to leave."""


def said(step: StepBuilder, event: Said) -> None:
    """People wrote something."""
    _inherit(step)
    session, policy = step.session, step.context.listening
    if step.context.called:
        step.change(called=True)
    if mentions := tuple(line.id for line in event.lines if line.addressed and not event.direct):
        step.change(mentions=(*session.mentions, *mentions)[-MENTIONS:])
    if event.lines and event.lines[0].edited:
        _edited(step, event.lines[0])
        return
    heard = (line for line in event.lines if policy.hears(line))
    lines = tuple(replace(line, name=step.labelled(line.user, line.name)) for line in heard)
    refusals = tuple(r for r in step.context.refusals if r.line is None or policy.hears(r.line))
    _refuse(step, refusals, tuple(line.user for line in event.lines))
    for line in lines:
        if line.hidden:
            step.tell(f"{line.name} wrote: {_shown(line.text)}", quotes=line)
    if len(lines) == 1 and _meant(step, event, lines[0]):
        routing.settle(step)
        return
    if lines and (policy.hears_talk or any(line.addressed for line in lines)):
        _words(step, event, lines)
        routing.settle(step)


def _meant(step: StepBuilder, event: Said, line: Utterance) -> bool:
    """A command, a number, a choice in words, or `stop`; False where the message is none of these."""
    if isinstance(step.session.gate, ExitGate) and _says_goodbye(line) and _in_words(step, event, line):
        return True
    meaning = commands.understand(line.text, step.cast, step.persona)
    if meaning is not None:
        step.decided(line)
        _command(step, meaning, line)
        if line.files and not doc_arguments.takes_files(line.text):
            chat.came_along(step, line)
        return True
    number = commands.number(line.text)
    if number is not None and event.seen and event.seen[-1] and not step.context.listening.asleep:
        step.decided(line)
        _numbered(step, event, number, line)
        chat.passed_over(step, line)
        return True
    if commands.is_stop(line.text) and not line.files and step.session.gate is None:
        _stop(step, line)
        return True
    return not line.files and _in_words(step, event, line)


def _edited(step: StepBuilder, line: Utterance) -> None:
    """Somebody has edited a message that was taken: that decides nothing, and they are told where it might have.

    A remark that waits for a work is another one now: what counts is how it reads when it is used.
    """
    work = works.top(step.session)
    if work is not None and line.id in getattr(work, "remarks", ()) and step.context.listening.hears(line):
        line = replace(line, name=step.labelled(line.user, line.name))
        words = "A remark of theirs above was edited: only how it reads now, below, counts."
        step.note(Entry("note", work.who, words, line.name, user=line.user))
        chat.hear(step, (line,))
        step.tell(f"{line.name} has changed a remark; it counts as it reads now.")
        return
    meant = step.context.listening.hears(line) and not commands.is_plain(line.text)
    if meant or line.id in step.session.decided:
        step.tell(
            "An edit of an earlier message decides nothing here. If you mean it, send it as a new message.",
            only=Whisper(line.user),
        )


def _words(step: StepBuilder, event: Said, lines: tuple[Utterance, ...]) -> None:
    """Words: for the work that is being done, else for the persona that is on."""
    work, gate = works.top(step.session), step.session.gate
    if work is not None and (gate is None or not call_of(gate)):
        if isinstance(gate, HostGate):
            chat.withdraw(step)
            works.stand(step)
        if step.modes.of(work).said(step, work, lines, event):
            return
        gate = step.session.gate
        if gate is not None and is_of_work(gate):
            # Ordinary talk would ask a model, and the work waits for people.
            step.repeat(gate.menu, "Please choose first.")
            return
    chat.talk(step, lines, event)


def _inherit(step: StepBuilder) -> None:
    """A thread begins with the persona that its channel has."""
    personas = step.context.inherit
    persona = step.cast.persona(personas[-1]) if personas else None
    if persona and not step.session.personas:
        step.change(personas=personas[-1:])
        come_on(step, persona)


def _refuse(step: StepBuilder, refusals: tuple[Refusal, ...], heard: tuple[str, ...]) -> None:
    """Tell those who are not heard why, once until they are heard again."""
    refused = {refusal.user for refusal in refusals}
    told = [user for user in step.session.refused if user in refused or user not in heard]
    for refusal in refusals:
        if refusal.user not in told:
            step.tell(f"{speakers.label(refusal.name)}: {refusal.why}")
            told.append(refusal.user)
    if tuple(told) != step.session.refused:
        step.change(refused=tuple(told[-REFUSED:]))


def _shown(text: str) -> str:
    """What somebody wrote, for others; a command as code, so that no platform reads its asterisk as markup."""
    return f"`{text}`" if text.startswith("*") and "\n" not in text else text


# ---------------------------------------------------------------- commands


def _command(step: StepBuilder, meaning: One | Several | Unknown, line: Utterance) -> None:
    match meaning:
        case One(target, _, exact) if not exact and target.is_dangerous:
            host_commands.meant(step, Option(f"Yes, {target.label}", target.action), target.label)
        case One(target, args, exact):
            if not exact:
                step.tell(f"I take that as `{target.label}`.")
            act(step, target.action, args, line)
        case Several(found, args):
            menu = step.menu(tuple(_option(t, args) for t in found[:20]), quotes=line)
            step.tell("Which one do you mean?", menu, quotes=line)
        case Unknown(word, found):
            _unknown(step, word, found, line)
        case _:
            assert_never(meaning)


def _unknown(step: StepBuilder, word: str, found: tuple[Target, ...], line: Utterance) -> None:
    owners = [p for p in step.cast.personas if p.command(word)][:9]
    menu: Menu | None = None
    if owners:
        options = tuple(Option(f"*{p.id} {word}", Activate(p.id, word), f"{p.icon} {p.name}") for p in owners)
        menu = step.menu(options, quotes=line)
        told = f"`*{word}` is a command of somebody who is not on. Call them with it?"
    elif found:
        menu = step.menu(tuple(_option(t, "") for t in found))
        told = f"There is no `*{word}`. The nearest that there is:"
    elif fit := finding.searched(step.cast, word, FITTING):
        menu = step.menu(fit)
        told = f"There is no `*{word}`. Who knows most about that:"
    else:
        told = f"There is no `*{word}`, and nothing like it. `*help` shows what there is."
    step.tell(told, menu, quotes=line)


def _option(target: Target, args: str) -> Option:
    action = target.action
    match action:
        case Run(command, _):
            return Option(target.label, Run(command, args), target.hint)
        case Activate(persona, _):
            return Option(target.label, Activate(persona, args), target.hint)
        case _:
            return Option(target.label, action, target.hint)


def act(step: StepBuilder, action: Action, args: str, line: Utterance) -> None:
    """Carry out what a command or an option means."""
    match action:
        case Activate(ident, _):
            _activate(step, ident, args.strip("* "), line)
        case Run(command, _):
            host_commands.run(step, command, args, line)
        case ReadOut(ident):
            host_commands.read_out(step, ident)
        case Turnover() | Decide() | Answer() | Choose():
            _passed(step, step.session.gate)
        case _:
            assert_never(action)


def _activate(step: StepBuilder, ident: str, then: str, line: Utterance) -> None:
    persona = step.cast.persona(ident)
    if persona is None:
        step.tell(f"`{ident}` is no longer in the library. `*agent` lists who is here.")
        return
    if not works.pause(step, f"{persona.name} was called"):
        return
    activation.activate(step, persona, line, alone=not then)
    if not then:
        return
    meaning = commands.understand(f"*{then}", step.cast, step.persona)
    match meaning:
        case One(Target(action=Run(command, _) as action), args, exact) if (
            exact or command not in NEVER_BY_NEAR_MATCH
        ) and not (command in WITHOUT_ARGS and " " in args):
            act(step, action, args, line)
        case One(Target(action=Run())) | None:
            chat.say_for(step, (replace(line, text=then, files=()),))
        case _ if " " in then or not (isinstance(meaning, One) or "-" in then):
            chat.say_for(step, (replace(line, text=then, files=()),))
        case _:
            step.tell(f"There is no command `*{then.split()[0]}` to begin with.", quotes=line)
            activation.help_here(step)


def _call_with(step: StepBuilder, ident: str, words: str, line: Utterance, by: Utterance) -> None:
    """`by` picked somebody for what `line`'s author had written: they come on, and that is their first message."""
    persona = step.cast.persona(ident)
    if persona is None:
        step.tell(f"`{ident}` is no longer in the library. `*agent` lists who is here.")
    elif works.pause(step, f"{persona.name} was called"):
        activation.activate(step, persona, by, alone=False)
        chat.say_for(step, (replace(line, text=words, files=()),))


def _stop(step: StepBuilder, line: Utterance) -> None:
    work = works.top(step.session)
    if work is not None:
        step.modes.of(work).stopped(step, work, line.name)
    elif step.persona:
        step.tell("No reply is running.")


# ---------------------------------------------------------------- choices


def pressed(step: StepBuilder, event: Picked) -> None:
    """A press shows on no platform by itself: what it chose is said, and what is wrong with it only to who pressed."""
    _inherit(step)
    refusals = step.context.refusals
    _refuse(step, refusals, (event.user,))
    if refusals:
        return
    menu, gate, only = step.open_menu(event.menu), step.session.gate, Whisper(event.user, event.handle)
    if menu and is_of_an_older_build(menu.id):
        # Another menu may have had this id before a wipe, and its buttons still stand there.
        step.tell("That choice has passed: the bot was updated.", only=only)
        step.repeat(menu.id, "Please choose here:")
        return
    option = menu.pick(event.number) if menu else None
    if menu is None or option is None:
        now = "What is asked now stands further down." if gate else "`*help` shows what can be chosen now."
        step.tell(f"{_has_passed(step, event.menu)} {now}", only=only)
    elif _is_for_admins(gate, menu, option) and not step.context.admin:
        step.record("was refused to wipe the conversation: not an admin", event.user)
        step.tell("Only an admin can decide that.", only=only)
    else:
        name = step.labelled(event.user, event.name)
        if gate is None or gate.menu != menu.id or says_who_chose(gate):
            step.tell(f"{name} chose: {label(option)}")
        _choose(step, menu, option, Utterance(event.user, name, "", event.turn, event.at))
    routing.settle(step)


def _numbered(step: StepBuilder, event: Said, number: int, line: Utterance) -> None:
    """Somebody typed a number below a menu."""
    menu_id = event.seen[-1]
    menu, gate = step.open_menu(menu_id), step.session.gate
    option = menu.pick(number) if menu else None
    if menu is None:
        _passed(step, gate)
    elif event.hasty:
        step.repeat(menu_id, f"This list came up just before {line.name} typed {number}. Please choose again:")
    elif option is None:
        step.tell(f"There is no {number} in that list; it goes from 1 to {len(menu.options)}.")
    else:
        _typed(step, menu, option, line)


def _in_words(step: StepBuilder, event: Said, line: Utterance) -> bool:
    """A choice in words at the gate that waits, by somebody who can have seen its question."""
    gate = step.session.gate
    menu = step.open_menu(gate.menu) if gate else None
    if gate is None or menu is None or menu.id not in event.seen:
        return False
    option = choices.in_words(line.text, menu, words_at(gate))
    if option is None and isinstance(gate, ExitGate) and _says_goodbye(line):
        option = menu.pick(1)
    if option is None:
        return False
    step.decided(line)
    _typed(step, menu, option, line)
    return True


def _says_goodbye(line: Utterance) -> bool:
    return fold(line.text.strip("*!/ .")) in GOODBYES


def _typed(step: StepBuilder, menu: Menu, option: Option, line: Utterance) -> None:
    """Somebody typed a number or words that choose `option`."""
    gate = step.session.gate
    if _is_for_admins(gate, menu, option) and not step.context.admin:
        step.record("was refused to wipe the conversation: not an admin", line.user)
        step.repeat(menu.id, "Only an admin can decide that.")
        return
    decides = gate and gate.menu == menu.id and (call_of(gate) or isinstance(option.action, Run) or is_of_work(gate))
    if decides and says_who_chose(gate):
        step.tell(f"{line.name} chose: {label(option)}")
    _choose(step, menu, option, line)


def _is_for_admins(gate: Gate | None, menu: Menu, option: Option) -> bool:
    """Whether choosing it decides what only admins may decide."""
    return isinstance(gate, ForgetGate) and gate.menu == menu.id and option.action == Decide("yes")


def _choose(step: StepBuilder, menu: Menu, option: Option, line: Utterance) -> None:
    gate = step.session.gate
    if not menu.lasting:
        step.close(menu.id)
    if gate and gate.menu == menu.id:
        if is_of_work(gate):
            passed = Passed(menu.id, line.name, label(option))
            step.change(passed=(*step.session.passed, passed)[-PASSED:])
        if routing.decided(step, gate, option, line):
            action = option.action
            args = action.args if isinstance(action, Run) else ""
            act(step, action, args, line)
    else:
        _chosen(step, menu, option, line)


def _has_passed(step: StepBuilder, menu: str) -> str:
    """That a choice has passed, and who has made it where that is known."""
    by = next((passed for passed in step.session.passed if passed.menu == menu), None)
    return f"{by.name} has chosen already: {by.label}." if by else "That choice has passed."


def _passed(step: StepBuilder, gate: Gate | None) -> None:
    if gate:
        step.repeat(gate.menu, "That choice has passed. What is asked now:")
    else:
        step.tell("That choice has passed. `*help` shows what can be chosen now.")


def _chosen(step: StepBuilder, menu: Menu, option: Option, line: Utterance) -> None:
    """A choice from a list that nothing waited for."""
    by = line
    if menu.said:
        # What the option holds was said by somebody, not by whoever chose it.
        known = next((s.name for s in step.session.speakers if s.user == menu.user), "Somebody")
        name = line.name if line.user == menu.user else known
        line = replace(line, user=menu.user, name=name, id=menu.said)
    match option.action:
        case Activate(ident, _) if menu.held:
            _call_with(step, ident, menu.held, line, by)
        case Turnover(what, first):
            host_commands.turn_page(step, what, first, menu)
        case Answer() | Decide() | Choose():
            _passed(step, step.session.gate)
        case Activate(_, then) as action:
            act(step, action, then, line)
        case Run(_, args) as action:
            act(step, action, args, line)
        case ReadOut() as action:
            act(step, action, "", line)
        case _:
            assert_never(option.action)
