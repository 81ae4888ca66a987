"""Claude-style subagents: front matter with `name` and `description`, and a body of instructions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.personas.model import Example, Persona, Problem, Source
from bot.personas.naming import default_icon, display_name, slug
from bot.personas.readers.front_matter import FrontMatter, description_of, name_of
from bot.personas.readers.reading import Reading, error, lines_of, one_line, quoted, text_of

_EXAMPLES = re.compile(
    r"(?:^|(?<=\s))(?<!for )(?:-\s+)?(?:\*\*)?example(?:s|(?=\s+(?:usage|use|scenario)))"
    r"(?:\s+[\w-]{1,30}){0,3}\s*:(?:\*\*)?\s*|(?:-\s+)?<example",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r"<example[^>\n]{0,80}>(.*?)(?:</example>|(?=<example)|\Z)", re.DOTALL | re.IGNORECASE)
_COMMENTARY = re.compile(r"<commentary>(.*?)(?:</commentary>|\Z)", re.DOTALL | re.IGNORECASE)
_SPEECH = re.compile(r"(?:^|(?<=[\s>*\"']))(context|user|human|assistant)\s*:\s*", re.IGNORECASE)
_USE_WHEN = re.compile(r"^use (?:this|the)(?: [\w-]+)? agent when\b[\s,:]*", re.IGNORECASE)


def read_subagent(front: FrontMatter, path: str, stem: str, line: int = 1) -> Reading:
    """The persona that the front matter and the body make; `line` is where the text begins in the file at `path`."""
    problems: list[Problem] = []
    if front.flaw:
        place = line + front.line + front.flaw.line - 2
        problems.append(Problem(path, place, f"{front.flaw.reason}; the keys were read one by one", front.flaw.mend))
    written, description = name_of(front.values), description_of(front.values)
    name = slug(written) or slug(stem)
    if not name:
        told = error(path, line, "there is no name that could be typed", "add `name:` to the front matter")
        return Reading(problems=(*problems, told))
    if not written:
        problems.append(
            Problem(path, line, f"there is no name; it goes by `{name}`", "add `name:` to the front matter")
        )
    if not description:
        problems.append(Problem(path, line, "there is no description", "add `description:`: when to use this persona"))
    if not front.body:
        problems.append(
            Problem(path, line, "there are no instructions", "write below the front matter what the persona does")
        )
    shown = _text(front.values, "display_name", "displayName", "title") or display_name(written or name)
    persona = Persona(
        id=name,
        name=shown,
        title=_text(front.values, "title") or shown,
        icon=_text(front.values, "icon", "emoji") or default_icon(name),
        when_to_use=when_to_use(description) or text_of(front.values.get("whenToUse")),
        instructions=front.body,
        model=model_of(front.values.get("model")),
        tools=tools_of(front.values),
        restricted=_names(front.values.get("disallowedTools") or front.values.get("disallowed-tools")) or (),
        examples=examples(description),
        extra=(f"description: {quoted(description)}\n" if description else "") + front.extra,
        source=Source(path, line, "subagent"),
    )
    return Reading(personas=(persona,), problems=tuple(problems))


def is_subagent(values: Mapping[str, object]) -> bool:
    """Whether front matter with these keys is a persona's."""
    return bool(name_of(values) or text_of(values.get("description")))


def when_to_use(description: str) -> str:
    """What stands before a description's examples, without "Use this agent when"."""
    start = _EXAMPLES.search(description)
    text = description[: start.start()] if start else description
    text = _USE_WHEN.sub("", " ".join(text.split())).strip(" -*")
    return text[:1].upper() + text[1:]


def examples(description: str) -> tuple[Example, ...]:
    """The worked examples of a description."""
    return tuple(found for match in _EXAMPLE.finditer(description) if (found := _example(match[1])) != Example())


def tools_of(values: Mapping[str, object]) -> tuple[str, ...] | None:
    """The tools that are named, as written; None where the file names none."""
    value = values.get("tools") or values.get("allowed-tools") or values.get("allowed_tools")
    return _names(value.get("allowed") if isinstance(value, Mapping) and "allowed" in value else value)


def model_of(value: object) -> str:
    """The model that is wished for; `inherit` and `default` wish for none."""
    model = one_line(value)
    return "" if model.casefold() in ("inherit", "default") else model


def _names(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return tuple(text_of(key) for key, allowed in value.items() if allowed is not False)
    items = lines_of(value)
    if not isinstance(value, list | tuple):
        # A comma inside parentheses belongs to the tool's own pattern: `Bash(git add:*, git diff:*)`.
        items = tuple(part for item in items for part in _split_at_commas(item.strip("[] ")))
    return tuple(name for item in items if (name := item.strip().removeprefix("- ").strip("\"' ")))


def _split_at_commas(text: str) -> list[str]:
    parts, depth = [""], 0
    for char in text:
        depth += (char == "(") - (char == ")" and depth > 0)
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _text(values: Mapping[str, object], *keys: str) -> str:
    return next((text for key in keys if (text := one_line(values.get(key)))), "")


def _example(text: str) -> Example:
    commentary = _COMMENTARY.search(text)
    spoken = _COMMENTARY.sub("", text)
    marks = list(_SPEECH.finditer(spoken))
    said: dict[str, list[str]] = {}
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        who = mark[1].casefold().replace("human", "user")
        words = spoken[mark.end() : following.start() if following else None]
        said.setdefault(who, []).append(_bare(words))
    if not marks:
        said["context"] = [_bare(spoken)]
    return Example(
        context="\n".join(said.get("context", ())),
        user="\n".join(said.get("user", ())),
        assistant="\n".join(said.get("assistant", ())),
        commentary=_bare(commentary[1]) if commentary else "",
    )


def _bare(words: str) -> str:
    words = " ".join(words.split()).strip("*").strip().removesuffix(" -").strip()
    quote = words[:1]
    if len(words) > 1 and quote in "\"'" and words.endswith(quote):
        words = words[1:-1].strip()
    return words
