"""What an operator can set: one YAML file, the environment over it, and secrets from the environment alone.

`config/greenroom.yaml` names every key with its default and says what it means. Any key can be given as
`GREENROOM_SECTION__KEY` too; lists and maps are written there as JSON, and an empty variable counts as not set.
"""

from bot.settings.error_messages import SettingsError
from bot.settings.keys import (
    ALIASES,
    REHEARSAL,
    Alias,
    LibrarySettings,
    ModelSettings,
    Secrets,
    Settings,
    StoreSettings,
    TalkSettings,
    WorkerSettings,
)
from bot.settings.reading import LOOKUP, file_of, load

__all__ = [
    "ALIASES",
    "LOOKUP",
    "REHEARSAL",
    "Alias",
    "LibrarySettings",
    "ModelSettings",
    "Secrets",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "TalkSettings",
    "WorkerSettings",
    "file_of",
    "load",
]
