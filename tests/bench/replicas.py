"""What a second replica is worth: the same heap of work for one and for two on one Redis.

python -m tests.bench.replicas [--turns N] [--wait SECONDS]

Each has 4 turns in flight, and the platform takes its time for each post; a model's time does not count, since a turn
that waits for it is not at work. The bar: two are 1.8 times as fast as one.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.bench._ratios import total, verdict
from tests.chaos.measures import draining

BAR = 1.8


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.replicas")
    parser.add_argument("--turns", type=int, default=96)
    parser.add_argument("--wait", type=float, default=0.25, help="seconds that a post takes")
    args = parser.parse_args()
    took = {}
    for replicas in (1, 2):
        with tempfile.TemporaryDirectory(prefix="greenroom-replicas-") as folder:
            took[replicas] = asyncio.run(draining(Path(folder), replicas, args.turns, args.wait))
        print(f"{replicas} at work: {args.turns} turns in {took[replicas]:.2f} s, {args.turns / took[replicas]:.1f}/s")
    total([verdict("two replicas against one", took[1] / took[2], BAR, least=True)])


if __name__ == "__main__":
    main()
