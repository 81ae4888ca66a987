"""What an earlier build has saved, as this one reads it: JSON values in, JSON values out. Newer ones pass unchanged."""

from __future__ import annotations

from typing import Any

_OWNERS = {"resource": "tools", "budget": "host", "library": "host", "compaction": "compaction"}
"""Who made a request, by its purpose; version 1 did not say. All others were the chat's."""


def session_of_version_1(value: Any) -> Any:
    """A session whose gates had a `kind`, and whose requests had no owner."""
    if not isinstance(value, dict):
        return value
    session = dict(value)
    active = (session.get("personas") or [""])[-1]
    gate, waiting = session.get("gate"), session.get("waiting")
    if isinstance(gate, dict) and "_type" not in gate:
        session["gate"] = _gate(gate, active)
    if isinstance(waiting, dict) and "owner" not in waiting and waiting.get("purpose") in _OWNERS:
        session["waiting"] = {**waiting, "owner": _OWNERS[waiting["purpose"]]}
    if isinstance(session.get("tools"), dict) and "who" not in session["tools"]:
        session["tools"] = {**session["tools"], "who": active}
    return session


def anchors_of_version_1(value: Any) -> Any:
    """What is kept of a conversation or a turn, whose number anchors were called marks."""
    if isinstance(value, dict) and "marks" in value and "number_anchors" not in value:
        return {**{name: kept for name, kept in value.items() if name != "marks"}, "number_anchors": value["marks"]}
    return value


def _gate(gate: dict[str, Any], who: str) -> dict[str, Any]:
    plain = {"who": who, "menu": gate.get("menu", "")}
    said = gate.get("said") or []
    match gate.get("kind"):
        case "exit":
            return {"_type": "ExitGate", **plain}
        case "forget":
            return {"_type": "ForgetGate", **plain}
        case "run":
            return {"_type": "RunGate", "said": said, **plain} if said else {"_type": "MeantGate", **plain}
        case "file":
            half = len(said) // 2
            return {"_type": "FileGate", "bare": said[:half], "whole": said[half:], **plain}
        case "ask":
            return {"_type": "AskGate", "call": gate.get("call", ""), **plain}
        case "propose":
            return {"_type": "ProposeGate", "call": gate.get("call", ""), **plain}
        case kind:
            return {"_type": f"a gate of the kind {kind!r}"}


def ask_of_version_1(value: Any) -> Any:
    """An ask that said only whether people watch."""
    if isinstance(value, dict) and value.get("show") is False:
        return {**value, "shape": "silent"}
    return value
