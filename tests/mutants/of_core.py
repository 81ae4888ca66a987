"""Mutants of the core: what halts, who decides, and what a model may do."""

from __future__ import annotations

from tests.mutants.model import Edit, Mutant

BUILDER = "bot/core/step_builder.py"
CHAT = "bot/core/modes/chat.py"
CHOICES = "bot/core/choices.py"
FLOW = "bot/core/modes/tasks/flow.py"
HOST_COMMANDS = "bot/core/modes/host_commands.py"
PEOPLE = "bot/core/people.py"
ROUTING = "bot/core/routing.py"
TASK_STATE = "bot/core/modes/tasks/state.py"
TOOLUSE = "bot/core/modes/tooluse.py"
UPGRADE = "bot/core/upgrade.py"
WORKS = "bot/core/works.py"

ACCESS = "tests/scenario/test_access.py"
EDITS = "tests/scenario/test_edits.py"
PREVIOUS = "tests/scenario/test_previous_release.py"
RULES = "tests/scenario/test_rules.py"
TALK = "tests/scenario/test_talk.py"
OF_TASKS = "tests/scenario/test_tasks.py"
TASK_WALKS = "tests/property/test_tasks.py"
OF_WORKS = "tests/unit/test_works.py"

APPROVAL_LABEL = """\
    `text` is the id of what was shown.
    \"\"\"

    mode: ClassVar[str] = MODE
    words: ClassVar[Words] = "label"
"""

OF_CORE = (
    Mutant(
        "gate never cleared",
        (Edit(BUILDER, "            self.change(gate=None)\n", ""),),
        (f"{TALK}::test_plain_text_withdraws_a_confirmation_says_so_and_is_answered",),
    ),
    Mutant(
        "calls go on at an open gate",
        (Edit(ROUTING, "loop is None or step.session.gate is not None or", "loop is None or"),),
        (f"{TALK}::test_an_answer_in_own_words_counts_only_from_those_who_can_have_seen_the_question",),
    ),
    Mutant(
        "words at a work's gate go to a model",
        (Edit(PEOPLE, "        if gate is not None and is_of_work(gate):\n", "        if False:\n"),),
        (OF_WORKS,),
    ),
    Mutant(
        "anybody may wipe",
        (Edit(PEOPLE, "return isinstance(gate, ForgetGate) and", "return False and isinstance(gate, ForgetGate) and"),),
        (f"{ACCESS}::test_only_an_admin_may_wipe_a_conversation_and_only_after_a_question",),
    ),
    Mutant(
        "a plain message wipes",
        (
            Edit(
                CHOICES,
                'if words != "meaning" or whole:\n        return None',
                "if len(labels) > 0:\n        return menu.options[0]",
            ),
        ),
        (f"{ACCESS}::test_plain_words_at_the_question_whether_to_wipe_keep_the_conversation",),
    ),
    Mutant(
        "any admin's command for anybody",
        (Edit(HOST_COMMANDS, "if word in ADMINS and not step.context.admin:", "if False:"),),
        (f"{TALK}::test_only_an_admin_may_have_the_files_read_again",),
    ),
    Mutant(
        "edits decide, once taken",
        (Edit(PEOPLE, "if event.lines and event.lines[0].edited:", "if False:"),),
        (f"{EDITS}::test_an_edit_of_a_number_that_chose_never_chooses_again",),
    ),
    Mutant(
        "a slip of the finger leaves",
        (Edit(PEOPLE, "if not exact and target.is_dangerous:", "if False:"),),
        (f"{RULES}::test_6_a_slip_runs_nothing_that_is_dangerous",),
    ),
    Mutant(
        "an answer to a question that its author has not seen",
        (Edit(CHAT, "if gate.menu not in event.seen:", "if False:"),),
        (f"{TALK}::test_an_answer_in_own_words_counts_only_from_those_who_can_have_seen_the_question",),
    ),
    Mutant(
        "kept words in results",
        (
            Edit(
                CHAT,
                '"They answered in their own words: what stands last below."',
                'f"They answered in their own words: {lines[0].text}"',
            ),
        ),
        ("tests/scenario/test_forgotten.py",),
    ),
    Mutant(
        "tools left open",
        (
            Edit(
                WORKS,
                '    close_calls(step, f"Not run: {why}.")\n    step.change(',
                "    step.change(",
            ),
        ),
        ("tests/scenario/test_files.py::test_a_long_file_instead_of_an_answer_leaves_no_tool_call_open",),
    ),
    Mutant(
        "calls behind a question left open",
        (Edit(TOOLUSE, "        if other.id != call.id:\n", "        if False:\n"),),
        (f"{RULES}::test_calls_behind_a_question_are_not_run",),
    ),
    Mutant(
        "a resource that the definition does not list",
        (Edit(TOOLUSE, "if not any(d.stem == found.stem for d in persona.dependencies):", "if False:"),),
        (f"{RULES}::test_4_what_is_not_hers_is_not_loaded",),
    ),
    Mutant(
        "tools without end",
        (Edit(TOOLUSE, "if loop.round >= tools.ROUNDS:", "if False:"),),
        (f"{RULES}::test_a_model_that_never_stops_using_tools_is_halted",),
    ),
    Mutant(
        "any number of calls in one reply",
        (Edit(TOOLUSE, "w, taken = waiting, calls[: tools.CALLS]", "w, taken = waiting, calls"),),
        (f"{RULES}::test_of_very_many_calls_32_are_carried_out_and_each_has_a_result",),
    ),
    Mutant(
        "refused people told each time",
        (Edit(PEOPLE, "        if refusal.user not in told:\n", "        if True:\n"),),
        (f"{ACCESS}::test_somebody_who_is_denied_is_told_once_and_not_heard",),
    ),
    Mutant(
        "a passed menu chooses",
        (
            Edit(
                BUILDER,
                "return next((m for m in self.session.menus if m.id == menu_id), None)",
                "return next(iter(self.session.menus[::-1]), None)",
            ),
        ),
        (f"{TALK}::test_a_menu_that_decides_something_lives_once",),
    ),
    Mutant(
        "resumed without tag",
        (Edit(WORKS, "if work is None or not due or event.tag != due:", "if work is None:"),),
        (OF_WORKS,),
    ),
    Mutant(
        "hand-over without key",
        (Edit(WORKS, "if event.key in step.session.handed:", "if False:"),),
        (OF_WORKS,),
    ),
    Mutant(
        "a pause keeps the link due",
        (
            Edit(
                WORKS,
                '    close_calls(step, f"Not run: {why}.")\n    step.change(waiting=None, due="")\n',
                '    close_calls(step, f"Not run: {why}.")\n    step.change(waiting=None)\n',
            ),
        ),
        (OF_WORKS,),
    ),
    Mutant(
        "what was paused does not stand again",
        (
            Edit(
                WORKS,
                "    step.change(work=found, paused=rest)\n    step.modes.of(found[-1]).taken_up(step, found[-1])\n",
                "    step.change(work=found, paused=rest)\n",
            ),
        ),
        (OF_WORKS,),
    ),
    Mutant(
        "a link given up leaves its work without a gate",
        (Edit(WORKS, "        step.modes.of(work).failed(step, work, event.reason)\n", "        pass\n"),),
        (OF_WORKS,),
    ),
    Mutant(
        "any number of works paused",
        (Edit(WORKS, "if len(session.paused) >= PAUSED:", "if False:"),),
        (OF_WORKS,),
    ),
    Mutant(
        "a question above a work is the end of it",
        (
            Edit(
                PEOPLE,
                "            chat.withdraw(step)\n            works.stand(step)\n",
                "            chat.withdraw(step)\n",
            ),
        ),
        (OF_WORKS,),
    ),
    Mutant(
        "the number anchors of the version before are lost",
        (Edit(UPGRADE, 'if isinstance(value, dict) and "marks" in value', "if False"),),
        (PREVIOUS,),
    ),
    Mutant(
        "a silent ask of the version before is shown",
        (Edit(UPGRADE, 'if isinstance(value, dict) and value.get("show") is False:', "if False:"),),
        (PREVIOUS,),
    ),
    Mutant(
        "whose requests the version before waits for is forgotten",
        (Edit(UPGRADE, '"owner" not in waiting and', "False and"),),
        (PREVIOUS,),
    ),
    Mutant(
        "a gate without a condition is left out where a model says so",
        (Edit(FLOW, "if now.when and not outcome.holds and now.gate", "if not outcome.holds and now.gate"),),
        (OF_TASKS, TASK_WALKS),
    ),
    Mutant(
        "a model completes a step that it was not given",
        (Edit(TOOLUSE, " and named == step.session.tools.purpose:", ":"),),
        (OF_TASKS,),
    ),
    Mutant(
        "an approval is taken from words",
        (Edit(TASK_STATE, APPROVAL_LABEL, APPROVAL_LABEL.replace('"label"', '"meaning"')),),
        (OF_TASKS,),
    ),
    Mutant(
        "a document that stands there is replaced unasked",
        (Edit(FLOW, "    if version and not own:\n", "    if False:\n"),),
        (OF_TASKS,),
    ),
)
