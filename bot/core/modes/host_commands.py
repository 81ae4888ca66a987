"""The host's own commands, and the way to a persona's: to the mode that runs it, or to the persona in words."""

from __future__ import annotations

import re
from typing import Literal, assert_never

from bot.core import works
from bot.core.command_table import THEIRS_FIRST
from bot.core.events import Account, BudgetTold, LibraryRead, Utterance
from bot.core.gates import ForgetGate, HostGate, MeantGate, awaited
from bot.core.model import Decide, Menu, Option, Run
from bot.core.modes import activation, chat, docs, finding
from bot.core.modes.tasks.mode import task_behind
from bot.core.session import Waiting, Work
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry, ForgetAll, ReadLibrary, TellBudget
from bot.personas.model import Command, Persona, fold

OWNER = "host"

Effect = Literal["look", "confirm", "leave"]
"""What a command does to what is being done.

look: nothing; gate and work stay as they are. confirm: its question stands above the work's; on a no, the work stands
again. leave: the work is paused, which is said.
"""

EFFECTS: dict[str, Effect] = {
    "help": "look",
    "status": "look",
    "usage": "look",
    "budget": "look",
    "yolo": "look",
    "chat-mode": "look",
    "resume": "look",
    "approve": "look",
    "edit": "look",
    "back": "look",
    "skip": "look",
    "feedback": "look",
    "docs": "look",
    "doc-out": "look",
    "exit": "confirm",
    "forget": "confirm",
    "reload": "confirm",
    "agent": "leave",
    "task": "leave",
    "continue": "leave",
    "retry": "leave",
}
"""What each command of the host does to what is being done; `*agent` without a name is a look, too."""

ADMINS = frozenset({"reload", "budget", "forget"})
"""Commands that only admins may use."""

LISTS = {
    "task": "tasks",
    "checklist": "checklists",
    "execute-checklist": "checklists",
    "create-doc": "templates",
    "workflow": "workflows",
}
"""Commands that without a name only list what there is to name, and wait (folder of the resources)."""


def run(step: StepBuilder, command: str, args: str, line: Utterance) -> None:
    """Run `command` for whoever wrote `line`."""
    persona = step.persona
    word = fold(command)
    own = persona.command(command) if persona else None
    effect: Effect = "leave" if own and word in THEIRS_FIRST else EFFECTS.get(word, "leave")
    if word in ADMINS and not step.context.admin:
        _did_not_run(step, word, line, "only an admin may use it")
        step.record(f"was refused *{word}: not an admin", line.user)
        step.tell(f"Only an admin may use `*{word}` (`access.admins` in the settings).")
        return
    if not own and works.command(step, word, args, line):
        return
    match effect:
        case "look":
            look(step, word, args, line)
        case "confirm":
            confirm(step, word, line)
        case "leave" if word == "agent" and not args.strip():
            personas(step, "Who shall come on?")
        case "leave":
            chat.withdraw(step)
            if works.pause(step, f"*{command} was asked for"):
                works.close(step, f"*{command} was asked for")
                leave(step, word, own, args, line)
            else:
                _did_not_run(step, word, line, "too much work is paused already")
        case _:
            assert_never(effect)


def _did_not_run(step: StepBuilder, word: str, by: Utterance, why: str) -> None:
    """Let the persona that is on know, which may have proposed it: else it takes the command for run."""
    if step.persona:
        told = f"{by.name} asked for *{word}. It did not run: {why}."
        step.note(Entry("note", step.persona.id, told, by.name, user=by.user))


def look(step: StepBuilder, word: str, args: str, line: Utterance) -> None:
    """A command that leaves what is being done as it is."""
    match word:
        case "help":
            activation.help_here(step)
        case "status":
            status(step)
        case "yolo":
            toggle_yolo(step, line)
        case "chat-mode":
            chat_mode(step)
        case "usage":
            step.wait(TellBudget(), Waiting("", "budget", OWNER))
        case "budget":
            raise_budget(step, args, line)
        case "resume":
            works.resume(step, args)
        case "edit" | "back" | "skip" | "feedback":
            step.tell(f"`*{word}` belongs to a section of a document that waits for a choice, and none does just now.")
        case "docs":
            docs.run(step, args, line)
        case "doc-out":
            docs.out(step, args)
        case _:
            step.tell("`*approve` is not possible yet: this build keeps no documents that could be approved.")


def confirm(step: StepBuilder, word: str, line: Utterance) -> None:
    """A command that comes before what is being done, which stands again afterwards: the first two ask first."""
    match word:
        case "exit":
            activation.leave(step)
        case "forget":
            chat.withdraw(step)
            works.close(step, "the conversation may be wiped")
            options = (Option("Yes, wipe it", Decide("yes")), Option("No, keep it", Decide("no")))
            question = (
                "Shall I wipe this conversation: what was said, who is on, and all that waits? It cannot be undone. "
                "Documents stay: `*docs` shows them."
            )
            step.halt(ForgetGate(), options, question, by_host=True)
        case _:
            chat.withdraw(step)
            works.close(step, "the persona files are read again")
            step.record("had the persona files read again", line.user)
            step.wait(ReadLibrary(), Waiting("", "library", OWNER))


def leave(step: StepBuilder, word: str, own: Command | None, args: str, line: Utterance) -> None:
    """A command that begins something else."""
    persona = step.persona
    match word:
        case "agent":
            finding.agent(step, args, line)
        case "continue":
            chat.go_on(step)
        case "retry":
            chat.once_more(step)
        case "task" if persona is None:
            personas(step, "Nobody is on who could carry out a task. Who shall come?")
        case "task" if own is None and persona is not None:
            leave(step, word, Command("task", args="{task}"), args, line)
        case _ if own is None or persona is None:
            _did_not_run(step, word, line, "there is no such command here")
            step.tell(f"There is no `*{word}` here just now. `*help` shows what there is.")
        case _ if word in LISTS and not args and not _has_template(step, persona, own):
            listing(step, persona, word)
        case "task" if not _is_known(step, persona, word, args):
            listing(step, persona, word, unknown=True)
        case _ if mode := step.modes.begun_by(word, *(fold(name) for name in own.uses)):
            mode.start(step, own.name, args, line)
        case _ if word in LISTS and args and not _is_known(step, persona, word, args):
            listing(step, persona, word, unknown=True)
        case _ if task_behind(step, own) and (mode := step.modes.tasks):
            mode.start(step, own.name, args, line)
        case _ if what := step.modes.missing(own, persona):
            later(step, persona, own, args, line, what)
        case _:
            chat.requested(step, persona, own.name, args, line)


def _has_template(step: StepBuilder, persona: Persona, command: Command) -> bool:
    """Whether the command says itself which template it is about."""
    return any(step.cast.resource(persona, name, "templates") for name in command.uses)


def meant(step: StepBuilder, option: Option, named: str) -> None:
    """Ask whether a command was meant that a slip of the finger must not run."""
    chat.withdraw(step)
    works.close(step, "something else was asked")
    step.halt(MeantGate(), (option, Option("No", Decide("no"))), f"Did you mean `{named}`?", by_host=True)


def meant_decided(step: StepBuilder, option: Option) -> bool:
    """It was meant, and is to be run; or not."""
    step.open_gate()
    if isinstance(option.action, Run):
        return True
    step.tell("Nothing was done.")
    works.stand(step)
    return False


def personas(step: StepBuilder, question: str) -> None:
    """Everybody in the library, to pick from."""
    options = activation.persona_options(step.cast)
    if options:
        step.tell(question, step.page("personas", options, prompt="Pick a number."))
    else:
        activation.guide(step)


def chat_mode(step: StepBuilder) -> None:
    """`*chat-mode`: say that plain text is all it takes."""
    if step.persona:
        step.say("Chat mode: just write, I answer. Commands still begin with `*`.")
    else:
        personas(step, "Nobody is on to chat with. Who shall come?")


def status(step: StepBuilder) -> None:
    """`*status`: who is on, what is waited for, which modes are on, and what the talk has used."""
    session = step.session
    if not session.active:
        step.tell("Nobody is on. `*help` shows who can be called.")
        return
    on = " on top of ".join(
        f"{v.icon} **{v.name}** (`{v.persona}`)" for v in map(step.voice, reversed(session.personas))
    )
    gate = session.gate
    waits = f"Waiting for {awaited(gate)}." if isinstance(gate, HostGate) else ""
    doing = [step.modes.of(work).status(work) for work in session.work]
    if not waits and not doing:
        waits = "Ready. Write, or type a command."
    lines = [f"Active: {on}", *doing, waits, f"Yolo: {'on' if session.yolo else 'off'}", _paused(session.paused)]
    step.tell("\n".join(line for line in lines if line) + used(step.context.account))


def _paused(paused: tuple[tuple[Work, ...], ...]) -> str:
    titles = ", ".join(works[-1].title for works in paused)
    return f"Paused: {titles}. `*resume` goes on with one." if titles else ""


def used(account: Account) -> str:
    """The line of `*status` on tokens and money; empty before anything was used."""
    if not account.read:
        return ""
    share = f" ({account.context / account.limit:.0%} of {account.limit:,})" if account.limit else ""
    cost = "cost unknown" if account.cost is None else f"${account.cost:.4f}"
    return (
        f"\nContext: {account.context:,} tokens{share}"
        f"\nUsed so far: {account.read:,} tokens read, {account.cached / account.read:.0%} of them from the cache, "
        f"{account.written:,} written; {cost}"
    )


def raise_budget(step: StepBuilder, args: str, line: Utterance) -> None:
    """`*budget +5` (dollars) or `*budget +20000 tokens`: more for this channel, today."""
    found = re.fullmatch(r"\+?\$?(\d{1,6}(?:\.\d{1,2})?)\$?|\+?(\d{1,9}) ?tokens", args.strip().replace(",", ""))
    if found is None:
        step.tell("Say how much more this channel may spend today: `*budget +5` for $5, or `*budget +20000 tokens`.")
        return
    wanted = TellBudget(int(found[2] or 0), round(float(found[1] or 0) * 1_000_000), line.user)
    step.wait(wanted, Waiting("", "budget", OWNER))


def budget_told(step: StepBuilder, event: BudgetTold) -> None:
    """What may be spent; where it was raised, that is recorded, and people are told again when it is used up."""
    if event.raised:
        step.change(warned="", over="")
        step.record(f"raised the budget of today by {event.raised}", event.by)
    step.tell(event.text)


def forget_decided(step: StepBuilder, option: Option, line: Utterance) -> None:
    """Wipe the conversation, or keep it: then what stood below the question stands again."""
    if option.action == Decide("yes"):
        works.close(step, "the conversation was wiped")
        step.record("wiped the conversation", line.user)
        step.tell("This conversation is being wiped now. What comes next begins anew.")
        step.wait(ForgetAll(), Waiting("", "forget", OWNER))
    else:
        step.open_gate()
        step.tell("Nothing was wiped.")
        works.stand(step)


PROBLEMS = 10
"""So many of a library's problems are told in a chat; `greenroom personas check` tells all."""


def library_read(step: StepBuilder, event: LibraryRead) -> None:
    """The persona files have been read again: what came of it."""
    more = len(event.problems) - PROBLEMS
    lines = [f"- {problem}" for problem in event.problems[:PROBLEMS]]
    lines += [f"- and {more} more: `greenroom personas check` tells all of them"] if more > 0 else []
    told = "\n\nWhat is wrong with files (each keeps its last good version):\n" + "\n".join(lines) if lines else ""
    step.tell(f"The persona files were read again: {event.personas} personas. {_changed(event)}{told}")
    works.stand(step)


NAMED = 20
"""So many ids of each kind are named of what a new reading has changed."""


def _changed(event: LibraryRead) -> str:
    """What the new reading has changed, in a sentence."""
    kinds = (("new", event.added), ("changed", event.changed), ("gone", event.gone))
    told = [f"{kind}: {_ids(ids)}" for kind, ids in kinds if ids]
    if event.resources:
        told.append(f"tasks, templates and the like that came or went: {event.resources}")
    what = "; ".join(told)
    return f"{what[:1].upper()}{what[1:]}." if what else "Nothing has changed since they were last read."


def _ids(ids: tuple[str, ...]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(f"`{ident}`" for ident in ids[:NAMED]) + more


def toggle_yolo(step: StepBuilder, line: Utterance) -> None:
    """`*yolo`: on or off, and what that means."""
    on = not step.session.yolo
    step.change(yolo=on, yolo_by=line.name if on else "", yolo_user=line.user if on else "")
    step.record(f"switched yolo {'on' if on else 'off'}", line.user)
    if on:
        step.tell(
            "Yolo is **on**: confirmations of document sections will be skipped, and only those. Missing input, "
            "approvals, permissions and the question before leaving still stop. `*yolo` again turns it off."
        )
    else:
        step.tell("Yolo is **off**: every section waits for you.")


def _is_known(step: StepBuilder, persona: Persona, word: str, args: str) -> bool:
    """Whether `args` begins with the name of something that the command could take, whose ending may be left out."""
    kind = LISTS[word]
    first = fold(args.split()[0])
    stem = first.rsplit(".", 1)[0] if "." in first else first
    spelled = {stem, f"{stem}-tmpl", f"{stem}-checklist"}
    whole = fold(args)
    listed = (*step.cast.resources_of(persona, kind), *(r for r in step.cast.resources if r.kind == kind))
    return any(fold(r.stem) in spelled or whole in (fold(r.stem), fold(r.title)) for r in listed)


def listing(step: StepBuilder, persona: Persona, word: str, *, unknown: bool = False) -> None:
    """A command without the name that it needs, or with an `unknown` one: list what could be named, then wait."""
    kind = LISTS[word]
    found = step.cast.resources_of(persona, kind)
    if not found:
        step.say(f"The library holds no {kind}, so there is nothing to choose for `*{word}`.")
        return
    why = f"There is no {kind[:-1]} of that name." if unknown else f"`*{word}` needs a name."
    step.say(f"{why} These {kind} exist:", step.page(f"{kind}:{word}", _listed(step, persona, word)))


def _listed(step: StepBuilder, persona: Persona, word: str) -> tuple[Option, ...]:
    found = step.cast.resources_of(persona, LISTS[word])
    return tuple(Option(r.stem, Run(word, r.stem), r.title) for r in found)


def later(step: StepBuilder, persona: Persona, command: Command, args: str, by: Utterance, what: str) -> None:
    """A command whose mode is not in this build, which does not run `what`: say so, also to the persona."""
    uses = f" (it runs {', '.join(f'`{u}`' for u in command.uses)})" if command.uses else ""
    named = f"*{command.name}{' ' + args if args else ''}"
    told = f"{by.name} asked for your command {named}. It did not run: this build does not run {what}."
    step.note(Entry("note", persona.id, told, by.name, id=by.id if args else "", user=by.user))
    step.tell(
        f"`{named}`{uses} is not possible yet: this build does not run {what}. "
        f"What works now is talk: write to {persona.name} what you want to work out.",
        quotes=by,
    )


def read_out(step: StepBuilder, ident: str) -> None:
    """A document of the library, and that it is one."""
    document = step.cast.document(ident)
    if document is None:
        step.tell(f"The document `{ident}` is no longer in the library.")
        return
    step.tell(f"`{document.id}` is a document, not a persona. This is what it says:\n\n{document.text.strip()}")


def turn_page(step: StepBuilder, name: str, first: int, menu: Menu) -> None:
    """Another part of a long list."""
    persona = step.persona
    what, _, detail = name.partition(":")
    match what:
        case "documents":
            docs.listing(step, first)
            return
        case "files":
            docs.out(step, "", first)
            return
        case "versions":
            docs.history(step, detail, first)
            return
    options: tuple[Option, ...] = ()
    if what == "personas":
        options = activation.persona_options(step.cast)
    elif what == "found":
        options = finding.searched(step.cast, detail, first=first)
    elif what == "commands" and persona:
        options = activation.command_options(persona)
    elif persona and detail in LISTS:
        options = _listed(step, persona, detail)
    if not options:
        step.tell("That list is gone. `*help` shows what there is.")
        return
    quoted = Utterance(menu.user, "", "", menu.said, 0.0) if menu.said else None
    step.tell("More of it:", step.page(name, options, first, prompt=menu.prompt, quotes=quoted))
