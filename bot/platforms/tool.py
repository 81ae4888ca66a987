"""`greenroom slack manifest` and `greenroom discord invite`: what a platform wants before a bot can come to it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

FAILURE = 1

WHOSE = (
    "There is no Discord token to ask whose invitation it is. Set DISCORD_TOKEN or DISCORD_TOKEN_FILE, or give the "
    "Application ID, from General Information of the Developer Portal, by --id."
)
REFUSED = (
    "Discord does not take DISCORD_TOKEN: reset the token on the page Bot of the Developer Portal and set the new one."
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the settings say: the bot's name, how Slack is heard and under which path, and Discord's token."""

    name: str
    slack_mode: str = "socket"
    slack_path: str = ""
    discord_token: str = field(default="", repr=False)


def add_parser(subparsers: Subparsers) -> None:
    """Add `slack` and `discord` with their subcommands to the command line."""
    slack = subparsers.add_parser("slack", help="what Slack wants to be told about the bot")
    actions = slack.add_subparsers(dest="action", required=True, metavar="ACTION")
    manifest = actions.add_parser("manifest", help="print the manifest to create the Slack app from")
    manifest.add_argument("--http", metavar="URL", default="", help="for slack.mode http: the bot's public address")
    discord = subparsers.add_parser("discord", help="what Discord wants to be told about the bot")
    actions = discord.add_subparsers(dest="action", required=True, metavar="ACTION")
    invite = actions.add_parser("invite", help="print the link that invites the bot to a server")
    invite.add_argument("--id", type=_id, metavar="ID", help="the Application ID; without it, Discord is asked")


def _id(text: str) -> str:
    if not (text.isascii() and text.isdecimal() and 15 <= len(text) <= 20):
        raise argparse.ArgumentTypeError(f"{text!r} is no id of Discord's, which has 17 to 20 digits")
    return text


def run(args: argparse.Namespace, known: Known) -> int:
    """Do what the parsed `args` say and return the exit code: 0, or 1 where it could not be done."""
    match args.command, args.action:
        case "slack", "manifest":
            return _manifest(args.http, known)
        case "discord", "invite":
            return _invite(args.id or "", known)
        case _:
            raise ValueError(f"no such action: {args.command!r} {args.action!r}")


def _manifest(url: str, known: Known) -> int:
    from bot.platforms.slack.manifest import text

    if not url and known.slack_mode == "http":
        _complain("slack.mode is http, so Slack has to know where: give the bot's public address by --http https://...")
        return FAILURE
    if url and urlsplit(url).path in ("", "/"):
        url = url.rstrip("/") + known.slack_path
    try:
        print(text(known.name, not url, url), end="")
    except ValueError as error:
        _complain(f"No manifest can be made: {error}.")
        return FAILURE
    if url and known.slack_mode != "http":
        _complain("This manifest is for slack.mode http, and the settings say socket. Set it before you start the bot.")
    return 0


def _invite(ident: str, known: Known) -> int:
    from bot.platforms.discord.rights import RIGHTS, invitation
    from bot.platforms.discord.web import RefusedError, UnansweredError

    if not ident and not known.discord_token:
        _complain(WHOSE)
        return FAILURE
    try:
        ident = ident or asyncio.run(_application(known.discord_token))
    except RefusedError as error:
        _complain(REFUSED if error.status == 401 else f"Discord does not say whose token it is ({error}).")
        return FAILURE
    except UnansweredError as error:
        _complain(f"Discord cannot be asked ({error}). Try again, or give the Application ID by --id.")
        return FAILURE
    print(invitation(ident))
    print("\nOpen it as somebody who may manage the server. The bot asks for:")
    for name, (_, purpose) in RIGHTS.items():
        print(f"- {name}, {purpose}")
    return 0


async def _application(token: str) -> str:
    """The id of the application whose bot has that token. Raises RefusedError and UnansweredError."""
    import aiohttp

    from bot.platforms.discord.lookup import Lookup

    async with aiohttp.ClientSession() as session:
        return str((await Lookup(session, token).application())["id"])


def _complain(text: str) -> None:
    print(text, file=sys.stderr)
