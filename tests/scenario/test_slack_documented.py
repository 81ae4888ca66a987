"""Every field that the adapter sends to Slack stands on a page of Slack's documentation that the fake's rule names."""

from __future__ import annotations

import asyncio

import pytest

from bot.platforms.slack import views
from bot.runtime import incoming
from tests.fakes.model import Says
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Says as Refuses
from tests.fakes.slack_methods import METHODS
from tests.fakes.slack_pages import page_of
from tests.scenario.slack_house import House, slack_house, subscribed

LONG = "\n\n".join(f"Paragraph {number}: " + "words " * 100 for number in range(60))
NOT_CALLED = {
    "chat.update", "conversations.list", "conversations.members", "users.list", "views.update", "reactions.add",
    "bots.info", "team.info",
}  # fmt: skip
"""Methods that the fake knows and the adapter has no use for."""


async def busy_day(house: House) -> None:
    """Nearly everything that the adapter can do."""
    fake = house.fake
    alice, bob = fake.user("alice"), fake.user("bob")
    room, dm = fake.channel("general", [alice, bob]), fake.people.dm(alice)
    for tab in ("home", "messages"):
        await fake.people.opens_app(alice, tab)
    greeting = (await house.hear(alice, room, "*architect"))[-1]
    await house.hear(alice, dm, "*pm")
    await house.hear(alice, room, "tell me")
    root = await fake.says(alice, room, "// here")
    await house.hear(alice, room, "*architect", thread=root)
    await house.hear(alice, room, "tell me", thread=root)
    only_id = fake.people.file(alice, "notes.md", b"one queue")
    only_id.only_id = True
    await house.hear(alice, room, "what is in it?", files=[only_id])
    await house.hear(alice, room, "*exit")
    await house.hear(alice, room, "*help")
    await fake.presses(alice, room, greeting.ts, greeting.buttons[0].label)
    await (await fake.slash(alice, room, "/greenroom", "help")).over.wait()
    await fake.interactions.uses_shortcut(alice, room, root, views.ASK)
    start = next(b for b in fake.ws.homes[alice.id]["blocks"] if b.get("accessory"))["accessory"]
    await fake.interactions.presses_in_view(alice, fake.ws.homes[alice.id]["id"], start["action_id"])
    await house.quiet()
    fake.faults.order("chat.stopStream", Refuses("message_not_in_streaming_state"))
    await house.hear(alice, room, "tell me", thread=root)
    await house.restart()
    await house.quiet()


async def test_every_field_that_is_sent_has_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "WAITS", (0.0, 0.01, 0.01))
    pieces = tuple(LONG[at : at + 400] for at in range(0, len(LONG), 400))
    async with slack_house(lambda _p, _n: Says(pieces), fake=FakeSlack(events=subscribed())) as house:

        async def on_piece(_reply: int, number: int) -> None:
            await asyncio.sleep(0.8 if number == 3 else 0)

        house.model.on_piece = on_piece
        await busy_day(house)
        sent = {call.method for call in house.fake.calls}
        pages = {field: page for call in house.fake.calls for field, page in page_of(call.method, call.args)}
        assert [call for call in house.fake.calls if call.error == "invalid_arguments"] == []
        assert set(METHODS) - sent - NOT_CALLED <= {"chat.postEphemeral"}
        assert len(pages) > 80


def test_a_field_that_stands_on_no_page_is_found() -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "1"}, "colour": "green"}
    message = {"channel": "C1", "blocks": [{"type": "actions", "elements": [button]}]}
    with pytest.raises(LookupError, match="button-element names no 'colour'"):
        list(page_of("chat.postMessage", message))
    with pytest.raises(LookupError, match="no argument 'voice'"):
        list(page_of("chat.postMessage", {"channel": "C1", "voice": "Winston"}))
