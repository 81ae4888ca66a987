"""The settings of a command line: the file that it names, the environment, and what it sets itself."""

from __future__ import annotations

import argparse
import os

from bot import telemetry
from bot.settings import Settings, load


def settings_of(args: argparse.Namespace) -> Settings:
    """All settings. Raises SettingsError."""
    settings = load(args.config, os.environ, overrides(args))
    telemetry.setup(settings.log.told())
    return settings


def overrides(args: argparse.Namespace) -> dict[str, str]:
    """What the command line sets, by dotted key."""
    return {key: value for key, value in (("model.name", args.model), ("store.path", args.state)) if value is not None}
