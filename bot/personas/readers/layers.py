"""What lies over a v6 agent: the layers of a skill's `customize.toml`, and an installed agent's `.customize.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.personas.model import Problem, fold
from bot.personas.readers import safe_yaml
from bot.personas.readers.reading import as_list, as_mapping, error, one_line, text_of

_LISTS = ("critical_actions", "memories", "menu", "prompts")


def merged(layers: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    """Layers of a `customize.toml`, later ones over earlier ones.

    Tables are merged key by key, lists are joined; in lists of tables an entry replaces the one with its own `code`
    or `id`; any other value replaces what was there.
    """
    result: dict[str, object] = {}
    for layer in layers:
        for key, value in layer.items():
            result[key] = _merge(result[key], value) if key in result else value
    return result


def customized(
    agent: Mapping[str, object], layers: Sequence[tuple[str, str]]
) -> tuple[Mapping[str, object], tuple[Problem, ...]]:
    """An agent with its `.customize.yaml` (path and text each) over it, and what of these could not be read.

    What a layer leaves empty stays; of `agent.metadata` and `persona` each key that it has takes the place of the
    agent's; to the lists it adds what they have not yet, as an installer may have put it in before.
    """
    problems: list[Problem] = []
    result = dict(agent)
    for path, text in layers:
        try:
            layer = as_mapping(safe_yaml.load(text))
        except safe_yaml.YamlError as problem:
            problems.append(error(path, problem.line, problem.reason, problem.mend))
            continue
        over = {"metadata": as_mapping(as_mapping(layer.get("agent")).get("metadata")), "persona": layer.get("persona")}
        for section, values in over.items():
            kept = {key: value for key, value in as_mapping(values).items() if value not in (None, "", [], {})}
            if kept:
                result[section] = {**as_mapping(result.get(section)), **kept}
        for name in _LISTS:
            result[name] = _added(as_list(result.get(name)), as_list(layer.get(name)))
    return result, tuple(problems)


def _added(old: Sequence[object], new: Sequence[object]) -> list[object]:
    known = {_key(item) for item in old}
    return [*old, *(item for item in new if _key(item) not in known)]


def _key(item: object) -> str:
    """What tells two entries apart: a trigger or an id, else the whole text."""
    table = as_mapping(item)
    named = one_line(table.get("trigger") or table.get("cmd") or table.get("id"))
    return fold(named.lstrip("*") or " ".join(text_of(item).split()))


def _merge(old: object, new: object) -> object:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return merged([as_mapping(old), as_mapping(new)])
    if isinstance(old, list) and isinstance(new, list):
        result = list(old)
        places = {key: place for place, item in enumerate(old) if (key := _identity(item))}
        for item in new:
            place = places.get(_identity(item))
            if place is None:
                result.append(item)
            else:
                result[place] = item
        return result
    return new


def _identity(item: object) -> str:
    table = as_mapping(item)
    return fold(one_line(table.get("code") or table.get("id")))
