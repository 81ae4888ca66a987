"""Whether the bot can work on Slack: its tokens, its scopes, and the way on which Slack tells it things."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import time
from collections.abc import Awaitable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr

from bot.doctor.finding import Case, Finding, Level
from bot.settings import Settings

PATIENCE = 10
"""Seconds after which a call counts as unanswered."""

OFF, OLDEST = 60, 300
"""Seconds by which this machine's clock may be off before that is told, and by which Slack's signed calls may be (docs,
verifying requests)."""

COSTS: Mapping[str, str] = MappingProxyType(
    {
        "app_mentions:read": "mentions of the bot are not heard",
        "assistant:write": "no sign that somebody is at work, and no suggested prompts",
        "channels:history": "nothing is heard in public channels",
        "channels:read": "what was said in public channels while the bot was away is not caught up",
        "chat:write": "the bot cannot say anything",
        "chat:write.customize": "personas speak under the bot's name and icon, with their own name in the text",
        "commands": "there is no /greenroom",
        "files:read": "files that come with messages cannot be read",
        "files:write": "what is too long for messages cannot go up as a file",
        "groups:history": "nothing is heard in private channels",
        "groups:read": "what was said in private channels while the bot was away is not caught up",
        "im:history": "direct messages to the bot are not heard",
        "im:read": "what was said in direct messages while the bot was away is not caught up",
        "im:write": "the bot cannot begin a direct message from its home tab",
        "mpim:history": "nothing is heard in group messages",
        "mpim:read": "what was said in group messages while the bot was away is not caught up",
        "users:read": "nobody's name is known, nor who is a guest",
    }
)
"""What is not possible without each scope that the manifest asks for."""

NEEDED = frozenset({"chat:write", "channels:history", "im:history", "users:read"})
"""Scopes without which the bot is of no use in its first channel or direct message."""

PORTAL = "api.slack.com/apps"


async def check_slack(case: Case) -> Sequence[Finding]:
    """The tokens, what Slack says of them, and whether its events can come in. Nothing is posted or connected."""
    chosen, secrets = case.settings.slack, case.settings.secrets
    if not secrets.slack_bot_token:
        if secrets.slack_app_token or secrets.slack_signing_secret:
            mend = f"set SLACK_BOT_TOKEN: the Bot User OAuth Token, from OAuth & Permissions at {PORTAL}"
            return [Finding("slack", "problem", "there is no bot token, so Slack is not used", mend)]
        return [Finding("slack", "ok", "not used: SLACK_BOT_TOKEN is not set")]
    found = [*kinds(case.settings), *await asked(case.settings)]
    if chosen.mode == "socket":
        found += await socket_mode(case.settings)
    else:
        found.append(await port(chosen.listen))
        says = (
            f"Slack's calls are taken at http://{chosen.listen}{chosen.path}; what leads there cannot be seen from here"
        )
        found.append(Finding("slack", "ok", says))
    says = "whether Slack sends the events that the manifest names cannot be asked: say *help to the bot in private"
    return [*found, Finding("slack", "ok", says)]


def kinds(settings: Settings) -> list[Finding]:
    """Whether each secret that the mode needs is there and looks like one of its kind; none is shown."""
    found = []
    bot = _revealed(settings.secrets.slack_bot_token)
    if not bot.startswith("xoxb-"):
        mend = f"copy the Bot User OAuth Token, which begins with xoxb-, from OAuth & Permissions at {PORTAL}"
        found.append(Finding("slack", "problem", f"SLACK_BOT_TOKEN is {_kind(bot)}, not a bot's token", mend))
    if settings.slack.mode == "socket":
        app = _revealed(settings.secrets.slack_app_token)
        mend = f"make one with the scope connections:write under Basic Information, App-Level Tokens, at {PORTAL}"
        if not app:
            found.append(Finding("slack", "problem", "slack.mode is socket and SLACK_APP_TOKEN is not set", mend))
        elif not app.startswith("xapp-"):
            says = f"SLACK_APP_TOKEN is {_kind(app)}, not an app-level token"
            found.append(Finding("slack", "problem", says, mend))
        return found
    secret = _revealed(settings.secrets.slack_signing_secret)
    mend = f"copy the Signing Secret from Basic Information, App Credentials, at {PORTAL}"
    if not secret:
        found.append(Finding("slack", "problem", "slack.mode is http and SLACK_SIGNING_SECRET is not set", mend))
    elif not re.fullmatch(r"[0-9a-f]{32}", secret):
        says = f"SLACK_SIGNING_SECRET is {_kind(secret)}, and Slack's are 32 digits from 0 to f"
        found.append(Finding("slack", "warning", says, mend))
    return found


def _kind(secret: str) -> str:
    """What a secret seems to be, without any of it."""
    for start, kind in (("xoxb-", "a bot's token"), ("xapp-", "an app-level token"), ("xoxp-", "a person's token")):
        if secret.startswith(start):
            return kind
    return "something else"


async def asked(settings: Settings) -> list[Finding]:
    """What Slack says of the bot's token: whose it is, and what it may do."""
    from bot.platforms.slack.web import RefusedError, UnansweredError

    client = _client(settings)
    try:
        told = await _answer("auth.test", client.auth_test())
    except RefusedError as error:
        mend = f"install the app again under OAuth & Permissions at {PORTAL}, and set the bot token that it shows"
        return [Finding("slack", "problem", f"Slack does not take SLACK_BOT_TOKEN ({error.code})", mend)]
    except UnansweredError as error:
        mend = "check the network, HTTPS_PROXY and slack.api"
        return [Finding("slack", "problem", f"Slack cannot be reached at {settings.slack.api} ({error})", mend)]
    whose = f"@{told.get('user')} in {told.get('team')} ({told.get('team_id')})"
    if not told.get("bot_id"):
        mend = f"copy the Bot User OAuth Token, which begins with xoxb-, from OAuth & Permissions at {PORTAL}"
        return [Finding("slack", "problem", f"SLACK_BOT_TOKEN is not a bot's, but that of {whose}", mend)]
    found = [Finding("slack", "ok", f"the bot is {whose}"), *scopes(_header(told.headers, "x-oauth-scopes"))]
    return [*found, *clock(_header(told.headers, "date"), time.time(), settings.slack.mode)]


def clock(date: str, now: float, mode: str) -> list[Finding]:
    """Whether this machine's clock is about that of Slack's answer; nothing where Slack tells no date."""
    try:
        ahead = now - parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return []
    if abs(ahead) < OFF:
        return [Finding("slack", "ok", "this machine's clock agrees with Slack's")]
    says = f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Slack's"
    refused = abs(ahead) > OLDEST and mode == "http"
    says += f", so every call of Slack's is refused: at most {OLDEST} s are allowed" if refused else ""
    return [Finding("slack", "problem" if refused else "warning", says, "set it right, by NTP for example")]


def scopes(granted: str) -> list[Finding]:
    """What is missing of the manifest's scopes; `granted` is Slack's own list, with commas."""
    from bot.platforms.slack.manifest import manifest

    wanted = manifest("Greenroom")["oauth_config"]["scopes"]["bot"]
    if not granted.strip():
        return [Finding("slack", "warning", "Slack does not say which scopes the token has", "see docs/slack.md")]
    missing = sorted(set(wanted) - {scope.strip() for scope in granted.split(",")})
    mend = f"add it under OAuth & Permissions at {PORTAL}, or paste `greenroom slack manifest` again, and reinstall"
    found = []
    for scope in missing:
        level: Level = "problem" if scope in NEEDED else "warning"
        says = f"the scope {scope} was not granted: {COSTS.get(scope, 'the manifest asks for it')}"
        found.append(Finding("slack", level, says, mend))
    return found or [Finding("slack", "ok", f"all {len(wanted)} scopes of the manifest are granted")]


async def socket_mode(settings: Settings) -> list[Finding]:
    """Whether Slack would let a connection be made. None is made: it would take events from a bot at work."""
    from bot.platforms.slack.web import RefusedError, UnansweredError

    token = _revealed(settings.secrets.slack_app_token)
    if not token.startswith("xapp-"):
        return []
    try:
        await _answer("apps.connections.open", _client(settings).apps_connections_open(app_token=token))
    except RefusedError as error:
        mend = (
            "check that Socket Mode is switched on, and that the token has the scope connections:write and belongs to "
            f"this app, at {PORTAL}"
        )
        return [Finding("slack", "problem", f"Slack offers no connection for Socket Mode ({error.code})", mend)]
    except UnansweredError as error:
        return [Finding("slack", "problem", f"Slack offers no connection for Socket Mode ({error})", "try again")]
    return [Finding("slack", "ok", "Slack offers a connection for Socket Mode")]


async def port(listen: str) -> Finding:
    """Whether this process could listen there; it does not stay."""
    host, _, number = listen.rpartition(":")
    try:
        server = await asyncio.start_server(lambda *_: None, host.strip("[]"), int(number))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            says = f"{listen} is taken: by a bot that is at work, or by another program"
            return Finding("slack", "warning", says, "if no bot is at work, end that program or change slack.listen")
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        return Finding("slack", "problem", f"nothing can listen at {listen} ({why})", "change slack.listen")
    server.close()
    await server.wait_closed()
    return Finding("slack", "ok", f"{listen} is free to listen on")


def _client(settings: Settings) -> Any:
    from slack_sdk.web.async_client import AsyncWebClient

    token = _revealed(settings.secrets.slack_bot_token)
    return AsyncWebClient(token, base_url=settings.slack.api, timeout=PATIENCE, retry_handlers=[])


async def _answer(method: str, calling: Awaitable[Any]) -> Any:
    """The response to one call. Raises RefusedError and UnansweredError, as the adapter's own calls do."""
    import aiohttp
    from slack_sdk.errors import SlackApiError, SlackClientError

    from bot.platforms.slack.web import RefusedError, UnansweredError

    try:
        return await calling
    except SlackApiError as error:
        data = getattr(error.response, "data", None)
        status = getattr(error.response, "status_code", 0)
        if status >= 500 or status == 429 or not isinstance(data, dict) or "error" not in data:
            raise UnansweredError(f"HTTP {status}") from error
        raise RefusedError(method, str(data["error"])) from error
    except (aiohttp.ClientError, TimeoutError, OSError, SlackClientError) as error:
        raise UnansweredError(f"{type(error).__name__}: {error}") from error


def _header(headers: Mapping[str, Any], wanted: str) -> str:
    value = next((value for name, value in headers.items() if name.lower() == wanted), "")
    return str(value[0] if isinstance(value, list) else value)


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
