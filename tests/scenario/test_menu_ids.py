"""A button fits the menu that it was posted with, and no other, also after a wipe and after an update."""

from __future__ import annotations

from dataclasses import replace

from bot.core.codec import dump, load
from bot.core.events import Picked, Said
from bot.core.gates import ExitGate
from bot.core.machine import step
from bot.core.model import Conversation, Menu
from bot.core.session import ConversationState, Session
from bot.platforms.button_payload import Pressed, packed, unpacked
from bot.runtime.access import Access
from tests.fakes.library import CAST
from tests.fakes.platform import ROOM
from tests.scenario.stage import Stage, stage
from tests.scenario.test_rules import never

CUSTOM_ID = 100
"""Discord's limit for a `custom_id` (docs, component reference), the tightest of all platforms."""


def with_admin(s: Stage) -> Stage:
    s.worker.options = replace(s.worker.options, access=Access(admins=frozenset({"Ualice"})))
    return s


async def test_a_button_from_before_a_wipe_fits_no_question_after_it() -> None:
    async with stage(never) as s:
        with_admin(s)
        await s.say("*pm")
        (question,) = await s.say("*exit")
        assert question.menu is not None
        await s.say("2")
        (wipe,) = await s.say("*forget")
        assert wipe.menu is not None
        await s.press(wipe.menu.id, 1)
        assert await s.store.log(ROOM.key) == ()
        await s.say("*pm")
        (again,) = await s.say("*exit")
        assert again.menu is not None and again.menu.id != question.menu.id
        (passed,) = await s.press(question.menu.id, 1)
        assert passed.text.startswith("That choice has passed.")
        assert (await s.session()).active == "pm"


async def test_a_button_of_the_build_before_is_told_to_have_passed_and_the_question_stands_again() -> None:
    async with stage(never) as s:
        await s.say("*pm")
        (question,) = await s.say("*exit")
        assert question.menu is not None
        session = await s.session()
        old = replace(question.menu, id="m2")
        before = replace(session, menus=(old,), gate=ExitGate("pm", "m2"), turn="", counter=2)
        picked = Picked("t9", "Ualice", "alice", "m2", 1, 1.0)
        done = step(load(dump(before), Session), picked, CAST)
        assert done.session.active == "pm", "nothing was decided"
        assert done.session.gate is not None
        told, repeated = done.posts
        assert getattr(told, "only", None) is not None
        menu: Menu | None = getattr(repeated, "menu", None)
        assert menu is not None and menu.id == done.session.gate.menu != "m2"
        after = step(done.session, replace(picked, turn="t10", menu=menu.id), CAST)
        assert after.session.active == ""


async def test_a_turn_that_is_begun_again_makes_the_same_ids() -> None:
    async with stage(never) as s:
        await s.say("*pm")
        state = await s.store.peek(ROOM.key)
        session = load(state or "", ConversationState).session
        said = Said("t77", (), ())
        press = Picked("t77", "U", "u", "nothing", 1, 1.0)
        assert step(session, press, CAST) == step(session, press, CAST)
        assert step(session, said, CAST).session.turn == step(Session(), said, CAST).session.turn


async def test_a_button_of_the_longest_place_fits_discords_limit() -> None:
    async with stage(never) as s:
        (greeting,) = await s.say("*pm")
        assert greeting.menu is not None
        longest = Conversation("discord", "9" * 20, "9" * 20, "9" * 20)
        press = Pressed(longest, greeting.menu.id, 25)
        assert unpacked(packed(press, CUSTOM_ID)) == press
