"""What the fake of Discord knows, as the JSON that the API gives. Pure, but for reading the world's clock."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from tests.fakes.discord_rules import shown_embeds
from tests.fakes.discord_state import (
    MESSAGE_CONTENT,
    PRIVATE_THREAD,
    Attachment,
    Channel,
    Guild,
    Interaction,
    Message,
    Role,
    User,
    Webhook,
    World,
)

Json = dict[str, Any]


def instant(at: float) -> str:
    """ISO 8601 as Discord writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def user(it: User) -> Json:
    return {
        "id": str(it.id),
        "username": it.name,
        "global_name": None if it.bot else it.name.title(),
        "discriminator": "0000",
        "avatar": None,
        "bot": it.bot,
        "public_flags": 0,
    }


def member(guild: Guild, it: User, *, with_user: bool = True) -> Json:
    wire: Json = {
        "nick": None,
        "avatar": None,
        "roles": [str(role) for role in sorted(guild.members.get(it.id, ()))],
        "joined_at": "2024-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
    }
    return {**wire, "user": user(it)} if with_user else wire


def role(it: Role, position: int) -> Json:
    return {
        "id": str(it.id),
        "name": it.name,
        "color": 0,
        "hoist": False,
        "icon": None,
        "position": position,
        "permissions": str(it.permissions),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def channel(world: World, it: Channel) -> Json:
    last = max((each.id for each in world.history(it)), default=0)
    wire: Json = {"id": str(it.id), "type": it.kind, "last_message_id": str(last) if last else None, "flags": 0}
    if it.guild is None:
        return {**wire, "recipients": [user(it.recipient)] if it.recipient else []}
    wire |= {"guild_id": str(it.guild.id), "name": it.name, "rate_limit_per_user": 0, "nsfw": False}
    if it.parent is not None:
        metadata = {
            "archived": it.archived,
            "auto_archive_duration": it.auto_archive,
            "archive_timestamp": instant(it.created_at),
            "locked": it.locked,
            "create_timestamp": instant(it.created_at),
        }
        if it.kind == PRIVATE_THREAD:
            metadata["invitable"] = True
        count = sum(1 for _ in world.history(it))
        wire |= {"parent_id": str(it.parent.id), "owner_id": str(it.owner), "thread_metadata": metadata}
        wire |= {"message_count": count, "total_message_sent": count, "member_count": len(it.joined)}
        if world.me.id in it.joined:
            wire["member"] = thread_member(it, world.me.id)
        return wire
    overwrites = [
        {"id": str(target), "type": 0 if target in it.guild.roles else 1, "allow": str(allow), "deny": str(deny)}
        for target, (allow, deny) in it.overwrites.items()
    ]
    return {**wire, "position": 0, "parent_id": None, "topic": None, "permission_overwrites": overwrites}


def thread_member(thread: Channel, who: int) -> Json:
    return {"id": str(thread.id), "user_id": str(who), "join_timestamp": instant(thread.created_at), "flags": 0}


def guild(world: World, it: Guild, *, members: bool = False) -> Json:
    """A guild as GUILD_CREATE has it; without the presences intent that names no member but the bot itself."""
    inside = [each for each in world.channels.values() if each.guild is it]
    seen = [each for each in inside if each.is_thread and not each.archived and each.sees(world.me.id)]
    listed = [world.users[who] for who in it.members if members or who == world.me.id]
    return {
        "id": str(it.id),
        "name": it.name,
        "icon": None,
        "splash": None,
        "owner_id": str(it.owner),
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": [role(each, position) for position, each in enumerate(it.roles.values())],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "public_updates_channel_id": None,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
        "joined_at": "2024-01-01T00:00:00+00:00",
        "large": False,
        "unavailable": False,
        "member_count": len(it.members),
        "members": [member(it, each) for each in listed],
        "channels": [channel(world, each) for each in inside if not each.is_thread],
        "threads": [channel(world, each) for each in seen],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def webhook(world: World, it: Webhook, *, with_user: bool = True) -> Json:
    """A webhook; the token of another application's is nobody's business."""
    wire: Json = {
        "id": str(it.id),
        "type": 1,
        "guild_id": str(it.channel.guild.id) if it.channel.guild else None,
        "channel_id": str(it.channel.id),
        "name": it.name,
        "avatar": None,
        "application_id": str(it.application) if it.application else None,
    }
    if it.application in (None, world.application):
        wire["token"] = it.token
        wire["url"] = f"{world.base}/api/webhooks/{it.id}/{it.token}"
    return {**wire, "user": user(it.creator)} if with_user else wire


def signature(it: Attachment, expires: int) -> str:
    """What makes an attachment's address good until then."""
    return hashlib.sha256(f"{it.id}/{it.filename}/{expires}".encode()).hexdigest()


def attachment(world: World, where: Channel, it: Attachment) -> Json:
    expires = int(world.clock.now() + world.attachment_life)
    query = f"ex={expires:x}&is={int(world.clock.now()):x}&hm={signature(it, expires)}"
    url = f"{world.base}/attachments/{where.id}/{it.id}/{it.filename}?{query}"
    wire: Json = {"id": str(it.id), "filename": it.filename, "size": len(it.data), "url": url, "proxy_url": url}
    if it.content_type:
        wire["content_type"] = it.content_type
    return {**wire, "description": it.description} if it.description else wire


def author(it: Message) -> Json:
    """Who a message is from; of a webhook that is the webhook, under the name of the post."""
    if it.webhook is None:
        return user(it.author)
    return {
        "id": str(it.webhook.id),
        "username": it.username or it.webhook.name,
        "global_name": None,
        "discriminator": "0000",
        "avatar": hashlib.md5(it.avatar_url.encode()).hexdigest() if it.avatar_url else None,
        "bot": True,
        "public_flags": 0,
    }


def message(world: World, it: Message, *, deep: bool = True) -> Json:
    """A message; with `deep`, the one that it replies to comes along."""
    guild = it.channel.guild
    wire: Json = {
        "id": str(it.id),
        "type": it.kind,
        "channel_id": str(it.channel.id),
        "author": author(it),
        "content": it.content,
        "timestamp": instant(it.at),
        "edited_timestamp": instant(it.edited_at) if it.edited_at is not None else None,
        "tts": False,
        "mention_everyone": bool(it.pings & {"@everyone", "@here"}),
        "mentions": [_mention(it, world.users[who]) for who in it.mentions if who in world.users],
        "mention_roles": [each[3:-1] for each in sorted(it.pings) if each.startswith("<@&")],
        "attachments": [attachment(world, it.channel, each) for each in it.attachments],
        "embeds": [{"type": "rich", **each} for each in shown_embeds(it.flags, it.embeds)],
        "components": it.components,
        "pinned": False,
        "flags": it.flags,
    }
    if it.webhook is not None:
        wire["webhook_id"] = str(it.webhook.id)
    if it.application is not None:
        wire["application_id"] = str(it.application)
    if it.interaction is not None:
        wire["webhook_id"] = str(world.application)
        wire["interaction_metadata"] = _metadata(it.interaction)
    if it.nonce is not None:
        wire["nonce"] = it.nonce
    if it.reactions:
        wire["reactions"] = [
            {
                "count": len(who),
                "count_details": {"burst": 0, "normal": len(who)},
                "me": world.me.id in who,
                "me_burst": False,
                "emoji": {"id": None, "name": name},
                "burst_colors": [],
            }
            for name, who in it.reactions.items()
        ]
    if it.reply_to is not None:
        reference = {"type": 0, "message_id": str(it.reply_to.id), "channel_id": str(it.reply_to.channel.id)}
        wire["message_reference"] = {**reference, "guild_id": str(guild.id)} if guild else reference
        if deep:
            gone = it.reply_to.deleted
            wire["referenced_message"] = None if gone else message(world, it.reply_to, deep=False)
    if it.thread is not None:
        wire["thread"] = channel(world, it.thread)
    return wire


def _mention(it: Message, who: User) -> Json:
    guild = it.channel.guild
    inside = guild is not None and who.id in guild.members
    return {**user(who), "member": member(guild, who, with_user=False)} if guild and inside else user(who)


def _metadata(it: Interaction) -> Json:
    return {
        "id": str(it.id),
        "type": it.kind,
        "user": user(it.user),
        "authorizing_integration_owners": {"0": str(it.channel.guild.id) if it.channel.guild else "0"},
    }


def message_event(world: World, it: Message) -> Json:
    """A message as the gateway tells it: where in a guild, and with the roles of its author."""
    wire = message(world, it)
    guild = it.channel.guild
    if guild is None:
        return {**wire, "channel_type": it.channel.kind}
    wire |= {"guild_id": str(guild.id), "channel_type": it.channel.kind}
    if it.webhook is None and it.author.id in guild.members:
        wire["member"] = member(guild, it.author, with_user=False)
    return wire


def may_read(world: World, it: Message, intents: int) -> bool:
    """Whether the words of a message are shown to a client with these intents ("Message Content Intent")."""
    own = it.author is world.me
    return own or it.channel.guild is None or world.me.id in it.mentions or bool(intents & MESSAGE_CONTENT)


def without_content(wire: Json) -> Json:
    """The message with all that people put into it taken out."""
    bare = {**wire, "content": "", "embeds": [], "attachments": [], "components": []}
    if bare.get("referenced_message"):
        bare["referenced_message"] = without_content(bare["referenced_message"])
    return bare


def readable(world: World, it: Message) -> Json:
    """A message as REST gives it: without its words, where the app has the intent switched off."""
    wire = message(world, it)
    return wire if may_read(world, it, world.privileged) else without_content(wire)


def interaction(world: World, it: Interaction) -> Json:
    """INTERACTION_CREATE."""
    guild = it.channel.guild
    wire: Json = {
        "id": str(it.id),
        "application_id": str(world.application),
        "type": it.kind,
        "token": it.token,
        "version": 1,
        "data": it.data,
        "channel_id": str(it.channel.id),
        "channel": {**channel(world, it.channel), "permissions": str(it.channel.permissions(it.user.id))},
        "locale": "en-US",
        "app_permissions": str(it.channel.permissions(world.me.id)),
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(guild.id) if guild else "0"},
        "context": 0 if guild else 1,
        "attachment_size_limit": 10 * 1024 * 1024,
    }
    if it.message is not None:
        wire["message"] = message(world, it.message)
    if guild is None:
        return {**wire, "user": user(it.user)}
    acting = {**member(guild, it.user), "permissions": str(it.channel.permissions(it.user.id))}
    home = {"id": str(guild.id), "locale": "en-US", "features": []}
    return {**wire, "guild_id": str(guild.id), "guild_locale": "en-US", "guild": home, "member": acting}
