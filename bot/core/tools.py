"""The tools that a persona may call, and what it may call them with.

The set is constant a persona, so that its prompts stay byte-stable; what is not allowed right now is refused when
it is called.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.paths import PathError, checked
from bot.core.permissions import can_read
from bot.core.session import Call
from bot.core.spaces import DocumentInfo, in_bytes
from bot.personas.model import Persona, fold


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model may call: name, what it is for, and the JSON Schema of its input as JSON text."""

    name: str
    description: str
    schema: str


ROUNDS = 8
"""So many rounds of tool calls may follow one human event."""

CALLS = 32
"""So many calls of one reply are carried out; the model is told that the others were refused."""

VALUES = 12
"""So many values of a completed step are taken."""

PAGE = 20_000
"""A resource is handed to a model in parts of this many characters."""

ASK, FIND, LOAD, PROPOSE = "ask", "find_persona", "load_resource", "propose_command"
LIST, READ = "list_documents", "read_document"
COMPLETE = "complete_step"
OPTIONS = 9
"""Most options a persona's question may have: one digit each."""


def offered(persona: Persona, *, seeks: bool = False) -> tuple[Tool, ...]:
    """The tools in the prompt of `persona`, sorted by name; where it `seeks`, it has to look for other personas."""
    tools = [
        Tool(
            ASK,
            "Put a question with numbered options to the people in this conversation and wait for their answer. "
            "Use it when the answer decides what you do next. Call it last, and alone.",
            _schema(
                {
                    "question": {"type": "string", "description": "One question."},
                    "options": {
                        "type": "array",
                        "items": {"type": "string"},
                        "minItems": 2,
                        "maxItems": OPTIONS,
                        "description": "Short answers to choose from; people may also answer in their own words.",
                    },
                },
                ["question", "options"],
            ),
        )
    ]
    if seeks:
        tools.append(
            Tool(
                FIND,
                "Find the personas in the library who fit a question or a task. You get up to ten with their purpose.",
                _schema({"query": {"type": "string", "description": "What is wanted, in a few words."}}, ["query"]),
            )
        )
    if persona.dependencies:
        tools.append(
            Tool(
                LOAD,
                "Read one of your resources, by its name, when what people ask for needs it. People are told.",
                _schema(
                    {
                        "name": {"type": "string", "description": "A name from the list of your resources."},
                        "from": {"type": "integer", "minimum": 0, "description": "Character to read on from."},
                    },
                    ["name"],
                ),
            )
        )
    if persona.commands:
        tools.append(
            Tool(
                PROPOSE,
                "Propose one of your commands when it does what people ask for. They decide, and the host runs it.",
                _schema(
                    {
                        "command": {"type": "string", "description": "The command's name, without the asterisk."},
                        "args": {"type": "string", "description": "What to run it with, if it takes something."},
                    },
                    ["command"],
                ),
            )
        )
    if any(d.kind == "tasks" for d in persona.dependencies) or any(fold(c.name) == "task" for c in persona.commands):
        tools.append(
            Tool(
                COMPLETE,
                "End the one step of a task that the host has given you. The host then does what follows: it asks "
                "people, saves, or gives you the next step. Call it last, and alone.",
                _schema(
                    {
                        "step": {"type": "string", "description": "The id of the step, as the host named it."},
                        "result": {"type": "string", "description": "What came of it, in one to three sentences."},
                        "holds": {
                            "type": "boolean",
                            "description": "Whether the step's condition holds; true where it has none.",
                        },
                        "why": {
                            "type": "string",
                            "description": "By what you know that the condition does or does not.",
                        },
                        "values": {
                            "type": "object",
                            "additionalProperties": {"type": "string"},
                            "description": "Values for the names that the host asks for, such as a story's number.",
                        },
                    },
                    ["step", "result"],
                ),
            )
        )
    if can_read(persona):
        tools += [
            Tool(LIST, "List the documents of this channel, with their versions.", _schema({}, [])),
            Tool(
                READ,
                "Read a document of this channel, when what people ask for needs it. People are told.",
                _schema(
                    {
                        "path": {"type": "string", "description": "A path from the list of documents."},
                        "from": {"type": "integer", "minimum": 0, "description": "Character to read on from."},
                    },
                    ["path"],
                ),
            ),
        ]
    return tuple(sorted(tools, key=lambda tool: tool.name))


def _schema(properties: dict[str, Any], required: list[str]) -> str:
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


# ---------------------------------------------------------------- what a model sends


@dataclass(frozen=True, slots=True)
class Question:
    """A question for people."""

    question: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A resource to be read, from that character on."""

    name: str
    start: int


@dataclass(frozen=True, slots=True)
class Proposed:
    """A command that the model thinks people want."""

    command: str
    args: str


@dataclass(frozen=True, slots=True)
class Completed:
    """The step of a task that the model says it has done. `holds` is what it says of the step's condition."""

    step: str
    result: str
    holds: bool = True
    why: str = ""
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """The documents of the channel."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A document to be read, from that character on."""

    path: str
    start: int


@dataclass(frozen=True, slots=True)
class Sought:
    """Personas are looked for who fit these words."""

    query: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A call that cannot be carried out; the model gets `why`."""

    why: str


def read(call: Call) -> Question | Wanted | Proposed | Completed | Listing | Reading | Sought | Malformed:
    """What `call` asks for, whatever a model may have put into it."""
    try:
        given = json.loads(call.input)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return Malformed("The input is not a JSON object.")
    match call.name:
        case "ask":
            return _ask(given)
        case "load_resource":
            name = given.get("name")
            if not isinstance(name, str) or not name.strip():
                return Malformed("`name` is missing.")
            return Wanted(name.strip(), _start(given))
        case "propose_command":
            command, args = given.get("command"), given.get("args", "")
            if not isinstance(command, str) or not command.strip("* "):
                return Malformed("`command` is missing.")
            return Proposed(command.strip("* "), args.strip() if isinstance(args, str) else "")
        case "complete_step":
            return _completed(given)
        case "list_documents":
            return Listing()
        case "read_document":
            try:
                return Reading(checked(str(given.get("path") or "")), _start(given))
            except PathError as error:
                return Malformed(str(error))
        case "find_persona":
            query = given.get("query")
            if not isinstance(query, str) or not query.strip():
                return Malformed("`query` is missing.")
            return Sought(query.strip())
        case _:
            return Malformed(f"There is no tool named {call.name!r}.")


def _completed(given: dict[str, Any]) -> Completed | Malformed:
    step, result, holds, why = (given.get(key) for key in ("step", "result", "holds", "why"))
    if not isinstance(step, str) or not step.strip():
        return Malformed("`step` is missing.")
    if not isinstance(result, str) or not result.strip():
        return Malformed("`result` is missing: say what came of the step.")
    if holds is not None and not isinstance(holds, bool):
        return Malformed("`holds` must be true or false.")
    values = given.get("values")
    if values is not None and not isinstance(values, dict):
        return Malformed("`values` must be an object of texts.")
    kept = tuple((str(name), str(value)) for name, value in list((values or {}).items())[:VALUES])
    said = why.strip() if isinstance(why, str) else ""
    return Completed(step.strip(), result.strip(), holds is not False, said, kept)


def _start(given: dict[str, Any]) -> int:
    start = given.get("from", 0)
    return start if isinstance(start, int) and start > 0 else 0


def _ask(given: dict[str, Any]) -> Question | Malformed:
    question, options = given.get("question"), given.get("options")
    if not isinstance(question, str) or not question.strip():
        return Malformed("`question` is missing.")
    if not isinstance(options, list) or not all(isinstance(o, str) and o.strip() for o in options):
        return Malformed("`options` must be a list of texts.")
    distinct = tuple(dict.fromkeys(" ".join(o.split()) for o in options))
    if not 2 <= len(distinct) <= OPTIONS:
        return Malformed(f"`options` must be 2 to {OPTIONS} different texts.")
    return Question(question.strip(), distinct)


def part(text: str, start: int) -> str:
    """The part of a resource from `start` on that fits a result, and how to read on."""
    shown = text[start : start + PAGE]
    rest = len(text) - start - len(shown)
    if not shown:
        return f"There is nothing from character {start} on; it has {len(text)}."
    return shown if rest <= 0 else f"{shown}\n\n[{rest} more characters: call again with from={start + len(shown)}]"


def listed(documents: Sequence[DocumentInfo]) -> str:
    """The documents of a channel, a line each, without anything that changes by itself."""
    if not documents:
        return "This channel has no documents."
    return "\n".join(_document(info) for info in documents)


def _document(info: DocumentInfo) -> str:
    title = f" ({' '.join(info.title.split())[:80]})" if info.title else ""
    approved = f", accepted by {', '.join(info.approved_by)}" if info.approved_by else ""
    return f"- {info.path}{title}: version {info.version}, {in_bytes(info.size)}{approved}"
