"""How long a turn lies still after `kill -9` of the replica that was at it.

python -m tests.bench.recovery [--lease SECONDS] [--times N]

The bar is the lease and one second more.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.bench._ratios import total, verdict
from tests.chaos.measures import recovery


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.recovery")
    parser.add_argument("--lease", type=float, default=2.0, help="seconds")
    parser.add_argument("--times", type=int, default=5)
    args = parser.parse_args()
    times = []
    for number in range(args.times):
        with tempfile.TemporaryDirectory(prefix="greenroom-recovery-") as folder:
            times.append(asyncio.run(recovery(Path(folder), args.lease, number)))
        print(f"recovery after kill -9: {times[-1]:.2f} s (lease {args.lease:g} s)")
    total([verdict(f"longest of {args.times}", max(times), args.lease + 1, " s")])


if __name__ == "__main__":
    main()
