"""The menu of a v6 agent, in whichever file it stands: `menu:` of YAML, `[[menu]]` of TOML, `<item>` of XML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from bot.personas.model import Command, Problem, fold
from bot.personas.readers.commands import HOST_COMMANDS
from bot.personas.readers.reading import as_list, as_mapping, one_line, text_of

_RUNS = ("skill", "workflow", "exec", "tmpl", "data", "validate-workflow", "route")
"""Keys whose value is the path of what an item runs; a text with spaces is what the model is to do."""

_SAID = ("prompt", "action")
"""Keys whose value is what the model is to do, or with a `#` the prompt of that id."""

_GENERIC = frozenset({"workflow", "instructions", "skill", "template", "index"})
_FUZZY = re.compile(r"^(?:(?P<code>\S+)\s+or\s+)?fuzzy match(?:\s+on)?\s+(?P<words>\S.*)$", re.IGNORECASE | re.DOTALL)
_ARGS = re.compile(r"\s((?:[\[{<][^\[\]{}<>]*[\]}>]\s*)+)$")
_NAMED_SKILL = re.compile(r"`([a-z0-9][\w-]{1,80})` skill\b")


def read_menu(
    value: object, prompts: Mapping[str, str], path: str, line: int
) -> tuple[tuple[Command, ...], tuple[Problem, ...]]:
    """The commands of a menu, each name once; `prompts` are the agent's, by id."""
    commands: dict[str, Command] = {}
    problems: list[Problem] = []
    for trigger, item in _items(value):
        if not trigger:
            problems.append(Problem(path, line, "a menu item has no trigger", "give it `trigger:` (or `code =`)"))
            continue
        command = _command(trigger, item, prompts)
        commands.setdefault(fold(command.name), command)
    return tuple(commands.values()), tuple(problems)


def spoken(value: object, prompts: Mapping[str, str]) -> str:
    """What the model is to do by the keys of a menu item: its own text, or that of the prompt that it names."""
    item = as_mapping(value)
    found: list[str] = []
    for key in (*_SAID, *_RUNS):
        text = text_of(item.get(key))
        if text.startswith("#"):
            found.append(prompts.get(text[1:].strip(), ""))
        elif key == "prompt" or " " in text:
            found.append(text)
    return "\n\n".join(text for text in dict.fromkeys(found) if text)


def named_prompts(value: object) -> set[str]:
    """The ids of the prompts that a menu names."""
    texts = (text_of(item.get(key)) for _, item in _items(value) for key in (*_SAID, *_RUNS))
    return {text[1:].strip() for text in texts if text.startswith("#")}


def _items(value: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Each item with its trigger; the triggers of a `multi` item one by one."""
    for item in map(as_mapping, as_list(value)):
        if "triggers" in item or "multi" in item:
            for entry in map(as_mapping, as_list(item.get("triggers"))):
                for name, content in entry.items():
                    detail = {key: v for part in as_list(content) for key, v in as_mapping(part).items()}
                    yield name, {"description": item.get("multi"), **detail}
        else:
            yield one_line(item.get("trigger") or item.get("code") or item.get("cmd")), item


def _command(trigger: str, item: Mapping[str, object], prompts: Mapping[str, str]) -> Command:
    """`BP or fuzzy match on brainstorm-project` is the command brainstorm-project, which answers to BP too.

    Of several names, the host's own comes first: `menu or help` is help.
    """
    trigger, args = _split_args(trigger)
    fuzzy = _FUZZY.match(trigger)
    names = [fuzzy["words"]] if fuzzy else [trigger]
    names = [part for name in names for part in re.split(r",\s*(?:or\s+)?|\s+or\s+|\|", name)]
    codes = [fuzzy["code"]] if fuzzy and fuzzy["code"] else []
    spelled = list(dict.fromkeys(word for name in (*names, *codes) if (word := _spelled(name))))
    name = next((word for word in spelled if fold(word) in HOST_COMMANDS), spelled[0] if spelled else _spelled(trigger))
    prompt = spoken(item, prompts)
    used = [stem for key in (*_RUNS, "action") if key in item for stem in _stems(text_of(item[key]))]
    used += _NAMED_SKILL.findall(prompt)
    described = one_line(item.get("description")) or one_line(prompt)[:160]
    return Command(
        name=name,
        description=re.sub(r"^\[[^\]]{1,4}\]:?\s*", "", described),
        args=args,
        uses=tuple(dict.fromkeys(used)),
        confirm="(confirm" in fold(described),
        aliases=tuple(word for word in spelled if word != name),
        prompt=prompt,
    )


def _split_args(trigger: str) -> tuple[str, str]:
    """A trigger without the placeholders behind it, and these."""
    found = _ARGS.search(trigger)
    return (trigger[: found.start()], found[1].strip()) if found else (trigger, "")


def _spelled(name: str) -> str:
    return "-".join(name.strip("*`\"' ").split())


def _stems(target: str) -> list[str]:
    """What a path names: its file, or the folder where the file's own name says nothing."""
    target = target.strip().removeprefix("skill:")
    if not target or target.startswith("#") or " " in target or target.casefold() in ("todo", "none"):
        return []
    parts = PurePosixPath(target).parts
    stem = PurePosixPath(parts[-1]).stem
    return [parts[-2] if stem.casefold() in _GENERIC and len(parts) > 1 else stem]
