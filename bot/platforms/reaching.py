"""What platforms share of beginning: telling one that may be reached later from one that never can."""

from __future__ import annotations

import aiohttp

from bot.ports.transport import PlatformError

PROXY_REFUSES = "the proxy does not let this bot through (407): check HTTPS_PROXY, and the name and password in it"


class UnreachableError(PlatformError):
    """A platform does not answer just now; it may a little later, with the same settings."""


def in_words(error: Exception) -> str:
    """Why a service gave no answer: what a proxy has to do with it is said, without its address and password."""
    match error:
        case aiohttp.ClientResponseError(status=407):
            return PROXY_REFUSES
        case aiohttp.InvalidURL():
            return "the address of the proxy (or of the service) cannot be read: check HTTPS_PROXY"
        case aiohttp.ClientHttpProxyError(status=status):
            return f"the proxy makes no connection (HTTP {status}): check HTTPS_PROXY"
        case aiohttp.ClientProxyConnectionError():
            return "the proxy cannot be reached: check HTTPS_PROXY"
        case _:
            return f"{type(error).__name__}: {error}"
