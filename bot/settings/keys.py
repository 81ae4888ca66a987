"""Every key that can be set, its default and its bounds."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, StringConstraints, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "GREENROOM_"
DELIMITER = "__"

REHEARSAL = "rehearsal"
"""The name of the stand-in that needs no key; it is no alias, and nothing falls back to it."""

ANY = "*"
"""In `model.allow`: whatever a persona wishes for."""

_TIME = re.compile(r"(?:(\d+)d)?\s*(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+(?:\.\d+)?)s)?")

# A validator of ours raises ValueError with what is expected, as it goes on behind the word "expected".


def _whole(low: int, high: int) -> BeforeValidator:
    def check(value: object) -> int:
        number = int(value) if isinstance(value, str) and value.isdecimal() else value
        if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return number

    return BeforeValidator(check)


def _seconds(value: object) -> float:
    """A length of time in seconds; NaN where `value` is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except ValueError:
        parts = _TIME.fullmatch(str(value).strip())
    if parts is None or not any(parts.groups()):
        return math.nan
    return sum(float(part or 0) * unit for part, unit in zip(parts.groups(), (86400, 3600, 60, 1), strict=True))


def _time(low: str, high: str) -> BeforeValidator:
    def check(value: object) -> float:
        seconds = _seconds(value)
        if not _seconds(low) <= seconds <= _seconds(high):
            raise ValueError(f"a time from {low} to {high}, such as 90s, 30m, 8h or a number of seconds")
        return seconds

    return BeforeValidator(check)


def _keep(value: object) -> float:
    seconds = _seconds(value)
    # A message that comes again is known by what is kept of its conversation, and may come for 25 hours.
    if seconds and not _seconds("2d") <= seconds <= _seconds("3650d"):
        raise ValueError("a time from 2d to 3650d, such as 180d, or 0 to keep everything")
    return seconds


def _number(value: object) -> float:
    """A number; NaN where `value` is none."""
    try:
        return math.nan if isinstance(value, bool) or not isinstance(value, int | float | str) else float(value)
    except ValueError:
        return math.nan


def _share(value: object) -> float:
    share = _number(value)
    if not 0 <= share <= 0.95:
        raise ValueError("a share from 0 to 0.95, such as 0.75")
    return share


def _price(value: object) -> float:
    price = _number(value)
    if not 0 <= price < math.inf:
        raise ValueError("a price in $ per million tokens, 0 or more")
    return price


def _web(value: object, expected: str) -> tuple[str, SplitResult]:
    """An address of the web, or nothing, and its parts. Raises ValueError with what is `expected`."""
    text = value.strip() if isinstance(value, str) else "?"
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        raise ValueError(expected) from None
    if text and not sound:
        raise ValueError(expected)
    return text, parts


def _address(value: object) -> str:
    text, parts = _web(value, 'an address such as "http://localhost:11434", or "" for the service\'s own')
    if text and (parts.username or parts.password):
        raise ValueError("an address without user and password")
    if text.rstrip("/").endswith("/v1"):
        raise ValueError("an address without /v1 at its end, which the client adds by itself")
    return text.rstrip("/")


def _collector(value: object) -> str:
    text, parts = _web(value, 'an address such as "http://localhost:4318", or "" to send no traces')
    if text and (parts.username or parts.password or parts.query or parts.fragment):
        raise ValueError("an address without user, password and query")
    return text.rstrip("/").removesuffix("/v1/traces")


def _listen(value: object) -> str:
    text = value.strip() if isinstance(value, str) else "?"
    try:
        parts = urlsplit(f"//{text}")
        sound = bool(parts.hostname) and (parts.port or 0) > 0 and parts.netloc == text and "@" not in text
    except ValueError:
        sound = False
    if text and not sound:
        raise ValueError('an address to listen on, such as "127.0.0.1:8080" or "[::1]:8080", or "" for none')
    return text


def _slack_api(value: object) -> str:
    expected = 'an address such as "https://slack.com/api/"'
    text, parts = _web(value, expected)
    if not text or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(expected)
    return text.rstrip("/") + "/"


def _redis(value: object) -> str:
    text = value.strip() if isinstance(value, str) else "?"
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
        sound = sound and bool(re.fullmatch(r"/?[0-9]*", parts.path)) and not parts.query and not parts.fragment
    except ValueError:
        sound = False
    if text and not sound:
        raise ValueError(
            'the address of a Redis server such as "redis://localhost:6379/0" (rediss:// for TLS), '
            'or "" for the file at store.path'
        )
    return text


def _home(value: object) -> object:
    return os.path.expanduser(value) if isinstance(value, str) else value


Price = Annotated[float, BeforeValidator(_price)]
HomePath = Annotated[Path, BeforeValidator(_home)]
Label = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]+$")
]
"""A name to speak under; Discord's webhooks take 1 to 80 characters (docs, execute webhook)."""

# ---------------------------------------------------------------- the keys


class Alias(BaseModel, frozen=True, extra="forbid"):
    """A model under a short name: the service's id for it and its prices in $ per million tokens."""

    id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    input: Price
    output: Price
    cache_read: Price
    cache_write: Price


ALIASES: Mapping[str, Alias] = MappingProxyType(
    {
        "opus": Alias(id="claude-opus-5-5", input=4, output=20, cache_read=0.2, cache_write=5),
        "sonnet": Alias(id="claude-sonnet-5-5", input=2, output=10, cache_read=0.1, cache_write=2.5),
        "haiku": Alias(id="claude-haiku-5-5", input=0.1, output=0.5, cache_read=0.01, cache_write=0.125),
    }
)


class LibrarySettings(BaseModel, frozen=True, extra="forbid"):
    """Where personas are read: `paths` are files and folders, absolute once loaded; `shipped` adds our own cast.

    Of the files in `paths` those count that a pattern of `include` fits (all, without any) and none of `exclude`.
    """

    paths: tuple[HomePath, ...] = ()
    shipped: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class StoreSettings(BaseModel, frozen=True, extra="forbid"):
    """Where conversations are kept. `path` is relative to the current directory; `lease` and `keep` are in seconds.

    What was silent for longer than `keep` is forgotten; with 0 nothing is. With a `url` they are on that Redis server
    instead; `load` takes its password out, into the secrets.
    """

    path: HomePath = Path(".greenroom/state.sqlite3")
    url: Annotated[str, BeforeValidator(_redis)] = ""
    partitions: Annotated[int, _whole(1, 1024)] = 1
    durability: Literal["normal", "full"] = "normal"
    mailbox: Annotated[int, _whole(1, 100_000)] = 500
    lease: Annotated[float, _time("1s", "10m")] = 15.0
    keep: Annotated[float, BeforeValidator(_keep)] = 180 * 86400.0


class ModelSettings(BaseModel, frozen=True, extra="forbid", validate_default=True):
    """Who answers. `name` is an alias, the id of one, or `rehearsal`; `timeout` and `retry` are in seconds.

    `aliases` always holds the default ones too. `allow` are the aliases and ids that a persona's own wish may choose,
    `*` for every model. `timeout` bounds a silence of the service, `longest` a whole reply with all attempts at it, and
    `retry` the time in which new attempts begin.
    `context` are the tokens that a model can read at once; at the share `compact_at` of them a talk is summed up, at
    0 never. `pause` lies between two pieces of a rehearsed reply, in seconds.
    """

    aliases: dict[str, Alias] = Field(default_factory=lambda: dict(ALIASES))
    name: str = "sonnet"
    allow: tuple[str, ...] = ("opus", "sonnet", "haiku")
    base_url: Annotated[str, BeforeValidator(_address)] = ""
    max_tokens: Annotated[int, _whole(1, 128_000)] = 8192
    timeout: Annotated[float, _time("1s", "1h")] = 120.0
    longest: Annotated[float, _time("1s", "1d")] = 600.0
    retry: Annotated[float, _time("0s", "1h")] = 60.0
    cache: bool = True
    context: Annotated[int, _whole(1_000, 10_000_000)] = 200_000
    compact_at: Annotated[float, BeforeValidator(_share)] = 0.75
    pause: Annotated[float, _time("0s", "10s")] = 0.02

    @field_validator("aliases", mode="before")
    @classmethod
    def _with_defaults(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        if REHEARSAL in value:
            raise ValueError(f"no alias called {REHEARSAL}, which is the stand-in's name")
        known: dict[str, Any] = {name: alias.model_dump() for name, alias in ALIASES.items()}
        for name, given in value.items():
            base = known.get(name)
            # Prices belong to an id: whoever changes the id has to say what the other model costs.
            if base is not None and isinstance(given, dict) and given.get("id", base["id"]) == base["id"]:
                known[name] = {**base, **given}
            else:
                known[name] = given
        return known

    @field_validator("name")
    @classmethod
    def _is_known(cls, value: str, info: ValidationInfo) -> str:
        return _one_of(value, info, REHEARSAL)

    @field_validator("allow")
    @classmethod
    def _are_known(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return tuple(_one_of(name, info, ANY) for name in value)


def _one_of(name: str, info: ValidationInfo, *more: str) -> str:
    aliases: Mapping[str, Alias] | None = info.data.get("aliases")
    if aliases is not None and name not in {*aliases, *(alias.id for alias in aliases.values()), *more}:
        raise ValueError(f"one of {', '.join([*aliases, *more])} (another model is added under model.aliases)")
    return name


Listening = Literal["active", "mention", "commands"]


class TalkSettings(BaseModel, frozen=True, extra="forbid"):
    """How people are listened to. `idle` is in seconds; with `coalesce`, at most `together` messages make one turn.

    `listen` is for all channels but those that `channels` names by the platform's ids. Threads count to their channel.
    """

    idle: Annotated[float, _time("1m", "365d")] = 8 * 3600.0
    coalesce: bool = True
    together: Annotated[int, _whole(1, 20)] = 20
    listen: Listening = "active"
    channels: dict[str, Listening] = Field(default_factory=dict)


class NamesSettings(BaseModel, frozen=True, extra="forbid"):
    """Places and people by their platform's ids."""

    workspaces: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class AccessSettings(BaseModel, frozen=True, extra="forbid"):
    """Who may do what: `deny` wins over `allow`; an empty `allow` lets in everybody who is not a guest."""

    admins: tuple[str, ...] = ()
    allow: NamesSettings = NamesSettings()
    deny: NamesSettings = NamesSettings()
    per_minute: Annotated[int, _whole(0, 10_000)] = 0
    burst: Annotated[int, _whole(1, 1_000)] = 10


class DocumentSettings(BaseModel, frozen=True, extra="forbid"):
    """How documents are written and kept.

    `thread`: in a thread of their own. `approvers` alone accept sections, by users' ids. `keep`: seconds after they
    were last written to, with 0 for ever.
    """

    thread: bool = True
    approvers: tuple[str, ...] = ()
    keep: Annotated[float, BeforeValidator(_keep)] = 0.0


class LimitSettings(BaseModel, frozen=True, extra="forbid"):
    """What may be spent a day: `tokens` of all kinds, and `dollars`; 0 is no limit."""

    tokens: Annotated[int, _whole(0, 10**12)] = 0
    dollars: Price = 0.0


class BudgetSettings(BaseModel, frozen=True, extra="forbid"):
    """Budgets a day, which begins at 00:00 UTC: of each channel with its threads, and of all together.

    `by_user`: what each person has used is counted too, under their id.
    """

    channel: LimitSettings = LimitSettings()
    everywhere: LimitSettings = LimitSettings()
    by_user: bool = False


class SlackSettings(BaseModel, frozen=True, extra="forbid", validate_default=True):
    """How Slack is reached; it is used where the environment gives a bot token.

    `api` is the Web API's address. In mode http, events are taken at `listen` (host:port) under the path `path`, over
    at most so many `connections`; of one address at most `connections_per_peer` that have sent no whole request (0: no
    such bound).
    """

    mode: Literal["socket", "http"] = "socket"
    listen: Annotated[str, BeforeValidator(_listen)] = "127.0.0.1:3000"
    path: Annotated[str, StringConstraints(pattern=r"^/[\w/.-]*$")] = "/slack/events"
    connections: Annotated[int, _whole(10, 100_000)] = 500
    connections_per_peer: Annotated[int, _whole(0, 100_000)] = 100
    api: Annotated[str, BeforeValidator(_slack_api)] = "https://slack.com/api/"
    backfill: Annotated[float, _time("0s", "7d")] = 24 * 3600.0


class ShardSettings(BaseModel, frozen=True, extra="forbid"):
    """Which of `count` shards this process holds: the ids, counted from 0."""

    count: Annotated[int, _whole(1, 16_384)]
    ids: tuple[Annotated[int, _whole(0, 16_383)], ...]

    @field_validator("ids")
    @classmethod
    def _are_of_them(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        count = info.data.get("count")
        if not value or len(set(value)) < len(value) or (count is not None and max(value) >= count):
            raise ValueError("different numbers from 0 to one less than count, at least one")
        return value


class DiscordSettings(BaseModel, frozen=True, extra="forbid"):
    """How Discord is reached; it is used where the environment gives a token."""

    shards: Literal["auto"] | ShardSettings = "auto"
    avatars: bool = True
    backfill: Annotated[float, _time("0s", "7d")] = 24 * 3600.0


class WorkerSettings(BaseModel, frozen=True, extra="forbid"):
    """How much this process does at a time.

    `turns_in_flight` are turns that are being worked on; one that waits for a model is not. `waiting` are turns that
    have a reply under way.
    """

    turns_in_flight: Annotated[int, _whole(1, 1000)] = 16
    waiting: Annotated[int, _whole(1, 100_000)] = 500


class LogSettings(BaseModel, frozen=True, extra="forbid"):
    """What is written to standard error about the bot's own work: lines of `level` and above.

    `auto` is `info` for `greenroom run`, and `warning` for what people type.
    """

    level: Literal["auto", "debug", "info", "warning", "error"] = "auto"

    def told(self, usual: Literal["info", "warning"] = "warning") -> str:
        """The level that counts; `usual` is what `auto` means."""
        return usual if self.level == "auto" else self.level


class HealthSettings(BaseModel, frozen=True, extra="forbid", validate_default=True):
    """What others may ask this process. `listen` is host:port, empty for nothing; `overdue` is in seconds."""

    listen: Annotated[str, BeforeValidator(_listen)] = ""
    overdue: Annotated[float, _time("1s", "1d")] = 120.0


class TelemetrySettings(BaseModel, frozen=True, extra="forbid", validate_default=True):
    """Where traces go: `otlp` is the base address of a collector that takes OTLP over HTTP, empty for nowhere."""

    otlp: Annotated[str, BeforeValidator(_collector)] = ""


class Secrets(BaseModel, frozen=True, extra="forbid"):
    """What no file of settings may hold; None where the environment gives none."""

    anthropic_api_key: SecretStr | None = None
    redis_password: SecretStr | None = None
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    discord_token: SecretStr | None = None


class Settings(BaseSettings):
    """Everything that can be set. `Settings()` is the defaults, whatever the environment says; `load` reads it."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter=DELIMITER)

    name: Label = "Greenroom"
    icon: Label = "🟢"
    library: LibrarySettings = LibrarySettings()
    store: StoreSettings = StoreSettings()
    model: ModelSettings = ModelSettings()
    slack: SlackSettings = SlackSettings()
    discord: DiscordSettings = DiscordSettings()
    talk: TalkSettings = TalkSettings()
    access: AccessSettings = AccessSettings()
    documents: DocumentSettings = DocumentSettings()
    budget: BudgetSettings = BudgetSettings()
    worker: WorkerSettings = WorkerSettings()
    log: LogSettings = LogSettings()
    health: HealthSettings = HealthSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    secrets: Secrets = Secrets()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: `load` puts file and environment together, because it knows every value's place."""
        return (init_settings,)
