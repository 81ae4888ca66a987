"""What the exit codes of `greenroom` mean."""

from __future__ import annotations

import signal

USAGE, FAILURE = 2, 1
"""A wrong command line or configuration, and a run that failed."""

SIGNALLED = 128
"""Added to a signal's number it makes the exit code of a run that the signal ended, as shells count."""

BROKEN_PIPE = SIGNALLED + int(getattr(signal, "SIGPIPE", 13))
"""The code of a run whose output nobody reads any more. Windows has no such signal; the number is what others have."""
