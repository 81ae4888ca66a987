"""Starts Greenroom from its own code, whatever else is called `bot` on this machine.

The code's import name is `bot`, which others use too: a package beside ours, or a folder that PYTHONPATH names, would
come first or take its place. So an installed Greenroom keeps its code in `greenroom/code`, which is on nobody's path,
and this puts that in front of all others; in a checkout the code stands beside this folder.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CODE = os.path.join(HERE, "code")


def main() -> int:
    """Run the command line; the exit code."""
    folder = CODE if os.path.isdir(CODE) else os.path.dirname(HERE)
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)
    other = sys.modules.get("bot")
    if other is not None and not str(getattr(other, "__file__", "")).startswith(folder + os.sep):
        print(
            f"Another package called bot was imported before Greenroom's: {other}. Start it by itself.", file=sys.stderr
        )
        return 2
    from bot.__main__ import main as start

    return start()
