"""`greenroom run` with a wall clock that a test sets, and less patience: its Slack gives up within seconds.

The file that CHAOS_CLOCK names holds how many seconds the clock is ahead; it may change at any moment.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

_FILE = Path(os.environ["CHAOS_CLOCK"])
_true_time = time.time
_read_at, _ahead = -1.0, 0.0


def wrong_time() -> float:
    """Seconds since the epoch, as this machine has it."""
    global _read_at, _ahead
    if time.monotonic() > _read_at + 0.05:
        _read_at, _ahead = time.monotonic(), float(_FILE.read_text())
    return _true_time() + _ahead


def main() -> int:
    """Run the command line; the exit code."""
    time.time = wrong_time
    from bot import cli
    from bot.platforms.slack import backfill, event_source
    from bot.stores.redis import RedisStore

    event_source.FIRST_TRY = backfill.FIRST_TRY = 0.1
    backfill.STORE_TRY = 0.3
    RedisStore.open.__func__.__kwdefaults__["patience"] = 0.3  # type: ignore[attr-defined]
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
