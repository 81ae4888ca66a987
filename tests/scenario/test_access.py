"""Who is heard, how fast, and for how much."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.core.events import Usage
from bot.core.model import Conversation
from bot.core.prompt import Prompt
from bot.ports.budgets import Limit
from bot.ports.model import ModelError
from bot.ports.observer import Ended, Happening
from bot.runtime.access import Access, Names
from bot.runtime.budget import EVERYWHERE, Budgets
from bot.runtime.inbox import Inbox
from tests.fakes.model import Says
from tests.fakes.platform import ROOM
from tests.scenario.stage import Stage, answering, stage

OTHER = Conversation("fake", "team", "random")
ADMIN = frozenset({"Uroot"})


def ruled(s: Stage, **rules: Any) -> None:
    access = Access(admins=ADMIN, **rules)
    s.worker.options, s.inbox = replace(s.worker.options, access=access), Inbox(s.store, access, s.worker.stop_raised)


# ---------------------------------------------------------------- access


async def test_somebody_who_is_denied_is_told_once_and_not_heard() -> None:
    async with stage(answering("Yes.")) as s:
        ruled(s, deny=Names(users=frozenset({"Umallory"})))
        (refused,) = await s.say("*architect", user="mallory")
        assert refused.text == "mallory: You may not use this bot here. Ask its operator if that is a mistake."
        assert await s.say("*help", user="mallory") == []
        assert (await s.session()).active == ""
        assert (await s.say("*architect"))[0].voice.name == "Winston"


@pytest.mark.parametrize(
    ("allow", "heard"),
    [
        (Names(), True),
        (Names(users=frozenset({"Ualice"})), True),
        (Names(channels=frozenset({"general"})), True),
        (Names(workspaces=frozenset({"team"})), True),
        (Names(users=frozenset({"Ubob"})), False),
        (Names(channels=frozenset({"random"})), False),
        (Names(workspaces=frozenset({"elsewhere"})), False),
        (Names(roles=frozenset({"staff"})), False),
    ],
)
async def test_with_an_allow_list_only_who_is_on_it_is_heard(allow: Names, heard: bool) -> None:
    async with stage(answering("Yes.")) as s:
        ruled(s, allow=allow)
        (said,) = await s.say("*architect")
        assert (said.voice.name == "Winston") is heard


async def test_a_role_opens_the_door_and_deny_wins_over_it() -> None:
    async with stage() as s:
        ruled(s, allow=Names(roles=frozenset({"staff"})), deny=Names(channels=frozenset({"random"})))
        staff = replace(s.platform.said("*help"), roles=("staff",))
        assert "I host personas" in (await s.hear(staff))[0].text
        there = replace(s.platform.said("*help", conversation=OTHER), roles=("staff",))
        assert "may not use" in (await s.hear(there))[0].text


async def test_guests_are_refused_until_they_are_allowed() -> None:
    async with stage() as s:
        ruled(s)
        guest = replace(s.platform.said("*help", user="guest"), outsider=True)
        assert "Guests and people from other organisations" in (await s.hear(guest))[0].text
        ruled(s, allow=Names(users=frozenset({"Uguest"})))
        guest = replace(s.platform.said("*help", user="guest"), outsider=True)
        assert "I host personas" in (await s.hear(guest))[0].text


async def test_an_admin_is_always_heard() -> None:
    async with stage() as s:
        ruled(s, deny=Names(workspaces=frozenset({"team"})), per_minute=1, burst=1)
        for _ in range(3):
            assert "I host personas" in (await s.say("*help", user="root"))[0].text


async def test_too_many_messages_are_told_once_and_heard_again_later() -> None:
    async with stage() as s:
        ruled(s, per_minute=6, burst=2)
        for _ in range(2):
            assert "Nobody is on" in (await s.say("*status"))[0].text
        (told,) = await s.say("*status")
        assert told.text == "alice: That is faster than I may answer one person. Write again in 10 s."
        assert await s.say("*status") == []
        assert "Nobody is on" in (await s.say("*status", user="bob"))[0].text, "everybody has a rate of their own"
        s.clock.advance(10)
        assert "Nobody is on" in (await s.say("*status"))[0].text
        (told,) = await s.say("*status")
        assert "faster than" in told.text, "told anew, once heard in between"


async def test_a_press_of_somebody_who_is_denied_decides_nothing() -> None:
    async with stage() as s:
        ruled(s, deny=Names(users=frozenset({"Umallory"})))
        await s.say("*pm")
        (question,) = await s.say("*exit")
        assert question.menu is not None
        (refused,) = await s.press(question.menu.id, 1, user="mallory")
        assert "may not use" in refused.text
        assert (await s.session()).active == "pm"


@pytest.mark.parametrize("rule", ["denied", "not allowed", "a guest", "allowed", "a guest who is allowed", "an admin"])
async def test_only_who_may_speak_here_can_stop_a_reply(rule: str) -> None:
    async with stage(answering("One two three four five.")) as s:
        mallory, alice = frozenset({"Umallory"}), frozenset({"Ualice"})
        rules: dict[str, dict[str, Any]] = {
            "denied": {"deny": Names(users=mallory)},
            "not allowed": {"allow": Names(users=alice)},
            "allowed": {"allow": Names(users=alice | mallory)},
            "a guest who is allowed": {"allow": Names(users=alice | mallory)},
        }
        ruled(s, **rules.get(rule, {}))
        stop = s.platform.said("stop", user="root" if rule == "an admin" else "mallory")
        stop = replace(stop, outsider=rule.startswith("a guest"))

        async def press_stop(n: int, piece: int) -> None:
            if (n, piece) == (1, 2):
                await s.inbox.receive(stop)

        s.model.on_piece = press_stop
        await s.say("*architect")
        reply, *more = await s.say("count")
        if rule in ("denied", "not allowed", "a guest"):
            assert reply.text == "One two three four five."
            assert [told.text.partition(":")[0] for told in more] == ["mallory"], "and it is told, as for any message"
        else:
            assert (reply.text, more) == (f"One two three\n\n_(stopped by {stop.name})_", [])


async def test_a_stop_that_came_too_late_is_refused_like_any_message_by_the_rules_of_its_own_turn() -> None:
    async with stage(answering("One two three four five.")) as s:
        ruled(s)
        stop = s.platform.said("stop", user="mallory")

        async def stop_behind_the_last_word(n: int, piece: int) -> None:
            if (n, piece) == (1, 5):
                await s.inbox.receive(stop)
                ruled(s, deny=Names(users=frozenset({"Umallory"})))

        s.model.on_piece = stop_behind_the_last_word
        await s.say("*architect")
        reply, refused = await s.say("count")
        assert reply.text == "One two three four five."
        assert refused.text.startswith("mallory: You may not use this bot here.")


# ---------------------------------------------------------------- the audit trail


async def trail(s: Stage) -> list[tuple[str, str]]:
    return [(record.who, record.what) for record in await s.store.audited(ROOM.key)]


async def test_what_admins_decide_in_the_chat_is_in_the_audit_trail_and_so_is_what_others_are_refused() -> None:
    async with stage(answering("Yes.")) as s:
        ruled(s)
        s.worker.options = replace(s.worker.options, budgets=Budgets(Limit("channel", 1000, 1_000_000)))
        for text in ("*reload", "*budget +5", "*budget +20,000 tokens", "*budget lots", "*forget", "*help"):
            await s.say(text, user="mallory")
        for text in ("*reload", "*budget +5", "*budget +20,000 tokens", "*budget lots", "*help"):
            await s.say(text, user="root")
        assert await trail(s) == [
            ("Umallory", "was refused *reload: not an admin"),
            *[("Umallory", "was refused *budget: not an admin")] * 3,
            ("Umallory", "was refused *forget: not an admin"),
            ("Uroot", "had the persona files read again"),
            ("Uroot", "raised the budget of today by $5"),
            ("Uroot", "raised the budget of today by 20,000 tokens"),
        ]


@pytest.mark.parametrize("typed", [True, False])
async def test_who_wiped_a_conversation_stays_in_the_audit_trail(typed: bool) -> None:
    async with stage(answering("Yes.")) as s:
        ruled(s)
        await s.say("*forget", user="root")
        for user in ("mallory", "root"):
            menu = s.platform.last_menu().id
            await (s.say("1", user=user) if typed else s.press(menu, 1, user=user))
        assert await s.log() == [] and await s.store.peek(ROOM.key) is None
        assert await trail(s) == [
            ("Umallory", "was refused to wipe the conversation: not an admin"),
            ("Uroot", "wiped the conversation"),
        ]


async def test_to_wipe_a_conversation_is_a_success(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    ended: list[str] = []

    class Watch:
        def saw(self, happening: Happening) -> None:
            if isinstance(happening, Ended):
                ended.append(happening.outcome)

    async with stage(answering("Yes.")) as s:
        ruled(s)
        s.worker.observer = Watch()
        await s.say("*forget", user="root")
        await s.say("1", user="root")
    assert ended == ["committed", "committed"]
    assert "taken over" not in caplog.text


# ---------------------------------------------------------------- budgets


def budgeted(s: Stage, *, channel: Limit | None = None, everywhere: Limit | None = None) -> None:
    budgets = Budgets(channel or Limit("channel"), everywhere or Limit(EVERYWHERE))
    price = lambda usage: (usage.read + usage.output) / 1000  # noqa: E731
    s.worker.options = replace(s.worker.options, budgets=budgets, price=price, access=Access(admins=ADMIN))


async def spend(s: Stage, times: int) -> None:
    await s.say("*architect")
    for _ in range(times):
        await s.say("and?")


async def test_over_its_budget_a_channel_is_told_once_and_everything_but_the_model_works_on() -> None:
    async with stage(lambda _p, _n: replace(Says.text("Yes."), usage=Usage(input=1000, model="fake"))) as s:
        budgeted(s, channel=Limit("channel", tokens=4000))
        await spend(s, 8)
        asked = len(s.model.prompts)
        assert asked in (2, 3), "what a call may cost is set aside before it"
        (over,) = [text for text in s.platform.texts if text.startswith("What is left of the budget is too little")]
        assert not any("used up" in text for text in s.platform.texts)
        assert (
            f"Today this channel spent {asked},000 of 4,000 tokens. It begins anew at 00:00 UTC on 2023-11-15." in over
        )
        assert "I am **John**" in (await s.say("*pm"))[-1].text
        assert (await s.say("3"))[0].text.startswith("`*create-brownfield-epic`")
        assert len(s.model.prompts) == asked


async def test_at_80_percent_people_are_told_once() -> None:
    async with stage(lambda _p, _n: replace(Says.text("Yes."), usage=Usage(input=1700, output=0, model="fake"))) as s:
        budgeted(s, channel=Limit("channel", tokens=10_000))
        await spend(s, 5)
        warned = [text for text in s.platform.texts if "% is used" in text]
        assert warned == [
            "85% is used: today this channel spent 8,500 of 10,000 tokens. It begins anew at 00:00 UTC on 2023-11-15."
        ]


async def test_an_admin_raises_the_budget_and_retry_answers_what_waited() -> None:
    async with stage(lambda _p, _n: replace(Says.text("Answered."), usage=Usage(input=1000, model="fake"))) as s:
        budgeted(s, channel=Limit("channel", micros=2_500_000))
        await spend(s, 3)
        assert s.platform.texts[-1].startswith("What is left of the budget is too little")
        (refused,) = await s.say("*budget +5")
        assert refused.text.startswith("Only an admin may use `*budget`")
        (told,) = await s.say("*budget +5", user="root")
        assert "of $7.50" in told.text
        posts = await s.say("*retry")
        assert posts[0].text == "Answered."


@pytest.mark.parametrize("typed", ["*budget", "*budget lots", "*budget -5", "*budget +1e9"])
async def test_a_raise_that_cannot_be_read_is_asked_for_again(typed: str) -> None:
    async with stage() as s:
        budgeted(s, channel=Limit("channel", tokens=10))
        (told,) = await s.say(typed, user="root")
        assert told.text.startswith("Say how much more")


async def test_used_up_is_said_when_it_is_and_the_line_at_80_percent_comes_before() -> None:
    usage = [Usage(input=n, output=0, model="fake") for n in (3000, 200, 7000, 100)]
    async with stage(lambda _p, n: replace(Says.text("Yes."), usage=usage[n - 1])) as s:
        budgeted(s, channel=Limit("channel", tokens=10_000))
        await spend(s, 5)
        told = [text for text in s.platform.texts if "is used" in text]
        assert [text.split(":")[0].split(",")[0] for text in told] == ["102% is used", "The budget is used up"]
        assert len(s.model.prompts) == 3


async def test_each_budget_has_its_line_before_it_is_used_up() -> None:
    async with stage(lambda _p, _n: replace(Says.text("Yes."), usage=Usage(input=1000, output=0, model="fake"))) as s:
        budgeted(s, channel=Limit("channel", tokens=5000), everywhere=Limit(EVERYWHERE, tokens=6000))
        await spend(s, 4)
        await s.say("*budget +20000 tokens", user="root")
        await spend(s, 3)
        told = [text for text in s.platform.texts if "% is used" in text]
        assert len(told) == 2, told
        assert "this channel" in told[0] and "all channels" not in told[0]
        assert told[1].startswith("83% is used: today all channels together spent 5,000 of 6,000 tokens")
        over = s.platform.texts[-1]
        assert over.startswith("The budget is used up") or over.startswith("What is left of the budget"), over
        assert "`*budget` does not raise it" in over and "`budget.everywhere`" in over


async def test_a_call_that_fails_after_it_has_cost_much_tells_of_the_budget_too() -> None:
    def script(_prompt: Prompt, n: int) -> Says | ModelError:
        return ModelError("garbage", usage=Usage(input=9000, model="fake"))

    async with stage(script) as s:
        budgeted(s, channel=Limit("channel", tokens=10_000))
        await spend(s, 1)
        failed, warned = s.platform.texts[-2:]
        assert failed.startswith("The model's answer could not be read") and warned.startswith("90% is used")


TOKENS, DOLLARS = Limit("channel", tokens=10), Limit("channel", micros=10)
ALL = Limit(EVERYWHERE, tokens=10)


@pytest.mark.parametrize(
    ("channel", "everywhere", "typed", "told"),
    [
        (TOKENS, None, "*budget +5", "Nothing was raised: the budget of this channel counts tokens alone. Write, say,"),
        (DOLLARS, None, "*budget +9 tokens", "Nothing was raised: the budget of this channel counts dollars alone."),
        (None, None, "*budget +5", "Nothing was raised for this channel: it has no budget of its own."),
        (None, ALL, "*budget +5", "Nothing was raised for this channel: it has no budget of its own; that of all"),
        (TOKENS, None, "*budget +2,000 tokens", "This channel may spend 2,000 tokens more today."),
        (DOLLARS, None, "*budget +5", "This channel may spend $5 more today."),
        (DOLLARS, None, "*budget +0.50", "This channel may spend $0.50 more today."),
    ],
)
async def test_to_raise_a_budget_says_what_it_did(
    channel: Limit | None, everywhere: Limit | None, typed: str, told: str
) -> None:
    async with stage() as s:
        budgeted(s, channel=channel, everywhere=everywhere)
        before = await s.store.budget("fake:team:general", "2023-11-14")
        (post,) = await s.say(typed, user="root")
        assert post.text.startswith(told)
        raised = not told.startswith("Nothing")
        assert (before != await s.store.budget("fake:team:general", "2023-11-14")) is raised
        assert [what for _, what in await trail(s)] == (
            [f"raised the budget of today by {told.split(' more')[0].rpartition('spend ')[2]}"] if raised else []
        )


async def test_the_budget_of_all_channels_holds_in_each() -> None:
    async with stage(lambda _p, _n: replace(Says.text("Yes."), usage=Usage(input=2000, model="fake"))) as s:
        budgeted(s, everywhere=Limit(EVERYWHERE, tokens=3000))
        await spend(s, 1)
        await s.say("*architect", conversation=OTHER)
        (over,) = await s.say("and here?", conversation=OTHER)
        assert "all channels together spent 2,000 of 3,000 tokens" in over.text


async def test_a_new_day_has_a_new_budget() -> None:
    async with stage(lambda _p, _n: replace(Says.text("Yes."), usage=Usage(input=2000, model="fake"))) as s:
        budgeted(s, channel=Limit("channel", tokens=2500))
        await spend(s, 2)
        assert s.platform.texts[-1].startswith("What is left of the budget is too little")
        s.clock.advance(86_400)
        (reply,) = (await s.say("and today?", addressed=True))[:1]
        assert reply.text == "Yes."


async def test_a_call_that_failed_costs_what_it_cost() -> None:
    def script(_prompt: Prompt, n: int) -> Says | ModelError:
        return ModelError("overloaded") if n < 20 else Says.text("Yes.")

    async with stage(script) as s:
        budgeted(s, channel=Limit("channel", tokens=2500))
        await spend(s, 10)
        assert len(s.model.prompts) == 10, "nothing came of them, so nothing is left reserved"


async def test_usage_tells_where_the_budgets_stand() -> None:
    async with stage(lambda _p, _n: replace(Says.text("Yes."), usage=Usage(input=2000, model="fake"))) as s:
        (told,) = await s.say("*usage")
        assert told.text.startswith("No budget is set")
        budgeted(s, channel=Limit("channel", tokens=9000))
        await spend(s, 1)
        (told,) = await s.say("*usage")
        assert "- today this channel spent 2,000 of 9,000 tokens" in told.text
        assert "- today all channels together spent 2,000 tokens (no limit)" in told.text


async def test_each_ask_of_a_turn_is_counted() -> None:
    loads = Says(calls=(("load_resource", {"name": "prd-tmpl"}),), usage=Usage(input=100, output=7, model="fake"))
    says = replace(Says.text("Yes."), usage=Usage(input=1000, output=5, model="fake"))
    async with stage(lambda _p, n: loads if n == 1 else says) as s:
        budgeted(s, channel=Limit("channel", tokens=9000))
        await s.say("*pm")
        await s.say("well?")
        assert len(s.model.prompts) == 2
        assert await s.store.spent(ROOM.key) == (Usage(1100, 12, model="fake"),)
        (told,) = await s.say("*usage")
        assert "this channel spent 1,112 of 9,000 tokens" in told.text


async def test_a_call_that_is_made_again_after_a_crash_is_paid_again() -> None:
    async with stage(lambda _p, _n: replace(Says.text("Yes."), usage=Usage(input=1000, model="fake"))) as s:
        budgeted(s, channel=Limit("channel", tokens=90_000))
        await s.say("*architect")

        async def dies(n: int, _piece: int) -> None:
            if n == 1:
                raise asyncio.CancelledError

        s.model.on_piece = dies
        await s.inbox.receive(s.platform.said("well?", at=s.clock.now()))
        await s.worker.work()
        spent = (await s.store.budget("fake:team:general", "2023-11-14")).spent.tokens
        s.clock.advance(60)
        await s.settle()
        assert len(s.model.prompts) == 2
        after = (await s.store.budget("fake:team:general", "2023-11-14")).spent.tokens
        assert spent > 0 and after == spent + 1000, "what was set aside for the first stays, for it may have been paid"


# ---------------------------------------------------------------- forgetting


async def test_plain_words_at_the_question_whether_to_wipe_keep_the_conversation() -> None:
    async with stage(answering("Yes.")) as s:
        ruled(s)
        await s.say("*architect")
        await s.say("a secret")
        (question,) = await s.say("*forget", user="root")
        withdrawn, reply = await s.say("yes, but later", user="root")
        assert (withdrawn.text, reply.text) == ("Nothing is wiped, then.", "Yes.")
        assert [e.text for e in await s.log() if e.kind == "said"] == ["a secret", "yes, but later"]
        assert question.menu is not None
        (passed,) = await s.press(question.menu.id, 1, user="root")
        assert passed.text.startswith("That choice has passed.") and await s.log()


async def test_yes_in_words_wipes_for_an_admin_alone() -> None:
    async with stage(answering("Yes.")) as s:
        ruled(s)
        await s.say("*architect")
        await s.say("a secret")
        await s.say("*forget", user="root")
        (refused,) = await s.say("yes", user="bob")
        assert refused.text.startswith("Only an admin can decide that.") and await s.log()
        await s.say("Yes, wipe it", user="root")
        assert not await s.log()


async def test_only_an_admin_may_wipe_a_conversation_and_only_after_a_question() -> None:
    async with stage(answering("Yes.")) as s:
        ruled(s)
        await s.say("*architect")
        await s.say("a secret")
        assert (await s.say("*forget"))[0].text.startswith("Only an admin may use `*forget`")
        (question,) = await s.say("*forget", user="root")
        assert question.menu is not None
        (kept,) = await s.say("2", user="root")
        assert kept.text == "Nothing was wiped." and await s.log()
        await s.say("*forget", user="root")
        (again,) = await s.say("1", user="alice")
        assert again.text.startswith("Only an admin can decide that.") and again.menu is not None
        (wiped,) = await s.say("1", user="root")
        assert wiped.text.startswith("This conversation is being wiped")
        assert await s.log() == [] and await s.store.peek(ROOM.key) is None
        assert await s.say("anybody?") == []
        assert (await s.say("*architect"))[0].voice.name == "Winston"
