"""Messages that people edit or delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import cast

import pytest

from bot.core.model import Attachment
from bot.core.prompt import Prompt
from bot.ports.store import Store
from bot.runtime.inbox import Inbox
from tests.fakes.model import Says
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


TOLD = "An edit of an earlier message decides nothing here. If you mean it, send it as a new message."


async def test_an_edited_slip_runs_nothing_and_its_author_alone_is_told_once() -> None:
    async with stage(never) as s:
        await s.say("*architect")
        slip = s.platform.said("*exti")
        await s.hear(slip)
        for text in ("*status", "*exit"):
            await s.inbox.edited(replace(slip, text=text), slip.text)
            await s.settle()
        assert not any(t.startswith("Active:") for t in s.platform.texts)
        assert [m.only for m in s.platform.seen() if m.text == TOLD] == ["Ualice"]


@pytest.mark.parametrize("edit", ["1.", "1", "2.", "one", "*exit"])
async def test_an_edit_of_a_number_that_chose_never_chooses_again(edit: str) -> None:
    async with stage(never) as s:
        await s.say("*pm")
        await s.say("*exit")
        chose = s.platform.said("2")
        await s.hear(chose)
        (question,) = await s.say("*exit")
        await s.inbox.edited(replace(chose, text=edit), chose.text)
        await s.settle()
        session = await s.session()
        assert session.active == "pm", "nobody has chosen at the newer question"
        assert session.gate and question.menu and session.gate.menu == question.menu.id
        assert s.platform.texts[-1] == TOLD


async def test_an_edit_of_an_answer_in_words_never_answers_again_and_is_told() -> None:
    def asks(_prompt: Prompt, n: int) -> Says:
        ask = ("ask", {"question": "Which?", "options": ["red", "blue"]})
        return Says(("Hm. ",), (ask,)) if n == 1 else Says.text("Fine.")

    async with stage(asks) as s:
        await s.say("*pm")
        await s.say("which colour?")
        answer = s.platform.said("green, please")
        await s.hear(answer)
        assert len(s.model.prompts) == 2
        await s.inbox.edited(replace(answer, text="yellow, please"), answer.text)
        await s.settle()
        assert len(s.model.prompts) == 2 and s.platform.texts[-1] == TOLD


async def test_the_last_edit_of_a_message_that_waits_counts() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        waiting = s.platform.said("*pm")
        behind = s.platform.said("and more")
        await s.inbox.receive(waiting)
        await s.inbox.receive(behind)
        for text in ("status", "*status", "tell me about queues"):
            await s.inbox.edited(replace(waiting, text=text), "")
        await s.settle()
        assert [e.text for e in await s.log() if e.kind == "said"] == ["tell me about queues", "and more"]
        assert len(s.model.prompts) == 1, "it is talk now, and was taken together with what stands behind it"


async def test_of_several_edits_of_a_message_that_was_taken_the_last_one_counts() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        taken = s.platform.said("tell me about queues")
        await s.hear(taken)
        before = s.platform.texts
        for text in ("*exit", "tell me about stacks"):
            await s.inbox.edited(replace(taken, text=text), "")
        await s.settle()
        assert s.platform.texts == before, "the command is edited away again, so there is nothing to be told"


async def test_a_number_that_an_edit_made_while_it_waited_is_for_what_stood_above_the_message() -> None:
    async with stage(never) as s:
        await s.say("*pm")
        waiting = s.platform.said("hm")
        await s.say("*exit")
        await s.inbox.receive(waiting)
        await s.inbox.edited(replace(waiting, text="1"), "hm")
        await s.settle()
        assert (await s.session()).active == "pm", "its author had not seen the question"


class CrashError(Exception):
    """The process dies here."""


@dataclass(slots=True)
class Dying:
    """A store that dies before or after the call of that number."""

    store: Store
    left: int

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        async def call(*args: object, **how: object) -> object:
            self._point()
            done = await getattr(self.store, name)(*args, **how)
            self._point()
            return done

        return call

    def _point(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise CrashError


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("texts", [("one", "*status"), ("*status", "one"), ("*help", "*status"), ("1", "2")])
async def test_a_crash_at_any_point_of_an_edit_loses_nothing_and_doubles_nothing(
    texts: tuple[str, str], taken: bool
) -> None:
    async def run(crash_at: int | None) -> tuple[bool, list[str]]:
        async with stage(answering("Yes.")) as s:
            await s.say("*architect")
            before = len(s.platform.texts)
            message = s.platform.said(texts[0])
            await s.inbox.receive(message)
            if taken:
                await s.settle()
            edit = replace(message, text=texts[1])
            crashed = False
            if crash_at is not None:
                try:
                    await Inbox(cast(Store, Dying(s.store, crash_at))).edited(edit, texts[0])
                except CrashError:
                    crashed = True
            # The platform was not answered, so it tells of the edit again.
            await s.inbox.edited(edit, texts[0])
            await s.settle()
            return crashed, s.platform.texts[before:]

    _, expected = await run(None)
    point, crashed = 0, True
    while crashed:
        crashed, texts_now = await run(point)
        assert texts_now == expected
        point += 1
    assert point > 2


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


async def test_an_edit_that_waits_goes_with_its_message() -> None:
    async with stage(never) as s:
        await s.say("*architect")
        slip = s.platform.said("*exti")
        await s.hear(slip)
        before = s.platform.texts
        await s.inbox.edited(replace(slip, text="*status"), slip.text)
        await s.inbox.deleted(ROOM, slip.id)
        assert (await s.store.stats()).waiting == 0
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
