"""Messages that people edit or delete."""

from __future__ import annotations

from dataclasses import replace

from bot.core.model import Attachment
from tests.fakes.platform import ROOM
from tests.scenario.stage import answering, stage
from tests.scenario.test_rules import never


async def test_an_edit_of_a_message_that_waits_replaces_it() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        waiting = s.platform.said("tell me about ques")
        await s.inbox.receive(waiting)
        await s.inbox.edited(replace(waiting, text="tell me about queues"), waiting.text)
        await s.settle()
        assert [e.text for e in await s.log() if e.kind == "said"] == ["tell me about queues"]


async def test_talk_that_becomes_a_command_while_it_waits_is_one() -> None:
    async with stage(never) as s:
        await s.say("*architect")
        waiting = s.platform.said("status")
        await s.inbox.receive(waiting)
        await s.inbox.edited(replace(waiting, text="*status"), waiting.text)
        await s.settle()
        assert s.platform.texts[-1].startswith("Active:")
        assert sum(t.startswith("Active:") for t in s.platform.texts) == 1


async def test_an_edit_after_a_did_you_mean_runs_once() -> None:
    async with stage(never) as s:
        await s.say("*architect")
        slip = s.platform.said("*exti")
        await s.hear(slip)
        for _ in range(2):
            await s.inbox.edited(replace(slip, text="*status", order=s.platform.clock + 1), slip.text)
            await s.settle()
        assert sum(t.startswith("Active:") for t in s.platform.texts) == 1


async def test_an_edit_that_changes_no_text_does_nothing() -> None:
    async with stage(never) as s:
        seen = s.platform.said("*status")
        await s.hear(seen)
        before = s.platform.texts
        await s.inbox.edited(replace(seen, order=99), seen.text)
        await s.settle()
        assert s.platform.texts == before


async def test_an_edit_of_talk_that_was_answered_changes_nothing() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        said = s.platform.said("one")
        await s.hear(said)
        await s.inbox.edited(replace(said, text="two", order=99), said.text)
        await s.settle()
        assert len(s.model.prompts) == 1
        assert [e.text for e in await s.log() if e.kind == "said"] == ["one"]


async def test_a_message_deleted_while_it_waits_is_never_heard() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        waiting = s.platform.said("forget that I said this")
        await s.inbox.receive(waiting)
        await s.inbox.deleted(ROOM, waiting.id)
        await s.settle()
        assert s.model.prompts == []


async def test_a_deleted_message_is_out_of_every_later_prompt() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        secret = s.platform.said("my password is swordfish")
        await s.hear(secret)
        await s.inbox.deleted(ROOM, secret.id)
        await s.say("what did I say?")
        assert "swordfish" not in "".join(b.json for m in s.model.prompts[-1].messages for b in m.blocks)
        assert [e.text for e in await s.log() if e.kind == "said"] == ["", "what did I say?"]


async def test_a_message_that_was_edited_into_a_command_and_deleted_before_its_turn_never_runs() -> None:
    async with stage(never) as s:
        await s.say("*architect")
        slip = s.platform.said("*exti")
        await s.hear(slip)
        before = s.platform.texts
        await s.inbox.edited(replace(slip, text="*status", order=s.platform.clock + 1), slip.text)
        await s.inbox.deleted(ROOM, slip.id)
        await s.settle()
        assert s.platform.texts == before


async def test_an_edit_of_the_words_beside_a_file_that_was_answered_changes_nothing() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        said = s.platform.said("one", files=(Attachment("notes.md", ref="f1", text="words"),))
        await s.hear(said)
        before = s.platform.texts
        await s.inbox.edited(replace(said, text="two", order=99), said.text)
        await s.settle()
        assert s.platform.texts == before
