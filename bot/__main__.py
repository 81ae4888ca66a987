"""`greenroom`, and `python -m bot`."""

import signal
import sys


def main() -> int:
    """Run the command line; the exit code."""
    named = [word for word in sys.argv[1:] if word in ("run", "chat", "ask")]
    if named[:1] in (["run"], ["chat"]) or not named:
        # It means to read the files again, which are read in a moment anyway; until somebody listens it would kill.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from bot import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
