"""What went wrong with a call of the Messages API, as one of the reasons that people are told."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

SERVICE = frozenset({"rate", "overloaded", "server", "timeout", "network", "cut"})
"""Failures of the service itself, which may pass; any other shows that it is there and answers."""

_DETAIL = 200
_SECRET = re.compile(r"sk-[\w-]{6,}|(?<=bearer )\S+", re.IGNORECASE)

_OF_TYPE = {
    "authentication_error": "auth",
    "billing_error": "credit",
    "permission_error": "forbidden",
    "not_found_error": "unknown-model",
    "request_too_large": "too-large",
    "rate_limit_error": "rate",
    "overloaded_error": "overloaded",
    "timeout_error": "timeout",
    "api_error": "server",
    "conflict_error": "server",
    "invalid_request_error": "bad-request",
}
"""`error.type` of the API -> reason; in a stream's error event it is all there is, the status being 200."""

_OF_STATUS = {
    401: "auth",
    407: "proxy",
    402: "credit",
    403: "forbidden",
    404: "network",
    408: "timeout",
    409: "server",
    413: "too-large",
    429: "rate",
    504: "timeout",
    529: "overloaded",
}
"""HTTP status -> reason, for answers without a type. A 404 of that kind comes from something else at the address."""

_SPENT = re.compile(r"spend_limit_reached$|billing_unavailable$")
"""`error.details.error_code` of a limit that waiting does not lift, though its status may be 429."""

# The API has no code for these two; a change of its wording turns them into a plain `bad-request`.
_NO_CREDIT = re.compile(r"credit balance", re.IGNORECASE)
_TOO_LONG = re.compile(r"prompt is too long|context (?:limit|window|length|size)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """A reason of `failures.REASONS`, and words on it without secrets.

    `wait` is after how many seconds the service asks to try again, if it does; `stays` says that trying again is of
    no use although the reason is one that often passes.
    """

    reason: str
    detail: str = ""
    wait: float | None = None
    stays: bool = False

    @property
    def may_pass(self) -> bool:
        """Whether another attempt may help."""
        return self.reason in SERVICE and not self.stays


def fault(error: Exception, *, began: bool, now: float, key: str = "") -> Fault:
    """What `error` means, which a call of the SDK has raised; `began` tells that the answer had begun to come in.

    `now` is in seconds since the epoch, for a `retry-after` that is a date. `key` is kept out of the words.
    """
    import aiohttp
    import anthropic
    import httpx2

    match error:
        case anthropic.APIStatusError():
            found = _refused(error.status_code, error.type, error.error_code or "", error.api_message or "")
            words = error.api_message or f"HTTP {error.status_code}"
            if error.request_id:
                words += f"; request {error.request_id}"
            return Fault(found, clean(words, key), _wait(error.response.headers, now), error.status_code == 404)
        case anthropic.APITimeoutError() | httpx2.TimeoutException() | TimeoutError():
            return Fault("timeout")
        case anthropic.APIConnectionError(__cause__=httpx2.ProxyError() as cause):
            return Fault("proxy", clean(str(cause), key))
        case anthropic.APIConnectionError():
            return Fault("network", clean(str(error.__cause__ or ""), key))
        case httpx2.ProxyError() | aiohttp.ClientHttpProxyError():
            return Fault("proxy", clean(str(error), key))
        case httpx2.TransportError() | aiohttp.ClientError() | OSError():
            return Fault("cut" if began else "network", clean(str(error), key))
        case _:
            # The SDK builds the answer without checking it, so a broken one shows as whatever it stumbles over.
            return Fault("garbage", type(error).__name__)


def clean(text: str, key: str = "") -> str:
    """`text` in one short line, free of keys and tokens."""
    hidden = text.replace(key, "…") if key else text
    line = " ".join(_SECRET.sub("…", hidden).split())
    return line if len(line) <= _DETAIL else line[: _DETAIL - 1].rstrip() + "…"


def _refused(status: int, kind: str | None, code: str, message: str) -> str:
    if _SPENT.search(code):
        return "credit"
    reason = _OF_TYPE.get(kind or "") or _OF_STATUS.get(status, "")
    if status == 529 or (status == 413 and reason == "bad-request"):
        reason = _OF_STATUS[status]
    if not reason:
        reason = "bad-request" if 400 <= status < 500 else "server"
    if reason == "bad-request" and _NO_CREDIT.search(message):
        return "credit"
    if reason == "bad-request" and _TOO_LONG.search(message):
        return "context"
    return reason


def _wait(headers: object, now: float) -> float | None:
    """Seconds until another attempt is welcome, by `retry-after-ms` or `retry-after`; None where they do not tell."""
    get = getattr(headers, "get", lambda _: None)
    wait = _number(get("retry-after-ms"))
    if wait is not None:
        return wait / 1000
    told = get("retry-after")
    wait = _number(told)
    if wait is not None or not told:
        return wait
    try:
        return max(0.0, parsedate_to_datetime(str(told)).timestamp() - now)
    except ValueError:
        return None


def _number(text: object) -> float | None:
    try:
        number = float(str(text))
    except ValueError:
        return None
    return None if math.isnan(number) or number < 0 else number
