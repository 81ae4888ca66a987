"""What can keep a bot from being watched. Raised at the start, told to the operator."""

from __future__ import annotations


class HealthError(Exception):
    """The bot cannot be watched as the settings ask for; says which setting, why, and what to do."""


class ListenError(HealthError):
    """The address of `health.listen` cannot be listened on."""


class TracingError(HealthError):
    """Traces are asked for by `telemetry.otlp` and cannot be made."""
