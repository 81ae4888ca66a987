"""What all tests share: the switches for long runs."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long versions of tests that have one")
    parser.addoption("--installs", action="store_true", help="fetch the public package and run its installers")


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether there is time."""
    return bool(request.config.getoption("--soak"))
