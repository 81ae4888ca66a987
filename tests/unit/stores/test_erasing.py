"""Taking words and names out of stored texts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.core.codec import dump, load
from bot.core.modes.documents import ledger
from bot.core.modes.documents.ledger import Ledger, Row
from bot.core.modes.documents.state import DocumentWork
from bot.core.modes.registry import MODES
from bot.core.session import Session
from bot.core.steps import Entry
from bot.stores.erasing import GONE, is_from, names_message, names_of, without_message, without_person

ADA = {"user": "U1", "name": "Ada", "text": "secret"}


def person_out(value: Any) -> Any:
    text = json.dumps(value)
    return json.loads(without_person(text, "U1", names_of(text, "U1"), "somebody"))


@pytest.mark.parametrize("text", ["", "no JSON with m1", "[", '"m1"', "1", "null", '["m1", 1]', '{"id": "m2"}'])
def test_what_names_nothing_stays_byte_for_byte(text: str) -> None:
    assert without_message(text, {"m1"}) == text
    assert without_person(text, "m1", {"m1"}, "somebody") == text
    assert not names_message(text, "m1")
    assert not is_from(text, "m1")


def test_a_message_is_found_however_deep_and_only_its_text_goes() -> None:
    text = json.dumps({"a": [{"b": {"id": "m1", "text": "secret", "n": 2**62}}, {"id": "m2", "text": "m1"}]})

    assert json.loads(without_message(text, {"m1"})) == {
        "a": [{"b": {"id": "m1", "text": "", "n": 2**62}}, {"id": "m2", "text": "m1"}]
    }
    assert names_message(text, "m1")


def test_a_person_loses_words_name_and_roles() -> None:
    assert person_out({**ADA, "roles": ["lead"], "menu": ""}) == {
        "user": "somebody", "name": "somebody", "text": "", "roles": [], "menu": ""
    }  # fmt: skip


def test_a_person_is_found_by_who_only_where_that_is_a_person() -> None:
    assert person_out({"kind": "said", "who": "U1", "name": "Ada", "text": "x"})["who"] == "somebody"
    assert person_out({"what": "approve", "who": "U1", "sha": "1"}) == {
        "what": "approve",
        "who": "somebody",
        "sha": "1",
    }
    for persona in ({"kind": "reply", "who": "U1", "text": "x"}, {"_type": "AskModel", "who": "U1"}):
        assert person_out(persona) == persona


def test_a_persons_names_leave_the_lists_of_people() -> None:
    state = {
        "people": ["Ada", "Bob", "Ada L."],
        "refused": ["U1", "U2"],
        "gate": {"said": [ADA, {**ADA, "name": "Ada L."}]},
    }

    assert person_out(state)["people"] == ["Bob"]
    assert person_out(state)["refused"] == ["U2"]


def test_somebody_elses_words_stay_also_about_the_person() -> None:
    other = {"user": "U2", "name": "Bob", "text": "Ada (U1) is right"}

    assert person_out([other]) == [other]


def test_a_message_is_a_persons_only_by_its_own_user() -> None:
    assert is_from(json.dumps(ADA), "U1")
    assert not is_from(json.dumps({"said": [ADA]}), "U1")


def test_what_the_host_tells_of_a_person_keeps_its_sense_and_loses_the_name() -> None:
    chose = {"kind": "result", "who": "pm", "user": "U1", "name": "Ada", "text": "Ada chose: Adamant blue"}
    assert person_out(chose) == {
        **chose,
        "user": "somebody",
        "name": "somebody",
        "text": "somebody chose: Adamant blue",
    }


def test_a_note_that_holds_words_goes_with_its_message_and_with_its_author() -> None:
    note = {"kind": "note", "who": "pm", "user": "U1", "name": "Ada", "text": "Ada asks: secret", "id": "m1"}
    assert person_out(note)["text"] == ""
    assert json.loads(without_message(json.dumps(note), {"m1"}))["text"] == ""


def test_menus_made_of_somebodys_words_go_and_others_stay() -> None:
    mine = {"id": "a.1", "options": [{"label": "*explain secret"}], "said": "m1", "user": "U1"}
    other = {"id": "a.2", "options": [{"label": "*help"}]}
    turn = {"session": {"menus": [mine, other]}, "posts": [{"markdown": "Which?", "menu": mine, "id": "m1"}]}
    for left in (json.loads(without_message(json.dumps(turn), {"m1"})), person_out(turn)):
        assert left["session"]["menus"] == [other]
        assert "menu" not in left["posts"][0]


def test_a_post_that_quotes_what_is_gone_says_so_and_keeps_its_place() -> None:
    posts = [{"markdown": "Ada wrote: secret", "id": "m1", "user": "U1"}, {"markdown": "Ada chose: red"}]
    assert [p["markdown"] for p in json.loads(without_message(json.dumps(posts), {"m1"}))] == [GONE, "Ada chose: red"]
    assert [p["markdown"] for p in person_out([*posts, ADA])[:2]] == [GONE, "somebody chose: red"]


def test_the_names_of_files_go_with_the_message() -> None:
    mail = {"id": "m1", "text": "look", "files": [{"name": "secret.pdf"}]}
    assert json.loads(without_message(json.dumps(mail), {"m1"})) == {"id": "m1", "text": "", "files": []}


@pytest.mark.parametrize("deep", ["[" * 200_000 + "%s" + "]" * 200_000, '{"a":' * 600 + "%s" + "}" * 600])
def test_what_is_nested_too_deep_to_be_read_goes_as_a_whole_and_stops_nothing(deep: str) -> None:
    text = deep % '{"id":"m1","user":"U1","text":"secret"}'
    assert "secret" not in without_message(text, {"m1"})
    assert "secret" not in without_person(text, "U1", {"Ana"}, "somebody")
    assert without_message(text, {"another"}) == text
    assert not is_from(text, "U1")
    assert names_of(text, "U1") == set()


def test_who_accepted_a_section_goes_from_what_a_document_under_way_keeps() -> None:
    row = Row(0, 0, "Goals", 5, "f" * 64, "John", "ana", "U1", "1, proceed", 2.0)
    kept = Entry("kept", "pm", Ledger("prd-tmpl", "d", "# A", rows=(row,)).dump(), id="t.w1.5")
    state = dump(
        Session(yolo=True, yolo_by="ana", yolo_user="U1", work=(DocumentWork("t.w1", "pm", "x", voices=("U1",)),))
    )
    gone = load(without_person(dump(kept), "U1", {"ana"}, "somebody"), Entry)
    book = ledger.load(gone.text)
    assert book and (book.rows[0].accepted, book.rows[0].user, book.rows[0].sha) == ("somebody", "somebody", "f" * 64)
    session = load(without_person(state, "U1", {"ana"}, "somebody"), Session)
    work = session.work[0]
    assert MODES.has("document") and isinstance(work, DocumentWork) and work.voices == ()
    assert (session.yolo_by, session.yolo_user) == ("somebody", "somebody")
