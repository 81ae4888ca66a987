"""How this Greenroom was installed, so that a remedy names what is really to be typed.

The name alone is never a remedy: what an index has under it may be somebody else's.
"""

from __future__ import annotations

import json
import shlex
import sys
from importlib import metadata
from urllib.parse import unquote, urlsplit

DISTRIBUTION = "greenroom"


def command(extra: str = "") -> str:
    """The command that installs this Greenroom again, into this very environment, with an extra of it."""
    more = f"[{extra}]" if extra else ""
    pip = f"{shlex.quote(sys.executable)} -m pip install"
    path, is_editable = _origin()
    if is_editable:
        constraints = f"-c {shlex.quote(f'{path}/constraints.txt')}"
        return f"{pip} -e {shlex.quote(path + more)} {constraints}"
    # A wheel's own file may be gone; its name says at least which one is meant.
    wheel = path or f"./{DISTRIBUTION}-{metadata.version(DISTRIBUTION)}-py3-none-any.whl"
    return f"{pip} {shlex.quote(wheel + more)}"


def _origin() -> tuple[str, bool]:
    """The folder or file that it was installed from, "" where nothing tells, and whether it is used in its place.

    That stands in direct_url.json (packaging.python.org, recording the direct URL origin of installed distributions).
    """
    try:
        told = json.loads(metadata.distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
        url = urlsplit(str(told.get("url", "")))
        is_editable = bool(told.get("dir_info", {}).get("editable"))
    except (metadata.PackageNotFoundError, ValueError, AttributeError):
        return "", False
    return (unquote(url.path), is_editable) if url.scheme == "file" else ("", False)
