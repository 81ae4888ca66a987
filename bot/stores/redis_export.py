"""How a conversation leaves a Redis store and comes into it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.steps import Record
from bot.ports.mailbox import Message
from bot.ports.posts import Kept
from bot.stores import redis_codec as codec
from bot.stores import redis_posts
from bot.stores.exporting import AuditLine, Dumped


def dumped(stored: Sequence[Any], posts: Sequence[Sequence[bytes]]) -> Dumped | None:
    """What `lua/stored.lua` and `lua/posts.lua` tell; None where nothing is kept but what a forgetting has left."""
    state, turn, flag, _, taken, mail, log, audit, at, last, state_version, turn_version, floor_open, spent, paid = (
        stored
    )
    found = Dumped(
        at=int(at or 0) / 1_000_000,
        last=None if last is None else codec.load_order(last),
        state=_text(state),
        state_version=int(state_version or 0),
        floor_open=floor_open != b"0",
        turn=_text(turn),
        turn_version=int(turn_version or 0),
        taken=tuple(codec.message(kept) for kept in taken),
        mail=tuple(codec.message(kept) for kept in mail),
        flag=None if flag is None else codec.message(flag),
        log=tuple(line.decode() for line in log),
        usage=codec.usages(_pairs(spent)),
        paid=tuple(sorted(key.decode() for key in paid)),
        audit=tuple(_line(kept, n) for n, kept in enumerate(audit)),
        posts=tuple(sorted((redis_posts.kept(row) for row in posts), key=lambda post: post.number)),
    )
    return None if found.is_empty and not audit else found


def arguments(kept: Dumped) -> list[str | bytes | int]:
    """The lists that `lua/restore.lua` reads, each behind its length."""
    messages = [part for m in (*kept.taken, *kept.mail) for part in (codec.order_of(m), codec.body_of(m))]
    usage: list[str | bytes | int] = []
    for one in kept.usage:
        counts = {
            "input": one.input,
            "output": one.output,
            "cache_read": one.cache_read,
            "cache_write": one.cache_write,
        }
        for counter, count in counts.items():
            usage += [f"{counter} {one.model}", count]
    audit = [part for line in kept.audit for part in (line.key, _kept(line))]
    posts = [part for post in kept.posts for part in (post.id, post.number, _as_post(post))]
    lists: list[Sequence[str | bytes | int]] = [
        _fields(kept), messages, [len(kept.taken)], kept.log, usage, kept.paid, audit, kept.seen, posts
    ]  # fmt: skip
    return [part for one in lists for part in (len(one), *one)]


def _fields(kept: Dumped) -> list[str | bytes | int]:
    fields: dict[str, str | bytes | int | None] = {
        "at": round(kept.at * 1_000_000),
        "last": None if kept.last is None else codec.order_of(Message("", "", kept.last)),
        "state": kept.state,
        "state_version": kept.state_version,
        "floor_open": int(kept.floor_open),
        "turn": kept.turn,
        "turn_version": kept.turn_version,
        "head": kept.taken[0].id if kept.taken else None,
    }
    if kept.flag is not None and kept.taken:
        fields |= {"flag": codec.kept(kept.flag), "flag_head": kept.taken[0].id}
    return [part for field, value in fields.items() if value is not None for part in (field, value)]


def _line(kept: bytes, n: int) -> AuditLine:
    """A line of the audit trail; one of an older build has no key, so its place has to do."""
    what, who, sha, *place = json.loads(kept)
    at, key = place or (0, f"line {n}")
    return AuditLine(key, at / 1_000_000, Record(what, who, sha))


def _kept(line: AuditLine) -> str:
    record = line.record
    return json.dumps([record.what, record.who, record.sha, round(line.at * 1_000_000), line.key])


def _as_post(post: Kept) -> str:
    """As `lua/posts.lua` keeps it, but for its change, which is counted anew."""
    return f"{post.state} {round(post.at * 1_000_000)} {post.body}"


def _text(kept: bytes | None) -> str | None:
    return None if kept is None else kept.decode()


def _pairs(flat: Sequence[bytes]) -> Mapping[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
