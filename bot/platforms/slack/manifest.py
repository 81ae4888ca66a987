"""The manifest of the Slack app: everything that is to be set up, for pasting into Slack's "From a manifest"."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

NAME = 35
"""Longest name of an app (docs, app manifest reference)."""

ADDRESS = 3000
"""Longest address of a slash command; those of events and presses may be longer (docs, app manifest reference)."""


def manifest(name: str, *, socket: bool = True, request_url: str = "") -> dict[str, Any]:
    """The manifest for a bot called `name`; without `socket`, Slack sends everything to `request_url`.

    Raises ValueError for a name or an address that Slack would refuse.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME:
        raise ValueError(f"{name!r} is no name for a Slack app: it takes 1 to {NAME} characters (setting `name`)")
    if socket and request_url:
        raise ValueError(f"in Socket Mode Slack calls no address: leave {request_url!r} out, or use mode http")
    if not socket and not (request_url.startswith("https://") and len(request_url) <= ADDRESS):
        raise ValueError(
            f"{request_url!r} is no address that Slack can call: in mode http give the public https:// address of the "
            "bot, with its path, like https://bot.example.com/slack/events"
        )
    found: dict[str, Any] = yaml.safe_load(_shipped().read_text("utf-8"))
    found["display_information"]["name"] = name
    found["features"]["bot_user"]["display_name"] = name
    settings = found["settings"]
    settings["socket_mode_enabled"] = socket
    if request_url:
        settings["event_subscriptions"]["request_url"] = request_url
        settings["interactivity"]["request_url"] = request_url
        for command in found["features"]["slash_commands"]:
            command["url"] = request_url
    return found


def text(name: str, socket: bool, request_url: str) -> str:
    """The manifest as YAML, which Slack takes as it is. Raises ValueError as `manifest` does."""
    found = manifest(name, socket=socket, request_url=request_url)
    return str(yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=110))


def schema() -> dict[str, Any]:
    """What a manifest has to be like, as JSON Schema, with the bounds that Slack documents."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("manifest.schema.json").read_text("utf-8"))
    return found


def _shipped() -> Path:
    """The annotated manifest: in the wheel beside the code, in a checkout beside the package."""
    package = Path(__file__).parents[2]
    inside = package / "_shipped" / "config"
    return (inside if inside.is_dir() else package.parent / "config") / "slack-manifest.yaml"
