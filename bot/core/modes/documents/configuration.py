"""The core configuration of a channel: where its documents lie. The channel's own document, else the pack's file."""

from __future__ import annotations

from bot.core.events import DocumentRead
from bot.core.modes.documents import opening
from bot.core.modes.documents.state import DocumentWork
from bot.core.step_builder import StepBuilder


def found(step: StepBuilder, work: DocumentWork, event: DocumentRead) -> None:
    """The channel's own configuration, if it has one."""
    opening.configured(step, work, work.path, "")
