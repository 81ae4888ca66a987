"""Settings: what counts, where each mistake is told, and that no secret gets out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from bot.settings import Alias, ModelSettings, Settings, SettingsError, load

SECTIONS = ", ".join(key for key in Settings.model_fields if key != "secrets")
"""What may stand at the top of a file of settings, as an error lists it."""

ANNOTATED = Path(__file__).resolve().parents[2] / "config" / "greenroom.yaml"
Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        (tmp_path / "greenroom.yaml").write_text(text, encoding="utf-8")
        return Path("greenroom.yaml")

    return write


def problems(path: Path | None = None, env: Mapping[str, str] | None = None, **options: str) -> list[str]:
    """What `load` has against its arguments; options with `__` for the dot."""
    with pytest.raises(SettingsError) as told:
        load(path, env or {}, {name.replace("__", "."): value for name, value in options.items()})
    assert str(told.value).splitlines() == list(told.value.problems)
    return list(told.value.problems)


def key_paths(values: Mapping[str, Any], above: str = "") -> set[str]:
    paths = set()
    for name, value in values.items():
        paths |= key_paths(value, f"{above}{name}.") if isinstance(value, dict) else {f"{above}{name}"}
    return paths


# ---------------------------------------------------------------- what counts


def test_the_annotated_file_names_every_key_and_nothing_else() -> None:
    assert key_paths(yaml.safe_load(ANNOTATED.read_text("utf-8"))) == key_paths(
        Settings().model_dump(exclude={"secrets"})
    )


def test_the_annotated_file_holds_exactly_the_defaults() -> None:
    assert load(ANNOTATED, {}) == Settings()


def test_without_a_file_the_defaults_count() -> None:
    assert load(None, {}) == Settings()


def test_an_empty_file_and_empty_sections_are_the_defaults(write: Write) -> None:
    assert load(write(""), {}) == Settings()
    assert load(write("# nothing yet\nmodel:\n  aliases:\n    sonnet:\ntalk:\n"), {}) == Settings()


def test_the_file_is_looked_for_here_then_in_config(tmp_path: Path, write: Write) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "greenroom.yaml").write_text("name: There\n")
    assert load(None, {}).name == "There"

    write("name: Here\n")
    assert load(None, {}).name == "Here"


def test_environment_wins_over_the_file_and_the_command_line_over_both(write: Write) -> None:
    path = write("model:\n  name: opus\n  max_tokens: 100\nstore:\n  durability: full\n")
    env = {"GREENROOM_MODEL__NAME": "haiku", "GREENROOM_STORE__MAILBOX": "7", "GREENROOM_MODEL__CACHE": "false"}

    settings = load(path, env)

    assert (settings.model.name, settings.model.max_tokens, settings.model.cache) == ("haiku", 100, False)
    assert (settings.store.durability, settings.store.mailbox) == ("full", 7)
    assert load(path, env, {"model.name": "rehearsal"}).model.name == "rehearsal"


def test_lists_and_maps_come_as_json_from_the_environment() -> None:
    local = '{"id": "qwen3", "input": 0, "output": 0, "cache_read": 0, "cache_write": 0}'

    model = load(None, {"GREENROOM_MODEL__ALLOW": '["haiku"]', "GREENROOM_MODEL__ALIASES__LOCAL": local}).model

    assert model.allow == ("haiku",)
    assert model.aliases["local"] == Alias(id="qwen3", input=0, output=0, cache_read=0, cache_write=0)
    assert set(model.aliases) == {"opus", "sonnet", "haiku", "local"}


def test_an_empty_variable_counts_as_not_set(write: Write) -> None:
    env = {"GREENROOM_MODEL__NAME": "", "ANTHROPIC_API_KEY": "", "ANTHROPIC_API_KEY_FILE": "", "ANTHROPIC_BASE_URL": ""}
    assert load(write("model:\n  name: opus\n"), env) == Settings(model=ModelSettings(name="opus"))


def test_the_process_environment_has_no_say_in_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_NAME", "Somebody")
    assert Settings().name == "Greenroom"
    assert load(None, {}).name == "Greenroom"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("8h", 28800), ("30m", 1800), ("1h30m", 5400), ("2d", 172800), ("90", 90), ("90.5s", 90.5), ('"1d 2h"', 93600)],
)
def test_a_time_is_read_in_units_or_seconds(write: Write, text: str, seconds: float) -> None:
    assert load(write(f"talk:\n  idle: {text}\n"), {}).talk.idle == seconds


def test_library_paths_start_at_the_files_folder_or_at_home(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, config = tmp_path / "me", tmp_path / "etc"
    for folder in (home / "mine", config / "ours", tmp_path / "here"):
        folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    (config / "g.yaml").write_text(f"library:\n  paths: [ours, ~/mine, {tmp_path / 'here'}]\n")

    assert load(Path("etc/g.yaml"), {}).library.paths == (config / "ours", home / "mine", tmp_path / "here")
    assert load(None, {"GREENROOM_LIBRARY__PATHS": '["~/mine"]'}).library.paths == (home / "mine",)


def test_the_store_lies_where_the_bot_was_started_or_at_home(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/me")
    assert load(write("store:\n  path: data/s.db\n"), {}).store.path == Path("data/s.db")
    assert load(write("store:\n  path: ~/s.db\n"), {}).store.path == Path("/me/s.db")


def test_an_alias_may_be_changed_in_part_while_it_stays_the_same_model(write: Write) -> None:
    sonnet = load(write("model:\n  aliases:\n    sonnet: {input: 3}\n"), {}).model.aliases["sonnet"]
    assert (sonnet.id, sonnet.input, sonnet.output) == ("claude-sonnet-5-5", 3, 10)


def test_another_model_under_an_alias_needs_prices_of_its_own(write: Write) -> None:
    told = problems(write("model:\n  aliases:\n    sonnet:\n      id: other\n      input: 1\n      output: 2\n"))
    assert told == [
        "greenroom.yaml:3: model.aliases.sonnet.cache_read: is missing; give it",
        "greenroom.yaml:3: model.aliases.sonnet.cache_write: is missing; give it",
    ]


def test_a_model_may_be_named_by_its_id_or_be_a_rehearsal(write: Write) -> None:
    assert load(write("model: {name: claude-opus-5-5}"), {}).model.name == "claude-opus-5-5"
    assert load(write("model: {name: rehearsal}"), {}).model.name == "rehearsal"


def test_personas_may_be_allowed_nothing_anything_or_an_id(write: Write) -> None:
    for allow in ((), ("*",), ("claude-haiku-5-5", "opus")):
        assert load(write(f"model: {{allow: {list(allow)}}}"), {}).model.allow == allow


def test_the_sdks_variable_is_the_default_of_the_base_url(write: Write) -> None:
    env = {"ANTHROPIC_BASE_URL": "http://localhost:11434/"}
    assert load(None, env).model.base_url == "http://localhost:11434"
    assert load(ANNOTATED, env).model.base_url == "http://localhost:11434"
    assert load(write("model:\n  base_url: https://proxy.example\n"), env).model.base_url == "https://proxy.example"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().talk.coalesce = False  # type: ignore[misc]


# ---------------------------------------------------------------- mistakes, each with its place


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\nmodel:\n  naem: x\n", "3: model.naem: no such key; did you mean model.name?"),
        ("turns_in_flight: 3\n", "1: turns_in_flight: no such key; did you mean worker.turns_in_flight?"),
        ("tlak:\n  idle: 3h\n", "1: tlak: no such key; did you mean talk?"),
        (
            "colour: red\n",
            f"1: colour: no such key; there are {SECTIONS}",
        ),
        (
            "talk:\n  zzz: 1\n",
            "2: talk.zzz: no such key; there are talk.idle, talk.coalesce, talk.together, talk.listen, talk.channels",
        ),
        (
            "model:\n  aliases:\n    haiku:\n      inptu: 1\n",
            "4: model.aliases.haiku.inptu: no such key; did you mean model.aliases.haiku.input?",
        ),
        ("name: 12\n", "1: name: expected text (in quotes, where YAML takes it for something else), found 12"),
        ("name: on\n", "1: name: expected text (in quotes, where YAML takes it for something else), found true"),
        ("name: ''\n", '1: name: expected text of 1 to 80 characters, in one line, found ""'),
        ("name: |\n  a\n  b\n", '1: name: expected text of 1 to 80 characters, in one line, found "a\\nb\\n"'),
        ("store: fast\n", '1: store: expected keys and values below it, found "fast"'),
        ("store:\n  durability: ful\n", '2: store.durability: expected normal or full, found "ful"'),
        ("store:\n  path: 3\n", "2: store.path: expected a path, found 3"),
        ("store:\n  mailbox: true\n", "2: store.mailbox: expected a whole number from 1 to 100000, found true"),
        ("talk:\n  together: 21\n", "2: talk.together: expected a whole number from 1 to 20, found 21"),
        ("talk:\n  together: 2.5\n", "2: talk.together: expected a whole number from 1 to 20, found 2.5"),
        ("talk:\n  coalesce: 7\n", "2: talk.coalesce: expected true or false, found 7"),
        (
            "talk:\n  idle: eight\n",
            '2: talk.idle: expected a time from 1m to 365d, such as 90s, 30m, 8h or a number of seconds, found "eight"',
        ),
        (
            "store:\n  lease: 0s\n",
            '2: store.lease: expected a time from 1s to 10m, such as 90s, 30m, 8h or a number of seconds, found "0s"',
        ),
        (
            "store:\n  keep: 1d\n",
            '2: store.keep: expected a time from 2d to 3650d, such as 180d, or 0 to keep everything, found "1d"',
        ),
        (
            "store:\n  keep: long\n",
            '2: store.keep: expected a time from 2d to 3650d, such as 180d, or 0 to keep everything, found "long"',
        ),
        (
            "store:\n  lease: true\n",
            "2: store.lease: expected a time from 1s to 10m, such as 90s, 30m, 8h or a number of seconds, found true",
        ),
        (
            "talk:\n  idle: 8:00\n",
            "2: talk.idle: YAML takes 8:00 for a number to base 60; write it another way",
        ),
        ("library:\n  paths: mine\n", '2: library.paths: expected a list, found "mine"'),
        ("library:\n  paths:\n    - .\n    - 3\n", "4: library.paths.1: expected a path, found 3"),
        (
            "model:\n  name: gpt\n",
            "2: model.name: expected one of opus, sonnet, haiku, rehearsal "
            '(another model is added under model.aliases), found "gpt"',
        ),
        (
            "model:\n  allow:\n  - opus\n  - rehearsal\n",
            "2: model.allow: expected one of opus, sonnet, haiku, * "
            '(another model is added under model.aliases), found ["opus", "rehearsal"]',
        ),
        (
            "model:\n  aliases: {opus: {input: -1}}\n",
            "2: model.aliases.opus.input: expected a price in $ per million tokens, 0 or more, found -1",
        ),
        (
            "model:\n  aliases: {opus: {input: much}}\n",
            '2: model.aliases.opus.input: expected a price in $ per million tokens, 0 or more, found "much"',
        ),
        (
            "model:\n  aliases: {rehearsal: {}}\n",
            "2: model.aliases: expected no alias called rehearsal, which is the stand-in's name, found keys and values",
        ),
        ("model:\n  aliases: 3\n", "2: model.aliases: expected keys and values below it, found 3"),
        (
            "model:\n  base_url: localhost\n",
            '2: model.base_url: expected an address such as "http://localhost:11434", or "" for the service\'s own, '
            'found "localhost"',
        ),
        (
            "model:\n  base_url: http://localhost:port\n",
            '2: model.base_url: expected an address such as "http://localhost:11434", or "" for the service\'s own, '
            'found "http://localhost:port"',
        ),
        (
            "model:\n  base_url: http://localhost:1234/v1/\n",
            "2: model.base_url: expected an address without /v1 at its end, which the client adds by itself, "
            'found "http://localhost:1234/v1/"',
        ),
        ("name: A\nicon: B\nname: C\n", "3: name: given twice, first in line 1; keep one of them"),
        ("talk: {idle: 1h, idle: 2h}\n", "1: talk.idle: given twice, first in line 1; keep one of them"),
        ("3: x\n", "1: 3: a key has to be text; put it in quotes"),
        (
            "a: &a {}\n",
            f"1: a: no such key; there are {SECTIONS}",
        ),
        ("talk:\n  <<: {idle: 1h}\n", "2: talk.<<: merging with << is not read here; write the keys out"),
        ("talk: &t\n  idle: *t\n", "1: talk.idle: this contains itself; write the value out"),
        ("- a\n- b\n", "1: expected keys and values, such as `name: Greenroom`"),
        ("name: a: b\n", "1: not YAML: mapping values are not allowed here, in column 8"),
        ("name: [a\n", "2: not YAML: expected ',' or ']', but got '<stream end>', in column 1"),
        ("\tname: a\n", "1: not YAML: found character '\\t' that cannot start any token, in column 1"),
        (
            "name: !!python/name:os.system x\n",
            "1: not YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/name:os.system', in column 7",
        ),
        (
            "name: 2024-13-45\n",
            "1: name: not what YAML takes it for (month must be in 1..12); put it in quotes",
        ),
    ],
)
def test_a_mistake_is_told_with_line_key_and_what_to_do(write: Write, text: str, line: str) -> None:
    assert f"greenroom.yaml:{line}" in problems(write(text))


def test_everything_that_is_wrong_is_told_at_once(write: Write) -> None:
    told = problems(
        write("name: 1\nmodel:\n  nmae: x\n  api_key: y\n"), {"GREENROOM_TALK__IDLE": "long", "GREENROOM_X": "1"}
    )
    assert [line.split(": ")[0] for line in told] == [
        "greenroom.yaml:4",
        "GREENROOM_X",
        "greenroom.yaml:1",
        "greenroom.yaml:3",
        "GREENROOM_TALK__IDLE",
    ]


def test_a_path_of_the_library_that_is_not_there_is_told(tmp_path: Path, write: Write) -> None:
    told = problems(write("library:\n  paths:\n    - .\n    - mine\n"))
    assert told == [f"greenroom.yaml:4: library.paths.1: no such file or folder: {tmp_path / 'mine'}"]


def test_a_file_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    assert problems(Path("other.yaml")) == ["other.yaml: no such file"]
    assert problems(tmp_path) == [f"{tmp_path}: cannot be read: Is a directory"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"name: caf\xe9\n", "not UTF-8 text (at byte 9); save it as UTF-8"),
        (b"name: a\x07b\n", "not YAML: unacceptable character #x0007"),
        (b"name: " + b"[" * 5000, "not read: it is nested far too deeply"),
    ],
)
def test_a_file_that_is_no_text_is_told(tmp_path: Path, content: bytes, line: str) -> None:
    (tmp_path / "g.yaml").write_bytes(content)
    [told] = problems(Path("g.yaml"))
    assert told.startswith(f"g.yaml: {line}")


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("GREENROOM_MODEL__NAEM", "x", "no such key; did you mean GREENROOM_MODEL__NAME?"),
        ("GREENROOM_NAEM", "x", "no such key; did you mean GREENROOM_NAME?"),
        ("GREENROOM_TALK__TOGETHER", "many", 'expected a whole number from 1 to 20, found "many"'),
        (
            "GREENROOM_LIBRARY__PATHS",
            "a,b",
            'expected JSON such as ["one", "two"], found "a,b" (Expecting value: line 1 column 1 (char 0))',
        ),
        (
            "GREENROOM_STORE",
            "x",
            'expected JSON such as {"key": "value"}, found "x" (Expecting value: line 1 column 1 (char 0))',
        ),
        ("GREENROOM_MODEL__ALIASES__LOCAL__ID", "x", "model.aliases.local.input: is missing; give it"),
        (
            "ANTHROPIC_BASE_URL",
            "http://h/v1",
            'expected an address without /v1 at its end, which the client adds by itself, found "http://h/v1"',
        ),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(name: str, value: str, line: str) -> None:
    assert f"{name}: {line}" in problems(ANNOTATED, {name: value})


def test_a_wrong_option_of_the_command_line_is_told_as_such() -> None:
    told = problems(None, {}, model__name="gpt")
    assert told[0].startswith("command line: model.name: expected one of opus, sonnet, haiku, rehearsal")


# ---------------------------------------------------------------- secrets

SECRET = "sk-ant-api03-verysecret"


def test_the_key_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    for env in ({"ANTHROPIC_API_KEY": SECRET}, {"ANTHROPIC_API_KEY_FILE": "key"}):
        settings = load(None, env)
        assert settings.secrets.anthropic_api_key is not None
        assert settings.secrets.anthropic_api_key.get_secret_value() == SECRET
        assert "verysecret" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert load(None, {}).secrets.anthropic_api_key is None


@pytest.mark.parametrize(
    "text",
    [
        f"model:\n  api_key: {SECRET}\n",
        f"ANTHROPIC_API_KEY: {SECRET}\n",
        f"secrets:\n  anthropic_api_key: {SECRET}\n",
        "slack:\n  bot_token: xoxb-1-verysecret\n",
        f"model:\n  name: {SECRET}\n",
        f"library:\n  paths: [{SECRET}]\n",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(write: Write, text: str) -> None:
    told = problems(write(text))
    assert "a secret does not belong in this file; set ANTHROPIC_API_KEY in the environment" in told[0]
    assert told[0].startswith("greenroom.yaml:")
    assert "verysecret" not in "".join(told)


@pytest.mark.parametrize(
    "env",
    [
        {"GREENROOM_MODEL__API_KEY": "verysecret"},
        {"GREENROOM_SECRETS__ANTHROPIC": SECRET},
        {"GREENROOM_MODEL__NAME": SECRET},
    ],
)
def test_a_secret_in_a_variable_of_ours_is_refused_and_not_repeated(env: dict[str, str]) -> None:
    [told] = problems(None, env)
    assert told.startswith(f"{next(iter(env))}: a secret is not read from here; set ANTHROPIC_API_KEY")
    assert "verysecret" not in told


def test_a_password_in_an_address_is_refused_and_not_repeated(write: Write) -> None:
    [told] = problems(write("model:\n  base_url: http://me:verysecret@host\n"))
    assert "model.base_url: expected an address without user and password" in told
    assert "verysecret" not in told


def test_a_key_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "two").write_text("one\ntwo\n")
    for file, line in {
        "gone": "gone cannot be read: No such file or directory",
        str(tmp_path): f"{tmp_path} cannot be read: Is a directory",
        "binary": "binary cannot be read: it is not text",
        "empty": "empty is empty; write the key into it",
        "two": "a key is one word of ASCII characters, and this is none",
    }.items():
        assert problems(None, {"ANTHROPIC_API_KEY_FILE": file}) == [f"ANTHROPIC_API_KEY_FILE: {line}"]


def test_a_key_is_given_once_and_is_one_word() -> None:
    assert problems(None, {"ANTHROPIC_API_KEY": SECRET, "ANTHROPIC_API_KEY_FILE": "key"}) == [
        "ANTHROPIC_API_KEY: given together with ANTHROPIC_API_KEY_FILE; keep one of them"
    ]
    assert problems(None, {"ANTHROPIC_API_KEY": "very secret"}) == [
        "ANTHROPIC_API_KEY: a key is one word of ASCII characters, and this is none"
    ]


# ---------------------------------------------------------------- what it costs


def test_settings_load_no_sdk() -> None:
    code = "import sys, bot.settings; print(sorted({'anthropic', 'aiohttp', 'rapidfuzz', 'rich'} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ANNOTATED.parents[1], capture_output=True, text=True, check=True, timeout=30
    )
    assert run.stdout.strip() == "[]"


def test_a_variable_names_the_file_where_the_command_line_names_none(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("name: One")
    (tmp_path / "two.yaml").write_text("name: Two")
    env = {"GREENROOM_CONFIG": str(tmp_path / "one.yaml")}
    assert load(None, env).name == "One"
    assert load(tmp_path / "two.yaml", env).name == "Two"
    with pytest.raises(SettingsError, match="no such file"):
        load(None, {"GREENROOM_CONFIG": str(tmp_path / "none.yaml")})
