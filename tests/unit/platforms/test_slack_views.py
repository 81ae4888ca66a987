"""The home tab and the modals, against the rules that the fake knows of Slack's."""

from __future__ import annotations

from typing import Any

import pytest

from bot.app import shipped_agents
from bot.core.model import Conversation, Inbound, Voice
from bot.personas.library import Library
from bot.personas.model import Cast, Command, Persona
from bot.platforms.button_payload import Words
from bot.platforms.slack.arrival import Me, Mismatch, Person
from bot.platforms.slack.blocks import METADATA, units
from bot.platforms.slack.manifest import manifest
from bot.platforms.slack.views import ASK, answering, asked, asking, home, start, suggested, turned
from tests.fakes.slack_rules import check_view
from tests.fakes.slack_text import shown_in

ME = Me("UBOT", "BBOT", "T1", "A1")
ADA = Person("U1", "Ada", outsider=True, roles=("lead",))
WINSTON = Persona("architect", "Winston", "Architect", "🏗️", "Use for *design* & <!channel> questions")
CAST = Cast((Persona("pm", "John", "Product Manager", "📋"), WINSTON))


def many(count: int) -> Cast:
    return Cast(tuple(Persona(f"p-{n}", f"Name {n} " + "x" * 90, "T" * 120, "🏗️", "&" * 900) for n in range(count)))


def buttons(view: dict[str, Any]) -> list[dict[str, Any]]:
    found = [block["accessory"] for block in view["blocks"] if "accessory" in block]
    return found + [element for block in view["blocks"] for element in block.get("elements", [])]


def press(button: dict[str, Any]) -> dict[str, Any]:
    act = {**button, "action_ts": "1700000050.000001"}
    return {"type": "block_actions", "user": {"id": "U1"}, "container": {"type": "view"}, "actions": [act]}


# ---------------------------------------------------------------- home


def test_the_home_tab_shows_who_there_is_and_where_somebody_is_on() -> None:
    rooms = [("C1", Voice("Winston", "🏗️", "architect"), "an answer to a question"), ("C2", None, ""), ("D1", None, "")]
    view = check_view(home(CAST, rooms, "Greenroom"), "home")
    text = shown_in(view["blocks"])
    assert "<#C1>: 🏗️ Winston, waiting for an answer to a question" in text
    assert "<#C2>: nobody is on\nHere, in private: nobody is on" in text
    assert "*🏗️ Winston*, Architect  `*architect`\nUse for *design* &amp; &lt;!channel&gt; questions" in text
    assert "<!channel>" not in str(view)


@pytest.mark.parametrize("count", [0, 1, 40, 41, 250])
@pytest.mark.parametrize("rooms", [0, 1, 500])
def test_the_home_tab_fits_whatever_it_shows(count: int, rooms: int) -> None:
    cast, places = many(count), [(f"C{n}", Voice("W" * 200, "🏗️"), "<" * 900) for n in range(rooms)]
    seen: list[str] = []
    for page in range(max(1, -(-count // 40))):
        view = check_view(home(cast, places, "G" * 200, page), "home")
        seen += [button["value"] for button in buttons(view) if button["action_id"] == "greenroom:start"]
    assert seen == [persona.id for persona in cast.personas]


def test_the_home_tab_can_be_turned() -> None:
    first, last = home(many(90), [], "Greenroom"), home(many(90), [], "Greenroom", 99)
    assert [turned(press(b)) for b in buttons(first)[-1:]] == [1]
    assert [turned(press(b)) for b in buttons(last)[-1:]] == [1]
    assert "Personas (3 of 3)" in shown_in(last["blocks"])
    assert turned(press(buttons(first)[0])) is None
    assert turned({"actions": [{"action_id": "greenroom:page:x", "value": "x"}]}) is None


def test_the_shipped_cast_fits_its_home_tab() -> None:
    cast = Library((), shipped_agents()).cast
    assert check_view(home(cast, [], "Greenroom"), "home")


def test_an_empty_library_says_so() -> None:
    assert "holds no persona" in shown_in(home(Cast(), [], "Greenroom")["blocks"])


def test_a_personas_button_calls_it_in_private() -> None:
    [winston] = [b for b in buttons(home(CAST, [], "Greenroom")) if b.get("value") == "architect"]
    found = start(press(winston), ME, ADA, "D1")
    assert found is not None
    assert (found.text, found.conversation, found.direct) == ("*architect", Conversation("slack", "T1", "D1"), True)
    assert (found.order, found.outsider, found.roles) == (1_700_000_050_000_001, True, ("lead",))
    again = start(press(winston), ME, ADA, "D1")
    assert again is not None and again.id == found.id
    assert start({"actions": [{"action_id": "their:own", "value": "architect"}]}, ME, ADA, "D1") is None


def test_a_press_without_its_time_is_told() -> None:
    with pytest.raises(ValueError, match="not a timestamp"):
        start({"actions": [{"action_id": "greenroom:start", "value": "pm"}]}, ME, ADA, "D1")


# ---------------------------------------------------------------- an answer in words


@pytest.mark.parametrize("prompt", ["", "Which <!here> one?", "long " * 900])
def test_the_modal_for_an_answer_fits(prompt: str) -> None:
    here = Conversation("slack", "T0123456789", "C0123456789", "1700000000.000100")
    view = check_view(answering(Words(here, "m12"), prompt, "https://hooks.slack.com/" + "x" * 200), "modal")
    assert "<!here>" not in str(view)
    assert ("Which" in str(view)) == prompt.startswith("Which")


# ---------------------------------------------------------------- a question about a message


def shortcut(text: str = "We ship on Friday.", **more: Any) -> dict[str, Any]:
    return {
        "type": "message_action", "callback_id": ASK, "trigger_id": "1.2.3", "user": {"id": "U1"},
        "channel": {"id": "C1"}, "message": {"ts": "1700000000.000100", "user": "U2", "text": text, **more},
    }  # fmt: skip


def submitted(view: dict[str, Any], persona: str | None = "architect", text: str | None = "Is it wise?") -> Any:
    chosen = {"value": persona} if persona else None
    values = {"b1": {"greenroom:persona": {"selected_option": chosen}}, "b2": {"greenroom:text": {"value": text}}}
    payload = {"type": "view_submission", "view": {**view, "id": "V1", "state": {"values": values}}}
    return asked(payload, ME, ADA, 9_000_000)


def test_a_question_goes_below_the_message_with_its_words_quoted() -> None:
    view = check_view(asking(CAST, shortcut("We <@U9> ship\non &lt;Friday&gt;."), {"U9": "Grace"}), "modal")
    found = submitted(view)
    assert isinstance(found, Inbound)
    assert found.text == "*architect Is it wise?\n> We @Grace ship\n> on <Friday>."
    assert found.conversation == Conversation("slack", "T1", "C1", "1700000000.000100")
    assert (found.addressed, found.direct, found.order, found.user) == (True, False, 9_000_000, "U1")
    again = submitted(view)
    assert isinstance(again, Inbound) and again.id == found.id


def test_a_question_about_a_reply_goes_to_its_thread() -> None:
    view = asking(CAST, shortcut(thread_ts="1600000000.000000"))
    found = submitted(view)
    assert isinstance(found, Inbound) and found.conversation.thread == "1600000000.000000"


def test_a_question_about_a_message_without_words_has_no_quote() -> None:
    found = submitted(asking(CAST, shortcut("")))
    assert isinstance(found, Inbound) and found.text == "*architect Is it wise?"


@pytest.mark.parametrize(
    "text", ["a" * 9_000, '"\\\n' * 3_000, "👩🏽\u200d💻" * 2_000, "&amp;" * 5_000, "\n" * 4_000 + "x"]
)
def test_a_long_message_is_quoted_as_far_as_a_modal_keeps_it(text: str) -> None:
    view = check_view(asking(CAST, shortcut(text)), "modal")
    assert units(view["private_metadata"]) <= METADATA
    found = submitted(view)
    assert isinstance(found, Inbound) and found.text.startswith("*architect Is it wise?\n> ")
    assert found.text.endswith("…") or len(text) < 4_100


def test_everybody_can_be_asked_also_in_a_large_library() -> None:
    cast = Cast((*many(250).personas, Persona("x" * 151, "Nobody")))
    view = check_view(asking(cast, shortcut()), "modal")
    groups = view["blocks"][0]["element"]["option_groups"]
    assert sum(len(group["options"]) for group in groups) == 250


def test_with_nobody_to_ask_there_is_nothing_to_send() -> None:
    view = check_view(asking(Cast(), shortcut()), "modal")
    assert "submit" not in view and "no persona" in shown_in(view["blocks"])


@pytest.mark.parametrize(("persona", "text"), [(None, "x"), ("pm", None), ("pm", "  ")])
def test_a_question_for_nobody_or_of_nothing_is_none(persona: str | None, text: str | None) -> None:
    assert submitted(asking(CAST, shortcut()), persona, text) == Mismatch("the question is empty, or for nobody")


@pytest.mark.parametrize("metadata", ["", "x", "{}", '{"channel":"C1","ts":""}'])
def test_a_modal_of_something_else_is_no_question(metadata: str) -> None:
    assert submitted({"private_metadata": metadata}) == Mismatch("the modal was not made by this bot")


def test_a_shortcut_without_its_channel_leads_to_no_question() -> None:
    view = asking(CAST, {**shortcut(), "channel": None})
    assert submitted(view) == Mismatch("the modal was not made by this bot")


def test_the_manifests_shortcut_opens_this_modal() -> None:
    assert [s["callback_id"] for s in manifest("Greenroom")["features"]["shortcuts"]] == [ASK]


# ---------------------------------------------------------------- prompts


def test_prompts_begin_with_help_and_with_who_coordinates() -> None:
    lead = Persona("lead", "Lee", icon="🎭", commands=(Command("agent"),))
    assert suggested(Cast((*CAST.personas, lead))) == [
        {"title": "What can be done here?", "message": "*help"},
        {"title": "Talk with 🎭 Lee", "message": "*lead"},
        {"title": "Talk with 📋 John, Product Manager", "message": "*pm"},
        {"title": "Talk with 🏗️ Winston, Architect", "message": "*architect"},
    ]
    assert len(suggested(many(50))) == 4
    assert len(suggested(Cast())) == 1
