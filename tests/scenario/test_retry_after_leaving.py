"""A reply that broke off belongs to its persona's stay: whoever comes later is not asked for what they never began."""

from __future__ import annotations

from bot.core.codec import load
from bot.core.session import Session
from bot.ports.model import ModelError
from tests.fakes.model import Says
from tests.fakes.platform import ROOM
from tests.scenario.stage import stage


def failing_first(_prompt: object, n: int) -> Says | ModelError:
    return ModelError("overloaded") if n == 1 else Says.text("Here it is.")


async def test_retry_after_another_persona_came_asks_no_model() -> None:
    async with stage(failing_first) as s:
        await s.say("*pm")
        await s.say("what is a PRD?")
        await s.say("*architect")
        await s.say("*pm")
        (told,) = await s.say("*retry")
        assert told.text == "There is nothing to try again: no reply of whoever is on broke off."
        assert len(s.model.prompts) == 1


async def test_a_reply_that_failed_below_another_persona_can_be_tried_again_when_its_own_is_back() -> None:
    async with stage(failing_first) as s:
        await s.say("*bmad-orchestrator")
        await s.say("whom do I need?")
        await s.say("*pm")
        (none,) = await s.say("*retry")
        assert none.text.startswith("There is nothing to try again")
        await s.say("*exit")
        await s.say("1")
        assert (await s.session()).active == "bmad-orchestrator"
        (reply,) = await s.say("*retry")
        assert reply.text.startswith("Here it is.")


async def test_retry_of_a_question_that_was_deleted_asks_no_model_and_says_why() -> None:
    async with stage(failing_first) as s:
        await s.say("*pm")
        asked = s.platform.said("what is a PRD?")
        await s.hear(asked)
        await s.inbox.deleted(ROOM, asked.id)
        (told,) = await s.say("*retry")
        assert told.text == "What was to be answered was deleted meanwhile, so no model was asked."
        assert len(s.model.prompts) == 1


def test_a_session_of_the_build_before_is_read() -> None:
    assert load('{"personas":["pm"],"unfinished":"failed"}', Session) == Session(("pm",))
