"""Logs: one line an event on standard error, for people on a terminal and as JSON elsewhere, without secrets.

Everything logs with the standard library (`logging.getLogger(__name__)`); what belongs to a line beside its words goes
into `extra`. `setup` decides how lines look, `turn` names the turn that they belong to. `structlog` renders them; it is
imported with the first line that is written, because a chat that has nothing to complain about should not wait for it.

What people write is told at level debug only: fields of `WORDS` are left out of every other line, and tracebacks show
no variables.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from structlog.stdlib import ProcessorFormatter
    from structlog.typing import EventDict, WrappedLogger

LEVELS = ("debug", "info", "warning", "error")
"""What `setup` can be told, from the most lines to the fewest."""

OURS = "bot"
"""The logger above all of ours. Other libraries' lines are told from `warning` on, but for `debug`, which tells all."""

HIDDEN = "…"
"""Stands where a secret stood."""

WORDS = frozenset({"text", "markdown", "content", "body", "payload", "prompt", "lines", "messages", "data"})
"""Fields that may hold what people or personas have said."""

_TURN: ContextVar[Mapping[str, str]] = ContextVar("turn", default=MappingProxyType({}))

_SECRET_FIELD = re.compile(r"(?:key|token|secret|password|authorization)$", re.IGNORECASE)

_NAMED = r"[\w.-]*(?:key|token|secret|password|authorization)"
_SECRETS = re.compile(
    r"""
    (?<![\w-])(?:
        sk-[\w-]{6,}                                      # Anthropic (sk-ant-...) and whoever does the same
      | xox[a-z](?:\.xox[a-z])?-[\w-]+ | xapp-[\w-]+      # Slack: bots, users, apps
      | [\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}              # Discord's bot tokens
    )
  | (?<=bearer\ )[^\s'",;]+ | (?<=basic\ )[\w+/=-]{8,}
  | (?<=://)[^\s/@:'"]*:[^\s/@'"]+(?=@)                   # user and password of an address
    """,
    re.IGNORECASE | re.VERBOSE,
)
_QUOTED = re.compile(rf"""((["']){_NAMED}\2\s*[:=]\s*b?)(["'])(?!bearer\b)[^"']*\3""", re.IGNORECASE)
_LOCATED = re.compile(
    r"""
    (
        /(?:webhooks|interactions)/\d{15,20}/               # what lets anybody post there, at Discord
      | [?&]ticket=                                         # what lets anybody listen in the app's place, at Slack
      | hooks\.slack\.com/\w+/(?:[\w-]+/)*                 # what lets anybody answer, at Slack
      | signing[ _-]?secret["']?\s*(?:[:=]|\bis\b)?\s*(?=[0-9a-f]{32})
    )
    [^\s/?&'",;<>)]+
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_ASSIGNED = re.compile(
    r"""(\b[\w.-]*(?:api_?key|token|secret|password)=)(?!=)("[^"]*"|'[^']*'|[^\s,;&)'"]+)""", re.IGNORECASE
)


def setup(level: str = "warning", json: bool | None = None) -> None:
    """Send every record of `level` (one of `LEVELS`) and above to standard error; again changes what was set before.

    At `info` only our own tell so much; other libraries tell warnings and errors.

    `json` None: readable where standard error is a terminal, one JSON object a line elsewhere. Raises ValueError for
    another level.
    """
    if level not in LEVELS:
        raise ValueError(f"a log level is one of {', '.join(LEVELS)}, not {level!r}")
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _ToStandardError)]:
        root.removeHandler(handler)
    handler = _ToStandardError()
    handler.setFormatter(_Lines(json))
    if level == "info":
        handler.addFilter(_is_worth_it)
    root.addHandler(handler)
    root.setLevel(level.upper())


@contextmanager
def turn(conversation: str, head: str, worker: str) -> Iterator[None]:
    """While the body runs, every line bears the conversation's key, the id of the turn's head message and the worker.

    It holds in the tasks and threads too that the body starts with its context, and only there.
    """
    told = _TURN.set({"conversation": conversation, "turn": head, "worker": worker})
    try:
        yield
    finally:
        _TURN.reset(told)


def without_secrets(text: str) -> str:
    """`text` with `HIDDEN` for whatever looks like a key, a token or a password."""
    shown = _LOCATED.sub(rf"\g<1>{HIDDEN}", _SECRETS.sub(HIDDEN, text))
    shown = _QUOTED.sub(rf"\g<1>\g<3>{HIDDEN}\g<3>", shown)
    return _ASSIGNED.sub(rf"\g<1>{HIDDEN}", shown)


def _is_worth_it(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] == OURS


class _ToStandardError(logging.StreamHandler[TextIO]):
    """Writes to whatever `sys.stderr` is at the time, since a prompt and tests put something else in its place."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class _Lines(logging.Formatter):
    """Renders a record by structlog, which is imported for the first of them."""

    def __init__(self, json: bool | None) -> None:
        super().__init__()
        self._json = json
        self._rendering: ProcessorFormatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line; on a terminal, a traceback stands below it."""
        if self._rendering is None:
            self._rendering = _rendering(self._json if self._json is not None else not sys.stderr.isatty())
        return self._rendering.format(record)


def _rendering(json: bool) -> ProcessorFormatter:
    import structlog

    def as_json(values: object, **how: Any) -> str:
        import json as to_text

        return to_text.dumps(values, ensure_ascii=False, **how)

    last: Any = structlog.processors.JSONRenderer(as_json)
    if not json:
        last = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty() and not os.environ.get("NO_COLOR"),
            pad_event_to=0,
            sort_keys=False,
            # The default one prints every variable of every frame: keys, tokens, what people have said.
            exception_formatter=structlog.dev.plain_traceback,
        )
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso" if json else "%H:%M:%S", utc=json),
            _of_the_turn,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _without_words,
            _without_secrets,
            last,
        ]
    )


def _of_the_turn(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    for added in ("message", "asctime"):  # by the formatter of another handler, on the record itself
        line.pop(added, None)
    line.update(_TURN.get())
    return line


def _without_words(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    if line.get("level") != "debug":
        for name in WORDS & set(line):
            if not isinstance(line[name], None | bool | int | float):
                line[name] = f"({len(str(line[name]))} characters)"
    return line


def _without_secrets(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    return {name: _shown(name, value) for name, value in line.items()}


def _shown(name: str, value: object) -> object:
    """What may be shown of a field's value, however deep in it a secret lies."""
    if _SECRET_FIELD.search(name):
        return HIDDEN
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {str(key): _shown(str(key), inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_shown("", item) for item in value]
        case _:
            # What people can put into a line must not steer the terminal that it is read on, nor break its encoding.
            return _CONTROL.sub("�", without_secrets(str(value)))
