"""Whoever comes on knows what was just said, by the log alone; prompts only grow until it comes on again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.core.before import CHARACTERS, ENTRIES, before
from bot.core.codec import dump
from bot.core.model import Conversation
from bot.core.prompt import Prompt, prompt
from bot.core.steps import Entry
from bot.personas.model import Cast
from tests.fakes.library import ARCHITECT, CAST, ORCHESTRATOR, PM
from tests.fakes.model import Says
from tests.fakes.platform import ROOM
from tests.scenario.stage import Stage, answering, stage


def printed(asked: Prompt) -> str:
    """The messages of a prompt as somebody reads them: a line of its role, then its blocks."""
    shown = []
    for message in asked.messages:
        shown.append(f"<{message.role}>")
        for block in message.blocks:
            value = json.loads(block.json)
            shown.append(value.get("text") or f"{value['type']}: {value.get('content') or value.get('name')}")
    return "\n".join(shown)


def blocks(asked: Prompt) -> list[tuple[str, str]]:
    return [(message.role, block.json) for message in asked.messages for block in message.blocks]


HANDED_OVER = """\
<user>
[host] This is what was said here last, before you came on. People who spoke lately: alice, dana.
alice: We lose orders at night.
BMad Orchestrator: Since when?
dana: Since the move to the new database.
BMad Orchestrator: Which part shall we look at? (the queue / the database)
[host] (To BMad Orchestrator) alice chose: the queue
BMad Orchestrator: Winston knows that best.
[host] It is Tuesday, 14 November 2023 (UTC). You came on here, called by dana. BMad Orchestrator hands over to you: \
what was said and decided stands above; ask nobody for it again. This is the channel general on fake. It shows bold, \
italics, lists, quotes, links and code; tables are shown as tables; images, HTML and diagrams are not drawn. All of \
your commands work here.
dana: Where do we begin?"""

SETTLING = [
    Says.text("Since when?"),
    Says(calls=(("ask", {"question": "Which part shall we look at?", "options": ["the queue", "the database"]}),)),
    Says.text("Winston knows that best."),
    Says.text("With the queue."),
    Says.text("Then the retries."),
]


async def settled(s: Stage) -> None:
    """A talk with the coordinator in which something was settled, and the hand-over to the architect."""
    await s.say("*bmad-orchestrator")
    await s.say("We lose orders at night.")
    await s.say("Since the move to the new database.", user="dana")
    await s.say("1")
    await s.say("*agent architect", user="dana")
    await s.say("Where do we begin?", user="dana")


async def test_24_a_hand_over_brings_what_was_said_and_settled() -> None:
    async with stage(lambda _p, n: SETTLING[n - 1]) as s:
        await settled(s)
        assert printed(s.model.prompts[-1]) == HANDED_OVER


async def test_the_prompt_only_grows_until_the_persona_comes_on_again() -> None:
    async with stage(lambda _p, n: SETTLING[min(n, 5) - 1]) as s:
        await settled(s)
        await s.say("And then?")
        await s.say("*explain the retries")
        first, *later = [p for p in s.model.prompts if p.who == "architect"]
        for asked in later:
            assert blocks(asked)[: len(blocks(first))] == blocks(first)
            assert (asked.system, asked.tools) == (first.system, first.tools)
            first = asked


async def test_24_what_it_said_in_an_earlier_stay_is_its_own() -> None:
    async with stage(lambda p, n: Says.text(f"{p.who} {n}.")) as s:
        await s.say("*architect")
        await s.say("one")
        await s.say("*exit")
        await s.say("*pm")
        await s.say("two")
        await s.say("*architect")
        await s.say("three")
        asked = s.model.prompts[-1]
        assert [m.role for m in asked.messages] == ["user", "assistant", "user"]
        assert "architect 1." in asked.messages[1].blocks[0].json
        assert "John: pm 2." in printed(asked) and "alice: one" in printed(asked)


async def test_it_says_neither_its_title_twice_nor_that_nothing_was_said() -> None:
    async with stage(answering("Fine.")) as s:
        await s.say("*vm-migration-architect")
        await s.say("hello")
        (asked,) = s.model.prompts
        assert asked.system[1].startswith("You are VM Migration Architect (🤖).")
        assert "before you came on" not in printed(asked)


async def test_a_new_day_is_told_once_and_before_what_is_said() -> None:
    async with stage(answering("Fine.")) as s:
        await s.say("*pm")
        await s.say("one")
        s.clock.advance(86_400)
        await s.say("*help")
        await s.say("two")
        await s.say("three")
        told = printed(s.model.prompts[-1])
        assert told.count("It is ") == 2
        assert "It is Wednesday, 15 November 2023 (UTC) now. This is the channel general" in told
        assert told.index("15 November") < told.index("alice: two")


@pytest.mark.parametrize(
    ("where", "how", "told"),
    [
        (replace(ROOM, channel="D7"), {"direct": True}, "This is a direct message on fake."),
        (replace(ROOM, thread="17"), {"addressed": True}, "This is a thread of the channel general on fake."),
    ],
)
async def test_a_persona_knows_where_it_is(where: Conversation, how: dict[str, bool], told: str) -> None:
    async with stage(answering("Fine.")) as s:
        await s.say("*pm", conversation=where, **how)
        await s.say("hello", conversation=where, **how)
        assert told in printed(s.model.prompts[-1])


async def test_a_thread_that_inherits_its_persona_tells_it_where_it_is() -> None:
    async with stage(answering("Fine.")) as s:
        await s.say("*pm")
        await s.say("hello", conversation=replace(ROOM, thread="17"))
        assert "You came on here. This is a thread of the channel general" in printed(s.model.prompts[-1])


async def test_a_deleted_message_is_gone_from_what_the_next_one_knows() -> None:
    async with stage(answering("Fine.")) as s:
        await s.say("*pm")
        await s.say("the word is swordfish")
        await s.say("and the other is herring")
        await s.inbox.deleted(ROOM, "in2")
        await s.say("*architect")
        await s.say("hello")
        told = printed(s.model.prompts[-1])
        assert "swordfish" not in told and "alice: and the other is herring" in told


async def test_a_person_who_is_forgotten_is_gone_from_what_the_next_one_knows() -> None:
    async with stage(answering("Fine.")) as s:
        await s.say("*pm")
        await s.say("the word is swordfish", user="mallory")
        await s.say("*architect", user="mallory")
        await s.say("a question of mine")
        await s.store.forget_user("Umallory", "somebody")
        for called in ("*pm", "*architect"):
            await s.say(called)
            await s.say("hello")
            told = printed(s.model.prompts[-1])
            assert "mallory" not in told and "swordfish" not in told and "a question of mine" in told


async def test_with_the_only_message_deleted_nobody_is_asked() -> None:
    async with stage(answering("Fine.")) as s:
        await s.say("*pm")
        await s.say("first")
        await s.say("*architect")
        log = [*await s.log(), Entry("said", "Ualice", "", "alice", id="in9")]
        assert not prompt(ARCHITECT, log).asks
        assert prompt(ARCHITECT, [*log, Entry("said", "Ualice", "so?", "alice", id="in10")]).asks


async def test_a_wiped_conversation_leaves_nothing_to_know() -> None:
    async with stage(answering("Fine.")) as s:
        await s.say("*pm")
        await s.say("the word is swordfish")
        await s.store.forget(ROOM.key)
        await s.say("*architect")
        await s.say("hello")
        assert "swordfish" not in printed(s.model.prompts[-1])


async def test_what_is_known_from_before_is_bounded() -> None:
    reply = json.dumps([{"type": "text", "text": "yes"}])
    talk = [
        entry
        for n in range(200)
        for entry in (Entry("said", "U1", f"line {n}", "alice"), Entry("reply", "pm", "yes", "John", reply))
    ]
    short = before("architect", talk)
    assert len(short) == ENTRIES + 1 and short[1].text == "line 180"

    long = before("architect", [Entry("said", "U1", f"{n} " + "word " * 500, "alice") for n in range(50)])
    assert CHARACTERS / 2 < sum(len(entry.text) for entry in long[1:]) <= CHARACTERS

    (_, one) = before("architect", [Entry("said", "U1", "x" * 100_000, "alice")])
    assert one.text.endswith("\n(... 96000 more characters)")


async def test_a_coordinator_knows_everybody_else() -> None:
    asked = prompt(ORCHESTRATOR, (), CAST)
    assert "- *architect: Winston, Architect. Use for system design and technology choices" in asked.system[2]
    assert "- *vm-migration-architect: VM Migration Architect. Live migration" in asked.system[2]
    assert "*bmad-orchestrator:" not in asked.system[2]
    assert len(prompt(PM, (), CAST).system) == len(asked.system) - 1, "nobody else has the roster"


async def test_in_a_large_library_a_coordinator_looks_for_people_by_a_tool() -> None:
    many = tuple(replace(ARCHITECT, id=f"architect-{n}", when_to_use=f"Use for bridge {n}") for n in range(120))
    cast = Cast((ORCHESTRATOR, *many))
    replies = [Says(calls=(("find_persona", {"query": "bridge 77"}),)), Says.text("Ask *architect-77.")]
    async with stage(lambda _p, n: replies[n - 1], cast=cast) as s:
        await s.say("*bmad-orchestrator")
        (reply,) = await s.say("Who knows about bridge 77?")
        asked, found = s.model.prompts
        assert "There are 120 other personas here" in asked.system[2] and "architect-3:" not in asked.system[2]
        assert "find_persona" in [tool.name for tool in asked.tools]
        assert json.loads(found.messages[-1].blocks[0].json)["content"].startswith("- *architect-77: Winston.")
        assert reply.text == "Ask *architect-77."


async def test_a_session_remembers_the_dates_of_a_few_personas() -> None:
    many = tuple(replace(ARCHITECT, id=f"architect-{n}", name=f"Winston {n}") for n in range(30))
    async with stage(answering("Fine."), cast=Cast(many)) as s:
        for persona in many:
            await s.say(f"*{persona.id}")
        session = await s.session()
        assert len(session.dated) == 10 and len(dump(session)) < 5_000
