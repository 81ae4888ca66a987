"""The prompt cache's accounts: which part of a request was written before, by hashes of its prefixes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.fakes.anthropic_rules import blocks_in_order

LOOK_BACK = 20
"""A breakpoint finds an entry at most so many blocks before it (docs, prompt caching)."""

SHORTEST = 1024
"""Tokens that a prefix must have to be cached; the least among today's models (docs, prompt caching)."""


class PrefixCache:
    """Knows the prefixes of all requests at their breakpoints. Entries never expire here: a test takes seconds."""

    def __init__(self) -> None:
        self._written: set[str] = set()

    def account(self, body: dict[str, Any]) -> dict[str, int]:
        """The input side of `usage` for this request; its breakpoints are known from now on.

        A token is taken as four bytes of a block's JSON, at least one a block.
        """
        running = hashlib.sha256(json.dumps([body["model"], body.get("thinking"), body.get("tool_choice")]).encode())
        prefixes: list[str] = []
        sizes: list[int] = []
        breakpoints: list[int] = []
        for where, block in blocks_in_order(body):
            bare = {key: value for key, value in block.items() if key != "cache_control"}
            text = json.dumps(bare, ensure_ascii=False, separators=(",", ":"))
            running.update(f"{where}\0{text}\0".encode())
            prefixes.append(running.hexdigest())
            sizes.append((sizes[-1] if sizes else 0) + max(1, len(text.encode()) // 4))
            if block.get("cache_control") is not None:
                breakpoints.append(len(prefixes) - 1)
        usable = [at for at in breakpoints if sizes[at] >= SHORTEST]
        found = [
            back for at in usable for back in range(at, max(-1, at - LOOK_BACK), -1) if prefixes[back] in self._written
        ]
        read = sizes[max(found)] if found else 0
        upto = max([read, *(sizes[at] for at in usable)])
        self._written.update(prefixes[at] for at in usable)
        total = sizes[-1] if sizes else 0
        return {
            "input_tokens": total - upto,
            "cache_creation_input_tokens": upto - read,
            "cache_read_input_tokens": read,
        }
