"""Buttons, selects, forms and the slash command: queued first, then answered, for which Discord gives 3 seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import discord

from bot.core.model import MENU_OPTIONS, Conversation, Inbound
from bot.platforms import slash
from bot.platforms.button_payload import Pressed, Words
from bot.platforms.discord import arrival, components
from bot.platforms.discord.messages import EPHEMERAL, Me
from bot.platforms.discord.names import cut
from bot.platforms.discord.places import Places, posts_to
from bot.platforms.discord.rights import missing_to_speak
from bot.platforms.discord.web import (
    ALREADY_ACKNOWLEDGED,
    NOBODY,
    UNKNOWN_INTERACTION,
    RefusedError,
    UnansweredError,
    Web,
)
from bot.ports.library import Library
from bot.ports.mailbox import MailboxFullError, StoreError
from bot.ports.transport import InboundGateway

log = logging.getLogger(__name__)

COMMAND, OPTION = "greenroom", "what"

COMMANDS: list[dict[str, Any]] = [
    {
        "type": 1,
        "name": COMMAND,
        "description": "Call a persona, run a command, pick a number; help without any",
        "contexts": [0, 1],
        "integration_types": [0],
        "options": [
            {
                "type": 3,
                "name": OPTION,
                "description": "A persona, a command or a number, like: pm create-prd",
                "autocomplete": True,
                "required": False,
            }
        ],
    }
]
"""The application's commands, as Discord keeps them (docs, application commands)."""

SAY, LATER, OFFER, FORM = 4, 6, 8, 9
"""Answers to an interaction: a message, nothing for now, what may be typed, a modal (docs, responding)."""

CHOICES = 25
CHOICE = 100
"""Most choices that are offered while somebody types, and the longest of them (docs, autocomplete)."""

WITHIN = 2.0
"""Seconds after which a press is answered though the store still takes it in: at 3 Discord calls it failed."""

SOONEST, LATEST = 0.5, 15.0
"""Seconds after which what was answered and could not be queued is tried again: from the first to the latest."""

QUOTED = 1_800
"""The longest answer that is given back in a message, which takes 2,000 characters (docs, create message)."""

FULL = "Too many things are waiting here, so this was not taken. Please try again in a while."
FAILED = "This could not be taken just now. Please try again in a while."
LATE = "This was answered meanwhile, so your answer was not taken. It was:"
MUTE = "I cannot answer here: my role lacks {rights} in this channel. Whoever manages the server can change that."
STRANGE = "This belongs to another place, or to an older version of the bot, and does nothing any more."


class Desk:
    """Takes every interaction, and answers it."""

    def __init__(self, web: Web, me: Me, places: Places, inbound: InboundGateway, library: Library) -> None:
        self._web, self._me, self._places, self._inbound, self._library = web, me, places, inbound, library

    async def register(self) -> None:
        """Tell Discord of the slash command, unless it knows. Where that fails, all but the command works."""
        path, application = "/applications/{application_id}/commands", self._me.application
        try:
            known = await self._web.call("GET", path, application_id=application)
            if not is_same(known, COMMANDS):
                await self._web.call("PUT", path, COMMANDS, application_id=application)
                log.info("/%s is registered at Discord", COMMAND)
        except (RefusedError, UnansweredError) as error:
            log.warning("/%s could not be registered at Discord (%s)", COMMAND, error)

    async def take(self, interaction: discord.Interaction[Any]) -> None:
        """One interaction. Raises nothing but cancellation: what fails is told to whoever did it, or logged."""
        try:
            await self._take(interaction)
        except (StoreError, UnansweredError) as error:
            log.warning("an interaction of Discord's could not be taken (%s)", error)
            await self._answer(interaction, SAY, _whispered(FAILED))
        except RefusedError as error:
            log.info("an interaction of Discord's cannot be placed (%s)", error)
        except Exception:
            log.exception("an interaction of Discord's could not be read")

    async def _take(self, interaction: discord.Interaction[Any]) -> None:
        data: Mapping[str, Any] = interaction.data or {}
        sender = arrival.person(interaction.user)
        if interaction.type != discord.InteractionType.autocomplete and (lacking := _lacking(interaction)):
            await self._answer(interaction, SAY, _whispered(MUTE.format(rights=" and ".join(lacking))))
            return
        match interaction.type:
            case discord.InteractionType.component:
                match components.opened(data):
                    case Words() as words if self._is_here(interaction, words.conversation):
                        await self._ask(interaction, words, sender)
                    case Pressed() as press if self._is_here(interaction, press.conversation):
                        await self._queue(interaction, arrival.pressed(interaction, press, sender))
                    case _:
                        await self._answer(interaction, SAY, _whispered(STRANGE))
            case discord.InteractionType.modal_submit:
                found = components.answered(data)
                if found is None or not self._is_here(interaction, found[0].conversation):
                    await self._answer(interaction, SAY, _whispered(STRANGE))
                elif await self._is_open(found[0]):
                    await self._queue(interaction, arrival.answered(interaction, *found, sender))
                else:
                    await self._give_back(interaction, found[1])
            case discord.InteractionType.application_command:
                where, text = await self._where(interaction), _typed(data)
                inbound = arrival.slash(interaction, where, text, self._me, sender)
                await self._queue(interaction, inbound, _said(f"`{inbound.text.replace('`', chr(39))}`"))
            case discord.InteractionType.autocomplete:
                choices = await self._choices(await self._where(interaction), _typed(data))
                await self._answer(interaction, OFFER, {"choices": choices})
            case _:
                log.debug("nothing is done with an interaction of the type %s", interaction.type)

    async def _queue(
        self, interaction: discord.Interaction[Any], inbound: Inbound, answer: dict[str, Any] | None = None
    ) -> None:
        """Queue it, and only then answer, so that nothing that was answered can be lost; but answer in time."""
        kind = LATER if answer is None else SAY
        taking = asyncio.ensure_future(self._inbound.receive(inbound))
        try:
            await asyncio.wait({taking}, timeout=WITHIN)
            if taking.done():
                taking.result()
                await self._answer(interaction, kind, answer)
                return
            await self._answer(interaction, kind, answer)
            await self._insist(interaction, inbound, taking)
        except MailboxFullError:
            await self._answer(interaction, SAY, _whispered(FULL))
        finally:
            taking.cancel()

    async def _insist(
        self, interaction: discord.Interaction[Any], inbound: Inbound, taking: asyncio.Future[bool]
    ) -> None:
        """It was answered, so it has to be queued, however long the store takes."""
        delay = SOONEST
        while True:
            try:
                await taking
                return
            except StoreError as error:
                log.warning("what was pressed in Discord cannot be taken (%s); trying again in %.1f s", error, delay)
                await asyncio.sleep(delay)
                delay = min(2 * delay, LATEST)
                taking = asyncio.ensure_future(self._inbound.receive(inbound))
            except MailboxFullError:
                path, token = "/webhooks/{webhook_id}/{webhook_token}", interaction.token
                body = _whispered(FULL)
                await self._web.hook("POST", path, body, webhook_id=interaction.application_id, webhook_token=token)
                return

    async def _ask(self, interaction: discord.Interaction[Any], words: Words, sender: arrival.Person) -> None:
        """Open the form for an answer in words."""
        if await self._is_open(words):
            await self._answer(interaction, FORM, components.form(words))
        else:
            # Beyond the last option of any menu: it can choose nothing, and its presser is told so.
            passed = Pressed(words.conversation, words.menu, MENU_OPTIONS + 1)
            await self._queue(interaction, arrival.pressed(interaction, passed, sender))

    async def _give_back(self, interaction: discord.Interaction[Any], text: str) -> None:
        """Say that an answer came too late, with all of it, since Discord has closed its form."""
        if len(text) <= QUOTED:
            await self._answer(interaction, SAY, _whispered(f"{LATE}\n>>> {text}"))
        else:
            await self._answer(interaction, SAY, _whispered(LATE), file=("answer.txt", text.encode()))

    async def _is_open(self, words: Words) -> bool:
        saved = await self._inbound.saved(words.conversation)
        return saved is not None and any(menu.id == words.menu for menu in saved.session.menus)

    async def _where(self, interaction: discord.Interaction[Any]) -> Conversation:
        channel = interaction.channel_id
        if channel is None:
            raise ValueError(f"an interaction without a channel: {interaction.id}")
        return await self._places.of(interaction.guild_id, channel, interaction.channel)

    def _is_here(self, interaction: discord.Interaction[Any], where: Conversation) -> bool:
        """Whether what was pressed stands where it says that it belongs."""
        guild = str(interaction.guild_id) if interaction.guild_id else "@me"
        return (where.workspace, posts_to(where)) == (guild, str(interaction.channel_id))

    async def _choices(self, where: Conversation, typed: str) -> list[dict[str, str]]:
        """What may be typed here; no other conversation is looked at, or named."""
        saved = await self._inbound.saved(where)
        active = saved.session.active if saved else ""
        found = slash.offered(self._library.cast, active, typed, CHOICES)
        named = [(target.label, f"{target.label} - {target.hint}" if target.hint else target.label) for target in found]
        return [{"name": cut(name, CHOICE), "value": label} for label, name in named if len(label) <= CHOICE]

    async def _answer(
        self,
        interaction: discord.Interaction[Any],
        kind: int,
        data: dict[str, Any] | None,
        *,
        file: tuple[str, bytes] | None = None,
    ) -> None:
        body = {"type": kind, "data": data} if data is not None else {"type": kind}
        path = "/interactions/{webhook_id}/{webhook_token}/callback"
        try:
            token = interaction.token
            await self._web.hook("POST", path, body, file=file, webhook_id=interaction.id, webhook_token=token)
        except RefusedError as error:
            # Another process with the same token was there first, or it took too long; it is queued all the same.
            known = error.code in (ALREADY_ACKNOWLEDGED, UNKNOWN_INTERACTION)
            log.log(logging.DEBUG if known else logging.WARNING, "an interaction could not be answered (%s)", error)
        except UnansweredError as error:
            log.warning("whether an interaction was answered is not known (%s)", error)


def _lacking(interaction: discord.Interaction[Any]) -> list[str]:
    """The rights that the bot would need to answer in a channel: Discord offers its command there all the same."""
    if interaction.guild_id is None:
        return []
    granted, is_thread = interaction.app_permissions.value, isinstance(interaction.channel, discord.Thread)
    return missing_to_speak(granted, thread=is_thread)


def is_same(known: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    """Whether the commands that Discord keeps are those that are wanted, as far as they say anything about it."""
    if len(known) != len(wanted):
        return False
    by_name = {each["name"]: each for each in known}
    return all(_covers(by_name.get(each["name"], {}), each) for each in wanted)


def _covers(known: Any, wanted: Any) -> bool:
    """Whether `known` says all that `wanted` does; what Discord adds, and false where it leaves that out, is alike."""
    match wanted:
        case dict():
            return isinstance(known, dict) and all(_covers(known.get(key), value) for key, value in wanted.items())
        case list():
            lists = isinstance(known, list) and len(known) == len(wanted)
            return lists and all(map(_covers, known, wanted))
        case False:
            return not known
        case _:
            return bool(known == wanted)


def _typed(data: Mapping[str, Any]) -> str:
    """What stands in the command's option; "" where nothing does."""
    options = {str(each.get("name")): str(each.get("value") or "") for each in data.get("options") or ()}
    return options.get(OPTION, "")


def _said(text: str) -> dict[str, Any]:
    return {"content": text[:1900], "allowed_mentions": NOBODY}


def _whispered(text: str) -> dict[str, Any]:
    return {**_said(text), "flags": EPHEMERAL}
