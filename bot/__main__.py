"""`greenroom`, and `python -m bot`."""

import os
import signal
import sys


def _stopped(number: int, _frame: object) -> None:
    """Told to stop before there is anything to stop."""
    sys.exit(0 if _named() == "run" else 128 + number)


def _named() -> str:
    """Which of the commands that go on for long is meant; without any it is `chat`."""
    return next((word for word in sys.argv[1:] if word in ("run", "chat", "ask")), "chat")


def _give_a_home() -> None:
    """Without HOME and without an entry in passwd, as containers run some users, libraries fail when imported."""
    if os.path.expanduser("~") == "~":
        os.environ["HOME"] = "/nonexistent"


def main() -> int:
    """Run the command line; the exit code."""
    named = _named()
    if named in ("run", "chat"):
        if hasattr(signal, "SIGHUP"):  # there is none on Windows
            # It means to read the files again, which are read in a moment anyway; until somebody listens it would kill.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        # As the first process of a container it would be deaf to this one until somebody listens.
        signal.signal(signal.SIGTERM, _stopped)
    _give_a_home()
    from bot import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
