"""What a proxy has to do with a service that does not answer, in words for operators."""

from __future__ import annotations

import aiohttp

PROXY_REFUSES = "the proxy does not let this bot through (407): check HTTPS_PROXY, and the name and password in it"


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
