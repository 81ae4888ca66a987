"""What can go wrong with a model's reply, and the one line that people get for each."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "no-key": "No model is set up. Set ANTHROPIC_API_KEY (or ANTHROPIC_API_KEY_FILE) and start again, "
    "or start with `--model rehearsal` to try the flows without one.",
    "auth": "The model refused the key (401). The operator has to check ANTHROPIC_API_KEY.",
    "credit": "The model account has no credit left. The operator has to top it up.",
    "unknown-model": "The service does not know the configured model. The operator has to check `model.name`.",
    "forbidden": "The key may not use this model (403). The operator has to check its permissions.",
    "too-large": "The request was too large for the model (413). Send less text at a time.",
    "rate": "The model's rate limit is reached. Try again in a moment.",
    "overloaded": "The model is overloaded right now. Try again in a moment.",
    "server": "The model's service failed. Try again in a moment.",
    "timeout": "The model did not answer in time. Try again.",
    "network": "The model could not be reached. The operator has to check the network and `model.base_url`.",
    "proxy": "The proxy between here and the model does not let this bot through. The operator has to check "
    "HTTPS_PROXY, and the name and password in it.",
    "late": "The reply had not come when its time was up. `*retry` asks again; the operator sets the time by "
    "`model.longest`.",
    "busy": "I am writing as many replies as I can at once, so yours was not begun. `*retry` asks again in a moment; "
    "commands and menus go on working.",
    "cut": "The connection to the model broke while it was answering. Try again.",
    "breaker": "The model has failed several times in a row, so it is left alone for a moment. Try again then.",
    "garbage": "The model's answer could not be read. Try again.",
    "context": "This conversation is too long for the model. `*exit` and call the persona again to start afresh.",
    "bad-request": "The model refused the request as malformed (400). This is ours to mend: tell the operator.",
    "budget": "The budget is used up, so no model is asked. Commands and menus go on working.",
    "budget-short": "What is left of the budget is too little for this reply, so no model was asked. Commands and "
    "menus go on working.",
    "deleted": "What was to be answered was deleted meanwhile, so no model was asked.",
    "gone": "That persona is no longer in the library. `*agent` lists who is here.",
}
"""Reason code -> what happened and what to do. A code that is not here reads as `server`."""


def line(reason: str, detail: str = "") -> str:
    """The line for people; `detail` is put behind it in brackets."""
    words = REASONS.get(reason, REASONS["server"])
    return f"{words} ({detail})" if detail else words
