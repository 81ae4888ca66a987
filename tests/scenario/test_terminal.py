"""`greenroom chat` as people and scripts meet it: a real process, at a real pseudo-terminal or behind real pipes."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from bot.cli import main
from tests.scenario.terminal import PATIENCE, Person, environment

PROMPT = "ada in #general >"
SLOW = "0.3"
"""Seconds between the pieces of a reply that somebody wants to catch half-way."""

NEVER = "4"
"""... and of one that does not end in the time that SIGTERM leaves it."""

COLOUR = re.compile(r"\x1b\[[0-9;]*(?<![0-9])(?:3[0-8]|9[0-7]|4[0-8]|10[0-7])[0-9;]*m")

NONE: Mapping[str, str] = {}

CHAT = [sys.executable, "-m", "bot", "chat"]


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    with Person(tmp_path) as person:
        person.sees(PROMPT)
        yield person


def piped(
    folder: Path, *lines: str, options: tuple[str, ...] = (), settings: Mapping[str, str] = NONE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHAT, "--state", str(folder / "state.db"), "--as", "ada", *options],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=folder,
        env=environment(**settings),
    )


def started(folder: Path, stdout: int, pause: str = "0", options: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """A chat behind a pipe that stays open."""
    return subprocess.Popen(
        [*CHAT, "--state", str(folder / "state.db"), "--as", "ada", *options],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        stdout=stdout,
        env=environment(GREENROOM_MODEL__PAUSE=pause),
    )


def asks(person: Person) -> None:
    """Call Winston and ask him something."""
    person.sees(PROMPT)
    person.says("*architect")
    person.sees("Pick a number")
    person.says("tell me")


def turns_in_flight(folder: Path, request: str = "") -> list[bool]:
    """For every turn under way that makes this request, whether a worker holds it."""
    with sqlite3.connect(folder / "state.db") as db:
        found = db.execute(
            "SELECT held FROM conversation JOIN turn ON turn.conversation = conversation.id WHERE instr(turn.body, ?)",
            (request,),
        )
        return [bool(held) for (held,) in found]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ---------------------------------------------------------------- on a screen


def test_a_persona_greets_under_name_and_icon_and_streams_her_reply(tmp_path: Path) -> None:
    with Person(tmp_path, settings={"GREENROOM_MODEL__PAUSE": SLOW}) as person:
        person.sees(PROMPT)
        person.says("*architect")
        seen = person.sees("Pick a number")
        assert "🏗️ Winston\n  Hello, I am Winston, your Architect." in seen
        assert " 1 *help" in seen and COLOUR.search(person.raw)
        person.says("tell me all of it, and leave nothing out")
        assert "nothing out”" not in person.sees("[rehearsal] Here a")
        seen = person.sees("nothing out”")
        assert seen.count("[rehearsal]") == 1 and seen.count("\n🏗️ Winston") == 2
        assert person.leaves() == 0


def test_a_number_picks_from_the_list_and_each_shows_what_it_means(person: Person) -> None:
    person.says("*agent")
    person.sees("Who shall come on?")
    person.types("3")
    offered = re.search(r"3\. (\*[\w-]+)", person.sees("3. *"))
    assert offered
    person.types("\r")
    person.sees("Hello, I am")
    person.says("*status")
    assert f"`{offered[1][1:]}`".strip("`") in person.sees("Active:")


def test_ctrl_c_stops_the_reply_and_keeps_the_session_and_what_was_typed(tmp_path: Path) -> None:
    with Person(tmp_path, settings={"GREENROOM_MODEL__PAUSE": SLOW}) as person:
        person.sees(PROMPT)
        person.says("*architect")
        person.sees("Pick a number")
        person.says("tell me all of it, and leave nothing out")
        person.sees("[rehearsal] Here a")
        person.types("and then")
        person.sees(f"{PROMPT} and then")
        person.types("\x03")
        person.sees("(stopped by ada)")
        person.waits_for(lambda: person.glass.at_cursor == f"{PROMPT} and then", "what was typed")
        assert "nothing out”" not in person.seen
        person.types("\x03")
        person.waits_for(lambda: person.glass.at_cursor == PROMPT, "an empty prompt")
        person.types("\x03")
        person.sees("/quit or Ctrl-D leaves")
        person.says("*status")
        person.sees("Active: 🏗️ Winston")
        assert person.leaves() == 0


def test_history_and_state_survive_a_restart(tmp_path: Path) -> None:
    with Person(tmp_path) as person:
        person.sees(PROMPT)
        person.says("*architect")
        person.sees("Pick a number")
        person.says("/quit")
        assert person.ends() == 0
    history = tmp_path / "state.db.history"
    assert history.stat().st_mode & 0o777 == 0o600
    with Person(tmp_path) as person:
        person.sees(PROMPT)
        person.types("\x1b[A\x1b[A")
        person.sees(f"{PROMPT} *architect")
        person.types("\x03")
        person.waits_for(lambda: person.glass.at_cursor == PROMPT, "an empty prompt")
        person.says("*status")
        person.sees("Active: 🏗️ Winston")


def test_commands_personas_and_own_words_are_completed(person: Person) -> None:
    person.types("*arch")
    person.sees("🏗️ Winston")
    person.types("\t")
    person.sees(f"{PROMPT} *architect")
    person.types("\r")
    person.waits_for(lambda: person.glass.at_cursor == f"{PROMPT} *architect", "the completed command")
    person.types("\r")
    person.sees("Pick a number")
    person.types("*create-back")
    person.sees("Write the architecture of a service together", times=2)
    person.types("\t")
    person.sees(f"{PROMPT} *create-backend-architecture")
    person.types("\x15/jo")
    person.sees("go to another channel")


def test_several_lines_are_one_message_typed_or_pasted(person: Person) -> None:
    person.says("*architect")
    person.sees("Pick a number")
    person.types("one\x1b\rtwo")
    person.sees("two")
    person.types("\r")
    person.sees("“ada: one two”")
    person.types("\x1b[200~three\nfour\x1b[201~")
    person.sees("four")
    person.types("\r")
    person.sees("“ada: three four”")


def test_whoever_talks_to_nobody_is_shown_whom_to_call(person: Person) -> None:
    person.says("We lose data when a volume fails.")
    person.sees("Nobody is on yet. For what you wrote I suggest:")
    person.says("1")
    person.sees("“ada: We lose data when a volume fails.”")
    person.says("// between us")
    person.sees("(an aside: no persona hears it)")


def test_the_terminals_own_words(person: Person) -> None:
    person.says("/join plans")
    person.sees("You are ada in #plans.")
    person.says("/as bob")
    person.sees("bob in #plans >")
    person.says("/dm")
    person.sees("bob in DM >")
    person.says("hello")
    person.sees("Nobody is on yet.")
    person.says("/join no:where")
    person.sees("'no:where' is no name for a channel")
    person.says("/?")
    person.sees("/as USER: be somebody else")


def test_no_color_is_heeded(tmp_path: Path) -> None:
    with Person(tmp_path, settings={"NO_COLOR": "1"}) as person:
        person.sees(PROMPT)
        person.says("*architect")
        person.sees("Pick a number")
        assert not COLOUR.search(person.raw)


def test_a_narrow_terminal_shows_everything_within_its_columns(tmp_path: Path) -> None:
    with Person(tmp_path, columns=24, rows=12) as person:
        person.sees("#general >")
        person.says("*architect")
        person.sees("write.")
        person.says("hello you")
        seen = person.waits_for(lambda: "“ada: hello you”" in " ".join(person.seen.split()), "the reply")
        assert max(map(len, seen.split("\n"))) <= 24
        assert "for architect; none was asked." in " ".join(seen.split())
        assert person.leaves() == 0


def test_a_persona_file_cannot_steer_the_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "personas"
    folder.mkdir()
    evil = r"\e]0;owned\a\e[31mred \e]8;;http://evil.example\e\\link\e]8;;\e\\ \x9b2J\u202etxt\u2066"
    evil += " &#x202e;&#27;[2J &#155;2J"
    (folder / "mallory.md").write_text(
        f'---\nname: mallory\ndescription: "{evil}"\nicon: "\\e[7m😈"\n---\nYou are \\e[2J Mallory.\n', "utf-8"
    )
    settings = {"GREENROOM_LIBRARY__PATHS": f'["{folder}"]', "GREENROOM_LIBRARY__SHIPPED": "false"}
    with Person(tmp_path, settings=settings) as person:
        person.sees(PROMPT)
        person.says("*mallory")
        person.sees("Pick a number")
        person.types("*mal")
        person.sees(f"{PROMPT} *mal")
        for hostile in ("\x1b]", "\x1b[31m", "\x1b[2J", "\x1b[7m\U0001f608", "\x9b", "\u202e", "\u2066", "owned"):
            assert hostile not in person.raw
        assert "link" in person.seen
    out = piped(tmp_path, "*mallory", settings=settings).stdout
    assert "link" in out and not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out)


def test_a_second_start_on_the_same_file_says_that_it_is_in_use(tmp_path: Path, person: Person) -> None:
    second = piped(tmp_path, "hello")
    assert second.returncode == 1 and second.stdout == ""
    assert f"in use by another worker (process {person.pid})" in second.stderr and "Traceback" not in second.stderr


def test_a_chat_on_a_screen_says_that_its_state_is_newer(tmp_path: Path) -> None:
    saved_by_a_newer_build(tmp_path)
    with Person(tmp_path) as person:
        person.sees(PROMPT)
        person.says("hello")
        person.sees("saved by a newer Greenroom")


def test_sigterm_leaves_the_terminal_as_it_was_and_lets_the_reply_end(tmp_path: Path) -> None:
    with Person(tmp_path, settings={"GREENROOM_MODEL__PAUSE": "0.1"}) as person:
        asks(person)
        person.sees("[rehearsal] Here a")
        os.kill(person.pid, signal.SIGTERM)
        assert person.ends() == 128 + signal.SIGTERM
        assert person.raw.rindex("\x1b[?2004l") > person.raw.rindex("\x1b[?2004h")
        assert person.seen.count("“ada: tell me”") == 1
    assert turns_in_flight(tmp_path) == []
    assert piped(tmp_path).stdout == "", "nothing is asked or said again"


def test_sigterm_keeps_a_reply_that_does_not_end_as_far_as_it_came(tmp_path: Path) -> None:
    with Person(tmp_path, settings={"GREENROOM_MODEL__PAUSE": NEVER}) as person:
        asks(person)
        until(lambda: len(turns_in_flight(tmp_path, "AskModel")) == 1)
        os.kill(person.pid, signal.SIGTERM)
        assert person.ends() == 128 + signal.SIGTERM
        assert "[rehearsal] Here a" in person.seen and "(stopped by the end of the chat)" in person.seen
        assert "tell me”" not in person.seen
    assert turns_in_flight(tmp_path) == []
    again = piped(tmp_path, "*continue").stdout
    assert again.count("[rehearsal]") == 1 and "(again)" not in again, "the next start asks for nothing by itself"


def test_a_second_sigterm_ends_the_chat_at_once_and_gives_the_turn_back(tmp_path: Path) -> None:
    with Person(tmp_path, settings={"GREENROOM_MODEL__PAUSE": "1"}) as person:
        asks(person)
        person.sees("[rehearsal] Here a")
        os.kill(person.pid, signal.SIGTERM)
        person.sees("may end first")
        os.kill(person.pid, signal.SIGTERM)
        assert person.ends() == 128 + signal.SIGTERM
    assert turns_in_flight(tmp_path, "AskModel") == [False]


@pytest.mark.parametrize("pause", ["0.1", NEVER])
def test_sigterm_ends_a_piped_chat_with_its_reply(tmp_path: Path, pause: str) -> None:
    with started(tmp_path, stdout=subprocess.PIPE, pause=pause) as chat:
        assert chat.stdin and chat.stdout and chat.stderr
        chat.stdin.write(b"*architect\nhello\n*status\n")
        chat.stdin.flush()
        while b"Pick a number" not in (line := chat.stdout.readline()):
            assert line
        until(lambda: len(turns_in_flight(tmp_path, "AskModel")) == 1)
        chat.send_signal(signal.SIGTERM)
        out, errors = chat.communicate(timeout=PATIENCE)
    assert chat.returncode == 143 and errors == b""
    told = out.decode()
    assert ("“ada: hello”" if pause == "0.1" else "(stopped by the end of the chat)") in told
    assert turns_in_flight(tmp_path) == [] and "Active:" not in told, "no further line was taken"


def test_a_terminal_that_is_closed_ends_the_chat_and_gives_the_turn_back(tmp_path: Path) -> None:
    with Person(tmp_path, settings={"GREENROOM_MODEL__PAUSE": SLOW}) as person:
        asks(person)
        person.sees("[rehearsal] Here a")
        person.hangs_up()
    assert turns_in_flight(tmp_path, "AskModel") == [False]


# ---------------------------------------------------------------- through pipes


def test_a_pipe_takes_a_message_a_line_and_gives_plain_text(tmp_path: Path) -> None:
    run = piped(tmp_path, "*architect", "hello", "/as bob", "hi")
    assert run.returncode == 0 and run.stderr == "You are bob in #general.\n"
    assert run.stdout.startswith("🏗️ Winston: Hello, I am **Winston**, your Architect.")
    assert run.stdout.rstrip().endswith("“bob (2): hi”") and "“ada: hello”" in run.stdout
    assert "\x1b" not in run.stdout
    assert "Active: 🏗️ **Winston**" in piped(tmp_path, "*status").stdout


def test_a_line_without_its_newline_and_broken_utf8_are_messages_too(tmp_path: Path) -> None:
    with started(tmp_path, stdout=subprocess.PIPE) as chat:
        out, _ = chat.communicate(b"\xef\xbb\xbf*architect\nbad \xff byte", timeout=PATIENCE)
    assert chat.returncode == 0 and "“ada: bad \ufffd byte”" in out.decode()


def test_a_wrong_word_of_the_terminal_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    run = piped(tmp_path, "/join", "*status", "/quit", "*architect")
    assert "is no name for a channel" in run.stderr
    assert run.stdout == "🟢 Greenroom: Nobody is on. `*help` shows who can be called.\n" and run.returncode == 0


def saved_by_a_newer_build(folder: Path) -> None:
    piped(folder, "*architect")
    with sqlite3.connect(folder / "state.db") as db:
        assert db.execute("UPDATE conversation SET state_version = 99").rowcount == 1


def test_a_conversation_of_a_newer_build_is_told_and_does_not_hang(tmp_path: Path) -> None:
    saved_by_a_newer_build(tmp_path)
    run = piped(tmp_path, "hello", "/join plans", "*architect")
    assert run.returncode == 1 and run.stderr.count("saved by a newer Greenroom") == 1
    assert run.stdout.startswith("🏗️ Winston: Hello"), "the other channel is answered all the same"


def test_ctrl_c_ends_a_piped_chat_at_once_and_gives_the_turn_back(tmp_path: Path) -> None:
    with started(tmp_path, stdout=subprocess.PIPE, pause=SLOW) as chat:
        assert chat.stdin and chat.stdout and chat.stderr
        chat.stdin.write(b"*architect\nhello\n")
        chat.stdin.flush()
        while b"Pick a number" not in (line := chat.stdout.readline()):
            assert line
        until(lambda: len(turns_in_flight(tmp_path, "AskModel")) == 1)
        chat.send_signal(signal.SIGINT)
        assert chat.wait(PATIENCE) == 130
        assert chat.stderr.read() == b""
    assert turns_in_flight(tmp_path, "AskModel") == [False]
    assert piped(tmp_path).stdout.endswith("“ada: hello”\n"), "the next start answers"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_chat_that_waits_for_input(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with started(tmp_path, stdout=subprocess.PIPE) as chat:
        assert chat.stdin and chat.stdout and chat.stderr
        chat.stdin.write(b"*status\n")
        chat.stdin.flush()
        assert chat.stdout.readline()
        chat.send_signal(number)
        assert chat.wait(PATIENCE) == code
        assert chat.stderr.read() == b""


def test_a_hang_up_signal_has_the_personas_read_again(tmp_path: Path) -> None:
    cast = tmp_path / "cast"
    cast.mkdir()
    (cast / "greenroom.yaml").write_text("library: {paths: [.]}")
    with started(tmp_path, stdout=subprocess.PIPE, options=("--config", str(cast / "greenroom.yaml"))) as chat:
        assert chat.stdin and chat.stdout and chat.stderr
        chat.stdin.write(b"*status\n")
        chat.stdin.flush()
        assert chat.stdout.readline()
        (cast / "nora.md").write_text(
            "---\nname: nora\ndescription: Use this agent when it is new.\n---\nYou are new.\n"
        )
        chat.send_signal(signal.SIGHUP)
        assert b"read again: 33 personas" in chat.stderr.readline()
        out, _ = chat.communicate(b"*nora\n", timeout=PATIENCE)
    assert chat.returncode == 0 and "I am **Nora**" in out.decode()


def test_a_reader_that_is_gone_ends_the_chat_quietly_and_loses_nothing(tmp_path: Path) -> None:
    with started(tmp_path, stdout=subprocess.PIPE) as chat:
        assert chat.stdin and chat.stdout and chat.stderr
        chat.stdout.close()
        chat.stdin.write(b"*architect\n")
        chat.stdin.flush()
        assert chat.wait(PATIENCE) == 128 + signal.SIGPIPE
        assert chat.stderr.read() == b""
    assert piped(tmp_path).stdout.startswith("🏗️ Winston: (again) Hello")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_a_full_disk_behind_the_output_is_told_and_loses_nothing(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full, started(tmp_path, stdout=full.fileno()) as chat:
        _, errors = chat.communicate(b"*architect\n", timeout=PATIENCE)
    assert chat.returncode == 1 and b"No space left on device" in errors and b"Traceback" not in errors
    assert piped(tmp_path).stdout.startswith("🏗️ Winston: (again) Hello")


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_closed_input_or_output_is_told(tmp_path: Path, closed: str) -> None:
    run = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *CHAT, "--state", str(tmp_path / "state.db")],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        timeout=PATIENCE,
        env=environment(),
    )
    assert run.returncode == 2 and "is closed; give it both" in run.stderr and "Traceback" not in run.stderr


def test_a_terminal_that_cannot_move_its_cursor_gets_plain_text(tmp_path: Path) -> None:
    with Person(tmp_path, settings={"TERM": "dumb"}) as person:
        person.types("*architect\n")
        person.sees("🏗️ Winston: Hello")
        assert "\x1b" not in person.raw
        assert person.leaves() == 0


# ---------------------------------------------------------------- the command line


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["chat", "--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(option in told for option in ("--state", "--in", "--as", "--model", "--config"))


def test_an_option_that_does_not_exist_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["chat", "--nonsense"])
    assert ended.value.code == 2 and "--nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--model", "gpt"), 2, "model.name"),
        (("--config", "none.yaml"), 2, "none.yaml"),
        (("--in", "no:where"), 2, "'no:where' is no name for a channel"),
        (("--as", "a b"), 2, "'a b' is no name for a user"),
        (("--state", "."), 1, "is a folder"),
    ],
)
def test_a_bad_option_is_told_with_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "input").open("w+") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert main(["chat", *options]) == code
    out, errors = capsys.readouterr()
    assert out == "" and told in errors and "Traceback" not in errors


def test_a_chat_begins_where_its_options_say(tmp_path: Path) -> None:
    piped(tmp_path, "*architect", options=("--in", "plans"))
    run = piped(tmp_path, "*status", "/join plans", "*status")
    nobody, somebody = run.stdout.splitlines()[:2]
    assert "Nobody is on" in nobody and "Winston" in somebody


def test_nothing_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    script = (
        "import sys; from bot.cli import main; code = main(sys.argv[1:]);"
        "print(code, *[m for m in ('anthropic', 'aiohttp', 'rich.markdown', 'prompt_toolkit') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, "chat", "--state", str(tmp_path / "s.db")],
        input="*architect\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment(ANTHROPIC_API_KEY="not-a-key", GREENROOM_MODEL__NAME=None),
    )
    assert run.stdout.splitlines()[-1] == "0", run.stderr


AHEAD = """
import sys, time
real, real_ns, ahead = time.time, time.time_ns, 200 * 86400
time.time, time.time_ns = lambda: real() + ahead, lambda: real_ns() + ahead * 10**9
from bot.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""A chat on a machine whose clock is 200 days ahead."""


def test_a_number_chooses_what_stands_above_it_though_the_clock_was_ahead_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as ahead:
        ahead.setattr("tests.scenario.test_terminal.CHAT", [sys.executable, "-c", AHEAD, "chat"])
        first = piped(tmp_path, "*help")
    assert re.search(r"2\. \S*\*architect\b", first.stdout), first.stdout

    chosen = piped(tmp_path, "2")

    assert "your Architect" in chosen.stdout, chosen.stdout
