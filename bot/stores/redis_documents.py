"""Documents on the Redis store's server or Cluster. Each space has a hash tag of its own: it is in one slot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from typing import Any

from bot.core import spaces as told
from bot.core.paths import checked, folded
from bot.core.spaces import DocumentInfo, Version, about
from bot.ports.documents import Forgotten, Refused, Stale, Stored, Written
from bot.stores import documents as shared
from bot.stores.redis_link import Argument, Link

Run = Callable[..., Awaitable[Any]]
"""Runs the script of that name over the keys below a root, with those arguments."""


class RedisDocuments:
    """`bot.ports.documents.Documents` on Redis; a store has one.

    `about` is the root of the keys that are of no space: the set of all that ever were, and whose direct messages are
    where.
    """

    def __init__(self, link: Link, run: Run, prefix: str, about: str) -> None:
        self._link = link
        self._run = run
        self._prefix = prefix
        self._spaces = f"{about}spaces"
        self._homes = f"{about}homes"

    def _root(self, space: str) -> str:
        return f"{self._prefix}:{{docs-{blake2b(space.encode(), digest_size=10).hexdigest()}}}:"

    async def _ask(self, script: str, space: str, *arguments: Argument) -> Any:
        return await self._run(f"document_{script}", self._root(space), *arguments)

    async def list(self, space: str) -> tuple[DocumentInfo, ...]:
        """See `Documents.list`."""
        found = list[tuple[str, DocumentInfo]]()
        for path, by, version, facts, meta in await self._ask("list", space):
            says = about(meta.decode())
            at, size, _ = _facts(facts)
            info = DocumentInfo(path.decode(), int(version), says.title, size, at, says.by, says.approved_by)
            found.append((by.decode(), info))
        return tuple(info for _, info in sorted(found, key=lambda pair: pair[0]))

    async def read(self, space: str, path: str, version: int = 0) -> Stored | None:
        """See `Documents.read`."""
        found = await self._ask("read", space, folded(path), version)
        if found is None:
            return None
        stands, number, text, meta, facts, newest = found
        return Stored(stands.decode(), int(number), text.decode(), meta.decode(), _facts(facts)[0], int(newest))

    async def history(self, space: str, path: str) -> tuple[Version, ...]:
        """See `Documents.history`."""
        versions = list[Version]()
        for number, facts, kept in await self._ask("history", space, folded(path)):
            meta = kept.decode()
            says = about(meta)
            at, size, where = _facts(facts)
            versions.append(Version(int(number), where, size, at, says.by, says.approved_by, meta))
        return tuple(versions)

    async def written(self, space: str, key: str) -> int:
        """See `Documents.written`."""
        return int(await self._link.command("HGET", f"{self._root(space)}keys", key) or 0)

    async def write(
        self, key: str, space: str, path: str, base: int, text: str, meta: str = "{}"
    ) -> Written | Stale | Refused:
        """See `Documents.write`."""
        if refused := shared.refusal(path, text, meta):
            return refused
        where = checked(path)
        # The set is in another slot, so it is written first: a space that is in it may be empty, but none is missing.
        await self._link.command("SADD", self._spaces, space)
        change = space, key, shared.KEYS, folded(where), where, base, text, meta
        return _answer(path, await self._ask("write", space, *change, told.DOCUMENTS, told.SPACE_BYTES))

    async def rename(self, key: str, space: str, path: str, base: int, to: str) -> Written | Stale | Refused:
        """See `Documents.rename`."""
        if refused := shared.misnamed(to):
            return refused
        where = checked(to)
        change = key, shared.KEYS, folded(path), path, base, folded(where), where
        return _answer(to, await self._ask("rename", space, *change))

    async def delete(self, key: str, space: str, path: str, base: int) -> Written | Stale | Refused:
        """See `Documents.delete`."""
        return _answer(path, await self._ask("delete", space, key, shared.KEYS, folded(path), path, base))

    async def spaces(self, after: str = "", limit: int = 100) -> tuple[str, ...]:
        """See `Documents.spaces`."""
        found = list[str]()
        for space in await self._known(after):
            if len(found) >= limit:
                break
            if await self._link.command("HLEN", f"{self._root(space)}paths"):
                found.append(space)
        return tuple(found)

    async def _known(self, after: str = "") -> Sequence[str]:
        kept = await self._link.command("SMEMBERS", self._spaces)
        return sorted(space for name in kept if (space := name.decode()) > after)

    async def forget(self, space: str, *, dry_run: bool = False) -> Forgotten:
        """See `Documents.forget`."""
        documents, versions = await self._ask("forget", space, int(dry_run))
        if not dry_run:
            await self._leave(lambda _person, home: home == space)
        return Forgotten(int(documents), int(versions))

    async def forget_user(
        self, user: str, pseudonym: str, within: str = "", names: frozenset[str] = frozenset(), *, dry_run: bool = False
    ) -> Forgotten:
        """See `Documents.forget_user`."""
        found = await shared.forget_user(self, self._amend, user, pseudonym, within, names, dry_run=dry_run)
        if not dry_run:
            await self._leave(lambda person, _home: person.endswith(f":{user}"))
        return found

    async def _amend(self, space: str, path: str, version: int, was: str, meta: str) -> bool:
        return bool(await self._ask("amend", space, folded(path), version, was, meta))

    async def _leave(self, goes: Callable[[str, str], bool]) -> None:
        """Forget whose direct messages are where, of whom that is to go."""
        flat = await self._link.command("HGETALL", self._homes)
        for person, home in flat.items():
            if goes(person.decode(), home.decode()):
                await self._link.command("HDEL", self._homes, person)

    async def expire(self, idle: float) -> tuple[int, int]:
        """See `Documents.expire`. By the server's clock, a space at a time."""
        gone = noted = 0
        for space in await self._known():
            gone_here, noted_here = await self._ask("expire", space, round(idle * 1_000_000))
            gone, noted = gone + int(gone_here), noted + int(noted_here)
        return gone, noted

    async def dump(self, space: str) -> dict[str, Any] | None:
        """See `Documents.dump`."""
        last = int(await self._link.command("HGET", f"{self._root(space)}space", "last") or 0)
        return await shared.dump(self, space, last)

    async def restore(self, space: str, dumped: dict[str, Any]) -> bool:
        """See `Documents.restore`."""
        kept = shared.from_json(dumped)
        await self._link.command("SADD", self._spaces, space)
        flat: Sequence[Argument] = [
            part
            for document in kept.documents
            for part in (
                document.path,
                folded(document.path),
                len(document.versions),
                *(
                    field
                    for v in document.versions
                    for field in (v.version, v.path, round(v.at * 1_000_000), v.text, v.meta)
                ),
            )
        ]
        return bool(await self._ask("restore", space, space, kept.last, *flat))

    async def settle(self, person: str, space: str) -> None:
        """See `Documents.settle`."""
        await self._link.command("HSET", self._homes, person, space)

    async def home(self, person: str) -> str:
        """See `Documents.home`."""
        kept = await self._link.command("HGET", self._homes, person)
        return "" if kept is None else str(kept.decode())


def _facts(kept: bytes) -> tuple[float, int, str]:
    """When a version was written, its bytes, and under which path."""
    at, size, path = kept.decode().split(" ", 2)
    return int(at) / 1_000_000, int(size), path


def _answer(path: str, answer: Sequence[Any]) -> Written | Stale | Refused:
    """What the script's answer means; `path` is the one that was to be written."""
    match answer:
        case [b"written", stands, version, used]:
            return Written(stands.decode(), int(version), int(used))
        case [b"stale", stands, version]:
            return Stale(stands.decode(), int(version))
        case [b"full", used]:
            return Refused(path, told.too_full(int(used)))
        case [b"taken", other]:
            return Refused(path, told.taken(other.decode()))
        case _:
            return Refused(path, told.too_many())
