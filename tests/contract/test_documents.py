"""The contract of `bot.ports.documents.Documents`, over SQLite, a server, and a Cluster of one node and of three."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from bot.core import spaces as bounds
from bot.ports.documents import Documents, Forgotten, Refused, Stale, Written
from bot.ports.store import Store
from bot.stores import documents as shared
from bot.stores.redis import RedisStore
from tests.contract.conftest import OURS
from tests.contract.redis_cluster import three_nodes
from tests.contract.redis_server import running_cluster
from tests.contract.store_contract import DAY, HOUR, IMPLEMENTATIONS
from tests.fakes.clock import ManualClock

SPACE = "slack:T1:C1"
ELSEWHERE = "slack:T1:C2"
PATH = "docs/prd.md"
ANA = json.dumps({"title": "PRD", "by": {"user": "U1", "name": "Ana"}, "approved_by": [{"user": "U2", "name": "Bo"}]})
CLUSTERS = ("valkey-cluster", "valkey-cluster-of-3")

_numbers = count()


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of Clusters: one node with all slots, and three of them with a third each."""
    folder = tmp_path_factory.mktemp("clusters")
    with running_cluster(folder / "one") as one, three_nodes(folder / "three") as three:
        yield {CLUSTERS[0]: one.url, CLUSTERS[1]: three.url}


@pytest.fixture(params=[*IMPLEMENTATIONS, *CLUSTERS])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock, clusters: dict[str, str]
) -> AsyncIterator[Store]:
    if request.param in CLUSTERS:
        prefix = f"{OURS}-d{next(_numbers)}"
        opened: Store = await RedisStore.open(clusters[request.param], clock=clock, prefix=prefix, partitions=3)
    else:
        opened = await IMPLEMENTATIONS[request.param](tmp_path, clock, 500)
    yield opened
    await opened.close()


@pytest.fixture
def docs(store: Store) -> Documents:
    return store.documents


# ---------------------------------------------------------------- writing and reading


async def test_a_document_is_written_read_and_listed_with_its_versions(docs: Documents, clock: ManualClock) -> None:
    began = clock.now()
    first = await docs.write("k1", SPACE, PATH, 0, "# PRD\n", ANA)
    clock.advance(HOUR)
    second = await docs.write("k2", SPACE, PATH, 1, "# PRD\n\nMore: é\n", "{}")

    size = len(b"# PRD\n") + len(ANA)
    assert (first, second) == (
        Written(PATH, 1, size), Written(PATH, 2, size + len("# PRD\n\nMore: é\n".encode()) + 2)
    )  # fmt: skip
    newest, oldest = await docs.read(SPACE, PATH), await docs.read(SPACE, PATH, 1)
    assert newest is not None and oldest is not None
    assert (newest.path, newest.version, newest.text, newest.meta, newest.current) == (
        PATH, 2, "# PRD\n\nMore: é\n", "{}", 2
    )  # fmt: skip
    assert (oldest.version, oldest.text, oldest.meta, oldest.current) == (1, "# PRD\n", ANA, 2)
    assert oldest.at == pytest.approx(began) and newest.at == pytest.approx(began + HOUR)
    (info,) = await docs.list(SPACE)
    assert (info.path, info.version, info.size, info.at) == (PATH, 2, bounds.size_of(newest.text, "{}"), newest.at)
    history = await docs.history(SPACE, PATH)
    assert [(v.version, v.path, v.by, v.approved_by, v.meta) for v in history] == [
        (1, PATH, "Ana", ("Bo",), ANA), (2, PATH, "", (), "{}")
    ]  # fmt: skip


async def test_what_is_not_there_is_none_and_empty(docs: Documents) -> None:
    await docs.write("k1", SPACE, PATH, 0, "a")

    assert await docs.read(ELSEWHERE, PATH) is None
    assert await docs.read(SPACE, "docs/other.md") is None
    assert await docs.read(SPACE, PATH, 2) is None
    assert await docs.history(ELSEWHERE, PATH) == () and await docs.list(ELSEWHERE) == ()
    assert await docs.written(SPACE, "k2") == 0 and await docs.written(ELSEWHERE, "k1") == 0


async def test_paths_are_compared_without_case_and_keep_the_first_spelling(docs: Documents) -> None:
    await docs.write("k1", SPACE, "Docs/Straße.md", 0, "a")

    assert await docs.write("k2", SPACE, "docs/STRASSE.md", 0, "b") == Stale("Docs/Straße.md", 1)
    assert isinstance(await docs.write("k3", SPACE, "docs/strasse.md", 1, "b"), Written)
    assert [info.path for info in await docs.list(SPACE)] == ["Docs/Straße.md"]
    found = await docs.read(SPACE, "DOCS/straße.MD")
    assert found is not None and (found.path, found.text) == ("Docs/Straße.md", "b")


async def test_the_list_is_by_path_without_case(docs: Documents) -> None:
    for n, path in enumerate(("b.md", "A.md", "c/z.md", "C/a.md")):
        await docs.write(f"k{n}", SPACE, path, 0, path)

    assert [info.path for info in await docs.list(SPACE)] == ["A.md", "b.md", "C/a.md", "c/z.md"]


async def test_whoever_wrote_on_an_older_version_is_told_which_one_stands(docs: Documents) -> None:
    await docs.write("k1", SPACE, PATH, 0, "a")
    await docs.write("k2", SPACE, PATH, 1, "b")

    assert await docs.write("k3", SPACE, PATH, 1, "c") == Stale(PATH, 2)
    assert await docs.write("k4", SPACE, PATH, 0, "c") == Stale(PATH, 2)
    assert await docs.write("k5", SPACE, "docs/new.md", 2, "c") == Stale("docs/new.md", 0)
    assert len(await docs.history(SPACE, PATH)) == 2


async def test_the_same_key_writes_once_whatever_stands_there_by_now(docs: Documents) -> None:
    """The key is looked up before the base: what is sent again after a crash is the same write."""
    await docs.write("k1", SPACE, PATH, 0, "a")
    await docs.write("k2", SPACE, PATH, 1, "b")

    again = await docs.write("k1", SPACE, PATH, 0, "a")

    assert again == Written(PATH, 1)
    assert len(await docs.history(SPACE, PATH)) == 2
    assert await docs.written(SPACE, "k1") == 1


async def test_of_writers_at_once_one_wins_and_the_others_are_told(docs: Documents) -> None:
    answers = await asyncio.gather(*(docs.write(f"k{n}", SPACE, PATH, 0, f"text {n}") for n in range(8)))

    won = [answer for answer in answers if isinstance(answer, Written)]
    assert len(won) == 1 and all(answer == Stale(PATH, 1) for answer in answers if answer not in won)


async def test_only_the_last_thousand_keys_are_remembered(docs: Documents) -> None:
    for n in range(shared.KEYS + 2):
        await docs.write(f"k{n}", SPACE, PATH, n, "a")

    assert [await docs.written(SPACE, f"k{n}") for n in (0, 1, 2, 3)] == [0, 0, 3, 4]


# ---------------------------------------------------------------- numbers of versions


async def test_no_number_of_a_version_ever_stands_for_two_texts(docs: Documents, clock: ManualClock) -> None:
    await docs.write("k1", SPACE, PATH, 0, "a")
    await docs.write("k2", SPACE, "b.md", 0, "b")
    await docs.delete("k3", SPACE, PATH, 1)
    assert (await docs.write("k4", SPACE, PATH, 0, "another")) == Written(PATH, 3, 7 + 2 + 3)

    await docs.forget(SPACE)
    found = await docs.write("k5", SPACE, PATH, 0, "after it was forgotten")
    assert isinstance(found, Written) and found.version == 4

    await docs.expire(HOUR)
    clock.advance(2 * HOUR)
    await docs.expire(HOUR)
    clock.advance(DAY)
    assert (await docs.expire(HOUR))[0] == 1
    found = await docs.write("k6", SPACE, PATH, 0, "after it expired")
    assert isinstance(found, Written) and found.version == 5
    assert await docs.write("k7", SPACE, PATH, 4, "on a stranger's document") == Stale(PATH, 5)


# ---------------------------------------------------------------- bounds


async def test_bounds_are_told(docs: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "é" * (bounds.DOCUMENT_BYTES // 2)
    assert isinstance(await docs.write("k1", SPACE, PATH, 0, long), Written)
    refused = await docs.write("k2", SPACE, PATH, 1, long + "x")
    assert isinstance(refused, Refused) and "512 KB at most" in refused.problem

    monkeypatch.setattr(bounds, "DOCUMENTS", 2)
    await docs.write("k3", SPACE, "b.md", 0, "b")
    refused = await docs.write("k4", SPACE, "c.md", 0, "c")
    assert isinstance(refused, Refused) and "2 documents here already" in refused.problem
    assert isinstance(await docs.write("k5", SPACE, "b.md", 2, "b2"), Written), "one that is there can still grow"

    monkeypatch.setattr(bounds, "SPACE_BYTES", bounds.DOCUMENT_BYTES + 100)
    refused = await docs.write("k6", SPACE, "b.md", 3, "x" * 100)
    assert isinstance(refused, Refused) and "no room" in refused.problem and "*docs delete" in refused.problem
    await docs.delete("k7", SPACE, PATH, 1)
    assert isinstance(await docs.write("k8", SPACE, "b.md", 3, "x" * 100), Written), "what was deleted makes room"
    assert isinstance(await docs.write("k9", ELSEWHERE, PATH, 0, long), Written), "a space of its own has its own room"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../a.md", "a//b.md", "a/./b.md", "a\tb.md", "x" * 201, "a\\b"])
async def test_no_document_stands_at_what_is_no_path(docs: Documents, path: str) -> None:
    assert isinstance(await docs.write("k1", SPACE, path, 0, "a"), Refused)
    await docs.write("k2", SPACE, PATH, 0, "a")
    assert isinstance(await docs.rename("k3", SPACE, PATH, 1, path), Refused)
    assert [info.path for info in await docs.list(SPACE)] == [PATH]


async def test_half_a_surrogate_pair_is_refused(docs: Documents) -> None:
    refused = await docs.write("k1", SPACE, PATH, 0, "a\ud800b")

    assert isinstance(refused, Refused) and "broken characters" in refused.problem


# ---------------------------------------------------------------- renaming, deleting


async def test_a_renamed_document_keeps_its_history(docs: Documents) -> None:
    await docs.write("k1", SPACE, PATH, 0, "a")
    await docs.write("k2", SPACE, PATH, 1, "b")
    await docs.write("k3", SPACE, "other.md", 0, "c")

    assert await docs.rename("k4", SPACE, PATH, 1, "new.md") == Stale(PATH, 2)
    refused = await docs.rename("k5", SPACE, PATH, 2, "OTHER.md")
    assert isinstance(refused, Refused) and "stands at `other.md` already" in refused.problem
    done = await docs.rename("k6", SPACE, PATH, 2, "docs/new.md")

    assert isinstance(done, Written) and (done.path, done.version) == ("docs/new.md", 2)
    assert await docs.read(SPACE, PATH) is None
    assert [(v.version, v.path) for v in await docs.history(SPACE, "docs/new.md")] == [(1, PATH), (2, PATH)]
    assert await docs.rename("k6", SPACE, PATH, 2, "docs/new.md") == Written("docs/new.md", 2), "a second time"
    assert await docs.rename("k7", SPACE, "nowhere.md", 0, "x.md") == Stale("nowhere.md", 0)
    assert isinstance(await docs.rename("k8", SPACE, "docs/new.md", 2, "Docs/New.md"), Written), "its case alone"
    assert [info.path for info in await docs.list(SPACE)] == ["Docs/New.md", "other.md"]


async def test_a_deleted_document_goes_with_all_its_versions(docs: Documents) -> None:
    await docs.write("k1", SPACE, PATH, 0, "a")
    await docs.write("k2", SPACE, PATH, 1, "b")

    assert await docs.delete("k3", SPACE, PATH, 1) == Stale(PATH, 2)
    assert await docs.delete("k4", SPACE, PATH, 2) == Written(PATH, 2)
    assert await docs.delete("k4", SPACE, PATH, 2) == Written(PATH, 2), "a second time"
    assert await docs.delete("k5", SPACE, PATH, 0) == Stale(PATH, 0)
    assert await docs.read(SPACE, PATH) is None and await docs.read(SPACE, PATH, 1) is None
    assert await docs.history(SPACE, PATH) == () and await docs.spaces() == ()


# ---------------------------------------------------------------- what operators and time do


async def test_spaces_are_listed_page_by_page(docs: Documents) -> None:
    for n in range(5):
        await docs.write(f"k{n}", f"slack:T1:C{n}", PATH, 0, "a")
    await docs.delete("k9", "slack:T1:C3", PATH, 1)

    assert await docs.spaces(limit=2) == ("slack:T1:C0", "slack:T1:C1")
    assert await docs.spaces("slack:T1:C1", 9) == ("slack:T1:C2", "slack:T1:C4")
    assert await docs.spaces(limit=0) == ()


async def test_a_space_is_forgotten_after_it_was_counted(docs: Documents) -> None:
    await docs.write("k1", SPACE, PATH, 0, "a")
    await docs.write("k2", SPACE, PATH, 1, "b")
    await docs.write("k3", ELSEWHERE, PATH, 0, "c")

    assert await docs.forget(SPACE, dry_run=True) == Forgotten(1, 2)
    assert await docs.read(SPACE, PATH) is not None
    assert await docs.forget(SPACE) == Forgotten(1, 2)
    assert await docs.list(SPACE) == () and await docs.spaces() == (ELSEWHERE,)
    assert await docs.write("k2", SPACE, PATH, 1, "b") == Written(PATH, 2), "no late write brings it back"
    assert await docs.list(SPACE) == ()


async def test_a_person_is_replaced_in_what_goes_with_documents_and_approvals_stay(docs: Documents) -> None:
    meta = json.dumps(
        {
            "title": "Ana's plan",
            "by": {"user": "U1", "name": "Ana"},
            "approved_by": [{"user": "U1", "name": "Ana"}, {"user": "U2", "name": "Bo"}],
            "parts": [{"section": "goals", "drafted_by": "pm", "accepted_by": "Ana", "choice": "1 by Ana, not Anabel"}],
        }
    )
    await docs.write("k1", SPACE, PATH, 0, "Ana wants it.", meta)
    await docs.write("k2", SPACE, "b.md", 0, "Anabel too.", json.dumps({"by": {"user": "U2", "name": "Bo"}}))
    await docs.write("k3", ELSEWHERE, "c.md", 0, "of U1", "{}")
    await docs.write("k4", "discord:1:2", "d.md", 0, "Ana", meta)

    counted = await docs.forget_user("U1", "person-1", "slack:T1:", dry_run=True)
    done = await docs.forget_user("U1", "person-1", "slack:T1:")

    assert counted == done == Forgotten(1, 1, ((SPACE, PATH, 1), (ELSEWHERE, "c.md", 1)))
    found = await docs.read(SPACE, PATH)
    assert found is not None and found.text == "Ana wants it.", "what a document says is its authors' to change"
    assert json.loads(found.meta) == {
        "title": "Ana's plan",
        "by": {"user": "person-1", "name": "person-1", "forgotten": True},
        "approved_by": [
            {"user": "person-1", "name": "person-1", "forgotten": True}, {"user": "U2", "name": "Bo"}
        ],
        "parts": [
            {
                "section": "goals",
                "drafted_by": "pm",
                "accepted_by": "person-1",
                "choice": "1 by person-1, not Anabel",
                "forgotten": True,
            }
        ],
    }  # fmt: skip
    untouched = await docs.read("discord:1:2", "d.md")
    assert untouched is not None and untouched.meta == meta
    (info,) = (info for info in await docs.list(SPACE) if info.path == PATH)
    assert (info.by, info.approved_by, info.size) == (
        "person-1",
        ("person-1", "Bo"),
        bounds.size_of(found.text, found.meta),
    )


async def test_what_nobody_wrote_to_for_long_expires_at_the_second_look(docs: Documents, clock: ManualClock) -> None:
    await docs.write("k1", SPACE, PATH, 0, "old")
    await docs.write("k2", SPACE, "b.md", 0, "old, and then not")
    clock.advance(2 * HOUR)
    await docs.write("k3", SPACE, "young.md", 0, "young")

    assert await docs.expire(HOUR) == (0, 2)
    assert await docs.expire(HOUR) == (0, 0), "no single day deletes anything"
    await docs.write("k4", SPACE, "b.md", 2, "again")
    clock.advance(DAY)
    await docs.write("k5", SPACE, "young.md", 3, "still young")
    assert (await docs.expire(HOUR))[0] == 1

    assert [info.path for info in await docs.list(SPACE)] == ["b.md", "young.md"]


async def test_a_space_moves_to_any_store_with_its_versions_and_its_counter(
    docs: Documents, store: Store, tmp_path: Path, clock: ManualClock
) -> None:
    await docs.write("k1", SPACE, PATH, 0, "a", ANA)
    await docs.write("k2", SPACE, PATH, 1, "b")
    await docs.rename("k3", SPACE, PATH, 2, "new.md")
    await docs.write("k4", SPACE, "gone.md", 0, "c")
    await docs.delete("k5", SPACE, "gone.md", 3)
    dumped = await docs.dump(SPACE)
    assert dumped is not None and await docs.dump(ELSEWHERE) is None
    dumped = json.loads(json.dumps(dumped))

    for folder, make in (("s", IMPLEMENTATIONS["sqlite-file"]), ("v", IMPLEMENTATIONS["valkey"])):
        (tmp_path / folder).mkdir()
        other = await make(tmp_path / folder, clock, 500)
        assert await other.documents.restore(ELSEWHERE, dumped)
        assert not await other.documents.restore(ELSEWHERE, dumped), "nothing is overwritten"
        assert await other.documents.list(ELSEWHERE) == await docs.list(SPACE)
        assert await other.documents.history(ELSEWHERE, "new.md") == await docs.history(SPACE, "new.md")
        assert await other.documents.read(ELSEWHERE, "new.md", 1) == await docs.read(SPACE, "new.md", 1)
        next_one = await other.documents.write("k1", ELSEWHERE, "gone.md", 0, "d")
        assert isinstance(next_one, Written) and next_one.version == 4
        await other.close()


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"greenroom_documents": 9},
        {"greenroom_documents": 1, "last": 1},
        {"greenroom_documents": 1, "last": True, "documents": []},
        {"greenroom_documents": 1, "last": 1, "documents": [{"path": "../a", "versions": []}]},
        {
            "greenroom_documents": 1,
            "last": 1,
            "documents": [{"path": "a", "versions": [{"version": 0, "path": "a", "text": "", "meta": "", "at": 1}]}],
        },
    ],
)
async def test_what_no_dump_gave_is_refused_with_its_place(docs: Documents, broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"documents|last"):
        await docs.restore(SPACE, broken)
    assert await docs.spaces() == ()


async def test_whose_direct_messages_are_where_is_remembered_and_forgotten(docs: Documents) -> None:
    assert await docs.home("slack:T1:U1") == ""
    await docs.settle("slack:T1:U1", "slack:T1:D1")
    await docs.settle("slack:T1:U2", "slack:T1:D2")
    await docs.settle("slack:T1:U1", "slack:T1:D9")

    assert await docs.home("slack:T1:U1") == "slack:T1:D9"
    await docs.forget_user("U1", "person-1")
    assert (await docs.home("slack:T1:U1"), await docs.home("slack:T1:U2")) == ("", "slack:T1:D2")
    await docs.forget("slack:T1:D2")
    assert await docs.home("slack:T1:U2") == ""
