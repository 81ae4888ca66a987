"""Finding somebody: by words, by a pack, by writing to the bot while nobody is on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model import Activate, Attachment
from bot.core.session import Session
from bot.personas.model import Cast, Command, Document, Resource, Source
from bot.runtime.worker import Options
from tests.fakes.library import ARCHITECT, CAST, ORCHESTRATOR, PM, SM
from tests.fakes.model import Says
from tests.fakes.platform import ROOM, Shown
from tests.scenario.stage import answering, stage
from tests.scenario.test_rules import never

DM = replace(ROOM, channel="D1")
DATABASE = replace(
    ARCHITECT,
    id="database-state-engineer",
    name="Ada",
    title="Database State Engineer",
    when_to_use="Use for PostgreSQL, replication, and schema migrations",
)
UX = replace(
    ARCHITECT,
    id="ux-expert",
    name="Sally",
    title="UX Expert",
    when_to_use="Use for wireframes and front-end specifications",
    commands=(Command("create-front-end-spec", "Draft the specification", uses=("create-doc",)),),
)
MANY = Cast((*CAST.personas, DATABASE, UX), CAST.documents, CAST.resources)


def labels(post: Shown) -> list[str]:
    assert post.menu is not None
    return [option.label for option in post.menu.options]


# ---------------------------------------------------------------- by words


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("*agent postgres", "*database-state-engineer"),
        ("*agent front end", "*ux-expert"),
        ("*agent frontend", "*ux-expert"),
        ("*agent live migration of machines", "*vm-migration-architect"),
        ("*agent architetc", "*architect"),
        ("*agent produkt manager", "*pm"),
    ],
)
async def test_agent_finds_by_what_somebody_is_for(typed: str, first: str) -> None:
    async with stage(never, cast=MANY) as s:
        (found,) = await s.say(typed)
        assert labels(found)[0] == first


async def test_a_search_says_why_and_is_paged() -> None:
    many = tuple(replace(ARCHITECT, id=f"builder-{n}", when_to_use=f"Use for bridges of kind {n}") for n in range(60))
    async with stage(never, cast=Cast(many)) as s:
        (found,) = await s.say("*agent bridges")
        assert "1. `*builder-0` - 🏗️ Winston, Architect: Use for bridges of kind 0" in found.text
        assert labels(found)[-1] == "Next: 21-40 of 50"
        _, more = await s.press(s.platform.last_menu().id, 21)
        assert labels(more)[0] == "*builder-20"
        await s.inbox.deleted(ROOM, "in1")
        assert "bridges" not in (await s.store.peek(ROOM.key) or "")


async def test_a_short_id_is_not_like_every_word_that_has_its_letters() -> None:
    async with stage(never) as s:
        for typed in ("*spam", "*agent spam", "*agent kubernetes", "*postmen"):
            (told,) = await s.say(typed)
            assert told.menu is None or not {"*pm", "*sm"} & set(labels(told)), told.text


async def test_a_word_that_is_no_command_leads_to_whoever_knows_about_it() -> None:
    async with stage(never, cast=MANY) as s:
        (told,) = await s.say("*wireframes")
        assert told.text.startswith("There is no `*wireframes`. Who knows most about that:")
        assert labels(told) == ["*ux-expert"]


@pytest.mark.parametrize("typed", ["*quit", "*bye", "*goodbye", "/quit"])
async def test_other_words_for_exit_leave(typed: str) -> None:
    async with stage(never) as s:
        await s.say("*architect")
        (goodbye,) = await s.say(typed)
        assert goodbye.text.startswith("Goodbye! This was Winston, your Architect.")


async def test_other_words_for_exit_are_asked_about_as_exit_is_and_give_way_to_a_commands_name() -> None:
    own = replace(ARCHITECT, id="own", commands=(Command("bye", "Wave"),))
    async with stage(answering("I wave."), cast=Cast((PM, own))) as s:
        await s.say("*pm")
        (question,) = await s.say("*bye")
        assert question.text.startswith("Leave now?")
        await s.say("1")
        await s.say("*own")
        (waved,) = await s.say("*bye")
        assert waved.text == "I wave."


@pytest.mark.parametrize(("typed", "kind"), [("*task nope", "tasks"), ("*checklist nope", "checklists")])
async def test_a_name_that_does_not_exist_lists_what_does(typed: str, kind: str) -> None:
    async with stage(never) as s:
        await s.say("*bmad-orchestrator")
        (told,) = await s.say(typed)
        assert told.text.startswith(f"There is no {kind[:-1]} of that name. These {kind} exist:")
        (known,) = await s.say("*task create-doc")
        assert "was not begun" in known.text


# ---------------------------------------------------------------- packs


async def test_everybody_of_an_id_is_listed_with_their_packs_and_called_by_them() -> None:
    mine = replace(PM, name="Zoe", pack="ours")
    theirs = replace(PM, id="bmad/pm")
    async with stage(never, cast=Cast((mine, ARCHITECT), shadowed=(theirs,))) as s:
        (which,) = await s.say("*agent pm")
        assert labels(which) == ["*pm", "*bmad/pm"]
        assert "Zoe, Product Manager (of `ours`)" in which.text and "John, Product Manager (of `bmad`)" in which.text
        (greeting,) = (await s.say("2"))[-1:]
        assert greeting.voice.name == "John"
        (greeting,) = (await s.say("*ours/pm"))[-1:]
        assert greeting.voice.name == "Zoe"
        (everybody,) = await s.say("*agent")
        assert "`*bmad/pm` - 📋 John, Product Manager; stands behind `*pm`" in everybody.text


async def test_reload_says_what_it_did() -> None:
    renamed = replace(PM, title="Head of Product")
    after = Cast((ORCHESTRATOR, renamed, ARCHITECT, UX), CAST.documents, CAST.resources[1:])
    async with stage(never) as s:
        s.worker.options = Options(access=replace(s.worker.options.access, admins=frozenset({"Ualice"})))
        s.library.after = after
        (told,) = await s.say("*reload")
        assert told.text == (
            "The persona files were read again: 4 personas. New: `ux-expert`; changed: `pm`; gone: `sm`, "
            "`vm-migration-architect`; tasks, templates and the like that came or went: 1."
        )
        (again,) = await s.say("*reload")
        assert again.text.endswith("4 personas. Nothing has changed since they were last read.")


# ---------------------------------------------------------------- a newcomer


@pytest.mark.parametrize("typed", ["hello", "what is this?", "Hallo!", "?"])
async def test_a_newcomers_first_words_are_answered(typed: str) -> None:
    async with stage(never) as s:
        (told,) = await s.say(typed, conversation=DM, direct=True)
        assert told.text.startswith(
            "Nobody is on yet. I host personas: experts who answer here, each under their own name."
        )
        assert labels(told) == ["*bmad-orchestrator", "*pm", "*architect"]
        assert "finds out with you whom you need" in told.text


async def test_a_channel_hears_suggestions_only_when_the_bot_is_addressed() -> None:
    async with stage(never) as s:
        assert await s.say("Winston, do we need a queue?") == []
        (told,) = await s.say("Winston, do we need a queue?", addressed=True)
        assert labels(told)[0] == "*architect" and "you named them" in told.text
        assert "inston" not in told.text.replace("🏗️ Winston, Architect", "")
        assert len(labels(told)) == 3


async def test_a_number_calls_with_the_words_as_the_first_message() -> None:
    async with stage(answering("It depends on the load.")) as s:
        (told,) = await s.say("Who can tell us about live migration?", addressed=True)
        assert labels(told)[0] == "*vm-migration-architect"
        greeting, reply = await s.say("1", user="dana")
        assert greeting.voice.name == "VM Migration Architect" and reply.text == "It depends on the load."
        said = [e for e in await s.log() if e.kind == "said"]
        assert [(e.who, e.name, e.text, e.id) for e in said] == [
            ("Ualice", "alice", "Who can tell us about live migration?", "in1")
        ]
        assert "called by dana" in str(s.model.prompts[0])


async def test_a_press_calls_with_the_words_too_and_commands_in_them_are_words() -> None:
    async with stage(answering("Gladly.")) as s:
        (told,) = await s.say("help me with design", conversation=DM, direct=True)
        assert told.menu is not None
        *_, reply = await s.press(told.menu.id, labels(told).index("*architect") + 1, conversation=DM, direct=True)
        assert reply.text == "Gladly."
        assert "alice: help me with design" in str(s.model.prompts[0])


async def test_words_that_are_held_are_gone_with_their_message_and_only_the_last_are_held() -> None:
    async with stage(never) as s:
        await s.say("the first word is swordfish", conversation=DM, direct=True)
        await s.say("the second word is herring", conversation=DM, direct=True)
        state = await s.store.peek(DM.key) or ""
        assert "swordfish" not in state and "herring" in state
        await s.inbox.deleted(DM, "in2")
        assert "herring" not in (await s.store.peek(DM.key) or "")
        (passed,) = await s.say("1", conversation=DM, direct=True)
        assert passed.text.startswith("That choice has passed.")


async def test_a_file_that_nobody_could_read_is_asked_for_again() -> None:
    async with stage(never) as s:
        notes = Attachment("notes.md", 5, ref="f1", text="words")
        (told,) = await s.say("what do you think of it?", conversation=DM, direct=True, files=(notes,))
        assert "Send your file again when somebody is on." in told.text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("*architect do we need a queue?", "do we need a queue?"),
        ("@architect hello", "hello"),
        ("*architect hello", "hello"),
        ("*architect help me with the queue", "help me with the queue"),
        ("*pm status of the shop?", "status of the shop?"),
    ],
)
async def test_whoever_is_called_with_words_answers_them(typed: str, words: str) -> None:
    async with stage(answering("Yes.")) as s:
        *_, reply = await s.say(typed)
        assert reply.text == "Yes."
        assert [e.text for e in await s.log() if e.kind == "said"] == [words]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("*pm create epic", "`*create-epic`"),
        ("*sm drft", "`*draft`"),
        ("*architect help", "**Winston**, your Architect: what I can do here."),
        ("*pm create-nothing", "There is no command `*create-nothing` to begin with."),
    ],
)
async def test_whoever_is_called_with_a_command_runs_it(typed: str, told: str) -> None:
    async with stage(never) as s:
        posts = await s.say(typed)
        assert any(post.text.startswith(told) for post in posts), [post.text for post in posts]
        assert (await s.session()) != Session()


async def test_suggestions_bring_nobody_on_and_ask_no_model() -> None:
    async with stage(never, cast=Cast((PM, SM))) as s:
        (told,) = await s.say("scope of stories", conversation=DM, direct=True)
        assert told.menu is not None
        assert {type(option.action) for option in told.menu.options} == {Activate}
        assert (await s.session(DM)).personas == ()


async def test_the_first_of_several_lines_counts_too() -> None:
    async with stage(lambda _p, _n: Says.text("Yes."), cast=MANY) as s:
        await s.inbox.receive(s.platform.said("We run postgres.", conversation=DM, direct=True))
        (told,) = await s.say("Who can help?", conversation=DM, direct=True)
        assert labels(told)[0] == "*database-state-engineer"


# ---------------------------------------------------------------- who is here


async def test_a_coordinators_help_tells_what_everybody_and_every_workflow_is_for() -> None:
    workflow = Resource("workflows", "greenfield-ui.yaml", "w", "bmad", "New", purpose="From an idea to a site. More.")
    about = Document("ABOUT", "About", "# About\n\nThe BMad team\nplans.\n\nMore.", Source("/x/bmad/ABOUT.md"))
    cast = Cast(CAST.personas, (about,), (*CAST.resources, workflow))
    async with stage(never, cast=cast) as s:
        (guide,) = await s.say("*help")
        await s.say("*bmad-orchestrator")
        told, menu = await s.say("*help")
        for text in (guide.text, told.text):
            assert (
                "`greenfield-ui`: From an idea to a site.\n" in f"{text}\n" and "this build does not run them" in text
            )
            assert "- The BMad team plans.\n" in text
            assert "🏗️ Winston, Architect: Use for system design and technology choices" in text
        assert menu.menu is not None and labels(menu)[0] == "*help"
        (greeting,) = (await s.say("*architect"))[-1:]
        assert "The BMad team plans." in greeting.text


async def test_a_coordinator_of_a_large_library_tells_how_to_find_them() -> None:
    many = tuple(replace(ARCHITECT, id=f"architect-{n}") for n in range(120))
    async with stage(never, cast=Cast((ORCHESTRATOR, *many))) as s:
        await s.say("*bmad-orchestrator")
        told, _ = await s.say("*help")
        assert told.text.startswith("**120 others** are here: `*agent` lists them")
