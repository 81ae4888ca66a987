"""The modes of this build, and what it cannot do yet."""

from __future__ import annotations

from bot.core.modes.documents.mode import DOCUMENT
from bot.core.modes.mode import Registry
from bot.core.modes.tasks.mode import TASK

NOT_IN_THIS_BUILD: dict[str, str] = {
    "advanced-elicitation": "elicitation methods outside of documents",
    "checklist": "checklists",
    "develop-story": "stories",
    "execute-checklist": "checklists",
    "index-docs": "indexes of documents",
    "kb": "the knowledge base",
    "kb-mode": "the knowledge base",
    "kb-mode-interaction": "the knowledge base",
    "party-mode": "party mode",
    "plan": "workflow plans",
    "plan-status": "workflow plans",
    "plan-update": "workflow plans",
    "shard-doc": "the cutting of documents into parts",
    "workflow": "workflows",
    "workflow-guidance": "workflows",
}
"""Commands of personas, and tasks behind them, that need a mode which is still to be built, and what it runs.

Each goes when its mode comes.
"""

MODES = Registry((DOCUMENT, TASK), NOT_IN_THIS_BUILD, tasks=TASK)
