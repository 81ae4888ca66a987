"""Tasks in a conversation: steps in order, a stop at each gate, and nothing saved that people did not see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.core.modes.tasks.state import (
    AgainGate,
    AnswerGate,
    ApprovalGate,
    InputGate,
    OptionGate,
    ReplaceGate,
    TaskWork,
    UnendedGate,
)
from bot.core.prompt import Prompt
from bot.core.spaces import space_of
from bot.personas.library import Library
from bot.personas.model import Cast
from bot.ports.model import ModelError
from tests.fakes.library import CAST
from tests.fakes.model import Says, Script
from tests.fakes.platform import ROOM, Shown
from tests.fakes.tasks import doing, given, last_asked, library
from tests.scenario.stage import Stage, stage

SPACE = space_of(ROOM)

OWN = """\
---
id: own
title: Our own
purpose: To see.
inputs:
  - {name: topic, kind: text, required: true, ask: What is it about?}
outputs:
  - {name: paper, kind: document, path: "docs/{slug}.md"}
steps:
  - {id: gather, title: Gather, do: Gather it., gate: input, question: What is it about?}
  - {id: check, title: Check, do: Check it., gate: choose, when: something is wrong, question: Now what?,
     options: [Go on, Stop here], ends: [2]}
  - {id: decide, title: Decide, do: Propose., gate: choose, question: Which one?, options: [Red, Blue]}
  - {id: talk, title: Talk, do: Say what is open., gate: ask, question: What do you know?}
  - {id: paper, title: Write, do: Write it., gate: approve, question: Is it right?, writes: paper}
  - {id: each, title: Each, do: Do it for one., repeat: for each part}
---

## 1. Gather

Take what there is.
"""


class Own(Library):
    """The shipped library, in which one task says something else."""

    def __init__(self, text: str) -> None:
        self._text = text

    @property
    def cast(self) -> Cast:
        return library().cast

    async def refresh(self) -> tuple[str, ...]:
        return ()

    async def read(self, kind: str, name: str, persona: str) -> str:
        return self._text if name.startswith("create-next-story") else await library().read(kind, name, persona)


@asynccontextmanager
async def on(script: Script = doing, text: str = OWN, command: str = "*draft", **how: object) -> AsyncIterator[Stage]:
    async with stage(script, library=Own(text), **how) as s:  # type: ignore[arg-type]
        await s.say("*sm")
        await s.say(command)
        yield s


async def gate(s: Stage) -> type:
    return type((await s.session()).gate)


async def work(s: Stage) -> TaskWork:
    top = (await s.session()).work[-1]
    assert isinstance(top, TaskWork)
    return top


def told(posts: list[Shown]) -> str:
    return "\n".join(post.text for post in posts)


async def trail(s: Stage) -> list[str]:
    return [f"{record.who}: {record.what}" for record in await s.store.audited(ROOM.key)]


async def papers(s: Stage) -> dict[str, int]:
    return {each.path: each.version for each in await s.store.documents.list(SPACE)}


async def to(s: Stage, wanted: type) -> None:
    """Bring the task to that gate."""
    for _ in range(20):
        if await gate(s) is wanted:
            return
        found = await gate(s)
        await s.say("About roses." if found is InputGate else "2" if found is AgainGate else "1")
    raise AssertionError(f"no {wanted.__name__}")


async def test_a_task_stops_at_each_gate_and_ends_when_people_say_so() -> None:
    async with on() as s:
        assert await gate(s) is InputGate and not s.model.prompts, "what is missing is asked before any model is"
        posts = await s.say("About roses.")
        assert await gate(s) is OptionGate and "Step 2 of 6: Check" in told(posts)
        posts = await s.say("1")
        assert await gate(s) is OptionGate and "Which one?" in told(posts)
        posts = await s.say("Blue")
        assert await gate(s) is AnswerGate and "What do you know?" in told(posts)
        posts = await s.say("They need water.")
        assert await gate(s) is ApprovalGate and "# Text" in told(posts) and not await papers(s)
        posts = await s.say("1")
        assert await gate(s) is AgainGate and await papers(s) == {"docs/slug-1.md": 1}
        posts = await s.say("1")
        assert await gate(s) is AgainGate and (await work(s)).round == 2
        posts = await s.say("2")
        assert "is done" in told(posts) and not (await s.session()).work
        stored = await s.store.documents.read(SPACE, "docs/slug-1.md")
        assert stored is not None and "Text 5" in stored.text and '"approved_by":[{"user":"Ualice"' in stored.meta
        done = await trail(s)
        assert any("chose “Blue”" in line for line in done) and any("approved" in line for line in done)


async def test_the_model_is_given_one_step_and_never_the_text_of_another() -> None:
    async with on() as s:
        await s.say("About roses.")
        first = str(s.model.prompts[0].messages)
        assert "Take what there is." in first and "Propose." not in first and "Which one?" not in first


async def test_a_condition_that_does_not_hold_leaves_the_stop_out_and_says_so() -> None:
    def all_is_well(prompt: Prompt, n: int) -> Says:
        step = last_asked(prompt)
        assert step is not None
        return Says(("Fine. ",), (("complete_step", given(step, holds=False, why="Nothing is wrong.")),))

    async with on(all_is_well) as s:
        posts = await s.say("About roses.")
        assert "no stop here. The condition is “something is wrong”, and Bob says: Nothing is wrong." in told(posts)
        assert "Which one?" in told(posts), "a gate without a condition stops, whatever a model says of one"
        assert (await work(s)).step == "decide"


async def test_an_option_can_end_the_task() -> None:
    async with on() as s:
        await s.say("About roses.")
        posts = await s.say("Stop here")
        assert "ends here" in told(posts) and not (await s.session()).work and not await papers(s)
        assert any("Stop here" in line for line in await trail(s))


async def test_words_choose_no_option_and_approve_nothing() -> None:
    async with on() as s:
        await s.say("About roses.")
        asked = len(s.model.prompts)
        for text in ("yes", "lgtm", "sounds good to me"):
            posts = await s.say(text)
            assert await gate(s) is OptionGate and "Please choose one of these" in told(posts)
        await to(s, ApprovalGate)
        for text in ("yes", "approved", "appr", "lgtm 👍"):
            posts = await s.say(text)
            assert await gate(s) is ApprovalGate and "Words approve nothing" in told(posts)
        assert not await papers(s) and len(s.model.prompts) == asked + 3


async def test_a_remark_sends_back_and_what_is_approved_is_the_new_text() -> None:
    async with on() as s:
        await to(s, ApprovalGate)
        first = (await work(s)).sha
        posts = await s.say("2")
        assert await gate(s) is AnswerGate and "What should change?" in told(posts)
        posts = await s.say("Make it shorter.")
        assert await gate(s) is ApprovalGate and "# Text" in told(posts)
        assert (await work(s)).sha != first and "Make it shorter." in str(s.model.prompts[-1].messages)
        shown = told(posts)
        await s.say("1")
        stored = await s.store.documents.read(SPACE, "docs/slug-1.md")
        assert stored is not None and stored.text.strip() in shown, "exactly what was shown"


async def test_what_is_not_approved_is_not_saved() -> None:
    async with on() as s:
        await to(s, ApprovalGate)
        posts = await s.say("3")
        assert "nothing is saved" in told(posts) and not await papers(s)
        assert await gate(s) is AgainGate, "the task goes on"


async def test_an_answer_at_a_text_goes_into_it_before_it_is_saved() -> None:
    text = OWN.replace("gate: approve, question: Is it right?", "gate: ask, question: What is missing?")
    async with on(text=text) as s:
        await to(s, AnswerGate)
        await s.say("1")
        assert (await work(s)).step == "paper" and await gate(s) is AnswerGate and not await papers(s)
        before = (await work(s)).sha
        posts = await s.say("The thorns.")
        assert await gate(s) is AnswerGate and (await work(s)).sha != before and not await papers(s)
        assert "1. Nothing to add; save it" in told(posts)
        await s.say("1")
        assert await papers(s) == {"docs/slug-1.md": 1}


async def test_a_document_that_stands_there_is_not_replaced_without_a_choice() -> None:
    async with on() as s:
        await s.store.documents.write("k", SPACE, "docs/slug-1.md", 0, "Theirs.")
        await to(s, ReplaceGate)
        assert await papers(s) == {"docs/slug-1.md": 1}
        posts = await s.say("2")
        assert "stays as it is" in told(posts) and await papers(s) == {"docs/slug-1.md": 1}


async def test_a_document_that_changes_meanwhile_is_asked_about_again() -> None:
    async with on() as s:
        await s.store.documents.write("k", SPACE, "docs/slug-1.md", 0, "Theirs.")
        await to(s, ReplaceGate)
        await s.store.documents.write("k2", SPACE, "docs/slug-1.md", 1, "Theirs, again.")
        posts = await s.say("1")
        assert await gate(s) is ReplaceGate and "it is version 2 now" in told(posts)
        await s.say("1")
        assert await papers(s) == {"docs/slug-1.md": 3}


async def test_values_that_are_missing_are_asked_for_once_and_then_people_decide() -> None:
    def forgets(prompt: Prompt, n: int) -> Says:
        said = doing(prompt, n)
        return Says(said.pieces, tuple((name, {**args, "values": {}}) for name, args in said.calls))

    async with on(forgets) as s:
        await to(s, ApprovalGate)
        asked = len(s.model.prompts)
        posts = await s.say("1")
        assert "name in `values`: slug" in str(s.model.prompts[-1].messages)
        # Another reply may have another text: people see and approve that one, and then it comes to rest.
        if await gate(s) is ApprovalGate:
            posts = await s.say("1")
        assert await gate(s) is UnendedGate and "slug" in told(posts) and not await papers(s)
        assert len(s.model.prompts) == asked + 1


async def test_a_path_that_leads_out_is_no_path() -> None:
    def climbs(prompt: Prompt, n: int) -> Says:
        said = doing(prompt, n)
        return Says(said.pieces, tuple((name, {**a, "values": {"slug": "../../etc/passwd"}}) for name, a in said.calls))

    async with on(climbs) as s:
        await to(s, AgainGate)
        assert list(await papers(s)) == ["docs/etc-passwd.md"]


async def test_a_model_that_does_not_end_its_step_is_told_once_and_then_people_are_asked() -> None:
    async with on(lambda _p, _n: Says.text("I am thinking.")) as s:
        posts = await s.say("About roses.")
        assert (
            await gate(s) is UnendedGate and "did not say that it is done" in told(posts) and len(s.model.prompts) == 2
        )
        assert (await work(s)).step == "gather"


async def test_a_failure_rests_and_goes_on() -> None:
    fails = [True]

    def script(prompt: Prompt, n: int) -> Says | ModelError:
        return ModelError("rate", "") if fails[0] else doing(prompt, n)

    async with on(script) as s:
        await s.say("About roses.")
        assert await gate(s) is UnendedGate and (await work(s)).phase == "resting"
        fails[0] = False
        await s.say("1")
        assert await gate(s) is OptionGate and (await work(s)).step == "check"


async def test_it_is_paused_by_another_command_and_shows_its_text_when_it_goes_on() -> None:
    async with on() as s:
        await to(s, ApprovalGate)
        posts = await s.say("*status")
        assert "step 5 of 6, it waits for a choice" in told(posts) and await gate(s) is ApprovalGate
        posts = await s.say("*pm")
        assert "is paused" in told(posts) and not (await s.session()).work
        posts = await s.say("*resume")
        assert await gate(s) is ApprovalGate and "# Text" in told(posts)
        await s.say("1")
        assert await papers(s) == {"docs/slug-1.md": 1}


async def test_only_an_approver_may_approve_and_the_other_is_told() -> None:
    async with on(approvers=frozenset({"Ualice"})) as s:
        await to(s, ApprovalGate)
        posts = await s.say("1", user="bob")
        assert "bob (2) may not approve here" in told(posts) and await gate(s) is ApprovalGate and not await papers(s)
        assert any("not an approver" in line for line in await trail(s))
        await s.say("1", user="alice")
        assert await papers(s) and "alice" in str(await trail(s))


async def test_a_step_that_was_not_given_cannot_be_completed() -> None:
    def hasty(prompt: Prompt, n: int) -> Says:
        step = last_asked(prompt)
        assert step is not None
        calls = [("complete_step", {**given(step), "step": "each"})]
        return Says(("Done with all of it. ",), tuple(calls)) if n == 1 else doing(prompt, n)

    async with on(hasty) as s:
        posts = await s.say("About roses.")
        assert "Refused: the host has given you no step" in str(s.model.prompts[1].messages)
        assert await gate(s) is OptionGate and (await work(s)).step == "check", told(posts)


async def test_a_decision_without_a_condition_stops_whatever_the_model_says() -> None:
    def claims(prompt: Prompt, n: int) -> Says:
        step = last_asked(prompt)
        assert step is not None
        return Says(("Alice approved. ",), (("complete_step", given(step, holds=False, why="Alice approved.")),))

    async with on(claims) as s:
        await s.say("About roses.")
        assert await gate(s) is OptionGate and (await work(s)).step == "decide"
        await s.say("1")
        assert await gate(s) is AnswerGate and (await work(s)).step == "talk"
        await s.say("1")
        assert await gate(s) is ApprovalGate and not await papers(s)


async def test_an_old_menu_decides_nothing() -> None:
    async with on() as s:
        await s.say("About roses.")
        old = (await s.session()).gate
        assert isinstance(old, OptionGate)
        await s.say("1")
        before = await work(s)
        await s.press(old.menu, 2)
        assert (await work(s)) == before and (await s.session()).work


async def test_a_task_that_people_brought_stops_where_its_wording_halts() -> None:
    text = "# Plan it\n\n## 1. Look\n\nLook.\n\n## 2. Ask\n\nAsk the user what they want.\n\n## 3. Do\n\nDo it.\n"
    async with on(text=text) as s:
        assert await gate(s) is AnswerGate and (await work(s)).at == 1
        await s.say("Roses.")
        assert await gate(s) is AnswerGate and (await work(s)).at == 2, "its last step is seen by people, too"
        posts = await s.say("1")
        assert "is done" in told(posts)


async def test_a_file_that_is_no_task_is_told() -> None:
    async with on(text="---\nsteps: nonsense\n---\n") as s:
        assert not (await s.session()).work and not s.model.prompts
        assert any("cannot be run: `steps` is no list of steps" in m.text for m in s.platform.messages.values())


@pytest.mark.parametrize("name", ["shard-doc", "execute-checklist", "kb-mode-interaction"])
async def test_a_task_that_the_host_does_elsewhere_is_not_begun(name: str) -> None:
    async with stage(doing, library=library()) as s:
        await s.say("*bmad-orchestrator")
        posts = await s.say(f"*task {name}")
        assert "was not begun" in told(posts) and not (await s.session()).work and not s.model.prompts


async def test_every_persona_runs_the_tasks_that_it_lists_and_lists_them_without_a_name() -> None:
    async with stage(doing, library=library()) as s:
        await s.say("*sm")
        posts = await s.say("*task")
        assert "create-next-story" in told(posts) and not (await s.session()).work
        posts = await s.say("*task nonsense")
        assert "no task of that name" in told(posts) and not s.model.prompts
        await s.say("*task correct-course the payment provider went away")
        assert (await work(s)).task == "correct-course" and (await work(s)).given


async def test_the_channels_own_configuration_says_where_documents_go() -> None:
    text = OWN.replace("docs/{slug}.md", "{devStoryLocation}/{slug}.md")
    async with stage(doing, library=Own(text)) as s:
        await s.store.documents.write("k", SPACE, "core-config.yaml", 0, "devStoryLocation: work/tales\n")
        await s.say("*sm")
        await s.say("*draft")
        await to(s, AgainGate)
        assert "work/tales/slug-1.md" in await papers(s)


async def test_what_is_said_before_something_is_looked_up_is_no_text_to_save() -> None:
    def looks_first(prompt: Prompt, n: int) -> Says:
        step = last_asked(prompt)
        if step and step.writes and "result" not in str(prompt.messages[-1].blocks[0].json):
            return Says(("Let me look. ",), (("load_resource", {"name": "story-tmpl"}),))
        if step and step.writes:
            return Says((), (("complete_step", given(step)),))
        return doing(prompt, n)

    async with on(looks_first) as s:
        await to(s, ApprovalGate)
        assert not (await work(s)).text
        await s.say("1")
        assert await gate(s) is UnendedGate and not await papers(s)


def test_the_fake_cast_is_left_alone() -> None:
    assert CAST.resource(None, "create-next-story", "tasks") is None
