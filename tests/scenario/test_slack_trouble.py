"""Slack in trouble: limits, lost answers, outages, what it no longer allows; and nothing is lost or said twice."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise

import pytest

from bot.core.model import HOST
from bot.platforms.slack import adapter, people, web
from bot.platforms.slack.listening import HANDLED
from bot.ports.transport import Outgoing, PlatformError, TransportError
from bot.runtime import worker
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Cut, Fault, Limited, Says, Slow, Status
from tests.fakes.slack_methods import MANIFEST_SCOPES
from tests.fakes.slack_state import Room
from tests.scenario.slack_house import House, slack_house, subscribed

LOST = [Status(500), Status(500, "after"), Cut(), Cut("after"), Says("fatal_error")]
"""A call whose answer nobody gets, before it took effect or after."""

HALTED = ["is_archived", "not_in_channel", "channel_not_found", "missing_scope", "restricted_action", "invalid_blocks"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long before something is tried again."""
    monkeypatch.setattr("bot.platforms.sending.WAITS", (0.01, 0.02))
    monkeypatch.setattr(worker, "AWAY", 0.1)


def keys(house: House, room: Room) -> list[str]:
    """The keys of the bot's posts there, in order."""
    found = [seen.metadata for seen in house.fake.seen(room) if seen.user == house.fake.ws.bot_user]
    assert all(found), "a post without a key"
    return [data["event_payload"]["key"] for data in found if data]


# ---------------------------------------------------------------- limits


async def test_in_a_storm_of_limits_each_channel_gets_everything_once_and_in_order() -> None:
    async with slack_house() as house:
        fake = house.fake
        alice = fake.user("alice")
        rooms = [fake.channel(name, [alice]) for name in ("general", "random", "design")]
        fake.storm()
        for number in range(3):
            for room in rooms:
                await fake.says(alice, room, f"*no-such-{number}-at-all")
        await house.quiet(20.0)
        for room in rooms:
            said = [seen.shown for seen in fake.seen(room) if seen.user == fake.ws.bot_user]
            assert [f"no-such-{number}-at-all" in text for number, text in enumerate(said)] == [True] * 3
            assert len(set(keys(house, room))) == 3
        calls = defaultdict(list)
        for call in fake.calls:
            if call.method == "chat.postMessage":
                calls[call.args["channel"]].append(call)
        for tried in calls.values():
            assert [call.error for call in tried].count("ratelimited") == 2
            for refused, following in pairwise(tried):
                assert refused.error != "ratelimited" or following.at - refused.at >= 0.99


# ---------------------------------------------------------------- answers that are lost


@pytest.mark.parametrize("fault", LOST, ids=repr)
@pytest.mark.parametrize("times", [1, 2])
async def test_a_post_whose_answer_is_lost_stands_there_once(fault: Fault, times: int) -> None:
    async with slack_house() as house:
        fake = house.fake
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        fake.faults.order("chat.postMessage", fault, times)
        assert [seen.name for seen in await house.hear(alice, general, "*architect")] == ["Winston"]
        fake.faults.order("chat.postMessage", fault, times)
        assert [seen.shown for seen in await house.hear(alice, general, "And now?")] == ["Fine."]


async def test_a_post_that_takes_too_long_stands_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TIMEOUT", 0.2)
    async with slack_house() as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        house.fake.faults.order("chat.postMessage", Slow(0.5))
        assert [seen.name for seen in await house.hear(alice, general, "*architect")] == ["Winston"]


@pytest.mark.parametrize("fault", [Status(503), Status(503, "after"), Cut("after")], ids=repr)
async def test_an_outage_of_slack_buries_no_turn_and_asks_no_model_again(
    fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    async with slack_house() as house:
        fake = house.fake
        alice = fake.user("alice")
        general, other = fake.channel("general", [alice]), fake.channel("other", [alice])
        await house.hear(alice, general, "*architect")
        fake.faults.order("conversations.history", Status(503), None)
        fake.faults.order("chat.postMessage", fault, None)
        await fake.says(alice, general, "What do we need?")
        await fake.says(alice, other, "*pm")
        await fake.until(lambda: len(told(caplog, "has to wait")) > 4 * worker.EXCEPTIONS, "many tries")
        assert (await house.store.stats()).dead == 0
        fake.faults.heal("conversations.history")
        fake.faults.heal("chat.postMessage")
        await house.quiet()
        assert [seen.shown for seen in fake.seen(general)][-1] == "Fine."
        for room, count in ((general, 2), (other, 1)):
            assert len(keys(house, room)) == len(set(keys(house, room))) == count
        assert len(house.model.prompts) == 1


@pytest.mark.parametrize("fault", [Status(500), Limited(3600), Cut(), Slow(60)])
async def test_people_that_slack_does_not_tell_of_are_heard_by_their_id(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "PATIENCE", 0.05)
    async with slack_house(fake=FakeSlack(events=subscribed(), ack_within=60.0)) as house:
        fake = house.fake
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        fake.faults.order("users.info", fault, None)
        assert [seen.name for seen in await house.hear(alice, general, "*architect")] == ["Winston"]
        await house.hear(alice, general, "hello")
        assert f"{alice.id}: hello" in house.prompt()
        await fake.settled()
        assert all(d.acked and d.attempts == 1 for d in fake.dispatch.deliveries)


async def test_people_that_slack_no_longer_tells_of_keep_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async with slack_house() as house:
        fake = house.fake
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        monkeypatch.setattr(people, "PATIENCE", 0.05)
        fake.faults.order("users.info", Status(500), None)
        await fake.people.joins(fake.user("bob"), general)
        await fake.people.leaves(alice, fake.channel("other", [alice]))
        await house.hear(alice, general, "hello")
        assert "alice: hello" in house.prompt()


@pytest.mark.parametrize("fault", [Status(500), Limited(3600), Says("not_allowed")])
async def test_prompts_that_slack_does_not_take_refuse_no_delivery(fault: Fault) -> None:
    async with slack_house(fake=FakeSlack(events=subscribed(), ack_within=60.0)) as house:
        house.fake.faults.order("assistant.threads.setSuggestedPrompts", fault, None)
        await house.fake.people.opens_app(house.fake.user("alice"), "messages")
        await house.fake.settled()
        assert [(d.acked, d.attempts) for d in house.fake.dispatch.deliveries] == [(True, 1)]


# ---------------------------------------------------------------- what Slack no longer allows


def told(caplog: pytest.LogCaptureFixture, words: str) -> list[logging.LogRecord]:
    return [r for r in caplog.records if words in r.getMessage() and r.levelno >= logging.WARNING]


async def test_without_a_good_token_turns_wait_and_go_on_when_there_is_one_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with slack_house(fake=FakeSlack()) as house:
        fake = house.fake
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        await fake.says(alice, general, "What do we need?")
        await fake.people.revokes_tokens()
        await fake.until(house.adapter.trouble, "words about it")
        await fake.until(lambda: told(caplog, "has to wait"), "a turn that waits")
        assert house.adapter.trouble() in (
            "Slack no longer takes the bot's token (tokens_revoked)",
            "Slack no longer takes the bot's token (token_revoked)",
        )
        assert 1 <= len(told(caplog, "install the app again")) <= 2
        fake.ws.token_error = None
        await house.quiet()
        assert fake.seen(general)[-1].shown == "Fine." and len(house.model.prompts) == 1
        assert house.adapter.trouble() == "" and (await house.store.stats()).dead == 0


async def test_a_token_that_stays_revoked_ends_slack_instead_of_putting_turns_off_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapter, "LOOKS", (0.01, 0.02, 0.02))
    async with slack_house(fake=FakeSlack()) as house:
        fake = house.fake
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        fake.ws.token_error = "token_revoked"  # an error code
        await fake.says(alice, general, "What do we need?")
        serving = house.serving[0]
        await fake.until(serving.done, "the end of Slack")
        with pytest.raises(PlatformError, match="no longer takes SLACK_BOT_TOKEN"):
            serving.result()
        house.serving = house.serving[1:]


async def interrupted(house: House, room: Room, deed: Callable[[], object]) -> None:
    """Somebody asks there, and while the persona thinks, `deed` is done."""
    fake = house.fake
    alice = next(p for p in fake.ws.people.values() if p.name == "alice")
    await house.hear(alice, room, "*architect")

    async def think(_ask: int, _piece: int) -> None:
        house.model.on_piece = None
        done = deed()
        if asyncio.iscoroutine(done):
            await done

    house.model.on_piece = think
    await fake.says(alice, room, "What do we need?")
    await house.quiet()


async def the_others_go_on(house: House) -> None:
    alice = next(p for p in house.fake.ws.people.values() if p.name == "alice")
    other = house.fake.channel("other", [alice])
    assert [seen.name for seen in await house.hear(alice, other, "*pm")] == ["John"]
    assert house.adapter.trouble() == ""


async def test_in_a_channel_that_is_archived_meanwhile_a_turn_ends_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with slack_house(fake=FakeSlack()) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await interrupted(house, general, lambda: house.fake.people.archives(alice, general))
        assert [letter.reason for letter in await house.store.dead()] == [
            f"nothing can be posted to {house.conversation(general).key}: this channel is archived"
        ]
        (line,) = told(caplog, "cannot be told: ")
        assert line.levelno == logging.ERROR and "this channel is archived" in line.getMessage() and not line.exc_info
        assert len(told(caplog, "Slack says channel_archive of")) == 1
        assert len(house.model.prompts) == 1
        await the_others_go_on(house)


async def test_a_bot_that_is_taken_out_of_a_channel_says_so_in_its_log_and_is_heard_elsewhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with slack_house(fake=FakeSlack()) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await interrupted(house, general, lambda: house.fake.people.leaves(None, general))
        assert len(told(caplog, f"the bot was taken out of {general.id}")) == 1
        (line,) = told(caplog, "cannot be told: ")
        assert "the bot is not in this channel any more: invite it again" in line.getMessage()
        await the_others_go_on(house)


async def test_a_missing_scope_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async with slack_house(fake=FakeSlack(scopes=MANIFEST_SCOPES - {"chat:write"})) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        assert await house.hear(alice, general, "*architect") == []
        (line,) = told(caplog, "cannot be told: ")
        assert "the app lacks a scope: install it again from the manifest (it needs chat:write)" in line.getMessage()
        (letter,) = await house.store.dead()
        assert "chat:write" in letter.reason


async def test_what_posting_again_would_not_help_is_told_from_what_it_would() -> None:
    async with slack_house() as house:
        general = house.fake.channel("general", [house.fake.user("alice")])
        where = house.conversation(general)
        out = Outgoing("key", where, HOST, "hello", 0)
        for code in HALTED:
            house.fake.faults.order("chat.postMessage", Says(code))
            with pytest.raises(TransportError, match=f"nothing can be posted to {where.key}: ") as found:
                await house.adapter.transport.post(out)
            assert not found.value.retry, code
        for fault in (Says("token_revoked"), Says("internal_error"), Status(503)):
            house.fake.faults.order("chat.postMessage", fault, None)
            with pytest.raises(TransportError) as found:
                await house.adapter.transport.post(out)
            assert found.value.retry, fault
            house.fake.faults.heal("chat.postMessage")
        for fault, retry in ((Says("channel_not_found"), False), (Status(503), True)):
            house.fake.faults.order("conversations.history", fault, None)
            for look in (house.adapter.transport.find(out), house.adapter.transport.torn(where, 0)):
                with pytest.raises(TransportError) as found:
                    await look
                assert found.value.retry is retry
            house.fake.faults.heal("conversations.history")
        await house.adapter.transport.post(out)
        assert keys(house, general) == ["key"]


@pytest.mark.parametrize("kind", sorted(HANDLED))
async def test_every_event_that_is_subscribed_to_is_taken(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    async with slack_house(fake=FakeSlack(ack_within=60.0)) as house:
        fake = house.fake
        alice = fake.user("alice")
        room = fake.channel("general", [alice])
        fields = {"channel": room.id, "user": alice.id, "ts": fake.ws.new_ts(), "text": "hello", "tab": "messages"}
        fake.ws.emit({"type": kind, **fields, "event_ts": fake.ws.new_ts(), "streaming_message_ts": []})
        await fake.settled()
        assert [(d.acked, d.attempts) for d in fake.dispatch.deliveries[:1]] == [(True, 1)]
        assert "could not be read" not in caplog.text
