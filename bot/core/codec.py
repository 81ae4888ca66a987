"""Values of `core` as JSON and back.

Unknown keys are passed over and missing ones take their defaults, so that a turn or a session written by another
build is read by this one. A member of a union carries its class's name under `_type`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, get_args

from cattrs.errors import CattrsError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn
from cattrs.preconf.json import make_converter
from pydantic_core import PydanticSerializationError, to_json

from bot.core import events, gates, model, steps
from bot.core.session import ConversationState, Session, Turn, Work
from bot.core.upgrade import anchors_of_version_1, ask_of_version_1, session_of_version_1

_UNIONS: tuple[Any, ...] = (
    model.Action,
    steps.Post | steps.Record,
    steps.Request,
    events.Event,
    events.HumanEvent,
    events.Mail,
    gates.HostGate,
)
_converter = make_converter(omit_if_default=True, detailed_validation=False)
_of_modes: dict[str, Callable[[Any, Any], Any]] = {}
"""The states and gates that modes have made known, by their classes' names."""

_named: dict[str, str] = {}
"""Which class has each of those names, with its module."""


def know(*kinds: type) -> None:
    """Make the state and the gates of a mode known, before anything of them is written or read.

    Raises ValueError where two modes want one name: what is stored names no module, so one would be read as the other.
    """
    for cls in kinds:
        whole = f"{cls.__module__}.{cls.__qualname__}"
        if _named.setdefault(cls.__name__, whole) != whole:
            raise ValueError(
                f"{whole} and {_named[cls.__name__]} have one name; what is stored could not tell them apart"
            )
        _converter.register_unstructure_hook(cls, _tagged(cls))
        _of_modes[cls.__name__] = make_dict_structure_fn(cls, _converter)


def _tagged(cls: type) -> Callable[[Any], dict[str, Any]]:
    plain: Callable[[Any], dict[str, Any]] = make_dict_unstructure_fn(cls, _converter, _cattrs_omit_if_default=True)
    return lambda value: {"_type": cls.__name__, **plain(value)}


def _structure(cls: type) -> Callable[[Any, Any], Any]:
    plain: Callable[[Any, Any], Any] = make_dict_structure_fn(cls, _converter)
    if cls is steps.AskModel:
        return lambda value, _: plain(ask_of_version_1(value), cls)
    return plain


def _chooser(members: tuple[type, ...], more: Mapping[str, Callable[[Any, Any], Any]]) -> Callable[[Any, Any], Any]:
    by_name = {cls.__name__: _structure(cls) for cls in members}

    def choose(value: Any, _: Any) -> Any:
        if value is None:
            return None
        name = value.get("_type") if isinstance(value, dict) else None
        structure = by_name.get(name) or more.get(name) if isinstance(name, str) else None
        if structure is None:
            raise ValueError(f"no such kind of value here: {name!r} (known: {', '.join((*by_name, *more))})")
        return structure(value, None)

    return choose


def _dynamic(value: Any) -> Any:
    return _converter.unstructure(value)


for _cls in dict.fromkeys(cls for union in _UNIONS for cls in get_args(union)):
    _converter.register_unstructure_hook(_cls, _tagged(_cls))
for _union in _UNIONS:
    _converter.register_structure_hook(_union, _chooser(get_args(_union), {}))
    _converter.register_structure_hook(_union | None, _chooser(get_args(_union), {}))
for _gate in (gates.Gate, gates.Gate | None):
    _converter.register_structure_hook(_gate, _chooser(get_args(gates.HostGate), _of_modes))
    _converter.register_unstructure_hook(_gate, _dynamic)
_converter.register_structure_hook(Work, _chooser((), _of_modes))
_converter.register_unstructure_hook(Work, _dynamic)

_plain_session = make_dict_structure_fn(Session, _converter)
_converter.register_structure_hook(Session, lambda value, _: _plain_session(session_of_version_1(value), Session))
_plain_turn = make_dict_structure_fn(Turn, _converter)
_converter.register_structure_hook(Turn, lambda value, _: _plain_turn(anchors_of_version_1(value), Turn))
_plain_saved = make_dict_structure_fn(ConversationState, _converter)
_converter.register_structure_hook(
    ConversationState, lambda value, _: _plain_saved(anchors_of_version_1(value), ConversationState)
)


def dump(value: Any) -> str:
    """`value` as JSON text."""
    return written(_converter.unstructure(value))


def written(value: Any) -> str:
    """Dictionaries, lists, texts, numbers, booleans and None as compact JSON text, several times as fast as `json`."""
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        # Half a surrogate pair is no UTF-8, but can be escaped.
        return json.dumps(value, separators=(",", ":"))


class UnreadableError(ValueError):
    """A text holds no value of the kind that was asked for: it is broken, or a newer build wrote it."""


def load(text: str, kind: Any) -> Any:
    """The `kind` written in `text`. Raises UnreadableError where it is none."""
    try:
        value = json.loads(text)
        if not isinstance(value, dict):
            raise UnreadableError(f"no value of ours: {text[:40]!r}")
        return _converter.structure(value, kind)
    except UnreadableError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError, CattrsError) as e:
        raise UnreadableError(f"{type(e).__name__}: {e}") from e
