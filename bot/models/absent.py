"""The model that is not there: no key, or a configuration that names none."""

from __future__ import annotations

from bot.core.prompt import Prompt
from bot.ports.model import ModelError, Reply, Show


class Absent:
    """A `bot.ports.model.Model` that tells at every reply why there is none: `reason`, a key of `failures.REASONS`."""

    def __init__(self, reason: str = "no-key", detail: str = "") -> None:
        self._reason = reason
        self._detail = detail

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        """Raise ModelError with the reason, always."""
        raise ModelError(self._reason, self._detail)

    async def close(self) -> None:
        """Nothing is open."""
