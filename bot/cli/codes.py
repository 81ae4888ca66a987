"""What the exit codes of `greenroom` mean."""

USAGE, FAILURE = 2, 1
"""A wrong command line or configuration, and a run that failed."""

SIGNALLED = 128
"""Added to a signal's number it makes the exit code of a run that the signal ended, as shells count."""
