"""What Discord brings, as our values: messages, and what people do with buttons, forms and the slash command."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import discord
from discord.utils import snowflake_time

from bot.core.model import Attachment, Conversation, Inbound
from bot.personas.model import Cast
from bot.platforms.button_payload import Pressed, Words
from bot.platforms.discord.messages import Me
from bot.platforms.discord.places import is_direct
from bot.platforms.discord.typed import plain_text
from bot.platforms.mentions import meant
from bot.platforms.slash import as_typed

SPOKEN = (discord.MessageType.default, discord.MessageType.reply)
"""Messages that are words of people; all others Discord says by itself, or somebody's bot."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who sent something; `roles` are the ids of their roles in the guild."""

    user: str
    name: str
    roles: tuple[str, ...] = ()


def is_said(message: discord.Message) -> bool:
    """Whether it is words of a person: not a bot's, not a webhook's (ours are such too), not Discord's own."""
    return message.type in SPOKEN and not message.author.bot and message.webhook_id is None


def person(user: discord.User | discord.Member) -> Person:
    """Somebody as the library knows them."""
    guild = getattr(user, "guild", None)
    roles = [str(role.id) for role in getattr(user, "roles", ()) if guild is None or role.id != guild.id]
    return Person(str(user.id), user.display_name, tuple(roles))


def said(message: discord.Message, where: Conversation, me: Me, sender: Person, cast: Cast) -> Inbound:
    """A message of a person. An answer to a post of ours counts as a mention; one that calls somebody else, too."""
    plain = plain_text(_words(message), _called(message, me), _names(message))
    ours, others = _answers(message, me)
    if plain.addressed and not plain.others and not message.attachments:
        plain = replace(plain, text=meant(plain.text, cast))
    return Inbound(
        conversation=where,
        id=str(message.id),
        user=sender.user,
        name=sender.name,
        text=plain.text,
        order=message.id,
        at=snowflake_time(message.id).timestamp(),
        direct=is_direct(where),
        addressed=plain.addressed or ours,
        others=plain.others or others,
        roles=sender.roles,
        files=tuple(attachment(file) for file in message.attachments),
    )


def attachment(file: discord.Attachment) -> Attachment:
    """A file of a message; its `ref` is its address, which is good for a day."""
    return Attachment(file.filename, file.size, file.content_type or "", file.url)


def _words(message: discord.Message) -> str:
    """What was written; of a message that was passed on, what was written in that."""
    return message.content or "\n\n".join(snapshot.content for snapshot in message.message_snapshots)


def _called(message: discord.Message, me: Me) -> frozenset[str]:
    """The ids whose mention is one of the bot: its user, and the role that came with it."""
    role = message.guild.self_role if message.guild else None
    return frozenset({me.user, *([str(role.id)] if role else [])})


def _names(message: discord.Message) -> dict[str, str]:
    names = {f"@{user.id}": user.display_name for user in message.mentions}
    names |= {f"&{role.id}": role.name for role in message.role_mentions}
    return names | {
        f"#{each.id}": each.name for each in message.channel_mentions if _may_be_named(each, message.channel)
    }


def _may_be_named(channel: object, here: object) -> bool:
    """Whether those who read along `here` may know a channel's name; Discord shows it to those alone who may see it.

    That is where everybody on the server sees it, or the same people as `here`.
    """
    if _is_private_thread(channel):
        return channel == here
    named, place = _channel_of(channel), _channel_of(here)
    if named is None:
        return False
    open_to_all = named.permissions_for(named.guild.default_role).view_channel
    return open_to_all or (place is not None and (named == place or named.overwrites == place.overwrites))


def _is_private_thread(channel: object) -> bool:
    return isinstance(channel, discord.Thread) and channel.is_private()


def _channel_of(channel: object) -> discord.abc.GuildChannel | None:
    """The channel itself, or the one that a thread is in."""
    found = channel.parent if isinstance(channel, discord.Thread) else channel
    return found if isinstance(found, discord.abc.GuildChannel) else None


def _answers(message: discord.Message, me: Me) -> tuple[bool, bool]:
    """Whether it answers a post of ours, and whether it calls another person whom it answers."""
    reference = message.reference
    to = reference.resolved if reference else None
    if not isinstance(to, discord.Message):
        return False, False
    ours = str(to.author.id) == me.user or (to.webhook_id is not None and str(to.application_id) == me.application)
    called = any(user.id == to.author.id for user in message.mentions)
    return ours, called and not ours and to.author.id != message.author.id


# ---------------------------------------------------------------- interactions


def pressed(interaction: discord.Interaction[Any], press: Pressed, sender: Person) -> Inbound:
    """A press on an option."""
    return _done(interaction, press.conversation, sender, menu=press.menu, number=press.number)


def answered(interaction: discord.Interaction[Any], words: Words, text: str, sender: Person) -> Inbound:
    """An answer in words to a menu, written in a form that nobody else has seen."""
    return _done(interaction, words.conversation, sender, text=text, menu=words.menu, hidden=True)


def slash(interaction: discord.Interaction[Any], where: Conversation, text: str, me: Me, sender: Person) -> Inbound:
    """The slash command with what was typed behind it."""
    plain = plain_text(text, frozenset({me.user}))
    return _done(interaction, where, sender, text=as_typed(plain.text), others=plain.others)


def _done(
    interaction: discord.Interaction[Any],
    where: Conversation,
    sender: Person,
    *,
    text: str = "",
    menu: str = "",
    number: int = 0,
    others: bool = False,
    hidden: bool = False,
) -> Inbound:
    return Inbound(
        conversation=where,
        id=str(interaction.id),
        user=sender.user,
        name=sender.name,
        text=text,
        order=interaction.id,
        at=snowflake_time(interaction.id).timestamp(),
        direct=is_direct(where),
        addressed=True,
        others=others,
        menu=menu,
        number=number,
        roles=sender.roles,
        handle=f"{interaction.application_id}/{interaction.token}",
        hidden=hidden,
    )
