"""The two public files that these formats are known from; skipped where they do not lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.personas.library import Library
from bot.personas.model import Cast

FOLDER = Path(__file__).parents[4] / "shared" / "seeds"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the public persona files are not here")

USES = {
    "ux-expert": {
        "create-front-end-spec": "create-doc front-end-spec-tmpl",
        "generate-ui-prompt": "generate-ai-frontend-prompt",
    },
    "sm": {
        "correct-course": "correct-course",
        "draft": "create-next-story",
        "story-checklist": "execute-checklist story-draft-checklist",
    },
    "qa": {
        "gate": "qa-gate",
        "nfr-assess": "nfr-assess",
        "review": "review-story",
        "risk-profile": "risk-profile",
        "test-design": "test-design",
        "trace": "trace-requirements",
    },
    "po": {
        "correct-course": "correct-course",
        "create-epic": "brownfield-create-epic",
        "create-story": "brownfield-create-story",
        "doc-out": "",
        "execute-checklist-po": "execute-checklist po-master-checklist",
        "shard-doc": "shard-doc",
        "validate-story-draft": "validate-next-story",
        "yolo": "",
    },
    "pm": {
        "correct-course": "correct-course",
        "create-brownfield-epic": "brownfield-create-epic",
        "create-brownfield-prd": "create-doc brownfield-prd-tmpl",
        "create-brownfield-story": "brownfield-create-story",
        "create-epic": "brownfield-create-epic",
        "create-prd": "create-doc prd-tmpl",
        "create-story": "brownfield-create-story",
        "doc-out": "",
        "shard-prd": "shard-doc",
        "yolo": "",
    },
    "dev": {
        "develop-story": "execute-checklist story-dod-checklist",
        "explain": "",
        "review-qa": "apply-qa-fixes",
        "run-tests": "",
    },
    "bmad-orchestrator": {
        "agent": "",
        "chat-mode": "",
        "checklist": "",
        "doc-out": "",
        "kb-mode": "kb-mode-interaction",
        "party-mode": "",
        "status": "",
        "task": "",
        "yolo": "",
    },
    "bmad-master": {
        "create-doc": "create-doc",
        "doc-out": "",
        "document-project": "document-project",
        "execute-checklist": "execute-checklist",
        "kb": "bmad-kb",
        "shard-doc": "shard-doc",
        "task": "",
        "yolo": "",
    },
    "architect": {
        "create-backend-architecture": "create-doc architecture-tmpl",
        "create-brownfield-architecture": "create-doc brownfield-architecture-tmpl",
        "create-front-end-architecture": "create-doc front-end-architecture-tmpl",
        "create-full-stack-architecture": "create-doc fullstack-architecture-tmpl",
        "doc-out": "",
        "document-project": "document-project",
        "execute-checklist": "execute-checklist architect-checklist",
        "research": "create-deep-research-prompt",
        "shard-prd": "shard-doc",
        "yolo": "",
    },
    "analyst": {
        "brainstorm": "facilitate-brainstorming-session brainstorming-output-tmpl",
        "create-competitor-analysis": "create-doc competitor-analysis-tmpl",
        "create-project-brief": "create-doc project-brief-tmpl",
        "doc-out": "",
        "elicit": "advanced-elicitation",
        "perform-market-research": "create-doc market-research-tmpl",
        "research-prompt": "create-deep-research-prompt",
        "yolo": "",
    },
}


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Library([FOLDER]).cast


def test_the_two_files_hold_thirty_two_personas_and_two_documents(cast: Cast) -> None:
    assert len(cast.personas) == 32
    assert [document.id for document in cast.documents] == ["README", "MIGRATION_SUMMARY"]
    assert sum(persona.source.format == "bmad-v4" for persona in cast.personas) == 10


def test_each_file_is_a_library_by_itself() -> None:
    sizes = [len(Library([file]).cast.personas) for file in sorted(FOLDER.iterdir())]

    assert sizes == [1, 31]


@pytest.mark.parametrize("ident", USES)
def test_every_command_runs_what_it_says(cast: Cast, ident: str) -> None:
    persona = cast.persona(ident)
    assert persona is not None

    expected = {"help": "", **USES[ident], "exit": ""}

    assert {command.name: " ".join(command.uses) for command in persona.commands} == expected


def test_all_eighty_eight_commands_are_there(cast: Cast) -> None:
    assert sum(len(persona.commands) for persona in cast.personas) == 88


def test_commands_ask_first_where_the_file_says_so(cast: Cast) -> None:
    asking = {persona.id for persona in cast.personas for command in persona.commands if command.confirm}

    assert asking == {"po", "pm", "bmad-master"}


def test_the_coordinator_is_known(cast: Cast) -> None:
    assert [persona.id for persona in cast.personas if persona.is_coordinator] == ["bmad-orchestrator"]


def test_what_a_developer_may_do_reaches_the_model_whole(cast: Cast) -> None:
    developer = cast.persona("dev")
    assert developer is not None

    assert len(developer.principles) == 5
    assert developer.principles[0].startswith("CRITICAL: ")
    for part in ("order-of-execution", "story-file-updates-ONLY", "blocking", "ready-for-review", "completion"):
        assert f"- {part}:" in developer.instructions


def test_every_subagent_has_a_use_examples_and_a_body(cast: Cast) -> None:
    for persona in cast.personas:
        if persona.source.format != "subagent":
            continue
        assert persona.when_to_use and "<example" not in persona.when_to_use
        assert not persona.when_to_use.casefold().startswith("use this agent")
        assert persona.instructions and "```\n\n## File Reference" not in persona.instructions
        if persona.id != "microservices-distributed-systems-agent":
            assert len(persona.examples) in (2, 3)
            assert all(example.user and example.assistant for example in persona.examples)
