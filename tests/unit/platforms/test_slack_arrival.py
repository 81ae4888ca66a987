"""What Slack brings, as our values. Payloads have the shapes that its documentation gives."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.model import Activate, Attachment, Conversation, Inbound, Menu, Option
from bot.platforms.button_payload import Pressed, Words
from bot.platforms.slack.arrival import (
    Me,
    Mismatch,
    Person,
    attachment,
    conversation,
    deletion,
    edit,
    message,
    order_of,
    press,
    pressed,
    sender_of,
    slash,
    ts_of,
    words,
)
from bot.platforms.slack.blocks import menu_blocks
from bot.platforms.slack.typed import mentioned, plain_text
from bot.platforms.slack.views import answering
from tests.fakes.slack_text import delivered

ME = Me("UBOT", "BBOT", "T1", "A1")
ADA = Person("U1", "Ada")
TS = "1700000000.000100"
HERE = Conversation("slack", "T1", "C1")
MENU = Menu("m7", (Option("*architect", Activate("architect")), Option("*pm", Activate("pm"))), words=True)


def event(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {
        "type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "text": text, "ts": TS,
        "event_ts": TS, "team": "T1", **more,
    }  # fmt: skip


def read(text: str = "hello", **more: Any) -> Inbound:
    found = message(event(text, **more), ME, ADA)
    assert found is not None
    return found


# ---------------------------------------------------------------- where and when


@pytest.mark.parametrize(
    ("ts", "order"),
    [(TS, 1_700_000_000_000_100), ("1700000000.5", 1_700_000_000_500_000), ("1700000000", 1_700_000_000_000_000)],
)
def test_a_timestamp_is_microseconds(ts: str, order: int) -> None:
    assert order_of(ts) == order
    assert order_of(ts_of(order)) == order


def test_an_order_is_a_timestamp_again_with_all_its_digits() -> None:
    assert ts_of(order_of(TS)) == TS
    assert ts_of(1_700_000_000_000_001) == "1700000000.000001"


@pytest.mark.parametrize("ts", ["", "now", "1700000000.0001001", "-1.5"])
def test_what_is_no_timestamp_is_told(ts: str) -> None:
    with pytest.raises(ValueError, match="not a timestamp of Slack"):
        order_of(ts)


def test_the_top_level_a_thread_and_its_first_message() -> None:
    assert conversation("T1", event()) == HERE
    assert conversation("T1", event(thread_ts=TS)) == HERE
    reply = event(ts="1700000009.000000", thread_ts=TS)
    assert conversation("T1", reply) == Conversation("slack", "T1", "C1", TS)
    both = read(ts="1700000009.000000", thread_ts=TS, subtype="thread_broadcast")
    assert both.conversation.thread == TS


def test_a_direct_message_is_one_session_and_its_threads_are_their_own() -> None:
    top = read(channel="D1", channel_type="im")
    assert top.direct and top.conversation == Conversation("slack", "T1", "D1")
    reply = read(channel="D1", channel_type="im", ts="1700000009.000000", thread_ts=TS)
    assert reply.direct and reply.conversation.thread == TS
    assert not read(channel="G1", channel_type="mpim").direct


# ---------------------------------------------------------------- messages


def test_a_message_has_who_what_where_and_when() -> None:
    found = message(event("hello"), ME, Person("U1", "Ada", roles=("lead",)))
    assert found == Inbound(HERE, TS, "U1", "Ada", "hello", 1_700_000_000_000_100, 1_700_000_000.0001, roles=("lead",))


def test_the_two_events_of_a_mention_have_one_id() -> None:
    text = "<@UBOT> *pm"
    mention = {"type": "app_mention", "channel": "C1", "user": "U1", "text": text, "ts": TS, "event_ts": TS}
    one, two = read(text), message(mention, ME, ADA)
    assert one == two
    assert one.addressed and one.text == "*pm"


@pytest.mark.parametrize(
    "more",
    [
        {"bot_id": "B9"},
        {"subtype": "bot_message", "user": None},
        {"subtype": "channel_join"},
        {"subtype": "channel_topic"},
        {"subtype": "message_replied"},
        {"subtype": "tombstone"},
        {"user": "USLACKBOT"},
        {"user": None},
        {"subtype": "message_deleted"},
    ],
)
def test_what_is_no_persons_words_is_nothing(more: dict[str, Any]) -> None:
    assert sender_of(event(**more)) is None
    assert message(event(**more), ME, ADA) is None


def test_the_bots_own_words_are_nothing_even_without_its_bot_id() -> None:
    assert message(event(user="UBOT"), ME, ADA) is None


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_these_subtypes_are_words_of_people(subtype: str) -> None:
    assert sender_of(event(subtype=subtype)) == "U1"
    assert read(subtype=subtype).text == "hello"


@pytest.mark.parametrize("field", ["user_team", "source_team", "team"])
def test_somebody_of_another_workspace_is_an_outsider(field: str) -> None:
    assert read(**{field: "T9"}).outsider
    assert not read(**{field: "T1"}).outsider


def test_a_guest_stays_an_outsider() -> None:
    found = message(event(), ME, Person("U1", "Ada", outsider=True))
    assert found is not None and found.outsider


def test_a_message_without_its_channel_is_told() -> None:
    broken = event()
    del broken["channel"]
    with pytest.raises(ValueError, match="without `channel`"):
        message(broken, ME, ADA)


# ---------------------------------------------------------------- files


def test_a_file_comes_with_what_is_known_of_it() -> None:
    file = {
        "id": "F1", "name": "plan.md", "mimetype": "text/markdown", "size": 42, "mode": "hosted",
        "url_private": "https://files/x", "url_private_download": "https://files/d/x", "file_access": "visible",
    }  # fmt: skip
    found = read("see", subtype="file_share", files=[file])
    assert found.files == (Attachment("plan.md", 42, "text/markdown", "https://files/d/x"),)
    del file["url_private_download"]
    assert attachment(file).ref == "https://files/x"


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ({"mode": "external", "url_private": "https://drive"}, "outside of Slack"),
        ({"mode": "hosted", "is_external": True, "url_private": "https://drive"}, "outside of Slack"),
        ({"mode": "tombstone"}, "deleted"),
        ({"mode": "hidden_by_limit"}, "over its limit"),
        ({"mode": "file_access", "file_access": "access_denied"}, "does not let me"),
        ({"file_access": "file_not_found"}, "cannot find"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(file: dict[str, Any], problem: str) -> None:
    found = attachment({"id": "F1", "title": "plan", **file})
    assert problem in found.problem
    assert (found.name, found.ref) == ("plan", "")


def test_a_file_without_any_place_says_so() -> None:
    assert attachment({}).problem == "Slack does not say where it is"


def test_a_file_of_slack_connect_is_found_by_its_id() -> None:
    found = attachment({"id": "F1", "mode": "file_access", "file_access": "check_file_info"})
    assert (found.name, found.ref, found.problem) == ("file", "F1", "")


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("arrived", "meant"),
    [
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&amp;lt;", "&lt;"),
        ("&lt;!here&gt; is how Slack writes it", "<!here> is how Slack writes it"),
        ("see <#C1|general>", "see #general"),
        ("see <#C2>", "see #plans"),
        ("see <#C3|>", "see #C3"),
        ("<https://x.example/a?b=1&amp;c=2>", "https://x.example/a?b=1&c=2"),
        ("<https://x.example|the plan> is late", "the plan (https://x.example) is late"),
        ("<http://x.example|x.example>", "x.example"),
        ("<http://x.example/|x.example>", "x.example"),
        ("<mailto:a@x.example|a@x.example>", "a@x.example"),
        ("<mailto:a@x.example>", "a@x.example"),
        ("<!here> <!channel> <!everyone|everyone>", "@here @channel @everyone"),
        ("<!date^1392734382^{date}|18 February>", "18 February"),
        ("*help*", "*help*"),
        ("• help", "* help"),
        ("◦ help", "* help"),
        ("• one\n• two", "• one\n• two"),
        ("a • b", "a • b"),
        ("*help", "*help"),
        ("3", "3"),
        (":wave: hi", ":wave: hi"),
    ],
)
def test_text_is_what_was_typed(arrived: str, meant: str) -> None:
    found = plain_text(arrived, "UBOT", {"C2": "plans"})
    assert found.text == meant
    assert (found.addressed, found.others) == (False, False)


@pytest.mark.parametrize(
    ("arrived", "meant"),
    [
        ("<@UBOT> *pm", "*pm"),
        ("<@UBOT|greenroom> *pm", "*pm"),
        ("<@UBOT>, what now?", "what now?"),
        ("<@UBOT>: what now?", "what now?"),
        ("  <@UBOT>\n• help", "* help"),
        ("hey <@UBOT> what now?", "hey what now?"),
        ("what now, <@UBOT>?", "what now,?"),
        ("<@UBOT> pm", "pm"),
        ("<@UBOT>", ""),
        ("<@UBOT> <@UBOT> 2", "2"),
    ],
)
def test_the_mention_of_the_bot_is_taken_off(arrived: str, meant: str) -> None:
    found = plain_text(arrived, "UBOT")
    assert (found.text, found.addressed, found.others) == (meant, True, False)


def test_other_people_are_named_as_well_as_they_are_known() -> None:
    known = plain_text("<@U9> and <@U8|bob> and <@U7>", "UBOT", {"U9": "Grace"})
    assert known.text == "@Grace and @bob and @U7"
    assert known.others and not known.addressed
    both = plain_text("<@UBOT> ask <@U9>", "UBOT")
    assert (both.text, both.addressed, both.others) == ("ask @U9", True, True)


def test_a_group_is_other_people_and_here_is_everybody() -> None:
    assert plain_text("<!subteam^S1|@design> look").others
    assert plain_text("<!subteam^S1|@design> look").text == "@design look"
    assert plain_text("<!subteam^S1>").text == "@S1"
    assert not plain_text("<!here> look").others


def test_the_ids_to_look_up_are_told_once_each() -> None:
    assert mentioned("<@U9> <@U8|bob> <#C1> <@U9> <!here> <https://x> &lt;@U7&gt;") == ("U9", "U8", "C1")


@pytest.mark.parametrize(
    "typed", ["*help", "*agent pm", "if a < b && c > d: 2 * 3", "https://x.example/a?b=1&c=2", "a\n- b", "3.", "//x"]
)
def test_what_people_type_comes_back(typed: str) -> None:
    assert plain_text(delivered(typed, {}, {}), "UBOT").text == typed


def test_what_people_type_comes_back_with_its_mentions() -> None:
    arrived = delivered("@greenroom tell @ada about #plans", {"greenroom": "UBOT", "ada": "U1"}, {"plans": "C2"})
    found = plain_text(arrived, "UBOT", {"U1": "ada"})
    assert found.text == "tell @ada about #plans"
    assert found.addressed and found.others


# ---------------------------------------------------------------- edits and deletions


def changed(now: dict[str, Any], before: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "message", "subtype": "message_changed", "channel": "C1", "channel_type": "channel", "hidden": True,
        "message": now, "previous_message": before, "ts": "1700000020.000000", "event_ts": "1700000020.000000", **more,
    }  # fmt: skip


def kept(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": "U1", "team": "T1", "text": text, "ts": TS, **more}


def test_an_edit_keeps_the_message_and_its_place_in_the_order() -> None:
    found = edit(changed(kept("*pm &amp; co"), kept("<@UBOT> *pn")), ME, ADA)
    assert found is not None
    now, was = found
    assert (now.id, now.text, was) == (TS, "*pm & co", "*pn")
    assert now.order == order_of(TS) and now.conversation == HERE
    assert sender_of(changed(kept("a"), kept("b"))) == "U1"


def test_an_edit_in_a_thread_or_a_direct_message_stays_there() -> None:
    found = edit(changed(kept("a", thread_ts="1600000000.000000"), kept("b")), ME, ADA)
    assert found is not None and found[0].conversation.thread == "1600000000.000000"
    found = edit(changed(kept("a"), kept("b"), channel="D1", channel_type="im"), ME, ADA)
    assert found is not None and found[0].direct


@pytest.mark.parametrize(
    "change",
    [
        changed(kept("see", attachments=[{"title": "unfurled"}]), kept("see")),
        changed(kept("new", bot_id="B9"), kept("old", bot_id="B9")),
        changed(kept("gone", subtype="tombstone", user="USLACKBOT"), kept("old")),
        event("no edit"),
    ],
)
def test_what_changes_no_words_of_a_person_is_no_edit(change: dict[str, Any]) -> None:
    assert edit(change, ME, ADA) is None


def test_a_change_is_no_new_message() -> None:
    assert message(changed(kept("a"), kept("b"), user="U1"), ME, ADA) is None


def deleted(**more: Any) -> dict[str, Any]:
    return {
        "type": "message", "subtype": "message_deleted", "channel": "C1", "channel_type": "channel", "hidden": True,
        "deleted_ts": TS, "ts": "1700000020.000000", "event_ts": "1700000020.000000", **more,
    }  # fmt: skip


def test_a_deletion_tells_where_and_what() -> None:
    assert deletion(deleted(previous_message=kept("x")), "T1") == (HERE, TS)
    reply = kept("x", thread_ts="1600000000.000000")
    assert deletion(deleted(previous_message=reply), "T1") == (
        Conversation("slack", "T1", "C1", "1600000000.000000"),
        TS,
    )
    assert deletion(deleted(), "T1") == (HERE, TS)


def test_the_first_message_of_a_thread_leaves_a_tombstone() -> None:
    tombstone = kept("This message was deleted.", subtype="tombstone", user="USLACKBOT", thread_ts=TS)
    assert deletion(changed(tombstone, kept("x", thread_ts=TS)), "T1") == (HERE, TS)


@pytest.mark.parametrize(
    "other", [event(), changed(kept("a"), kept("b")), deleted(previous_message=kept("x", bot_id="BBOT"))]
)
def test_what_deletes_no_persons_message_is_no_deletion(other: dict[str, Any]) -> None:
    assert deletion(other, "T1") is None


# ---------------------------------------------------------------- slash commands


def command(text: str, **more: Any) -> dict[str, Any]:
    return {
        "command": "/greenroom", "text": text, "team_id": "T1", "channel_id": "C1", "channel_name": "general",
        "user_id": "U1", "user_name": "ada", "trigger_id": "13.37.ab", "response_url": "https://hooks/1", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", "*help"),
        ("pm", "*pm"),
        ("*pm create-prd", "*pm create-prd"),
        ("pm create-prd", "*pm create-prd"),
        ("＊pm", "＊pm"),
        ("@pm", "@pm"),
        ("3", "3"),
        ("stop", "stop"),
        ("// aside", "// aside"),
        ("tell me about R&amp;D", "*tell me about R&D"),
    ],
)
def test_a_slash_command_is_a_command(typed: str, meant: str) -> None:
    assert slash(command(typed), ME, ADA, 7_000_000).text == meant


def test_a_slash_command_is_addressed_to_the_bot_and_the_same_when_it_comes_again() -> None:
    found = slash(command("pm"), ME, ADA, 7_000_000)
    assert found.addressed and found.conversation == HERE and found.handle == "https://hooks/1"
    assert (found.order, found.at, found.user, found.direct) == (7_000_000, 7.0, "U1", False)
    assert slash(command("pm"), ME, ADA, 8_000_000).id == found.id
    assert slash(command("pm", trigger_id="13.38.ab"), ME, ADA, 8_000_000).id != found.id
    assert slash(command("pm", channel_id="D1", channel_name="directmessage"), ME, ADA, 1).direct


def test_a_slash_command_without_its_trigger_is_told() -> None:
    with pytest.raises(ValueError, match="without `trigger_id`"):
        slash(command("pm", trigger_id=""), ME, ADA, 1)


# ---------------------------------------------------------------- presses


def element(where: Conversation = HERE, menu: Menu = MENU, index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = menu_blocks(where, menu)[0]["elements"][index]
    return found


def action(index: int = 0, where: Conversation = HERE) -> dict[str, Any]:
    found = element(where, index=index)
    return {
        "type": "button", "action_id": found["action_id"], "block_id": "b", "value": found["value"],
        "action_ts": "1700000050.000001",
    }  # fmt: skip


def payload(act: dict[str, Any], channel: str = "C1", ts: str = TS, thread: str = "", **more: Any) -> dict[str, Any]:
    threaded = {"thread_ts": thread} if thread else {}
    return {
        "type": "block_actions", "user": {"id": "U1", "team_id": "T1"}, "team": {"id": "T1"},
        "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False, **threaded},
        "channel": {"id": channel}, "message": {"ts": ts, **threaded}, "actions": [act],
        "response_url": "https://hooks/2", **more,
    }  # fmt: skip


def test_a_press_picks_from_the_menu_that_the_button_belongs_to() -> None:
    found = press(payload(action(1)), ME, ADA)
    assert isinstance(found, Inbound)
    assert (found.menu, found.number, found.text, found.conversation) == ("m7", 2, "", HERE)
    assert (found.order, found.handle) == (order_of("1700000050.000001"), "https://hooks/2")
    assert found.addressed


def test_a_press_that_comes_again_has_the_same_id_and_another_persons_has_not() -> None:
    one, again = press(payload(action(1)), ME, ADA), press(payload(action(1)), ME, ADA)
    other = press(payload(action(1)), ME, Person("U2", "Bob"))
    assert isinstance(one, Inbound) and isinstance(again, Inbound) and isinstance(other, Inbound)
    assert one.id == again.id != other.id


def test_a_choice_in_a_select_is_a_press() -> None:
    menu = Menu("m8", tuple(Option(f"*p{n}", Activate(f"p{n}")) for n in range(1, 8)))
    select = element(menu=menu)
    chosen = {
        "type": "static_select", "action_id": select["action_id"], "selected_option": select["options"][6],
        "action_ts": "1700000050.000001",
    }  # fmt: skip
    found = press(payload(chosen), ME, ADA)
    assert isinstance(found, Inbound) and (found.menu, found.number) == ("m8", 7)


def test_a_button_in_a_thread_belongs_to_the_thread() -> None:
    where = Conversation("slack", "T1", "C1", "1600000000.000000")
    found = press(payload(action(where=where), thread=where.thread), ME, ADA)
    assert isinstance(found, Inbound) and found.conversation == where


def test_a_post_that_got_replies_still_belongs_to_the_top_level() -> None:
    assert isinstance(press(payload(action(), thread=TS), ME, ADA), Inbound)


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"channel": "C2"}, "was pressed in slack:T1:C2"),
        ({"thread": "1600000000.000000"}, "was pressed in slack:T1:C1:1600000000.000000"),
    ],
)
def test_a_button_that_stands_elsewhere_does_nothing(where: dict[str, str], told: str) -> None:
    found = press(payload(action(), **where), ME, ADA)
    assert isinstance(found, Mismatch) and told in found.why


def test_a_button_of_another_workspace_does_nothing() -> None:
    elsewhere = Conversation("slack", "T9", "C1")
    found = press(payload(action(where=elsewhere)), ME, ADA)
    assert isinstance(found, Mismatch) and "slack:T9:C1" in found.why


def test_a_post_that_one_person_sees_is_known_by_its_channel_alone() -> None:
    where = Conversation("slack", "T1", "C1", "1600000000.000000")
    whispered = payload(action(where=where))
    del whispered["message"]
    assert isinstance(press(whispered, ME, ADA), Inbound)
    whispered = payload(action(where=where), channel="C2")
    del whispered["message"]
    assert isinstance(press(whispered, ME, ADA), Mismatch)


def test_a_button_of_something_else_does_nothing() -> None:
    found = press(payload({"type": "button", "action_id": "their:own", "value": "x"}), ME, ADA)
    assert isinstance(found, Mismatch) and "their:own" in found.why
    assert isinstance(pressed({"type": "block_actions"}, ME), Mismatch)


def test_what_a_press_is_can_be_told_before_its_sender_is_known() -> None:
    assert pressed(payload(action(0)), ME) == Pressed(HERE, "m7", 1)
    assert pressed(payload(action(2)), ME) == Words(HERE, "m7")
    assert press(payload(action(2)), ME, ADA) == Words(HERE, "m7")


# ---------------------------------------------------------------- answers in words


def submission(text: str | None, view: dict[str, Any] | None = None) -> dict[str, Any]:
    view = view or answering(Words(HERE, "m7"), "Which one?", "https://hooks/3")
    state = {"values": {"greenroom:text": {"greenroom:text": {"type": "plain_text_input", "value": text}}}}
    return {"type": "view_submission", "user": {"id": "U1"}, "view": {**view, "id": "V1", "state": state}}


def test_an_answer_in_words_goes_to_its_menu() -> None:
    found = words(submission(" the <second> one "), ME, ADA, 9_000_000)
    assert isinstance(found, Inbound)
    assert (found.menu, found.number, found.text) == ("m7", 0, "the <second> one")
    assert (found.conversation, found.handle, found.order) == (HERE, "https://hooks/3", 9_000_000)
    again = words(submission("the second one"), ME, ADA, 9_500_000)
    assert isinstance(again, Inbound) and again.id == found.id


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_an_empty_answer_is_none(text: str | None) -> None:
    assert words(submission(text), ME, ADA, 1) == Mismatch("the answer is empty")


@pytest.mark.parametrize("metadata", ["", "{", "[]", '{"menu":"m7"}', '{"conversation":"x","menu":"m7","handle":""}'])
def test_a_modal_of_something_else_is_no_answer(metadata: str) -> None:
    found = words(submission("x", {"private_metadata": metadata}), ME, ADA, 1)
    assert found == Mismatch("the modal was not made by this bot")


def test_an_answer_for_another_workspace_is_none() -> None:
    view = answering(Words(Conversation("slack", "T9", "C1"), "m7"))
    found = words(submission("x", view), ME, ADA, 1)
    assert isinstance(found, Mismatch) and "slack:T9:C1" in found.why
