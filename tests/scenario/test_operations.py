"""Operators at the command line: over a real file beside a real worker, and over a real server."""

from __future__ import annotations

import asyncio
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.app import SystemClock
from bot.cli import main
from bot.core.codec import dump
from bot.core.events import Usage, Utterance
from bot.core.gates import RunGate
from bot.core.model import Conversation, Inbound
from bot.core.session import ConversationState, Session
from bot.core.steps import Entry, Record
from bot.ports.budgets import Amount, Limit, used_scope
from bot.ports.mailbox import Message
from bot.ports.store import Store
from bot.stores.opening import open_store
from tests.contract.redis_server import Server, running
from tests.unit.stores import accepting

CHECKOUT = Path(__file__).parents[2]
ROOM = Conversation("slack", "T1", "C1")
OTHER = Conversation("discord", "G1", "C9")
PASSWORD = "swordfish"

Run = Callable[..., str]
"""Runs a command line; what it printed. The exit code must be 0, or what `code` says, and then it is the errors."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("valkey"), "--requirepass", PASSWORD) as started:
        yield started


@pytest.fixture(params=["sqlite", "valkey"])
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Where the store is; "" for the file. The settings say so."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GREENROOM_STORE__PATH", "state.db")
    if request.param == "sqlite":
        return ""
    server: Server = request.getfixturevalue("server")
    server_is_emptied(server)
    on_the_server(monkeypatch, server)
    return server.url


def server_is_emptied(server: Server) -> None:
    server.ask(f"AUTH {PASSWORD}\r\nFLUSHALL")


def on_the_server(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.setenv("GREENROOM_STORE__URL", server.url)
    monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = await open_store(
        path=Path("state.db"),
        url=url,
        password=PASSWORD,
        partitions=1,
        mailbox=500,
        durability="normal",
        clock=SystemClock(),
    )
    try:
        yield store
    finally:
        await store.close()


def in_store(url: str, deed: Callable[[Store], Awaitable[None]]) -> None:
    async def work() -> None:
        async with opened(url) as store:
            await deed(store)

    asyncio.run(work())


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*argv: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(argv) == code
        printed = capsys.readouterr()
        assert not (printed.out if code else printed.err)
        return printed.err if code else printed.out

    return run


def inbound(id: str, order: int, text: str, user: str = "U1", name: str = "Ada", room: Conversation = ROOM) -> Message:
    return Message(id, dump(Inbound(room, id, user, name, text, order, 1.0)), order, plain=True)


async def populated(store: Store) -> None:
    """Ada and Bob talk with the architect in one room; a turn of Ada's has died in another."""
    key = ROOM.key
    await store.enqueue(key, inbound("m1", 1, "my secret"))
    claim = await store.claim("w", 15, 1)
    assert claim is not None
    gate = RunGate("pm", (Utterance("U1", "Ada", "my secret", "m1", 1.0),), "m1")
    saved = ConversationState(Session(personas=("bmad-orchestrator", "architect"), gate=gate, people=("Ada", "Bob")))
    log = (
        Entry("said", "U1", "my secret", "Ada", id="m1"),
        Entry("reply", "architect", "Noted,\x1b]0;owned\x07 Ada.", "Winston", content="[]"),
        Entry("said", "U2", "hello", "Bob", id="m0"),
    )
    assert await store.commit(claim, dump(saved), 1, [dump(entry) for entry in log], floor_open=False, used_flag=False)
    await store.spend("k1", key, Usage(1000, 200, 30, 4, "opus"))
    await store.audit("k1", key, Record("approved section 1", "U1", "0123456789abcdef"))
    await store.enqueue(key, inbound("m2", 2, "what waits", "U2", "Bob"))
    await store.enqueue(OTHER.key, inbound("m1", 1, "it broke here", room=OTHER))
    while (claim := await store.claim("w", 15, 1)) is not None and claim.conversation != OTHER.key:
        await store.retry(claim, 60)
    assert claim is not None and await store.bury(claim, "ValueError: no\nway")


@pytest.fixture
def filled(url: str) -> str:
    in_store(url, populated)
    return url


# ---------------------------------------------------------------- what was spent

DAY = "2026-11-20"


async def spent(store: Store) -> None:
    """Ada asks twice in one room, Bob once in another."""
    used = [("slack:T1:C1", "architect", "m1", "slack:T1:U1", Amount(1000, 5000))] * 2
    used.append(("discord:G1:C9", "pm", "m1", "discord:G1:U2", Amount(100, 20_000)))
    for number, (channel, persona, model, user, amount) in enumerate(used):
        names = {"channel": channel, "persona": persona, "model": model, "user": user}
        await store.count(f"k{number}", DAY, amount, [used_scope(by, name) for by, name in names.items()])
    await store.reserve("r", DAY, Amount(9), [Limit("everywhere", 100)])


def test_what_was_spent_is_told_by_whom_it_is_asked_for(url: str, run: Run) -> None:
    in_store(url, spent)
    told = {
        by: [line.split() for line in run("usage", "--day", DAY, "--by", by).splitlines()[1:-1]]
        for by in ("channel", "persona", "model", "user")
    }
    assert told["channel"] == [["discord:G1:C9", "100", "$0.0200"], ["slack:T1:C1", "2,000", "$0.0100"], TOTAL]
    assert told["persona"] == [["pm", "100", "$0.0200"], ["architect", "2,000", "$0.0100"], TOTAL]
    assert told["model"] == [["m1", "2,100", "$0.0300"], TOTAL]
    assert [row[0] for row in told["user"]] == ["discord:G1:U2", "slack:T1:U1", "total"]
    facts = json.loads(run("usage", "--day", DAY, "--json"))
    assert (facts["by"], facts["day"], facts["total"]) == ("channel", DAY, {"tokens": 2100, "dollars": 0.03})
    assert facts["spent"][0] == {"channel": "discord:G1:C9", "tokens": 100, "dollars": 0.02}
    assert "Nothing was spent on 2026-11-19" in run("usage", "--day", "2026-11-19")


TOTAL = ["total", "2,100", "$0.0300"]


def test_a_person_who_is_forgotten_is_in_no_account_under_their_name(
    filled: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime.now(UTC).date().isoformat()

    async def used(store: Store) -> None:
        await store.count("k", today, Amount(7, 7), [used_scope("user", "slack:T1:U1"), used_scope("model", "m1")])

    in_store(filled, used)
    run("forget", "user", "U1", "--pseudonym", "person-1", "--within", "slack:T1:")
    told = run("usage", "--by", "user")
    assert "slack:T1:person-1" in told and "U1" not in told


# ---------------------------------------------------------------- looking


def test_the_list_shows_who_is_on_and_what_waits(filled: str, run: Run) -> None:
    head, line = run("sessions", "list").splitlines()

    assert head.split("  ")[0] == "CONVERSATION"
    assert line.startswith(f"{ROOM.key}  ") and "bmad-orchestrator > architect" in line
    (facts,) = json.loads(run("sessions", "list", "--json"))
    assert (facts["conversation"], facts["personas"], facts["version"]) == (
        ROOM.key,
        ["bmad-orchestrator", "architect"],
        1,
    )
    assert facts["waiting"] + facts["in_flight"] == 1


@pytest.mark.parametrize(
    "state", ['{"session": {"menus": {"kept": "otherwise"}}}', "[]", "5", '{"session": {"gate": {"kind": null}}}']
)
def test_what_cannot_be_read_is_shown_as_it_is(url: str, run: Run, state: str) -> None:
    log = ['{"kind": null, "who": "U1"}', '{"kind": "dreamt", "who": "U1"}', "[]", "no JSON", "[" * 5000]

    async def unreadable(store: Store) -> None:
        await store.enqueue(ROOM.key, inbound("m1", 1, "hello"))
        claim = await store.claim("w", 15, 1)
        assert claim and await store.commit(claim, state, 1, log, floor_open=True, used_flag=False)

    in_store(url, unreadable)
    shown = run("sessions", "show", ROOM.key)
    assert shown.count("(cannot be read)") == len(log)
    assert ROOM.key in run("sessions", "list") and ROOM.key in run("sessions", "show", ROOM.key, "--json")


def test_one_conversation_is_shown_with_its_last_lines(filled: str, run: Run) -> None:
    shown = run("sessions", "show", ROOM.key, "--lines", "2")

    assert "waits for:    people (RunGate)" in shown and "people:       Ada, Bob" in shown
    assert "1,034 read, 200 written" in shown and "3 lines" in shown
    assert "reply Winston (architect)\n    Noted, Ada.\n  said Bob (U2)\n    hello" in shown
    assert "my secret" not in shown and "\x1b" not in shown
    facts = json.loads(run("sessions", "show", ROOM.key, "--json"))
    assert facts["state"]["session"]["gate"]["said"][0]["text"] == "my secret"
    assert [entry["kind"] for entry in facts["log"]] == ["said", "reply", "said"]
    assert facts["usage"][0]["model"] == "opus"


def test_the_audit_trail_is_shown(filled: str, run: Run) -> None:
    assert "U1   approved section 1  0123456789ab" in run("audit")
    (line,) = json.loads(run("audit", "--json", "--conversation", ROOM.key))
    assert (line["who"], line["sha"]) == ("U1", "0123456789abcdef")
    assert "is empty" in run("audit", "--conversation", OTHER.key)


def test_nothing_is_told_as_nothing(url: str, run: Run) -> None:
    in_store(url, lambda _: asyncio.sleep(0))

    assert run("sessions", "list") == "There are no conversations yet.\n"
    assert run("dead", "list") == "There are no dead letters.\n"
    assert run("audit") == "The audit trail is empty.\n"
    assert [json.loads(run(*command, "--json")) for command in (("sessions", "list"), ("dead", "list"))] == [[], []]


def test_a_long_list_says_that_there_is_more(url: str, run: Run) -> None:
    async def three(store: Store) -> None:
        for n in range(3):
            await store.enqueue(f"slack:T1:C{n}", inbound("m1", 1, "hi"))
            await store.audit(f"k{n}", ROOM.key, Record("what", "who"))
            claim = await store.claim("w", 15, 1)
            assert claim is not None and await store.bury(claim, "over")
            await store.enqueue(f"slack:T1:C{n}", inbound("m2", 2, "hi"))
            assert await store.claim("w", 15, 1)

    in_store(url, three)

    assert "There are more than 2;" in run("sessions", "list", "--limit", "2")
    assert "There are more than 2;" in run("audit", "--limit", "2")
    assert "There are 3;" in run("dead", "list", "--limit", "2")
    assert len(run("sessions", "list", "--limit", "3").splitlines()) == 4


# ---------------------------------------------------------------- dead letters


def test_a_dead_letter_is_listed_shown_and_replayed_once(filled: str, run: Run) -> None:
    (letter,) = json.loads(run("dead", "list", "--json"))
    id = str(letter["id"])
    assert letter["messages"] == [{"id": "m1", "order": 1, "who": "Ada", "text": "it broke here"}]
    assert run("dead", "list").splitlines()[1].endswith(f"{OTHER.key}  1         ValueError: no way")
    shown = run("dead", "show", id)
    assert "    ValueError: no\n    way\nmessage m1 of Ada:\n    it broke here\n" in shown
    assert json.loads(run("dead", "show", id, "--json")) == letter

    assert run("dead", "replay", id) == f"replayed: {id} (1 message of {OTHER.key})\n"

    assert "There is no dead letter" in run("dead", "replay", id, code=1)
    assert "There is no dead letter" in run("dead", "show", id, code=1)
    assert f"replayed dead letter {id}" in run("audit", "--conversation", OTHER.key)

    async def comes_again(store: Store) -> None:
        claim = await store.claim("w", 15, 1)
        assert claim is not None and claim.conversation == OTHER.key
        assert claim.head.id.startswith(f"replay-{id}-") and "it broke here" in claim.head.payload

    in_store(filled, comes_again)


# ---------------------------------------------------------------- reset, forget


def test_a_reset_conversation_has_nobody_on_and_keeps_its_log(filled: str, run: Run) -> None:
    assert "begins anew. Deleted: 1 session" in run("sessions", "reset", ROOM.key)

    facts = json.loads(run("sessions", "show", ROOM.key, "--json"))
    assert (facts["personas"], facts["state"], facts["entries"]) == (None, None, 3)
    assert "reset conversation" in run("audit")
    assert "Nothing is kept" in run("sessions", "reset", "slack:T1:nowhere", code=1)


def test_a_forgotten_conversation_is_gone_but_for_its_audit(filled: str, run: Run) -> None:
    would = run("forget", "conversation", ROOM.key, "--dry-run")
    assert would.startswith("Would be deleted: 1 session, ") and "3 lines of the log" in would
    assert len(run("sessions", "list").splitlines()) == 2

    assert run("forget", "conversation", ROOM.key) == would.replace("Would be deleted", "Deleted")

    assert run("sessions", "list") == "There are no conversations yet.\n"
    assert [line["what"] for line in json.loads(run("audit", "--json", "--conversation", ROOM.key))] == [
        "forgot conversation",
        "approved section 1",
    ]
    assert "Nothing is kept" in run("forget", "conversation", ROOM.key, code=1)


def test_a_forgotten_person_is_nowhere_but_in_what_personas_said(filled: str, run: Run) -> None:
    would = json.loads(run("forget", "user", "U1", "--dry-run", "--json"))
    assert (would["dry_run"], would["conversations"], would["records"]) == (True, 2, 1)
    assert "my secret" in run("sessions", "show", ROOM.key)

    done = run("forget", "user", "U1", "--pseudonym", "somebody")

    assert done.startswith("Rewritten or deleted in 2 conversations: 1 session, ")
    everything = run("sessions", "show", ROOM.key, "--json") + run("dead", "list", "--json") + run("audit", "--json")
    assert "my secret" not in everything and "it broke here" not in everything and '"U1"' not in everything
    assert everything.count("Ada") == 1 and "Noted" in everything
    assert "hello" in everything and "somebody" in everything
    assert "Nothing is kept of U1 within slack:" in run("forget", "user", "U1", "--within", "slack:", code=1)


def test_a_person_is_not_renamed_to_their_own_id(filled: str, run: Run) -> None:
    assert "by another pseudonym" in run("forget", "user", "U1", "--pseudonym", "U1", code=1)


# ---------------------------------------------------------------- export, import


def test_conversations_move_from_the_file_to_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GREENROOM_STORE__PATH", "state.db")
    in_store("", populated)
    before = json.loads(run("sessions", "show", ROOM.key, "--json"))
    run("sessions", "export", "--all", "--to", "all.jsonl")
    assert stat.S_IMODE(os.stat("all.jsonl").st_mode) == 0o600

    server_is_emptied(server)
    on_the_server(monkeypatch, server)
    assert run("sessions", "import", "all.jsonl") == f"imported: {ROOM.key}\n"

    assert json.loads(run("sessions", "show", ROOM.key, "--json")) == before
    assert "imported conversation" in run("audit")
    assert "something is kept of" in run("sessions", "import", "all.jsonl", code=1)
    monkeypatch.setattr("sys.stdin", io.StringIO(Path("all.jsonl").read_text("utf-8")))
    assert run("sessions", "import", "-", "--as", "slack:T2:C2") == "imported: slack:T2:C2\n"
    exported = json.loads(run("sessions", "export", "slack:T2:C2"))
    assert exported["conversation"] == "slack:T2:C2" and exported["log"]


def test_an_export_overwrites_nothing_by_accident(filled: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")

    assert "--force overwrites it" in run("sessions", "export", "--all", "--to", "kept", code=1)
    assert "Nothing is kept" in run("sessions", "export", "a:b:c", "--to", "kept", "--force", code=1)
    assert "cannot be written" in run("sessions", "export", "--all", "--to", "no/folder/here", code=1)
    assert (tmp_path / "kept").read_text() == "mine"
    assert "or say --all" in run("sessions", "export", code=1)
    assert "or say --all" in run("sessions", "export", ROOM.key, "--all", code=1)

    run("sessions", "export", "--all", "--to", "kept", "--force")
    assert json.loads((tmp_path / "kept").read_text())["conversation"] == ROOM.key
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".kept")) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no conversation"),
        ("no JSON\n", ":1: this is no JSON"),
        ("[]\n", ":1: this is no exported conversation"),
        ("{}\n", ":1: '' is no conversation"),
        ('{"conversation": "a:b:c"}\n', ":1: This is no exported conversation"),
        ('{"conversation": "a:b:c", "greenroom": 9}\n', ":1: This conversation was exported in format 9"),
        ('{"greenroom": 1}\n{"greenroom": 1}\n', "--as is for one conversation"),
    ],
)
def test_what_is_no_export_is_not_imported(url: str, run: Run, tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "file").write_text(text)
    key = ("--as", "a:b:c") if "--as" in complaint else ()

    assert complaint in run("sessions", "import", "file", *key, code=1)


def test_a_file_that_cannot_be_read_is_told(url: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")

    assert "cannot be read: No such file" in run("sessions", "import", "nowhere", code=1)
    assert "it is not text" in run("sessions", "import", "binary", code=1)


# ---------------------------------------------------------------- what cannot be done


@pytest.mark.parametrize(
    "argv", [("sessions",), ("sessions", "show", "no-key"), ("dead", "show", "0"), ("dead", "show", "x"),
             ("audit", "--limit", "-1"), ("forget", "user"), ("audit", "--conversation", "a")],
)  # fmt: skip
def test_a_wrong_command_line_is_told_with_code_2(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)

    assert ended.value.code == 2
    assert "--help` shows what can be written" in capsys.readouterr().err


def test_wrong_settings_are_told_with_code_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GREENROOM_STORE__URL", "cache")

    assert "GREENROOM_STORE__URL: expected the address of a Redis server" in run("audit", code=2)


@pytest.mark.parametrize("argv", [("audit",), ("sessions", "reset", "a:b:c"), ("forget", "user", "U1")])
def test_without_a_database_there_is_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, argv: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert "There is no database state.db yet" in run(*argv, "--state", "state.db", code=1)
    assert "store.path is :memory:" in run(*argv, "--state", ":memory:", code=1)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_refuses_is_told(monkeypatch: pytest.MonkeyPatch, server: Server, run: Run) -> None:
    monkeypatch.setenv("GREENROOM_STORE__URL", server.url)
    monkeypatch.setenv("REDIS_PASSWORD", "wrong-guess")

    told = run("sessions", "list", code=1)

    assert "refuses the user or the password" in told and "wrong-guess" not in told


def test_beside_a_running_worker_one_may_look_but_not_write(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "state.db"
    worker = subprocess.Popen(
        [sys.executable, "-m", accepting.__name__, str(path), "w"], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert worker.stdout is not None
        while "done" not in worker.stdout.readline():
            assert worker.poll() is None

        assert "t:w:done" in run("sessions", "list", "--state", str(path))
        assert "t:w:done" in run("sessions", "export", "t:w:done", "--state", str(path))
        for argv in (
            ("sessions", "reset", "t:w:done"),
            ("forget", "conversation", "t:w:done"),
            ("dead", "replay", "1"),
        ):
            told = run(*argv, "--state", str(path), code=1)
            assert f"in use by a running worker (process {worker.pid})" in told and "Stop it first" in told
        assert run("forget", "conversation", "t:w:done", "--dry-run", "--state", str(path))
    finally:
        worker.kill()
        worker.communicate()

    assert "begins anew" in run("sessions", "reset", "t:w:done", "--state", str(path))


# ---------------------------------------------------------------- documents

META = json.dumps({"by": {"user": "U1", "name": "Ada"}, "approved_by": [{"user": "U1", "name": "Ada"}], "title": "PRD"})


async def with_documents(store: Store) -> None:
    """The room has two documents, one of them with two versions; a room that nobody talks in has one."""
    await populated(store)
    documents = store.documents
    await documents.write("k1", ROOM.key, "docs/prd.md", 0, "# PRD\n\nAda wants it.\x1b[2J", META)
    await documents.write("k2", ROOM.key, "docs/prd.md", 1, "# PRD\n\nShe wants it.", META)
    await documents.write("k3", ROOM.key, "brief.md", 0, "A brief.")
    await documents.write("k4", "slack:T1:C7", "alone.md", 0, "Alone.")


@pytest.fixture
def documented(url: str) -> str:
    in_store(url, with_documents)
    return url


def test_documents_are_listed_and_shown(documented: str, run: Run) -> None:
    head, room, other = run("docs", "list").splitlines()
    assert head.split() == ["CHANNEL", "DOCUMENTS", "LAST", "CHANGE"]
    assert room.split()[:2] == [ROOM.key, "2"] and other.split()[:2] == ["slack:T1:C7", "1"]
    _, brief, prd = run("docs", "list", ROOM.key).splitlines()
    assert brief.startswith("brief.md     3 ") and prd.startswith("docs/prd.md  2 ") and prd.endswith("Ada  Ada")
    assert run("docs", "list", f"{ROOM.key}:1.5") == run("docs", "list", ROOM.key), "a thread has its channel's"
    assert [info["path"] for info in json.loads(run("docs", "list", ROOM.key, "--json"))] == ["brief.md", "docs/prd.md"]

    assert run("docs", "show", ROOM.key, "docs/PRD.md") == "# PRD\n\nShe wants it.\n"
    old = run("docs", "show", ROOM.key, "docs/prd.md", "--version", "1")
    assert "Ada wants it." in old and "\x1b" not in old
    assert [line.split()[0] for line in run("docs", "show", ROOM.key, "docs/prd.md", "--history").splitlines()] == [
        "VERSION", "1", "2"
    ]  # fmt: skip
    facts = json.loads(run("docs", "show", ROOM.key, "docs/prd.md", "--json"))
    assert (facts["version"], facts["meta"]["title"]) == (2, "PRD")
    assert "There is no docs/prd.md in version 9" in run(
        "docs", "show", ROOM.key, "docs/prd.md", "--version", "9", code=1
    )
    assert "has no documents" in run("docs", "list", "slack:T1:none", code=1)


def test_no_documents_are_told_as_none(url: str, run: Run) -> None:
    in_store(url, lambda _: asyncio.sleep(0))

    assert run("docs", "list") == "There are no documents yet.\n"
    assert json.loads(run("docs", "list", "--json")) == []


def test_documents_are_exported_and_imported_with_their_versions(documented: str, run: Run) -> None:
    history = run("docs", "show", ROOM.key, "docs/prd.md", "--history", "--json")
    assert run("docs", "export", "--all", "--to", "all.jsonl") == "written: all.jsonl (documents of 2 channels)\n"
    run("docs", "export", ROOM.key, "--to", "one.jsonl")
    assert "has no documents" in run("docs", "export", "slack:T1:none", code=1)
    assert "or say --all" in run("docs", "export", code=1)

    assert "has documents already" in run("docs", "import", "all.jsonl", code=1)
    assert run("docs", "import", "one.jsonl", "--as", "slack:T2:C2") == "imported: documents of slack:T2:C2\n"
    assert run("docs", "show", "slack:T2:C2", "docs/prd.md", "--history", "--json") == history
    assert "those of one channel" not in run("docs", "list", "slack:T2:C2")
    assert "imported documents" in run("audit", "--conversation", "slack:T2:C2")
    assert "--as is for" in run("docs", "import", "all.jsonl", "--as", "slack:T2:C3", code=1)
    Path("broken.jsonl").write_text('{"greenroom_documents": 1, "space": "slack:T1:C9", "last": "x"}\n')
    assert "broken.jsonl:1: " in run("docs", "import", "broken.jsonl", code=1)


def test_conversations_take_their_documents_along(documented: str, run: Run) -> None:
    run("sessions", "export", "--all", "--to", "all.jsonl")
    run("sessions", "export", ROOM.key, "--to", "one.jsonl")
    history = run("docs", "show", ROOM.key, "docs/prd.md", "--history", "--json")

    imported = run("sessions", "import", "one.jsonl", "--as", "slack:T3:C3")
    assert imported == "imported: slack:T3:C3\nimported: documents of slack:T3:C3\n"
    assert run("docs", "show", "slack:T3:C3", "docs/prd.md", "--history", "--json") == history
    for space in (ROOM.key, "slack:T1:C7"):
        run("forget", "conversation", space, "--documents")
    assert run("sessions", "import", "all.jsonl").splitlines() == [
        f"imported: {ROOM.key}", f"imported: documents of {ROOM.key}", "imported: documents of slack:T1:C7"
    ]  # fmt: skip
    run("forget", "conversation", ROOM.key)
    assert "left as they are: documents of" in run("sessions", "import", "one.jsonl")


def test_documents_stay_when_their_conversation_is_forgotten_unless_that_is_said(documented: str, run: Run) -> None:
    would = run("forget", "conversation", ROOM.key, "--documents", "--dry-run")
    assert "2 documents (3 versions)" in would
    assert "2 documents of the channel stay; --documents deletes them too." in run("forget", "conversation", ROOM.key)
    assert "brief.md" in run("docs", "list", ROOM.key)
    assert "2 documents: --documents deletes them" in run("forget", "conversation", ROOM.key, code=1)
    thread = f"{ROOM.key}:1.5"
    assert f"name {ROOM.key}" in run("forget", "conversation", thread, "--documents", code=1)

    assert run("forget", "conversation", ROOM.key, "--documents") == "Deleted: 2 documents (3 versions).\n"

    assert "has no documents" in run("docs", "list", ROOM.key, code=1)
    assert "forgot conversation and documents" in run("audit", "--conversation", ROOM.key)


def test_a_forgotten_person_is_replaced_with_documents_and_texts_that_name_them_are_listed(
    documented: str, run: Run
) -> None:
    done = run("forget", "user", "U1", "--pseudonym", "somebody")

    assert "Their name was replaced in what goes with 2 versions of 1 document; approvals stay, with a mark." in done
    assert f"{ROOM.key}  docs/prd.md  1" in done and "docs/prd.md  2" not in done
    facts = json.loads(run("docs", "show", ROOM.key, "docs/prd.md", "--json"))
    assert facts["meta"]["approved_by"] == [{"user": "somebody", "name": "somebody", "forgotten": True}]
