"""`greenroom`, and `python -m bot`."""

import signal
import sys


def main() -> int:
    """Run the command line; the exit code."""
    if sys.argv[1:2] in (["run"], ["chat"]):
        # It means to read the files again, which are read in a moment anyway; until somebody listens it would kill.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from bot import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
