"""Who is spoken to, what is a number, what is a command, what is nobody's business: as people in a channel see it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from bot.core.gates import AskGate, ExitGate
from bot.core.menus import label
from bot.core.model import MENU_OPTIONS, Activate, Conversation, Turnover
from bot.core.prompt import Prompt
from bot.personas.model import Cast, Persona
from bot.ports.model import ModelError
from bot.runtime.access import Access
from bot.runtime.preview import PACE
from tests.fakes.library import CAST
from tests.fakes.model import Says
from tests.fakes.platform import ROOM
from tests.scenario.stage import answering, stage
from tests.scenario.test_rules import never

DM = Conversation("fake", "team", "D1")
THREAD = Conversation("fake", "team", "general", "100.1")


# ---------------------------------------------------------------- numbers


async def test_a_number_belongs_to_the_last_menu() -> None:
    async with stage(never) as s:
        await s.say("*help")
        (greeting,) = await s.say("3")
        assert greeting.voice.name == "Winston"
        (ran,) = await s.say("2")
        assert "was not begun" in ran.text


async def test_a_number_after_the_personas_own_words_is_text_for_her() -> None:
    async with stage(answering("1. queues 2. stacks")) as s:
        await s.say("*architect")
        await s.say("what can we talk about?")
        await s.say("2")
        assert [e.text for e in await s.log() if e.kind == "said"] == ["what can we talk about?", "2"]


async def test_a_number_after_a_menu_that_came_after_her_words_is_a_choice_again() -> None:
    async with stage(answering("1. queues 2. stacks")) as s:
        await s.say("*architect")
        await s.say("what can we talk about?")
        await s.say("*help")
        (ran,) = await s.say("2")
        assert "was not begun" in ran.text


async def test_a_number_typed_before_the_menu_stood_there_did_not_mean_it() -> None:
    async with stage(never) as s:
        await s.say("*pm")
        hasty = [s.platform.said("*exit"), s.platform.said("1")]
        for inbound in hasty:
            await s.inbox.receive(inbound)
        await s.settle()
        session = await s.session()
        assert session.active == "pm", "the 1 meant *help, which stood there when it was typed"
        assert isinstance(session.gate, ExitGate)


async def test_buttons_of_a_help_menu_stay_good_while_the_persona_is_on() -> None:
    async with stage(answering("Fine.")) as s:
        (greeting,) = await s.say("*architect")
        assert greeting.menu is not None
        await s.say("hello")
        await s.say("*status")
        for _ in range(2):
            chose, ran = await s.press(greeting.menu.id, 2)
            assert chose.text == f"alice chose: {label(greeting.menu.options[1])}"
            assert "was not begun" in ran.text
        await s.say("*pm")
        (passed,) = await s.press(greeting.menu.id, 2)
        assert passed.text.startswith("That choice has passed.")


async def test_a_menu_that_decides_something_lives_once() -> None:
    async with stage(never) as s:
        await s.say("*pm")
        (question,) = await s.say("*exit")
        assert question.menu is not None
        await s.press(question.menu.id, 2)
        (passed,) = await s.press(question.menu.id, 1)
        assert passed.text.startswith("That choice has passed.")
        assert (await s.session()).active == "pm"


async def test_a_number_for_a_passed_choice_shows_the_open_question_again_under_a_new_id() -> None:
    async with stage(never) as s:
        await s.say("*pm")
        await s.say("*exit")
        await s.say("2")
        late = s.platform.said("1", at=s.clock.now())
        (first,) = await s.say("*exit")
        (again,) = await s.hear(late)
        assert again.text.startswith("That choice has passed. What is asked now:")
        assert first.menu and again.menu and again.menu.id != first.menu.id
        assert again.menu.options == first.menu.options


async def test_a_press_on_a_passed_choice_is_answered_to_who_pressed_alone() -> None:
    async with stage(never) as s:
        await s.say("*pm")
        (first,) = await s.say("*exit")
        for menu, number in (("m99", 1), (first.menu.id if first.menu else "", 9)):
            (whispered,) = await s.press(menu, number, user="bob", handle="h1")
            assert whispered.text == "That choice has passed. What is asked now stands further down."
            assert whispered.only == "Ubob"
        gate = (await s.session()).gate
        assert gate and first.menu and gate.menu == first.menu.id


async def test_a_number_beyond_the_list_is_told() -> None:
    async with stage(never) as s:
        await s.say("*architect")
        (told,) = await s.say("9")
        assert told.text == "There is no 9 in that list; it goes from 1 to 4."


async def test_the_first_valid_choice_of_several_people_wins() -> None:
    async with stage(never) as s:
        await s.say("*pm")
        (question,) = await s.say("*exit")
        assert question.menu is not None
        for user, number in (("alice", 1), ("bob", 2)):
            await s.inbox.receive(s.platform.said("", user=user, menu=question.menu.id, number=number))
        await s.settle()
        assert (await s.session()).active == ""


@pytest.mark.parametrize("many", [32, 72])
async def test_every_entry_of_a_long_list_is_reachable_by_a_number(many: int) -> None:
    crowd = tuple(Persona(f"p{n:02}", f"Person {n:02}") for n in range(many))
    async with stage(never, cast=Cast(crowd)) as s:
        reached: list[str] = []
        (page,) = await s.say("*help")
        while page.menu is not None:
            assert len(page.menu.options) <= MENU_OPTIONS
            reached += [o.action.persona for o in page.menu.options if isinstance(o.action, Activate)]
            onward = [n for n, o in enumerate(page.menu.options, 1) if o.label.startswith("Next")]
            if not onward:
                break
            (page,) = await s.say(str(onward[0]))
        assert reached == [p.id for p in crowd]
        assert page.menu is not None
        back = [n for n, o in enumerate(page.menu.options, 1) if isinstance(o.action, Turnover)]
        (before,) = await s.say(str(back[-1]))
        (greeting,) = await s.say("1")
        assert before.menu is not None and greeting.voice.name in [o.hint[2:] for o in before.menu.options[:1]]


# ---------------------------------------------------------------- confirmations


async def test_plain_text_withdraws_a_confirmation_says_so_and_is_answered() -> None:
    async with stage(answering("Sure.")) as s:
        await s.say("*pm")
        await s.say("*exit")
        withdrawn, reply = await s.say("wait, one more thing")
        assert withdrawn.text == "I stay, then."
        assert reply.text == "Sure."
        (passed,) = await s.say("*status")
        assert "Ready. Write, or type a command." in passed.text


async def test_plain_text_that_names_a_command_is_asked_about() -> None:
    async with stage(answering("Let us talk.")) as s:
        await s.say("*sm")
        (question,) = await s.say("draft story")
        assert question.menu is not None
        assert [o.label for o in question.menu.options] == ["Run *draft", "Just talk"]
        (reply,) = await s.say("2")
        assert reply.text == "Let us talk."
        assert [e.text for e in await s.log() if e.kind == "said"] == ["draft story"]


async def test_plain_text_with_no_clear_match_is_talk() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*sm")
        for text in ("what do you think of this draft?", "the story is too long for one sprint", "draft a letter"):
            (reply,) = await s.say(text)
            assert reply.text == "Yes."


async def test_an_answer_in_own_words_counts_only_from_those_who_can_have_seen_the_question() -> None:
    replies = [Says(calls=(("ask", {"question": "Which?", "options": ["red", "blue"]}),)), Says.text("Green, then.")]
    async with stage(lambda _p, n: replies[n - 1]) as s:
        await s.say("*pm")
        for text in ("paint the shed", "*status", "and the fence"):
            await s.inbox.receive(s.platform.said(text))
        await s.settle()
        assert len(s.model.prompts) == 1, "nobody has answered yet"
        session = await s.session()
        assert isinstance(session.gate, AskGate)
        (reply,) = await s.say("rather green")
        assert reply.text == "Green, then."
        assert [e.text for e in await s.log() if e.kind == "said"][-1] == "rather green"
        result = [e.text for e in await s.log() if e.kind == "result"][-1]
        assert result == "They answered in their own words: what stands last below."
        last = s.model.prompts[-1].messages[-1].blocks
        assert result in last[0].json and "alice: rather green" in last[-1].json
        asked = [text for text in s.platform.texts if "1. red" in text]
        assert len(asked) == 2, "the question, and once more below the words of somebody who had not seen it"


# ---------------------------------------------------------------- who is spoken to


@pytest.mark.parametrize("text", ["// just between us", "😀", "👍🏽 🎉", ":tada:", "  //note"])
async def test_asides_and_emoji_cost_nothing(text: str) -> None:
    async with stage(never) as s:
        await s.say("*architect")
        assert await s.say(text) == []
        assert [e.kind for e in await s.log()] == ["on", "note"]


async def test_what_is_for_another_human_is_left_alone() -> None:
    async with stage(answering("Yes?")) as s:
        await s.say("*architect")
        assert await s.say("@bob are you coming?", others=True) == []
        (reply,) = await s.say("@greenroom ask @bob", others=True, addressed=True)
        assert reply.text == "Yes?"


async def test_after_a_long_silence_the_channel_sleeps_until_a_command_or_a_mention() -> None:
    async with stage(answering("I am awake.")) as s:
        await s.say("*architect")
        s.clock.advance(8 * 3600 + 1)
        assert await s.say("good morning everybody") == []
        assert await s.say("1") == []
        assert await s.say("still nobody asked you") == []
        (reply,) = await s.say("what about you?", addressed=True)
        assert reply.text == "I am awake."
        (reply,) = await s.say("and now I need no mention")
        assert reply.text == "I am awake."


@pytest.mark.parametrize("place", [DM, THREAD])
async def test_threads_and_direct_messages_do_not_sleep(place: Conversation) -> None:
    async with stage(answering("Here.")) as s:
        await s.say("*architect", conversation=place, direct=place == DM)
        s.clock.advance(30 * 86400)
        (reply,) = await s.say("still there?", conversation=place, direct=place == DM)
        assert reply.text == "Here."


async def test_where_nobody_is_on_a_channel_is_quiet_and_a_direct_message_gets_a_hint() -> None:
    async with stage(never) as s:
        assert await s.say("lunch?") == []
        (hint,) = await s.say("hello", conversation=DM, direct=True)
        assert "each under their own name. To begin with:\n\n1. `*bmad-orchestrator`" in hint.text
        (hint,) = await s.say("hello", addressed=True)
        assert "Nobody is on yet." in hint.text


async def test_help_in_a_direct_message_tells_a_newcomer_everything() -> None:
    async with stage(never) as s:
        (guide,) = await s.say("*help", conversation=DM, direct=True)
        for word in ("`*name`", "number", "`*status`", "`*exit`", "`stop`", "`//`", "5 personas", "Winston"):
            assert word in guide.text


async def test_a_thread_begins_with_the_persona_of_its_channel_and_goes_its_own_way() -> None:
    async with stage(answering("In the thread.")) as s:
        await s.say("*architect")
        (reply,) = await s.say("let us take it here", conversation=THREAD)
        assert reply.voice.name == "Winston" and reply.conversation == THREAD.key
        await s.say("*pm", conversation=THREAD)
        assert (await s.session()).active == "architect"
        assert (await s.session(THREAD)).active == "pm"


# ---------------------------------------------------------------- bursts and stop


async def test_a_burst_of_plain_messages_is_one_turn() -> None:
    async with stage(answering("All of it, yes.")) as s:
        await s.say("*architect")
        for text in ("one", "// not this", "two"):
            await s.inbox.receive(s.platform.said(text))
        await s.settle()
        assert len(s.model.prompts) == 1
        assert [e.text for e in await s.log() if e.kind == "said"] == ["one", "two"]


async def test_commands_are_never_taken_together_and_order_is_kept() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        for text in ("one", "*status", "two", "three"):
            await s.inbox.receive(s.platform.said(text))
        await s.settle()
        assert [e.text for e in await s.log() if e.kind == "said"] == ["one", "two", "three"]
        assert len(s.model.prompts) == 2
        assert [t.split(":")[0] for t in s.platform.texts[-3:]] == ["Yes.", "Active", "Yes."]


async def test_stop_ends_the_reply_and_keeps_what_was_written() -> None:
    async with stage(answering("One two three four five.")) as s:

        async def press_stop(n: int, piece: int) -> None:
            if (n, piece) == (1, 2):
                await s.inbox.receive(s.platform.said("stop", user="bob"))

        s.model.on_piece = press_stop
        await s.say("*architect")
        (reply,) = await s.say("count")
        assert reply.text == "One two three\n\n_(stopped by bob)_"
        assert [e.text for e in await s.log() if e.kind == "reply"] == ["One two three"]
        (whole,) = await s.say("again")
        assert whole.text == "One two three four five."


async def test_a_reply_that_was_stopped_while_its_worker_was_dead_is_not_asked_for_again() -> None:
    async with stage(answering("One two three four five.")) as s:

        async def dies(n: int, _piece: int) -> None:
            if n == 1:
                raise asyncio.CancelledError

        s.model.on_piece = dies
        await s.say("*architect")
        await s.inbox.receive(s.platform.said("count", at=s.clock.now()))
        await s.worker.work()
        await s.inbox.receive(s.platform.said("stop", user="bob", at=s.clock.now()))
        s.clock.advance(60)
        await s.settle()
        assert len(s.model.prompts) == 1
        assert "stopped by bob" in s.platform.texts[-1]


async def test_what_people_watched_of_a_reply_that_came_to_nothing_is_taken_back() -> None:
    async with stage(answering("Queues help when work comes in bursts, and then the service is gone.")) as s:
        watched: list[str] = []

        async def breaks(_n: int, piece: int) -> None:
            s.clock.advance(PACE)
            for _ in range(10):
                await asyncio.sleep(0)
            watched.extend(m.text for m in s.platform.seen() if not m.sealed)
            if piece == 5:
                raise ModelError("overloaded")

        s.model.on_piece = breaks
        await s.say("*architect")
        (told,) = await s.say("well?")
        assert watched, "nothing was watched, so nothing can be taken back"
        assert told.text.startswith("The model is overloaded")
        assert [m.text for m in s.platform.seen() if not m.sealed] == []


async def test_stop_with_nothing_to_stop_costs_no_model_call() -> None:
    async with stage(never) as s:
        assert await s.say("stop") == []
        await s.say("*architect")
        (told,) = await s.say("stop")
        assert told.text == "No reply is running."


# ---------------------------------------------------------------- commands of the host


async def test_agent_knows_names_and_roles() -> None:
    async with stage(never) as s:
        for text, name in (("*agent Winston", "Winston"), ("*agent scrum master", "Bob"), ("*scrum master", "Bob")):
            assert (await s.say(text))[-1].voice.name == name
        (nobody,) = await s.say("*agent xyzzy")
        assert nobody.text == "Nobody here fits “xyzzy”. `*agent` lists everybody."
        (listing,) = await s.say("*agent")
        assert listing.menu is not None and len(listing.menu.options) == 5


async def test_two_of_the_same_name_are_asked_about() -> None:
    twin = replace(CAST.personas[1], id="other-pm", name="Winston")
    async with stage(never, cast=replace(CAST, personas=(*CAST.personas, twin))) as s:
        (question,) = await s.say("*agent Winston")
        assert question.menu is not None and len(question.menu.options) == 2
        assert (await s.say("2"))[-1].voice.persona == "other-pm"


async def test_a_command_of_somebody_who_is_not_on_offers_to_call_them() -> None:
    async with stage(never) as s:
        await s.say("*architect")
        (question,) = await s.say("*draft")
        assert question.menu is not None and [o.label for o in question.menu.options] == ["*sm draft"]
        posts = await s.say("1")
        assert posts[0].voice.name == "Bob" and posts[-1].text.startswith("`*draft`")


async def test_an_unknown_command_gets_the_nearest_ones() -> None:
    async with stage(never) as s:
        await s.say("*pm")
        (question,) = await s.say("*prd")
        assert question.menu is not None
        assert "*create-prd" in [o.label for o in question.menu.options]
        (told,) = await s.say("*qqqqqqqq")
        assert told.text == "There is no `*qqqqqqqq`, and nothing like it. `*help` shows what there is."


async def test_status_and_yolo_say_where_things_stand() -> None:
    async with stage(never) as s:
        assert (await s.say("*status"))[0].text == "Nobody is on. `*help` shows who can be called."
        await s.say("*bmad-orchestrator")
        await s.say("*pm")
        await s.say("*yolo")
        await s.say("*exit")
        (told,) = await s.say("*status")
        assert "John** (`pm`) on top of" in told.text
        assert "Waiting for an answer: leave or stay." in told.text and "Yolo: on" in told.text
        await s.say("1")
        await s.say("*exit")
        assert not (await s.session()).yolo, "it ends with the last persona"


async def test_a_document_is_read_out_and_called_one() -> None:
    async with stage(never) as s:
        (told,) = await s.say("*README")
        assert told.text.startswith("`README` is a document, not a persona.")
        assert "How agents are laid out." in told.text
        assert (await s.session()).active == ""


async def test_the_orchestrator_says_that_it_coordinates_and_how_commands_begin() -> None:
    async with stage(never) as s:
        (greeting,) = await s.say("*bmad-orchestrator")
        assert "I coordinate the personas" in greeting.text
        assert "commands begin with `*`" in greeting.text


async def test_a_command_without_a_task_behind_it_is_a_request_to_the_persona() -> None:
    async with stage(answering("It follows from the load.")) as s:
        await s.say("*architect")
        (reply,) = await s.say("*explain the queue")
        assert reply.text == "It follows from the load."
        assert (
            "asks for your command *explain (Explain a decision): the queue"
            in s.model.prompts[0].messages[0].blocks[-1].json
        )


async def test_an_empty_library_says_what_to_check() -> None:
    async with stage(never, cast=Cast()) as s:
        for text in ("*help", "*agent", "*chat-mode"):
            assert (await s.say(text))[0].text.startswith("The library holds no persona.")


async def test_a_repeated_delivery_is_answered_once() -> None:
    async with stage(never) as s:
        inbound = s.platform.said("*architect")
        assert len(await s.hear(inbound)) == 1
        assert await s.hear(inbound) == []


async def test_long_replies_arrive_in_pieces_in_order() -> None:
    text = "\n\n".join(f"Paragraph {n} with a few words in it." for n in range(12))
    async with stage(answering(text), limit=120) as s:
        await s.say("*architect")
        pieces = [m.text for m in await s.say("at length")]
        assert len(pieces) > 3 and all(len(p) <= 120 for p in pieces)
        assert "\n\n".join(pieces) == text


async def test_a_prompt_only_grows() -> None:
    replies = [
        Says.text("First."),
        Says(("Look. ",), (("load_resource", {"name": "prd-tmpl"}),)),
        Says.text("Read it."),
        Says.text("And more."),
    ]
    async with stage(lambda _p, n: replies[(n - 1) % 4]) as s:
        await s.say("*pm")
        for text in ("one", "two", "*status", "three", "*help", "four"):
            await s.say(text)
        flat = [_blocks(p) for p in s.model.prompts]
        assert len(flat) > 4
        for before, after in pairwise(flat):
            assert after[: len(before)] == before
        assert len({(p.system, p.tools) for p in s.model.prompts}) == 1


def _blocks(prompt: Prompt) -> list[tuple[str, str]]:
    return [(m.role, b.json) for m in prompt.messages for b in m.blocks]


async def test_a_switch_rewrites_nobodys_prompt() -> None:
    async with stage(lambda p, n: Says.text(f"{p.who} {n}.")) as s:
        await s.say("*bmad-orchestrator")
        await s.say("hello")
        await s.say("*architect")
        await s.say("hello architect")
        await s.say("*exit")
        await s.say("and back")
        first, other, last = s.model.prompts
        assert other.who == "architect" and [m.role for m in other.messages] == ["user"]
        assert _blocks(last)[: len(_blocks(first))] == _blocks(first)
        assert '"Winston: architect 2."' in _blocks(last)[-3][1]
        assert "Winston left: you have the floor again." in _blocks(last)[-2][1]


async def test_what_the_host_renders_is_in_no_prompt() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*pm")
        await s.say("*status")
        await s.say("*exit")
        await s.say("no wait")
        text = "".join(json for _, json in _blocks(s.model.prompts[-1]))
        for word in ("I am **John**", "Active:", "Leave now", "I stay"):
            assert word not in text


async def test_conversations_do_not_know_of_each_other() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*pm")
        other = replace(ROOM, channel="random")
        assert await s.say("hello", conversation=other) == []
        await s.say("*architect", conversation=other)
        assert (await s.session()).active == "pm"


# ---------------------------------------------------------------- the library, read again


async def test_only_an_admin_may_have_the_files_read_again() -> None:
    async with stage(never) as s:
        (refused,) = await s.say("*reload")
        assert refused.text.startswith("Only an admin")
        (asked,) = await s.say("*reloa")
        assert asked.menu is not None, "and a slip never does it"


async def test_reload_tells_what_came_of_it_and_the_new_cast_is_on() -> None:
    async with stage(never) as s:
        s.worker.options = replace(s.worker.options, access=Access(admins=frozenset({"Ualice"})))
        s.library.after = Cast((*CAST.personas, Persona("newcomer", "Nora")))
        s.library.problems = tuple(f"our-cast/broken{n}.md:3: error: no name (write one)" for n in range(12))
        (told,) = await s.say("*reload")
        assert told.text.startswith("The persona files were read again: 6 personas.")
        assert "broken9.md" in told.text and "broken10.md" not in told.text and "2 more" in told.text
        assert (await s.say("*newcomer"))[0].voice.name == "Nora"
