"""Running a command: the host's own, the persona's, and truthful words for those whose mode does not exist yet."""

from __future__ import annotations

import re

from bot.core.command_table import CommandTable
from bot.core.draft import Draft
from bot.core.events import Account, LibraryRead, Line
from bot.core.model import Activate, Decide, Menu, Option, Run
from bot.core.modes import activation, chat, gates
from bot.core.session import Gate, Waiting
from bot.core.steps import ForgetAll, ReadLibrary, TellBudget
from bot.personas.model import Command, Persona, fold

LATER: dict[str, str] = {
    "checklist": "checklists",
    "create-doc": "documents",
    "develop-story": "tasks",
    "doc-out": "documents",
    "execute-checklist": "checklists",
    "kb": "the knowledge base",
    "kb-mode": "the knowledge base",
    "party-mode": "party mode",
    "plan": "workflow plans",
    "plan-status": "workflow plans",
    "plan-update": "workflow plans",
    "task": "tasks",
    "workflow": "workflows",
    "workflow-guidance": "workflows",
}
"""Commands whose mode is not in this build, and what it cannot run."""

LISTS = {
    "task": "tasks",
    "checklist": "checklists",
    "execute-checklist": "checklists",
    "create-doc": "templates",
    "workflow": "workflows",
}
"""Commands that without a name only list what there is to name, and wait (folder of the resources)."""


def run(draft: Draft, command: str, args: str, by: Line) -> None:
    """Run `command` for whoever wrote or chose `by`; what was waited for is left, but for a look at help or status.

    The id of `by` is that of the message that `args` are from.
    """
    persona = draft.persona
    word = fold(command)
    own = persona.command(command) if persona else None
    match word:
        case "help":
            activation.help_here(draft)
            return
        case "status":
            status(draft)
            return
        case "yolo":
            toggle_yolo(draft)
            return
        case "exit":
            activation.leave(draft)
            return
        case "reload" | "budget" | "forget" if not draft.admin:
            draft.record(f"was refused *{word}: not an admin")
            draft.tell(f"Only an admin may use `*{word}` (`access.admins` in the settings).")
            return
    gates.withdraw(draft)
    gates.leave(draft, f"*{command} was asked for")
    match word:
        case "agent":
            agent(draft, args, by)
        case "chat-mode":
            chat_mode(draft)
        case "approve" if own is None:
            draft.tell("`*approve` is not possible yet: this build keeps no documents that could be approved.")
        case "usage":
            draft.change(waiting=Waiting("", "budget"))
            draft.request = TellBudget()
        case "budget":
            raise_budget(draft, args)
        case "forget":
            options = (Option("Yes, wipe it", Decide("yes")), Option("No, keep it", Decide("no")))
            question = (
                "Shall I wipe this conversation: what was said, who is on, and all that waits? It cannot be undone."
            )
            draft.halt(Gate("forget", ""), options, question, by_host=True)
        case "reload":
            draft.record("had the persona files read again")
            draft.change(waiting=Waiting("", "library"))
            draft.request = ReadLibrary()
        case "continue":
            chat.go_on(draft)
        case "retry":
            chat.once_more(draft)
        case _ if own is None or persona is None:
            draft.tell(f"There is no `*{command}` here just now. `*help` shows what there is.")
        case _ if word in LISTS and not args:
            listing(draft, persona, word)
        case _ if word in LATER or own.uses:
            later(draft, persona, own, args, by)
        case _:
            chat.requested(draft, persona, own.name, args, by)


def agent(draft: Draft, args: str, by: Line) -> None:
    """`*agent [name]`: the list, or somebody by id, name or role."""
    wanted = args.strip().lstrip("*@/").strip()
    if not wanted:
        personas(draft, "Who shall come on?")
        return
    found = draft.cast.called(wanted)
    if len(found) == 1:
        activation.activate(draft, found[0], alone=True)
        return
    known = found or activation_candidates(draft, wanted)
    if not known:
        draft.tell(f"Nobody here goes by “{wanted}”. `*agent` lists everybody.", quotes=by)
        return
    options = tuple(Option(f"*{p.id}", Activate(p.id), f"{p.icon} {p.name}") for p in known[:20])
    draft.tell(f"Who do you mean by “{wanted}”?", draft.menu(options), quotes=by)


def activation_candidates(draft: Draft, wanted: str) -> tuple[Persona, ...]:
    """The personas whose ids, names or titles are like `wanted`, best first."""
    near = CommandTable(draft.cast, None).nearest(fold(wanted), people=True)
    found = [draft.cast.persona(t.action.persona) for t in near if isinstance(t.action, Activate)]
    return tuple(p for p in found if p)


def personas(draft: Draft, question: str) -> None:
    """Everybody in the library, to pick from."""
    options = activation.persona_options(draft.cast)
    if options:
        draft.tell(question, draft.page("personas", options, prompt="Pick a number."))
    else:
        activation.guide(draft)


def chat_mode(draft: Draft) -> None:
    """`*chat-mode`: say that plain text is all it takes."""
    if draft.persona:
        draft.say("Chat mode: just write, I answer. Commands still begin with `*`.")
    else:
        personas(draft, "Nobody is on to chat with. Who shall come?")


def status(draft: Draft) -> None:
    """`*status`: who is on, what is waited for, which modes are on, and what the talk has used."""
    session = draft.session
    if not session.active:
        draft.tell("Nobody is on. `*help` shows who can be called.")
        return
    on = " on top of ".join(
        f"{v.icon} **{v.name}** (`{v.persona}`)" for v in map(draft.voice, reversed(session.personas))
    )
    waits = {
        None: "nothing; write, or type a command",
        "exit": "an answer to whether to leave",
        "forget": "an answer to whether to wipe this conversation",
        "run": "a choice whether to run a command",
        "propose": "a choice whether to run a command",
        "ask": "an answer to a question",
        "file": "a choice what to take of a file that is too long",
    }[session.gate.kind if session.gate else None]
    draft.tell(f"Active: {on}\nWaiting for: {waits}\nYolo: {'on' if session.yolo else 'off'}{used(draft.account)}")


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


def raise_budget(draft: Draft, args: str) -> None:
    """`*budget +5` (dollars) or `*budget +20000 tokens`: more for this channel, today."""
    found = re.fullmatch(r"\+?\$?(\d{1,6}(?:\.\d{1,2})?)\$?|\+?(\d{1,9}) ?tokens", args.strip().replace(",", ""))
    if found is None:
        draft.tell("Say how much more this channel may spend today: `*budget +5` for $5, or `*budget +20000 tokens`.")
        return
    draft.change(waiting=Waiting("", "budget"), warned="", over="")
    draft.record(f"raised the budget of today by {f'{int(found[2]):,} tokens' if found[2] else f'${found[1]}'}")
    draft.request = TellBudget(int(found[2] or 0), round(float(found[1] or 0) * 1_000_000))


def forget_decided(draft: Draft) -> None:
    """The conversation is to be wiped."""
    gates.leave(draft, "the conversation was wiped")
    draft.record("wiped the conversation")
    draft.tell("This conversation is being wiped now. What comes next begins anew.")
    draft.request = ForgetAll()


PROBLEMS = 10
"""So many of a library's problems are told in a chat; `greenroom personas check` tells all."""


def library_read(draft: Draft, event: LibraryRead) -> None:
    """The persona files have been read again: what came of it."""
    draft.change(waiting=None)
    more = len(event.problems) - PROBLEMS
    lines = [f"- {problem}" for problem in event.problems[:PROBLEMS]]
    lines += [f"- and {more} more: `greenroom personas check` tells all of them"] if more > 0 else []
    told = "\n\nWhat is wrong with files (each keeps its last good version):\n" + "\n".join(lines) if lines else ""
    draft.tell(f"The persona files were read again: {event.personas} personas.{told}")


def toggle_yolo(draft: Draft) -> None:
    """`*yolo`: on or off, and what that means."""
    on = not draft.session.yolo
    draft.change(yolo=on)
    if on:
        draft.tell(
            "Yolo is **on**: confirmations of document sections will be skipped, and only those. Missing input, "
            "approvals, permissions and the question before leaving still stop. `*yolo` again turns it off."
        )
    else:
        draft.tell("Yolo is **off**: every section waits for you.")


def listing(draft: Draft, persona: Persona, word: str) -> None:
    """A command without the name that it needs: list what could be named, then wait."""
    kind = LISTS[word]
    found = draft.cast.resources_of(persona, kind)
    if not found:
        draft.say(f"The library holds no {kind}, so there is nothing to choose for `*{word}`.")
        return
    draft.say(
        f"`*{word}` needs a name. These {kind} exist:", draft.page(f"{kind}:{word}", _listed(draft, persona, word))
    )


def _listed(draft: Draft, persona: Persona, word: str) -> tuple[Option, ...]:
    found = draft.cast.resources_of(persona, LISTS[word])
    return tuple(Option(r.stem, Run(word, r.stem), r.title) for r in found)


def later(draft: Draft, persona: Persona, command: Command, args: str, by: Line) -> None:
    """A command whose mode is not in this build: say so, and what is possible instead."""
    uses = f" (it runs {', '.join(f'`{u}`' for u in command.uses)})" if command.uses else ""
    what = LATER.get(fold(command.name), "tasks and documents")
    named = f"*{command.name}{' ' + args if args else ''}"
    draft.tell(
        f"`{named}`{uses} is not possible yet: this build does not run {what}. "
        f"What works now is talk: write to {persona.name} what you want to work out.",
        quotes=by,
    )


def read_out(draft: Draft, ident: str) -> None:
    """A document of the library, and that it is one."""
    document = draft.cast.document(ident)
    if document is None:
        draft.tell(f"The document `{ident}` is no longer in the library.")
        return
    draft.tell(f"`{document.id}` is a document, not a persona. This is what it says:\n\n{document.text.strip()}")


def turn_page(draft: Draft, name: str, first: int, menu: Menu) -> None:
    """Another part of a long list."""
    persona = draft.persona
    what, _, detail = name.partition(":")
    options: tuple[Option, ...] = ()
    if what == "personas":
        options = activation.persona_options(draft.cast)
    elif what == "commands" and persona:
        options = activation.command_options(persona)
    elif persona and detail in LISTS:
        options = _listed(draft, persona, detail)
    if not options:
        draft.tell("That list is gone. `*help` shows what there is.")
        return
    draft.tell("More of it:", draft.page(name, options, first, prompt=menu.prompt))
