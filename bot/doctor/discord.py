"""Whether the bot can work on Discord: its token, its intents, and what it may do on the servers that it is on."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterable, Mapping, Sequence
from typing import Any

from bot.doctor.clocks import compared, seconds_of
from bot.doctor.finding import Case, Finding, count

MESSAGE_CONTENT = 1 << 18 | 1 << 19
"""Flags of an application that may read messages: of one on many servers, and of one on few (docs, application)."""

SHOWN = 10
"""Servers that lack something and are told one by one."""

SHAPE = re.compile(r"[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}")

PORTAL = "discord.com/developers/applications"


async def check_discord(case: Case) -> Sequence[Finding]:
    """What Discord says of the bot's token, its application and its servers. Nothing is posted or connected."""
    if not case.settings.secrets.discord_token:
        return [Finding("discord", "ok", "not used: DISCORD_TOKEN is not set")]
    import aiohttp

    from bot.platforms.discord.lookup import Lookup
    from bot.platforms.discord.web import RefusedError, UnansweredError

    token = case.settings.secrets.discord_token.get_secret_value()
    async with aiohttp.ClientSession() as session:
        lookup = Lookup(session, token)
        try:
            found = [*intents(await lookup.application()), *await servers(lookup.guilds())]
            theirs, costs = seconds_of(lookup.date), "what people said may be taken for older or newer than it is"
            return [*found, compared("discord", "Discord's", theirs, time.time(), costs)] if theirs else found
        except RefusedError as error:
            if error.status == 401:
                told = "" if SHAPE.fullmatch(token) else "; it does not look like one: three parts with dots between"
                mend = f"reset the token on the page Bot at {PORTAL}, and set DISCORD_TOKEN to the new one"
                return [Finding("discord", "problem", f"Discord does not take DISCORD_TOKEN{told}", mend)]
            mend = "report it to Greenroom's authors, with this line"
            return [Finding("discord", "problem", f"Discord does not tell what was asked ({error})", mend)]
        except UnansweredError as error:
            return [Finding("discord", "problem", f"Discord cannot be asked ({error})", "check the network; try again")]


def intents(application: Mapping[str, Any]) -> list[Finding]:
    """Whose the token is, and whether the application may read messages."""
    found = [Finding("discord", "ok", f"the bot is {application.get('name')} (application {application.get('id')})")]
    if int(application.get("flags") or 0) & MESSAGE_CONTENT:
        found.append(Finding("discord", "ok", "it may read messages (Message Content Intent)"))
    else:
        says = "the Message Content Intent is off: Discord would not let the bot connect"
        mend = f"switch it on at {PORTAL}, on the page Bot, under Privileged Gateway Intents"
        found.append(Finding("discord", "problem", says, mend))
    return found


async def servers(guilds: AsyncIterable[Mapping[str, Any]]) -> list[Finding]:
    """How many servers the bot is on, and what it lacks there. Raises RefusedError and UnansweredError."""
    from bot.platforms.discord.rights import missing

    number, found = 0, []
    async for guild in guilds:
        number += 1
        if lacks := missing(int(guild.get("permissions") or 0)):
            says = f"on {guild.get('name')} ({guild.get('id')}) the bot lacks {', '.join(lacks)}"
            mend = (
                "open the link of `greenroom discord invite` again, or give them to its role in Server Settings, Roles"
            )
            found.append(Finding("discord", "warning", says, mend))
    if not number:
        mend = "open the link that `greenroom discord invite` prints"
        return [Finding("discord", "warning", "the bot is on no server, so it can only be written to in private", mend)]
    if rest := found[SHOWN:]:
        says = f"and {count(len(rest), 'more server')} on which the bot lacks something"
        found = [*found[:SHOWN], Finding("discord", "warning", says, "do the same there")]
    says = f"it is on {count(number, 'server')}; channels may take away what its roles permit, which is not looked at"
    return [Finding("discord", "ok", says), *found]
