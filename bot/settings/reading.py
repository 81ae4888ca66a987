"""From file, environment and command line to `Settings`, with the place of every value for whoever has to mend it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource
from pydantic_settings import SettingsError as UnreadableVariableError

from bot.settings import yaml_lines
from bot.settings.error_messages import (
    ELSEWHERE,
    SettingsError,
    default,
    dotted,
    expected,
    found,
    holds_secret,
    unknown,
    variable,
)
from bot.settings.keys import DELIMITER, PREFIX, Settings
from bot.settings.yaml_lines import Key

LOOKUP = (Path("greenroom.yaml"), Path("config/greenroom.yaml"))
"""Where the file is looked for when none is named, from the current directory; the first that is there counts."""

CONFIG = f"{PREFIX}CONFIG"
"""The variable that names the file, where the command line names none."""

TOKENS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "DISCORD_TOKEN")
"""What the platforms know the bot by, as their own documentation calls it."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands; `key` is set where that name says the key already, as a variable's does."""

    where: str
    key: Key | None = None

    def told(self, key: Key) -> str:
        """How a problem's line begins."""
        return self.where if self.key == key else f"{self.where}: {dotted(key)}"


@dataclass(slots=True)
class _Reading:
    """The values read so far, where each of them stands, and what was wrong on the way."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Key, _Place] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def over(self, values: Mapping[str, Any], place: Callable[[Key], _Place]) -> None:
        """Lay `values` over what is there, leaf by leaf."""
        for leaf in _leaves(values):
            self.places = {key: old for key, old in self.places.items() if key[: len(leaf)] != leaf}
            self.places[leaf] = place(leaf)
        self.values = _merged(self.values, values)

    def place(self, key: Key) -> _Place:
        """Where the value of `key` stands, or else what is nearest: something in it, or what it is in."""
        for cut in range(len(key), 0, -1):
            inside = (place for known, place in self.places.items() if known[:cut] == key[:cut])
            if near := self.places.get(key[:cut]) or next(inside, None):
                return near
        return _Place("settings")


def file_of(path: Path | None, env: Mapping[str, str]) -> Path | None:
    """The file that is read: `path`, else what GREENROOM_CONFIG names, else the first of `LOOKUP`; None without one."""
    if path is None and (named := env.get(CONFIG, "")):
        path = Path(os.path.expanduser(named))
    return path or next((candidate for candidate in LOOKUP if _is_there(candidate)), None)


def load(path: Path | None, env: Mapping[str, str], options: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """The settings of the file that `file_of` gives, with `env` over it.

    `options` come from the command line, by dotted key (`{"model.name": "rehearsal"}`), and go over both. Raises
    SettingsError with everything that is wrong.
    """
    reading = _Reading()
    file = file_of(path, env)
    if file is not None:
        _read_file(reading, Path(os.path.expanduser(file)))
    for name in sorted(name for name, value in env.items() if name.startswith(PREFIX) and value and name != CONFIG):
        _read_variable(reading, name, env[name])
    for name, text in options.items():
        reading.over(_nested(name, text), lambda _: _Place("command line"))
    base_url = env.get("ANTHROPIC_BASE_URL")
    if base_url and not _at(reading.values, "model", "base_url"):
        reading.over(_nested("model.base_url", base_url), lambda key: _Place("ANTHROPIC_BASE_URL", key))
    secrets = {
        "anthropic_api_key": _secret(reading, "ANTHROPIC_API_KEY", env),
        "redis_password": _store_password(reading) or _secret(reading, "REDIS_PASSWORD", env),
        **{name.lower(): _secret(reading, name, env) for name in TOKENS},
    }
    try:
        settings = Settings(**{**reading.values, "secrets": secrets})
    except ValidationError as error:
        wrong = [_told(reading, dict(one)) for one in error.errors(include_url=False)]
        raise SettingsError([*reading.problems, *wrong]) from None
    for index, entry in enumerate(settings.library.paths):
        if not entry.exists():
            key: Key = ("library", "paths", index)
            reading.problems.append(f"{reading.place(key).told(key)}: no such file or folder: {entry}")
    if reading.problems:
        raise SettingsError(reading.problems)
    return settings


def _is_there(path: Path) -> bool:
    """Whether there is something of that name, which is then to be read: a link to nowhere is told, not passed over."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def _read_file(reading: _Reading, path: Path) -> None:
    lined = yaml_lines.read(path)
    reading.values = _without_refused(lined, ())
    reading.places = {key: _Place(f"{path}:{line}") for key, line in lined.lines.items()}
    for line, key, problem in sorted(lined.problems, key=lambda problem: problem[0]):
        where = f"{path}:{line}" if line else f"{path}"
        reading.problems.append(f"{where}: {dotted(key)}: {problem}" if key else f"{where}: {problem}")
    paths = _at(reading.values, "library", "paths")
    if isinstance(paths, list):
        reading.values["library"]["paths"] = [
            str(path.parent.absolute() / os.path.expanduser(entry)) if isinstance(entry, str) else entry
            for entry in paths
        ]


def _without_refused(lined: yaml_lines.Lined, key: Key) -> dict[str, Any]:
    """The file's values, without secrets, which are told, and sections that are empty."""

    def refused(here: Key, value: object) -> bool:
        secret = here == ("secrets",) or holds_secret(here, value)
        if secret:
            lined.problems.append((lined.lines[here], here, f"a secret does not belong in this file; {ELSEWHERE}"))
        # A section without a value is what stays when its keys are commented out.
        return secret or (value is None and isinstance(default(here), Mapping))

    def kept(value: object, key: Key) -> object:
        match value:
            case dict():
                return {
                    name: kept(inner, (*key, name)) for name, inner in value.items() if not refused((*key, name), inner)
                }
            case list():
                return [kept(item, (*key, at)) for at, item in enumerate(value) if not refused((*key, at), item)]
            case _:
                return value

    values = kept(lined.values, key)
    return values if isinstance(values, dict) else {}


def _read_variable(reading: _Reading, name: str, value: str) -> None:
    key: Key = tuple(name.removeprefix(PREFIX).lower().split(DELIMITER))
    if key[0] == "secrets" or holds_secret(key, value):
        reading.problems.append(f"{name}: a secret is not read from here; {ELSEWHERE}")
        return
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value}
    try:
        values = source()
    except UnreadableVariableError as error:
        sample = '["one", "two"]' if isinstance(default(key), tuple) else '{"key": "value"}'
        reading.problems.append(f"{name}: expected JSON such as {sample}, found {found(value)} ({error.__cause__})")
        return
    if values:
        reading.over(values, lambda _: _Place(name, key))
    else:
        reading.problems.append(f"{name}: {unknown(key, variable)}")


def _secret(reading: _Reading, name: str, env: Mapping[str, str]) -> SecretStr | None:
    """The secret `name`, or what the file that `name`_FILE names holds; white space around it is dropped."""
    told, value, file = name, env.get(name, "").strip(), env.get(f"{name}_FILE", "")
    if file and value:
        reading.problems.append(f"{name}: given together with {name}_FILE; keep one of them")
        return None
    if file:
        told = f"{name}_FILE"
        try:
            value = Path(os.path.expanduser(file)).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            reading.problems.append(f"{told}: {file} cannot be read: {reason}")
            return None
        if not value:
            reading.problems.append(f"{told}: {file} is empty; write the key into it")
            return None
    if value and not re.fullmatch(r"[!-~]+", value):
        reading.problems.append(f"{told}: a key is one word of ASCII characters, and this is none")
        return None
    return SecretStr(value) if value else None


def _store_password(reading: _Reading) -> SecretStr | None:
    """The password in `store.url`, which is taken out of it; one that came from a file is told instead."""
    key: Key = ("store", "url")
    url = _at(reading.values, "store", "url")
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
    except ValueError:
        return None  # told with what else is wrong
    if parts.password is None:
        return None
    before, _, host = parts.netloc.rpartition("@")
    user = before.partition(":")[0]
    reading.values["store"]["url"] = urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host))
    place = reading.place(key)
    if place.key is None:
        mend = "set REDIS_PASSWORD in the environment, or REDIS_PASSWORD_FILE to the path of a file that holds it"
        reading.problems.append(f"{place.told(key)}: a password does not belong here; {mend}")
    return SecretStr(unquote(parts.password))


def _told(reading: _Reading, wrong: Mapping[str, Any]) -> str:
    """The line for one of pydantic's errors."""
    key: Key = tuple(wrong["loc"])
    place = reading.place(key)
    match wrong["type"]:
        case "extra_forbidden":
            problem = unknown(key, dotted if place.key is None else variable)
        case "missing":
            problem = "is missing; give it"
        case _:
            problem = f"expected {expected(wrong)}, found {found(wrong['input'])}"
    return f"{place.told(key)}: {problem}"


def _nested(key: str, value: str) -> dict[str, Any]:
    first, _, rest = key.partition(".")
    return {first: _nested(rest, value) if rest else value}


def _at(values: object, *key: str) -> object:
    for part in key:
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def _leaves(values: Mapping[str, Any], key: Key = ()) -> Iterator[Key]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*key, name))
        else:
            yield (*key, name)


def _merged(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(low)
    for name, value in high.items():
        old = both.get(name)
        both[name] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return both
