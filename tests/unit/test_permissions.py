"""What a persona may do with documents, by the tools that its file names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model import Conversation
from bot.core.modes.activation import greeting
from bot.core.permissions import can_read, may_save, saves, told
from bot.core.prompt import definition
from bot.core.tools import offered
from bot.personas.model import Cast, Persona, Source
from tests.fakes.library import PM

ROOM = Conversation("fake", "team", "general")
DOCS_AGENT = Source("/x/docs-api-changelog.agent.yaml", 1, "agent-template")


def persona(tools: tuple[str, ...] | None, restricted: tuple[str, ...] = (), source: Source = PM.source) -> Persona:
    return replace(PM, tools=tools, restricted=restricted, source=source)


@pytest.mark.parametrize(
    ("who", "reads", "where"),
    [
        (persona(None), True, "anywhere"),
        (persona(("Read",)), True, "never"),
        (persona(("Read", "Grep", "Write")), True, "anywhere"),
        (persona(("edit",)), False, "anywhere"),
        (persona(("MultiEdit", "read")), True, "anywhere"),
        (persona(("Bash",)), False, "never"),
        (persona(()), False, "never"),
        (persona(("*",)), True, "anywhere"),
        (persona(None, ("Write", "Edit", "MultiEdit", "NotebookEdit", "Bash")), True, "never"),
        (persona(("Read", "Write"), ("Write",)), True, "never"),
        (persona(("Read", "Write"), source=DOCS_AGENT), True, "docs"),
        (persona(None, source=DOCS_AGENT), True, "docs"),
        (persona(("Read",), source=DOCS_AGENT), True, "never"),
        (persona(None, source=Source("/x/docs-team.md", 1, "markdown")), True, "anywhere"),
    ],
)
def test_tools_decide_what_may_be_read_and_where_is_saved(who: Persona, reads: bool, where: str) -> None:
    assert (can_read(who), saves(who)) == (reads, where)
    assert may_save(who, "src/main.md") == (where == "anywhere")
    assert may_save(who, "Docs/prd.md") == (where != "never")
    names = {tool.name for tool in offered(who)}
    assert ({"read_document", "list_documents"} <= names) == reads
    assert ("by tools" in definition(who)) == reads


def test_greeting_and_prompt_say_which() -> None:
    assert told(persona(None)) == ""
    assert told(persona(("Read", "Bash"))) == "I can read the documents of this channel; I cannot save any."
    assert told(persona(("Write",))) == "I can save what you accept; I cannot read what is there."
    assert told(persona(("Bash",))).startswith("I can neither read nor save")
    assert "below `docs/`" in told(persona(("Read", "Write"), source=DOCS_AGENT))
    told_of = greeting(persona(("Read", "Bash")), Cast(personas=()))
    assert "does not have (`Bash`). I can read the documents" in told_of and "`Read`" not in told_of
    assert greeting(persona(("Read", "Write")), Cast(personas=())).endswith(
        "I can read the documents of this channel, and save what you accept."
    )
    assert "saved below docs/ when people accept it" in definition(persona(None, source=DOCS_AGENT))
    assert "people do that themselves" in definition(persona(("Read",)))
