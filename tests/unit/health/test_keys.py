"""The settings of the health server and of traces: what is taken, and what is told of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import SettingsError, load


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def listening(value: str) -> str:
    return load(None, {"GREENROOM_HEALTH__LISTEN": value}).health.listen


def sending(value: str) -> str:
    return load(None, {"GREENROOM_TELEMETRY__OTLP": value}).telemetry.otlp


def test_nothing_is_listened_on_and_nothing_sent_unless_somebody_says_so() -> None:
    settings = load(None, {})
    assert (settings.health.listen, settings.telemetry.otlp) == ("", "")
    assert settings.health.overdue == 120


@pytest.mark.parametrize("address", ["127.0.0.1:8080", "0.0.0.0:9", "[::1]:8080", "localhost:65535"])
def test_an_address_is_taken_as_it_is(address: str) -> None:
    assert listening(address) == address


@pytest.mark.parametrize(
    "address",
    ["8080", ":8080", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "http://127.0.0.1:80", "me@host:80", "h:x"],
)
def test_half_an_address_is_told_with_an_example(address: str) -> None:
    with pytest.raises(SettingsError) as told:
        listening(address)
    assert "GREENROOM_HEALTH__LISTEN: expected an address to listen on" in str(told.value)
    assert "127.0.0.1:8080" in str(told.value)


@pytest.mark.parametrize(
    "given", ["http://collector:4318", "http://collector:4318/", "http://collector:4318/v1/traces"]
)
def test_a_collector_is_known_by_its_base_address(given: str) -> None:
    assert sending(given) == "http://collector:4318"


@pytest.mark.parametrize("given", ["collector:4318", "ftp://collector", "http://"])
def test_what_is_no_collector_is_told(given: str) -> None:
    with pytest.raises(SettingsError, match="GREENROOM_TELEMETRY__OTLP: expected an address such as"):
        sending(given)


def test_a_password_in_the_collectors_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as told:
        sending("http://bot:hush@collector:4318")
    assert "GREENROOM_TELEMETRY__OTLP" in str(told.value)
    assert "hush" not in str(told.value)
