"""Discord's errors: a status, a code of its own, and for a form what is wrong in which field.

Codes: API documentation, "Opcodes and Status Codes, JSON".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Path = tuple[str | int, ...]

_UNKNOWN = {
    "Application": 10002,
    "Channel": 10003,
    "Guild": 10004,
    "Member": 10007,
    "Message": 10008,
    "User": 10013,
    "Emoji": 10014,
    "Webhook": 10015,
    "interaction": 10062,
    "application command": 10063,
}


class ApiError(Exception):
    """A refusal, as the client is to get it."""

    def __init__(self, status: int, code: int, message: str, errors: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.body: dict[str, Any] = {"message": message, "code": code}
        if errors:
            self.body["errors"] = errors


def unknown(what: str) -> ApiError:
    """404: there is no such thing."""
    return ApiError(404, _UNKNOWN[what], f"Unknown {what}")


def missing_access() -> ApiError:
    """403: the bot cannot see the channel."""
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """403: the bot sees the channel, and may not do this in it."""
    return ApiError(403, 50013, "Missing Permissions")


def unauthorized() -> ApiError:
    """401: no token, or not this bot's."""
    return ApiError(401, 0, "401: Unauthorized")


class Form:
    """Collects what is wrong with a body, field by field; `done` refuses it if anything is."""

    def __init__(self) -> None:
        self._errors: dict[str, Any] = {}

    def wrong(self, at: Path, code: str, message: str) -> None:
        """Note an error of the field at `at`."""
        node = self._errors
        for key in at:
            node = node.setdefault(str(key), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def text(
        self,
        holder: Mapping[str, Any],
        at: Path,
        least: int,
        most: int,
        *,
        required: bool = False,
        nullable: bool = False,
    ) -> str:
        """The text in `holder` under the last of `at`, "" where it is absent or no text; its length is checked."""
        value = holder.get(str(at[-1]))
        if value is None:
            if required or (str(at[-1]) in holder and not nullable and least):
                self.wrong(at, "BASE_TYPE_REQUIRED", "This field is required")
            return ""
        if not isinstance(value, str):
            if isinstance(value, int | float) and not isinstance(value, bool):
                return str(value)
            self.wrong(at, "STRING_TYPE_CONVERT", f'Could not interpret "{value}" as string.')
            return ""
        if len(value) > most and not least:
            self.wrong(at, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        elif not least <= len(value) <= most:
            self.wrong(at, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
        return value

    def sequence(self, holder: Mapping[str, Any], at: Path, most: int, least: int = 0) -> Sequence[Any]:
        """The list in `holder` under the last of `at`, empty where it is absent or no list."""
        value = holder.get(str(at[-1]))
        if value is None and not least:
            return ()
        if not isinstance(value, list):
            self.wrong(at, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return ()
        if len(value) > most and not least:
            self.wrong(at, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        elif not least <= len(value) <= most:
            self.wrong(at, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
        return value

    def done(self) -> None:
        """Refuse the body if anything was wrong."""
        if self._errors:
            raise ApiError(400, 50035, "Invalid Form Body", self._errors)
