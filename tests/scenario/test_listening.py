"""How a channel is listened to: to everybody, to mentions, or to commands; and who is nobody's business."""

from __future__ import annotations

from dataclasses import replace

from bot.runtime.access import Access, Names
from tests.fakes.platform import ROOM
from tests.scenario.stage import answering, stage


async def test_in_a_channel_that_listens_to_mentions_only_those_a_press_and_their_threads_get_a_post() -> None:
    async with stage(answering("Fine."), listen="mention") as s:
        assert await s.say("*architect") == []
        greeting = (await s.say("*architect", addressed=True))[-1]
        assert greeting.menu
        assert await s.say("hello there") == []
        assert await s.say("2") == [], "a number is no press"
        assert [m.text for m in await s.say("hello", addressed=True)] == ["Fine."]
        assert len(await s.press(greeting.menu.id, 2)) == 2
        root = s.platform.said("have a look", at=s.clock.now(), addressed=True)
        await s.hear(root)
        below = replace(ROOM, thread=root.id)
        assert [m.text for m in await s.say("and this?", conversation=below)] == ["Fine."]
        assert [m.text for m in await s.say("and that?", conversation=below)] == ["Fine."]
        elsewhere = replace(ROOM, thread="in999")
        assert await s.say("among ourselves", conversation=elsewhere) == []
        assert [m.text for m in await s.say("what do you say?", conversation=elsewhere, addressed=True)] == ["Fine."]
        assert await s.say("it goes on", conversation=elsewhere) == [], "it did not begin with a mention"
        begun = replace(ROOM, thread="in1000")
        await s.say("come here", conversation=begun, addressed=True)
        assert [m.text for m in await s.say("follow up", conversation=begun)] == ["Fine."]


async def test_in_a_channel_that_listens_to_commands_talk_is_for_people() -> None:
    async with stage(answering("Fine."), listen="commands") as s:
        greeting = (await s.say("*architect"))[-1]
        assert greeting.text.startswith("Hello")
        assert await s.say("hello there") == []
        assert await s.say("*qa* is blocked") == []
        assert [m.text for m in await s.say("1")] != []
        assert [m.text for m in await s.say("hello", addressed=True)] == ["Fine."]


async def test_whoever_talks_past_the_bot_is_neither_refused_nor_counted() -> None:
    async with stage(answering("Fine.")) as s:
        s.worker.options = replace(s.worker.options, access=Access(per_minute=1, burst=1))
        for _ in range(5):
            assert await s.say("among ourselves") == []
        assert (await s.say("*architect"))[-1].text.startswith("Hello")
        s.worker.options = replace(s.worker.options, access=Access(deny=Names(users=frozenset({"Ubob"}))))
        assert await s.say("// among ourselves", user="bob") == []
        (refused,) = await s.say("hello", user="bob")
        assert "may not use this bot" in refused.text


async def test_what_nobody_else_has_seen_is_shown_to_everybody_before_it_is_answered() -> None:
    async with stage(answering("Fine.")) as s:
        hidden = replace(s.platform.said("*architect", addressed=True), hidden=True)
        shown, greeting = await s.hear(hidden)
        assert (shown.text, shown.voice.name) == ("alice wrote: `*architect`", "Greenroom")
        assert greeting.voice.name == "Winston"
        aside = replace(s.platform.said("// not for the bot"), hidden=True)
        assert await s.hear(aside) == []
