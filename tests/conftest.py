"""What all tests share: the switches for long runs."""

from __future__ import annotations

import signal
from contextlib import suppress

import pytest

# A shell has what it starts in the background ignore Ctrl-C, and processes hand that on to those that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long versions of tests that have one")
    parser.addoption("--installs", action="store_true", help="fetch the public package and run its installers")


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether there is time."""
    return bool(request.config.getoption("--soak"))
