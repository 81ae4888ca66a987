"""Server-sent events out of bytes, as the HTML standard reads them (section 9.2.6, "Interpreting an event stream")."""

from __future__ import annotations

_BOM = b"\xef\xbb\xbf"


class TooLongError(Exception):
    """An event is longer than it may be."""


class EventReader:
    """Takes a stream's bytes however they are cut, and gives each event's name and data once it is whole.

    Comments, `id`, `retry` and events without data give nothing, and neither does an event that the stream's end cuts
    off. A name is "" where none was sent. Events may hold `longest` bytes.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._line: list[bytes] = []
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0
        self._is_first = True
        self._is_after_return = False

    def read(self, chunk: bytes) -> list[tuple[str, str]]:
        """The events that are whole with `chunk`.

        Raises TooLongError, when those before were given, and UnicodeDecodeError where an event is no UTF-8.
        """
        if self._size > self._longest:
            raise TooLongError
        if self._is_after_return and chunk:
            chunk = chunk.removeprefix(b"\n")  # the second half of a line's end
            self._is_after_return = False
        if chunk.endswith(b"\r"):
            self._is_after_return = True
        first, *lines = _lines(chunk) if b"\r" in chunk else chunk.split(b"\n")
        self._line.append(first)
        self._size += len(first)
        found: list[tuple[str, str]] = []
        for line in lines:
            self._take(b"".join(self._line), found)
            self._line = [line]
            self._size += len(line)
        if self._size > self._longest and not found:
            raise TooLongError
        return found

    def _take(self, line: bytes, found: list[tuple[str, str]]) -> None:
        """Take a whole line; an empty one ends the event, which goes to `found`."""
        if self._is_first:
            line, self._is_first = line.removeprefix(_BOM), False
        if not line:
            if any(self._data) or len(self._data) > 1:
                found.append((self._name.decode(), b"\n".join(self._data).decode()))
            self._name, self._size = b"", 0
            self._data.clear()
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
            return
        if field == b"event":
            self._name = value.removeprefix(b" ")
        self._size -= len(line)


def _lines(chunk: bytes) -> list[bytes]:
    """`chunk` cut at every kind of line end; the last part is what stands behind the last of them."""
    return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
