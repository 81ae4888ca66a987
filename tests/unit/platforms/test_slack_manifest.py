"""The app's manifest: complete, within Slack's bounds, and for either mode."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from bot.platforms.slack.listening import HANDLED
from bot.platforms.slack.manifest import manifest, schema, text
from tests.fakes.slack_methods import MANIFEST_SCOPES, METHODS

URL = "https://bot.example.com/slack/events"


def problems(found: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft7Validator(schema()).iter_errors(found)]


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(schema())


def test_the_manifest_for_socket_mode_is_what_slack_takes() -> None:
    found = manifest("Backstage")
    assert problems(found) == []
    assert found["display_information"]["name"] == found["features"]["bot_user"]["display_name"] == "Backstage"
    assert found["settings"]["socket_mode_enabled"] is True
    assert URL not in str(found)


def test_the_manifest_for_http_sends_everything_to_one_address() -> None:
    found = manifest("Greenroom", socket=False, request_url=URL)
    assert problems(found) == []
    assert found["settings"]["socket_mode_enabled"] is False
    assert found["settings"]["event_subscriptions"]["request_url"] == URL
    assert found["settings"]["interactivity"]["request_url"] == URL
    assert [command["url"] for command in found["features"]["slash_commands"]] == [URL]


def test_it_asks_for_what_the_bot_needs_and_no_more() -> None:
    scopes = set(manifest("Greenroom")["oauth_config"]["scopes"]["bot"])
    assert scopes == MANIFEST_SCOPES
    for used in ("chat.postMessage", "users.info", "files.completeUploadExternal", "files.info"):
        assert set(METHODS[used].scopes) & scopes


def test_people_can_write_to_it_press_its_buttons_and_stop_it() -> None:
    found = manifest("Greenroom")
    assert found["features"]["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }
    assert found["settings"]["interactivity"]["is_enabled"]
    [command] = found["features"]["slash_commands"]
    assert command["command"] == "/greenroom" and command["should_escape"]
    assert 1 <= len(found["features"]["agent_view"]["suggested_prompts"]) <= 4


def test_it_subscribes_to_the_events_that_are_handled_and_to_no_others() -> None:
    events = manifest("Greenroom")["settings"]["event_subscriptions"]["bot_events"]
    assert {event.partition(".")[0] for event in events} == HANDLED
    assert {event for event in events if "." in event} == {
        f"message.{kind}" for kind in ("channels", "groups", "im", "mpim")
    }
    assert events == sorted(set(events))


@pytest.mark.parametrize("name", ["", "  ", "x" * 36])
def test_a_name_that_slack_refuses_is_told(name: str) -> None:
    with pytest.raises(ValueError, match="no name for a Slack app"):
        manifest(name)


@pytest.mark.parametrize("url", ["", "http://bot.example.com", "bot.example.com", "https://" + "x" * 3000])
def test_an_address_that_slack_cannot_call_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="no address that Slack can call"):
        manifest("Greenroom", socket=False, request_url=url)


def test_an_address_that_nothing_would_call_is_told() -> None:
    with pytest.raises(ValueError, match="in Socket Mode Slack calls no address"):
        manifest("Greenroom", request_url=URL)


@pytest.mark.parametrize(("socket", "url"), [(True, ""), (False, URL)])
def test_the_text_to_paste_is_the_same_manifest(socket: bool, url: str) -> None:
    assert yaml.safe_load(text("Grün 🟢", socket, url)) == manifest("Grün 🟢", socket=socket, request_url=url)
    assert "Grün 🟢" in text("Grün 🟢", socket, url)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("display_information", "name"), "x" * 36),
        (("display_information", "long_description"), "too short"),
        (("features", "shortcuts", 0, "name"), "x" * 25),
        (("features", "slash_commands", 0, "command"), "greenroom"),
        (("features", "agent_view", "suggested_prompts"), [{"title": "t", "message": "m"}] * 5),
        (("features", "unknown"), {}),
        (("oauth_config", "scopes", "bot"), ["chat:write", "chat:write"]),
        (("settings", "interactivity", "is_enabled"), False),
        (("settings", "socket_mode_enabled"), False),
    ],
)
def test_the_schema_refuses_what_slack_refuses(path: tuple[Any, ...], value: object) -> None:
    broken = copy.deepcopy(manifest("Greenroom"))
    place: Any = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert problems(broken)
