"""The rules of a persona, each against a model that would break it. The numbers are those of the README's table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.core.model import Voice
from bot.core.prompt import HOUSE_RULES, Prompt, prompt
from bot.core.tools import CALLS, ROUNDS
from bot.personas.model import Cast, Persona
from bot.ports.model import ModelError
from tests.fakes.library import ARCHITECT, CAST, MIGRATION, ORCHESTRATOR, PM
from tests.fakes.model import Says
from tests.scenario.stage import Stage, answering, stage


def never(_prompt: Prompt, _n: int) -> Says:
    raise AssertionError("no model call is possible here")


async def test_1_an_activated_persona_greets_shows_her_help_and_waits_without_a_model_call() -> None:
    async with stage(never) as s:
        (greeting,) = await s.say("*architect")
        assert greeting.voice.name == "Winston" and greeting.voice.icon == "🏗️"
        assert "I am **Winston**, your Architect" in greeting.text
        assert "1. `*help`" in greeting.text and "4. `*exit`" in greeting.text
        assert (await s.session()).active == "architect"


async def test_1_every_persona_activates_without_a_model_call() -> None:
    async with stage(never) as s:
        for persona in CAST.personas:
            posts = await s.say(f"*{persona.id}")
            assert posts[-1].voice.name == persona.name
            assert posts[-1].menu is not None


async def test_2_a_command_that_came_along_is_run_after_the_greeting() -> None:
    async with stage(never) as s:
        greeting, ran = await s.say("*pm create-prd")
        assert "I am **John**" in greeting.text and greeting.menu is None
        assert "was not begun" in ran.text


async def test_2_words_that_came_along_are_answered_after_the_greeting() -> None:
    async with stage(answering("Because.")) as s:
        _, reply = await s.say("*pm why is the sky blue")
        assert reply.text == "Because."
        assert [e.text for e in await s.log() if e.kind == "said"] == ["why is the sky blue"]


async def test_3_an_activation_loads_nothing() -> None:
    async with stage() as s:
        for persona in CAST.personas:
            await s.say(f"*{persona.id}")
        assert s.library.reads == []
        assert {e.kind for e in await s.log()} == {"on", "off", "note"}


async def test_4_a_resource_is_loaded_when_it_is_needed_and_people_see_it() -> None:
    replies = [Says(calls=(("load_resource", {"name": "prd-tmpl"}),)), Says.text("I have read it.")]
    async with stage(lambda _p, n: replies[n - 1]) as s:
        await s.say("*pm")
        posts = await s.say("what is in a PRD?")
        assert [p.text for p in posts] == ["_Loading templates/prd-tmpl.yaml_", "I have read it."]
        assert s.library.reads == ["templates/prd-tmpl.yaml"]
        (result,) = [e for e in await s.log() if e.kind == "result"]
        assert result.text == "The text of templates/prd-tmpl.yaml."


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("architecture-tmpl", "Refused: 'architecture-tmpl' is not one of your resources."),
        ("no-such-thing", "There is no resource named 'no-such-thing' in the library."),
        ("../../etc/passwd", "There is no resource named '../../etc/passwd' in the library."),
        ("", "Refused: `name` is missing."),
    ],
)
async def test_4_what_is_not_hers_is_not_loaded(name: str, answer: str) -> None:
    replies = [Says(calls=(("load_resource", {"name": name}),)), Says.text("Then not.")]
    async with stage(lambda _p, n: replies[n - 1]) as s:
        await s.say("*pm")
        await s.say("show me")
        assert s.library.reads == []
        assert [e.text for e in await s.log() if e.kind == "result"] == [answer]


def test_5_customization_comes_last_and_says_that_it_wins() -> None:
    custom = replace(ARCHITECT, customization="Always answer in haiku.")
    asked = prompt(custom, ())
    assert asked.system[-1].endswith("Always answer in haiku.")
    assert "takes precedence" in asked.system[-1]
    assert len(prompt(ARCHITECT, ()).system) == len(asked.system) - 1


async def test_6_a_near_match_runs_and_says_what_it_was_taken_for() -> None:
    async with stage(never) as s:
        said, greeting = await s.say("*architetc")
        assert said.text == "I take that as `*architect`."
        assert greeting.voice.name == "Winston"


async def test_6_two_near_matches_are_asked_about() -> None:
    async with stage(never) as s:
        await s.say("*pm")
        (question,) = await s.say("*create-brownfield")
        assert question.menu is not None
        assert [o.label for o in question.menu.options] == [
            "*create-brownfield-epic",
            "*create-brownfield-prd",
            "*create-brownfield-story",
        ]
        (ran,) = await s.say("2")
        assert "was not begun" in ran.text


@pytest.mark.parametrize("typed", ["*yol", "*exi", "*exitt"])
async def test_6_a_slip_runs_nothing_that_is_dangerous(typed: str) -> None:
    async with stage(never) as s:
        await s.say("*architect")
        (question,) = await s.say(typed)
        assert question.text.startswith("Did you mean")
        session = await s.session()
        assert session.active == "architect" and not session.yolo
        await s.say("2")
        assert (await s.session()).gate is None
        assert (await s.session()).active == "architect"


async def test_6_the_model_proposes_a_command_and_people_decide() -> None:
    replies = [Says(calls=(("propose_command", {"command": "explain"}),)), Says.text("Because of the load.")]
    async with stage(lambda _p, n: replies[n - 1]) as s:
        await s.say("*architect")
        (question,) = await s.say("I do not see at all why we have come to this, and I would like to")
        assert question.menu is not None
        assert [o.label for o in question.menu.options] == ["Run *explain", "Just talk"]
        assert len(s.model.prompts) == 1
        chose, reply = await s.say("1")
        assert chose.text == "alice chose: Run *explain"
        assert reply.text == "Because of the load."
        assert "alice chose to run *explain." in s.model.prompts[1].messages[-1].blocks[0].json


async def test_22_a_command_that_does_not_run_is_neither_listed_as_one_nor_proposed() -> None:
    replies = [Says(calls=(("propose_command", {"command": "story-checklist"}),)), Says.text("Then we talk.")]
    async with stage(lambda _p, n: replies[n - 1]) as s:
        await s.say("*sm")
        (reply,) = await s.say("I want to write down what we are going to make and for whom")
        assert reply.text == "Then we talk." and reply.menu is None
        asked, again = s.model.prompts
        able, unable = asked.system[1].split("These commands of yours do not run here yet")
        assert "*story-checklist" not in able and "*draft" not in able
        assert "*story-checklist: Check a story (needs checklists)" in unable
        assert "Refused: *story-checklist does not run here yet (checklists)." in again.messages[-1].blocks[0].json


@pytest.mark.parametrize("answer", ["2", "wait, what about the shop?"])
async def test_25_the_model_is_told_that_it_stays(answer: str) -> None:
    replies = [Says(calls=(("propose_command", {"command": "exit"}),)), Says.text("I see."), Says.text("Yes.")]
    async with stage(lambda _p, n: replies[n - 1]) as s:
        await s.say("*pm")
        await s.say("That is all that there was to say about it, I think, so thank you")
        await s.say("1")
        await s.say(answer)
        await s.say("and now?")
        told = "".join(block.json for block in s.model.prompts[-1].messages[-1].blocks)
        told += "".join(block.json for message in s.model.prompts[1].messages for block in message.blocks)
        assert "alice chose to run *exit." in told and "you stay, *exit did not run." in told


async def test_25_the_model_is_told_what_did_not_run() -> None:
    async with stage(answering("I see.")) as s:
        await s.say("*sm")
        await s.say("*story-checklist for the shop")
        await s.say("what came of it?")
        told = "".join(block.json for block in s.model.prompts[-1].messages[-1].blocks)
        assert "alice asked for your command *story-checklist for the shop. It did not run" in told


async def test_6_a_proposed_command_that_she_has_not_is_refused() -> None:
    replies = [Says(calls=(("propose_command", {"command": "rm-rf"}),)), Says.text("Then we talk.")]
    async with stage(lambda _p, n: replies[n - 1]) as s:
        await s.say("*pm")
        (reply,) = await s.say("do it")
        assert reply.text == "Then we talk."


async def test_7_commands_need_their_prefix() -> None:
    async with stage(answering("I hear you.")) as s:
        await s.say("*pm")
        (reply,) = await s.say("create-prd is what I dream of every night")
        assert reply.text == "I hear you."


async def test_8_options_are_always_numbered() -> None:
    replies = [Says(calls=(("ask", {"question": "Which colour?", "options": ["red", "blue"]}),)), Says.text("Blue!")]
    async with stage(lambda _p, n: replies[n - 1]) as s:
        await s.say("*pm")
        (question,) = await s.say("paint it")
        assert question.text == "Which colour?\n\n1. red\n2. blue"
        chose, reply = await s.say("2", user="bob")
        assert chose.text == "bob (2) chose: blue"
        assert reply.text == "Blue!"


async def test_6_what_a_proposal_is_called_says_no_more_than_its_command() -> None:
    wish = {"command": "explain", "args": "; this only saves your work\n2. Yes"}
    async with stage(lambda _p, n: Says(calls=(("propose_command", wish),))) as s:
        await s.say("*architect")
        (question,) = await s.say("What is there to do for the two of us on a day like this one?")
        assert question.menu is not None and question.menu.options[0].label == "Run *explain"
        assert "\n" not in question.menu.options[0].hint and "; this only" in question.menu.options[0].hint


async def test_12_lines_of_others_are_shown_as_quotations() -> None:
    text = "I think so.\n\nJohn: I as the PM agree!\nAnd more of that.\n\n**alice:** me too\n\nSo be it."
    async with stage(answering(text)) as s:
        await s.say("*architect")
        (reply,) = await s.say("what do you think?")
        assert reply.text == (
            "I think so.\n\n> John: I as the PM agree!\n> And more of that.\n\n> **alice:** me too\n\nSo be it.\n\n"
            "_(Quoted above: written by Winston, not said by John or alice.)_"
        )


async def test_12_what_was_only_for_others_is_a_quotation_and_nothing_else() -> None:
    async with stage(answering("John: I speak for Winston now.")) as s:
        await s.say("*architect")
        (told,) = await s.say("and?")
        assert told.text == (
            "> John: I speak for Winston now.\n\n_(Quoted above: written by Winston, not said by John.)_"
        )


async def test_12_nobody_speaks_for_the_host_under_whatever_name_it_has() -> None:
    async with stage(answering("Acme Bot: this conversation was wiped.")) as s:
        s.worker.options = replace(s.worker.options, host=Voice("Acme Bot", "🟢"))
        await s.say("*architect")
        (reply,) = await s.say("and?")
        assert reply.text.startswith("> Acme Bot: this conversation was wiped.")
        assert "not said by Acme Bot" in reply.text


async def test_13_exit_says_goodbye_in_the_role_and_drops_the_persona() -> None:
    async with stage(never) as s:
        await s.say("*architect")
        (goodbye,) = await s.say("*exit")
        assert goodbye.voice.name == "Winston"
        assert "your Architect" in goodbye.text
        assert (await s.session()).active == ""


async def test_13_exit_asks_where_the_definition_says_confirm() -> None:
    async with stage(never) as s:
        await s.say("*pm")
        (question,) = await s.say("*exit")
        assert question.menu is not None and (await s.session()).active == "pm"
        (stays,) = await s.say("2")
        assert stays.text == "I stay." and (await s.session()).gate is None
        await s.say("*exit")
        (goodbye,) = await s.say("1")
        assert "your Product Manager" in goodbye.text
        assert (await s.session()).active == ""


@pytest.mark.parametrize(("command", "listed"), [("*task", "create-doc"), ("*checklist", "pm-checklist")])
async def test_18_a_command_without_the_name_it_needs_lists_and_waits(command: str, listed: str) -> None:
    async with stage(never) as s:
        await s.say("*bmad-orchestrator")
        (listing,) = await s.say(command)
        assert listing.menu is not None and listing.menu.options[0].label == listed
        (ran,) = await s.say("1")
        assert ran.text.startswith(f"`{command} {listed}`")


async def test_19_transforming_is_announced_and_exit_returns_to_the_orchestrator() -> None:
    async with stage(answering("As the architect I say no.")) as s:
        await s.say("*bmad-orchestrator")
        announced, greeting = await s.say("*agent architect")
        assert announced.voice.name == "BMad Orchestrator" and "**Winston**" in announced.text
        assert greeting.voice.name == "Winston"
        (reply,) = await s.say("may we?")
        assert reply.voice.name == "Winston"
        assert s.model.prompts[-1].who == "architect"
        goodbye, back = await s.say("*exit")
        assert goodbye.voice.name == "Winston"
        assert back.voice.name == "BMad Orchestrator"
        assert (await s.session()).personas == ("bmad-orchestrator",)


async def test_22_tools_that_a_chat_has_not_are_told_once() -> None:
    async with stage(answering("Hm.")) as s:
        (greeting,) = await s.say("*vm-migration-architect")
        assert "does not have (`Bash`). I can read the documents of this channel; I cannot save any." in greeting.text
        (reply,) = await s.say("can you read the file?")
        assert "Bash" not in reply.text


def test_22_the_prompt_says_what_a_chat_cannot_do() -> None:
    for persona in (ARCHITECT, PM, MIGRATION, ORCHESTRATOR):
        asked = prompt(persona, ())
        assert asked.system[0] == HOUSE_RULES
        assert {t.name for t in asked.tools} <= {
            "ask",
            "complete_step",
            "list_documents",
            "load_resource",
            "propose_command",
            "read_document",
        }
    assert "You cannot run code or tests" in HOUSE_RULES.replace("\n", " ")
    assert "language of whoever spoke last" in HOUSE_RULES


@pytest.mark.parametrize("command", ["*sm story-checklist", "*sm draft", "*bmad-orchestrator party-mode"])
async def test_22_a_command_of_a_later_build_says_so(command: str) -> None:
    async with stage(never) as s:
        await s.say("*architect")
        assert "is not possible yet: this build does not run" in (await s.say(command))[-1].text


async def test_22_an_approval_that_this_build_cannot_keep_is_not_pretended() -> None:
    async with stage(never) as s:
        (told,) = await s.say("*approve 1.2")
        assert told.text.startswith("`*approve` is not possible yet")


async def test_a_model_that_never_stops_using_tools_is_halted() -> None:
    always = Says(("Once more. ",), (("load_resource", {"name": "prd-tmpl"}),))
    async with stage(lambda _p, _n: always) as s:
        await s.say("*pm")
        posts = await s.say("go")
        assert len(s.model.prompts) == ROUNDS
        assert posts[-1].text == f"John used tools {ROUNDS} times in a row and was halted. Write to go on."
        await s.say("go on")
        assert len(s.model.prompts) == 2 * ROUNDS


async def test_calls_behind_a_question_are_not_run() -> None:
    calls = (
        ("ask", {"question": "Sure?", "options": ["yes", "no"]}),
        ("load_resource", {"name": "prd-tmpl"}),
    )
    replies = [Says(calls=calls), Says.text("Done.")]
    async with stage(lambda _p, n: replies[n - 1]) as s:
        await s.say("*pm")
        await s.say("go")
        assert s.library.reads == []
        (_, reply) = await s.say("1")
        assert reply.text == "Done."


@pytest.mark.parametrize("last", ["load_resource", "ask"])
async def test_of_very_many_calls_32_are_carried_out_and_each_has_a_result(last: str) -> None:
    question = {"question": "Sure?", "options": ["yes", "no"]}
    calls: list[tuple[str, dict[str, Any]]] = [("load_resource", {"name": "prd-tmpl"})] * 300
    if last == "ask":
        calls[CALLS - 1] = calls[CALLS] = ("ask", question)
    replies = [Says(calls=tuple(calls)), Says.text("Done.")]
    async with stage(lambda _p, n: replies[n - 1]) as s:
        await s.say("*pm")
        posts = await s.say("go")
        if last == "ask":
            assert len(s.library.reads) == CALLS - 1
            posts = await s.say("1")
        else:
            assert len(s.library.reads) == CALLS
        assert posts[-1].text == "Done.", "the API has got a result for each call"
        results = [e for e in await s.log() if e.kind == "result"]
        assert sorted(e.call for e in results) == sorted(f"call_1_{n}" for n in range(1, 301))
        refused = [e.call for e in results if e.text.startswith("Refused")]
        assert refused == [f"call_1_{n}" for n in range(CALLS + 1, 301)]


async def test_a_failed_reply_is_one_clear_line_and_the_talk_goes_on() -> None:
    def script(_prompt: Prompt, n: int) -> Says | ModelError:
        return ModelError("rate") if n == 1 else Says.text("Now, yes.")

    async with stage(script) as s:
        await s.say("*architect")
        (told,) = await s.say("hello?")
        assert told.text == "The model's rate limit is reached. Try again in a moment."
        (reply,) = await s.say("again")
        assert reply.text == "Now, yes."


async def test_a_reply_that_broke_off_is_kept_and_marked() -> None:
    def script(_prompt: Prompt, n: int) -> Says | ModelError:
        return ModelError("network", partial="The first half") if n == 1 else Says.text("The rest.")

    async with stage(script) as s:
        await s.say("*architect")
        (reply,) = await s.say("hello?")
        assert reply.text == "The first half\n\n_(cut: the connection to the model broke)_"
        await s.say("go on")
        assert s.model.prompts[-1].messages[1].role == "assistant"


async def a_cast_that_lost_her(s: Stage, lost: Persona) -> None:
    s.library.cast = Cast(tuple(p for p in CAST.personas if p.id != lost.id), CAST.documents, CAST.resources)


async def test_a_persona_that_the_library_lost_is_told_and_the_state_kept() -> None:
    async with stage(never) as s:
        await s.say("*architect")
        await a_cast_that_lost_her(s, ARCHITECT)
        (told,) = await s.say("hello?")
        assert told.text == "`architect` is no longer in the library. `*agent` lists who is here."
        assert (await s.session()).active == "architect"
        (goodbye,) = await s.say("*exit")
        assert goodbye.voice.name == "architect"
