"""Documents with people: what each choice, each word and each failure at a section's stop comes to."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.core.context import Context
from bot.core.events import GaveUp, ModelFailed, ModelReplied, Said, Utterance
from bot.core.menus import as_text
from bot.core.modes.documents.state import CountGate, FindingGate, RestGate, StopGate
from bot.core.prompt import Prompt
from bot.models import rehearsal
from tests.fakes.writing import Desk, Kept

FAILS = ModelFailed(1, "overloaded")


def at_a_stop(*, sections: int = 0) -> Desk:
    """A project brief at the stop of its first section, or after so many were accepted."""
    desk = Desk()
    desk.type("*analyst")
    desk.type("*create-project-brief Shiftly")
    desk.type("1")
    for _ in range(sections):
        desk.type("1")
    assert isinstance(desk.session.gate, StopGate)
    return desk


def texts(desk: Desk, since: int = 0) -> list[str]:
    return [as_text(post) for post in desk.posts[since:]]


def then(desk: Desk, *replies: str | ModelReplied | ModelFailed) -> None:
    """The model says these next, and rehearses afterwards."""
    waiting = list(replies)

    def says(prompt: Prompt) -> str | ModelReplied | ModelFailed:
        return waiting.pop(0) if waiting else rehearsal.lines(prompt)

    desk.says = says


# ---------------------------------------------------------------- the stop


def test_10_a_stop_has_exactly_nine_choices_and_says_how_far_the_document_is() -> None:
    desk = at_a_stop()
    assert desk.last.menu is not None and len(desk.last.menu.options) == 9
    assert desk.labels()[0] == "Proceed"
    assert "Section 1 of 13" in desk.last.menu.prompt
    assert desk.last.markdown.count("## Introduction") == 1


def test_one_saves_what_was_shown_and_the_next_section_comes_by_itself() -> None:
    desk = at_a_stop()
    shown = desk.last.markdown
    desk.type("1")
    text = desk.text("docs/brief.md")
    assert text.startswith("# Project Brief: Shiftly\n\n## Introduction\n\n")
    assert text.partition("\n\n")[2] in shown, "byte for byte"
    assert "Introduction: accepted by ana (1, proceed), saved as version 1" in desk.last.markdown
    assert "section 2 of 13: Problem Statement" in desk.last.markdown
    record = next(r for r in desk.records if r.what.startswith("accepted"))
    assert record.who == "ANA" and len(record.sha) == 64


@pytest.mark.parametrize("word", ["ok", "yes", "lgtm", "Looks good!", "ja"])
def test_words_that_sound_like_yes_accept_nothing_and_ask_no_model(word: str) -> None:
    desk = at_a_stop()
    asks = desk.asks
    (told,) = desk.type(word)
    assert told.markdown == "Type 1 to accept section 1 of 13."
    assert (desk.asks, desk.documents) == (asks, {}) and isinstance(desk.session.gate, StopGate)


def test_a_number_that_is_no_choice_is_never_feedback() -> None:
    desk = at_a_stop()
    asks = desk.asks
    desk.type("77")
    desk.type("3", seen=())
    assert desk.asks == asks and isinstance(desk.session.gate, StopGate) and not desk.documents


def test_words_are_feedback_and_the_new_draft_is_what_is_saved() -> None:
    desk = at_a_stop()
    desk.type("please name the sponsor")
    assert "New draft, section 1 of 13: Introduction" in desk.last.markdown and len(desk.labels()) == 9
    desk.type("1")
    assert "New, because of: please name the sponsor" in desk.text("docs/brief.md")


def test_a_question_about_the_draft_is_answered_and_leaves_it_standing() -> None:
    desk = at_a_stop()
    before = desk.work
    then(desk, "The sponsor is whoever pays for it.")
    desk.type("who is the sponsor?")
    assert desk.last.markdown.startswith("The sponsor is whoever pays") and "stands as it is" in desk.last.markdown
    assert before and desk.work and desk.work.draft == before.draft and len(desk.labels()) == 9
    desk.type("1")
    assert "whoever pays" not in desk.text("docs/brief.md")


@pytest.mark.parametrize(
    "came",
    [
        FAILS,
        ModelReplied(1, '[{"type":"text","text":"=== text ===\\nHalf of"}]', "stopped", by="ana"),
        ModelReplied(1, '[{"type":"text","text":"=== text ===\\nHalf of"}]', "max_tokens"),
        ModelReplied(1, "[]", "end_turn"),
        "=== text ===\n\n=== why ===\nno reason",
    ],
    ids=["failed", "stopped", "cut", "nothing", "empty"],
)
def test_a_redraft_that_came_to_nothing_leaves_the_stop_as_it_was(came: str | ModelReplied | ModelFailed) -> None:
    desk = at_a_stop()
    before = desk.work
    then(desk, came)
    desk.type("make it shorter")
    assert before and desk.work and desk.work.draft == before.draft and isinstance(desk.session.gate, StopGate)
    assert len(desk.labels()) == 9
    desk.type("1")
    assert "Half of" not in desk.text("docs/brief.md")


@pytest.mark.parametrize("came", [FAILS, ModelReplied(1, '[{"type":"text","text":"Half"}]', "stopped", by="ana")])
def test_a_first_draft_that_did_not_come_can_be_tried_again(came: ModelReplied | ModelFailed) -> None:
    desk = at_a_stop()
    then(desk, came)
    desk.type("1")
    assert isinstance(desk.session.gate, RestGate) and desk.labels() == ["Try again", "Pause", "Leave it"]
    desk.type("1")
    assert isinstance(desk.session.gate, StopGate) and "section 2 of 13" in desk.last.markdown


def test_a_draft_with_faults_is_asked_for_once_more_and_then_shown_with_them() -> None:
    desk = at_a_stop(sections=1)
    bad = "### Nothing of what was asked for\n\nWords."
    then(desk, bad, bad)
    asks = desk.asks
    desk.type("1")
    assert desk.asks == asks + 2
    assert "It still has these faults" in desk.last.markdown and "missing" in desk.last.markdown


def test_what_was_written_before_the_stop_was_shown_is_a_remark() -> None:
    desk = at_a_stop()
    asks = desk.asks
    desk.type("late words", seen=())
    assert desk.asks == asks and desk.labels()[-1] == "Redraft (1 remark)" and len(desk.labels()) == 10
    desk.type("10")
    assert "New draft" in desk.last.markdown and "late words" in desk.last.markdown and len(desk.labels()) == 9


# ---------------------------------------------------------------- methods


def test_a_method_says_what_it_found_and_which_lines_change() -> None:
    desk = at_a_stop()
    name = desk.labels()[2]
    posts = desk.type("3")
    assert "Here a model would say what it found" in posts[-2].markdown and posts[-2].voice.name == "Mary"
    assert name in posts[-1].markdown and "New, because of: what was found" in posts[-1].markdown
    assert desk.labels() == ["Apply", "Back", "Discuss"] and isinstance(desk.session.gate, FindingGate)
    desk.type("1")
    assert isinstance(desk.session.gate, StopGate) and "New, because of: what was found" in desk.last.markdown
    assert desk.work and desk.work.used == (name,)


def test_back_from_a_method_leaves_the_section_as_it_was() -> None:
    desk = at_a_stop()
    before = desk.work
    desk.type("2")
    desk.type("2")
    assert before and desk.work and desk.work.draft == before.draft and isinstance(desk.session.gate, StopGate)


def test_a_finding_can_be_talked_about_before_it_is_applied() -> None:
    desk = at_a_stop()
    desk.type("2")
    desk.type("3")
    assert isinstance(desk.session.gate, FindingGate)
    then(desk, "I would leave it, then.")
    desk.type("I doubt that")
    assert isinstance(desk.session.gate, FindingGate) and "can still be applied" in desk.last.markdown
    desk.type("2")
    assert isinstance(desk.session.gate, StopGate) and desk.work and not desk.work.proposal


def test_methods_that_were_used_come_last() -> None:
    desk = at_a_stop()
    name = desk.labels()[1]
    desk.type("2")
    desk.type("2")
    desk.type("1")
    assert name not in desk.labels()


# ---------------------------------------------------------------- own words, back, skip


def test_somebodys_own_words_take_the_place_of_the_draft() -> None:
    desk = at_a_stop()
    desk.type("*edit ## Introduction\n\nAna wrote this.")
    assert "ana's own words" in desk.last.markdown and "Ana wrote this." in desk.last.markdown
    desk.type("1")
    assert "Ana wrote this." in desk.text("docs/brief.md")
    rows = json.loads(desk.documents["docs/brief.md"][-1].meta)["ledger"]["parts"]
    assert rows[0]["by"] == "ana"


def test_own_words_may_come_as_the_next_message() -> None:
    desk = at_a_stop()
    desk.type("*edit")
    assert "Post the whole text" in desk.last.markdown
    desk.type("Ana wrote this.")
    assert "Ana wrote this." in desk.last.markdown and isinstance(desk.session.gate, StopGate)


def test_back_opens_an_accepted_section_and_later_ones_stay() -> None:
    desk = at_a_stop(sections=2)
    draft = desk.work.draft if desk.work else 0
    desk.type("*back 1")
    assert (
        "Section 1 of 13: Introduction" in desk.last.markdown
        and "what was accepted after it stays" in desk.last.markdown
    )
    desk.type("name the sponsor")
    desk.type("1")
    text = desk.text("docs/brief.md")
    assert "New, because of: name the sponsor" in text and "## Problem Statement" in text
    assert desk.work and desk.work.draft == draft and "Section 3 of 13" in desk.last.markdown


def test_a_section_that_may_not_be_left_out_stays() -> None:
    desk = at_a_stop()
    desk.type("*skip")
    assert "does not allow" in desk.last.markdown and isinstance(desk.session.gate, StopGate)


# ---------------------------------------------------------------- several people


def test_once_two_take_part_words_are_remarks_and_one_redraft_has_them_all() -> None:
    desk = at_a_stop()
    desk.type("1")
    asks = desk.asks
    desk.type("name the sponsor", "zoe")
    desk.type("and the date", "ana")
    assert desk.asks == asks and desk.labels()[-1] == "Redraft (2 remarks)"
    desk.type("*feedback", "zoe")
    assert desk.asks == asks + 1 and isinstance(desk.session.gate, StopGate) and len(desk.labels()) == 9
    said = [entry.name for entry in desk.log if entry.kind == "said"]
    assert said[-2:] == ["zoe", "ana"]


def test_an_edited_remark_counts_as_it_reads_now() -> None:
    desk = at_a_stop()
    desk.type("1")
    desk.type("name the sponsr", "zoe")
    asks, ident = desk.asks, f"m{desk.turns}"
    line = Utterance("ZOE", "zoe", "name the sponsor", ident, 2000.0, edited=True)
    desk.live(Said("e1", (line,), tuple(desk.anchors)))
    assert desk.asks == asks and "changed a remark" in desk.last.markdown
    desk.type("*feedback")
    assert "because of: name the sponsor" in desk.last.markdown


def test_the_first_press_wins_and_the_second_is_told_who_chose_what() -> None:
    desk = at_a_stop()
    menu = desk.last.menu.id if desk.last.menu else ""
    desk.press(1, menu, "ana")
    (told,) = desk.press(2, menu, "zoe")
    assert told.markdown.startswith("ana has chosen already: Proceed.") and told.only and told.only.user == "ZOE"
    assert len(desk.documents["docs/brief.md"]) == 1


def test_only_approvers_accept() -> None:
    desk = at_a_stop()
    desk.context = Context(approver=False)
    desk.type("1", "zoe")
    assert not desk.documents and "may not accept" in desk.last.markdown and isinstance(desk.session.gate, StopGate)
    desk.context = Context()
    desk.type("1")
    assert desk.documents


# ---------------------------------------------------------------- beginning


def test_without_a_model_no_work_is_opened() -> None:
    desk = Desk(context=Context(has_model=False))
    desk.type("*analyst")
    (told,) = desk.type("*create-project-brief")
    assert "ANTHROPIC_API_KEY" in told.markdown and "--model rehearsal" in told.markdown and not desk.session.work


def test_without_a_template_only_the_list_comes() -> None:
    desk = Desk()
    desk.type("*bmad-master")
    desk.type("*create-doc")
    assert not desk.session.work and "prd-tmpl" in " ".join(desk.labels())
    desk.type("*create-doc prodject-brief")
    assert desk.work and desk.work.template == "project-brief-tmpl"


def test_all_conditions_are_asked_at_once_and_can_be_turned() -> None:
    desk = Desk()
    desk.type("*analyst")
    desk.type("*create-project-brief Shiftly")
    assert desk.labels()[:3] == ["Begin as proposed", "Begin with all of them", "Begin without them"]
    desk.type("4")
    assert "Leave out: Secondary Segment" in desk.labels()
    desk.type("1")
    assert desk.work and "secondary-segment" not in desk.work.dropped and "research-summary" in desk.work.dropped


def test_a_title_that_needs_a_name_asks_for_it() -> None:
    desk = Desk()
    desk.type("*analyst")
    desk.type("*create-project-brief")
    desk.type("Shiftly")
    desk.type("1")
    desk.type("1")
    assert desk.text("docs/brief.md").startswith("# Project Brief: Shiftly\n")


def existing() -> Desk:
    desk = Desk()
    desk.documents["docs/brief.md"] = [Kept(3, "# Old\n\nOld words.", "{}")]
    desk.counter = 3
    desk.type("*analyst")
    desk.type("*create-project-brief Shiftly")
    return desk


def test_a_document_that_stands_at_the_path_is_never_replaced_without_a_choice() -> None:
    desk = existing()
    assert desk.labels() == ["Go on with it", "Start again", "Another name", "Leave it"]
    desk.type("4")
    assert not desk.session.work and len(desk.documents["docs/brief.md"]) == 1


def test_starting_again_keeps_the_old_one_in_the_history() -> None:
    desk = existing()
    for _ in range(3):
        desk.type("2" if desk.labels()[0] == "Go on with it" else "1")
    assert [kept.version for kept in desk.documents["docs/brief.md"]] == [3, 4]


def test_another_name_leaves_it_alone() -> None:
    desk = existing()
    for _ in range(3):
        desk.type("3" if desk.labels()[0] == "Go on with it" else "1")
    assert set(desk.documents) == {"docs/brief.md", "docs/brief-2.md"}


def test_what_is_not_ours_cannot_be_gone_on_with() -> None:
    desk = existing()
    desk.type("1")
    assert "cannot tell its sections apart" in desk.last.markdown and desk.labels()[0] == "Go on with it"


def test_a_document_is_gone_on_with_where_its_sections_end() -> None:
    desk = at_a_stop(sections=3)
    desk.session = replace(desk.session, work=(), gate=None, menus=())
    before = desk.text("docs/brief.md")
    desk.type("*create-project-brief Shiftly")
    desk.type("1")
    assert "section 4 of 13" in desk.last.markdown
    desk.type("1")
    assert desk.text("docs/brief.md").startswith(before)


def test_a_path_follows_the_core_configuration_of_the_pack_and_the_channels_own_wins() -> None:
    desk = Desk()
    desk.type("*bmad-master")
    desk.type("*create-doc qa-gate Swaps")
    assert desk.work and desk.work.path.startswith("docs/qa/gates/")
    desk = Desk()
    desk.documents["core-config.yaml"] = [Kept(1, "qa:\n  qaLocation: quality\n", "{}")]
    desk.type("*bmad-master")
    desk.type("*create-doc qa-gate Swaps")
    assert desk.work and desk.work.path.startswith("quality/gates/")
    desk.type("quality/gates/1.2-swaps.yml")
    desk.type("1")
    desk.type("1")
    assert "quality/gates/1.2-swaps.yml" in desk.documents


def test_a_broken_core_configuration_is_told() -> None:
    desk = Desk()
    desk.documents["core-config.yaml"] = [Kept(1, "qa: [", "{}")]
    desk.type("*bmad-master")
    desk.type("*create-doc qa-gate Swaps")
    assert "cannot be read as YAML" in desk.last.markdown


# ---------------------------------------------------------------- pause and resume


def test_a_pause_is_said_and_resume_brings_the_same_text_and_choices_back() -> None:
    desk = at_a_stop(sections=2)
    shown, labels = desk.last.markdown, desk.labels()
    desk.type("*architect")
    assert "is paused" in " ".join(texts(desk)) and not desk.session.work
    desk.type("*analyst")
    desk.type("*resume")
    body = shown[shown.index("## Proposed Solution") : shown.index("> **Why so:**")].strip()
    assert body in desk.last.markdown and desk.labels() == labels
    prompts = list[Prompt]()

    def noted(prompt: Prompt) -> str:
        prompts.append(prompt)
        return rehearsal.lines(prompt)

    desk.says = noted
    desk.type("name a price")
    assert "The document so far" in str(prompts[0].messages), "whoever has come on anew is told all of it"
    desk.type("1")
    assert "## Target Users" not in desk.text("docs/brief.md") and "New, because of" in desk.text("docs/brief.md")


def test_stop_offers_to_pause_and_nothing_is_lost() -> None:
    desk = at_a_stop()
    desk.type("stop")
    assert desk.labels() == ["Go on", "Pause", "Leave it"]
    desk.type("1")
    assert isinstance(desk.session.gate, StopGate)
    desk.type("stop")
    desk.type("2")
    assert len(desk.session.paused) == 1
    desk.type("*resume")
    assert isinstance(desk.session.gate, StopGate)


def test_stop_between_two_sections_offers_to_pause() -> None:
    desk = at_a_stop()
    desk.type("1", on=False)
    desk.type("stop", on=False)
    assert desk.labels() == ["Go on", "Pause", "Leave it"]
    desk.links.clear()
    desk.type("1")
    assert "section 2 of 13" in desk.last.markdown


def test_status_tells_how_far_it_is_and_what_is_awaited() -> None:
    desk = at_a_stop(sections=3)
    desk.type("*status")
    assert "section 4 of 13: Target Users; it waits for a choice" in desk.last.markdown


def test_a_buried_link_can_be_tried_again() -> None:
    desk = at_a_stop()
    desk.type("1", on=False)
    desk.links.clear()
    desk.live(GaveUp("g1", "it failed three times"))
    assert isinstance(desk.session.gate, RestGate)
    desk.type("1")
    assert "section 2 of 13" in desk.last.markdown


# ---------------------------------------------------------------- yolo


def test_11_yolo_never_accepts_the_section_on_screen() -> None:
    desk = at_a_stop()
    desk.type("*yolo")
    assert not desk.documents and isinstance(desk.session.gate, StopGate)
    desk.type("make it shorter")
    assert not desk.documents and isinstance(desk.session.gate, StopGate)


def test_yolo_goes_on_one_section_a_turn_and_stop_gets_in_between() -> None:
    desk = at_a_stop()
    desk.type("*yolo", "zoe")
    desk.type("1", on=False)
    desk.next()
    desk.next()
    assert len(desk.documents["docs/brief.md"]) == 3 and desk.links
    desk.type("stop", on=False)
    assert isinstance(desk.session.gate, RestGate)
    assert [r.what for r in desk.records if r.what.startswith("accepted")][-1].endswith("(yolo; zoe)")


def test_the_number_of_instances_is_asked_under_yolo_before_the_first() -> None:
    desk = Desk()
    desk.type("*pm")
    desk.type("*yolo")
    desk.type("*create-prd Rota")
    desk.type("2")
    assert isinstance(desk.session.gate, CountGate) and desk.labels()[0] == "All 2"
    desk.type("1")
    assert desk.work is None and desk.text("docs/prd.md").count("## Epic ") == 3
    assert "Accepted by yolo" in desk.last.markdown and desk.session.yolo is False


# ---------------------------------------------------------------- saving


def test_somebody_elses_version_is_not_overwritten_without_a_choice() -> None:
    desk = at_a_stop(sections=1)
    desk.documents["docs/brief.md"].append(Kept(9, "# Theirs", "{}"))
    desk.counter = 9
    desk.type("1")
    assert desk.labels()[0] == "Save on top of it" and desk.text("docs/brief.md") == "# Theirs"
    desk.type("1")
    assert desk.documents["docs/brief.md"][-1].version == 10 and "## Problem Statement" in desk.text("docs/brief.md")


def test_what_cannot_be_saved_can_be_tried_again() -> None:
    desk = at_a_stop()
    desk.refuses = "The space is full."
    desk.type("1")
    assert "The space is full" in desk.last.markdown and isinstance(desk.session.gate, RestGate)
    desk.refuses = ""
    desk.type("1")
    assert "## Introduction" in desk.text("docs/brief.md") and "section 2 of 13" in desk.last.markdown


def test_sections_without_a_stop_are_shown_and_saved_with_the_next_stop() -> None:
    desk = Desk()
    desk.type("*pm")
    desk.type("*create-prd Rota")
    desk.type("3")
    assert not desk.documents and "Draft, section 1 of 7: Goals and Background Context" in texts(desk)[-2]
    desk.type("1")
    assert "## Goals and Background Context" in desk.text("docs/prd.md") and "## Requirements" in desk.text(
        "docs/prd.md"
    )


def test_the_closing_stop_can_open_what_was_only_shown() -> None:
    desk = Desk()
    desk.type("*pm")
    desk.type("*create-prd Rota")
    desk.type("3")
    while desk.labels()[0] != "Save what was shown":
        desk.type("2" if desk.labels() == ["Add another", "Complete"] else "1")
    desk.type("3")
    assert isinstance(desk.session.gate, StopGate) and "Next Steps" in desk.last.markdown
    desk.type("name who does it")
    desk.type("1")
    assert desk.work is None and "name who does it" in desk.text("docs/prd.md")
    assert desk.text("docs/prd.md").count("## Next Steps") == 1


# ---------------------------------------------------------------- what it costs


def test_five_paused_documents_and_one_with_remarks_fit_into_a_session() -> None:
    desk = Desk()
    desk.type("*bmad-master")
    for number in range(6):
        desk.type(f"*create-doc fullstack-architecture-tmpl Part {number}")
        if desk.labels()[0] == "Go on with it":
            desk.type("3")
        desk.type("2")
        for _ in range(14 if number == 5 else 6):
            desk.type("1")
    assert len(desk.session.paused) == 5 and desk.work and desk.work.at >= 12
    desk.type("1", "zoe")
    for number in range(20):
        desk.type(f"remark {number} of many words, none of which is kept in the session", "zoe")
    assert desk.work and len(desk.work.remarks) == 20
    print(f"the largest session had {desk.largest} bytes")
    assert desk.largest <= 32_000


def test_a_prompt_has_what_was_settled_and_the_talk_of_one_section() -> None:
    desk = Desk()
    prompts = list[str]()

    def noted(prompt: Prompt) -> str:
        prompts.append("\n".join(json.loads(b.json).get("text", "") for m in prompt.messages for b in m.blocks))
        return rehearsal.lines(prompt)

    desk.says = noted
    desk.type("*analyst")
    desk.type("*create-project-brief Shiftly")
    desk.type("1")
    desk.type("the first of two remarks")
    desk.type("1")
    desk.type("1")
    first, again, second, third = prompts[-4:]
    assert "Draft the section" in first and "the first of two remarks" in again
    settled = second[second.index("Written and settled") : second.index('Draft the section "Problem Statement"')]
    assert "## Introduction" in settled and '[host] Draft the section "Introduction"' not in second
    assert settled in third and third.count("Written and settled") == 2, "it only grows"
