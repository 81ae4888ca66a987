"""Discord on loopback, strict as the real one, for the real `discord` library.

    async with FakeDiscord() as fake:
        ada = fake.person("ada")
        guild = fake.guild("Acme", ada)
        general = fake.channel(guild, "general")
        with pointed_at(fake):
            client = discord.Client(intents=..., guild_ready_timeout=0.05)
            ...
            ada.says(general, "*help")
            await fake.until(lambda: fake.seen(general), "an answer")

People are `Person`s (see `discord_people`): `says`, `pastes`, `edits`, `deletes`, `slash`, `completes`, `presses`,
`selects`, `submits` and more act at once and return what they made. `fake.seen(channel)` is what people read.

Disturbances: `fake.order(method, path, *faults)` takes the next calls of a route (`Breaks`, `Cuts`, `Limits`, `Waits`,
`Refuses`; `*` in a path is one part of it); `fake.cdn.order(*faults)` the next downloads of files; `fake.gateway` has
`cut`, `reconnect`, `invalidate`, `burst`, `is_open`.
`fake.calls` and `fake.called(method, path)` are the requests that came in. Time for interactions, nonces and addresses
of attachments is the clock's: `fake.advance(seconds)`. Rate limits and heartbeats run in real time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Protocol, Self

import yarl
from aiohttp import web
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route as ClientRoute

from tests.fakes import discord_app, discord_channels, discord_interactions, discord_webhooks
from tests.fakes import discord_wire as wire
from tests.fakes.discord_cdn import Cdn
from tests.fakes.discord_gateway import Gateway
from tests.fakes.discord_people import Person
from tests.fakes.discord_posting import announce, edit, post, tell_channel
from tests.fakes.discord_rest import Call, Fault, Limit, Rest, Route
from tests.fakes.discord_seen import Seen, seen
from tests.fakes.discord_state import (
    BOT,
    EVERYONE,
    GUILD_MEMBERS,
    GUILDS,
    TEXT,
    VIEW_CHANNEL,
    Channel,
    Clock,
    Event,
    Guild,
    Message,
    Role,
    RunningClock,
    User,
    Webhook,
    World,
)

DEADLINE = 5.0


class Someone(Protocol):
    """A person, a role, a user: whoever an overwrite can be for."""

    @property
    def id(self) -> int: ...


class FakeDiscord:
    """The server and what a test can do with it; see the module."""

    def __init__(
        self,
        *,
        token: str = "bot-token-0123456789",
        name: str = "Greenroom",
        clock: Clock | None = None,
        heartbeat: float = 41.25,
        shards: int = 1,
        max_concurrency: int | None = None,
    ) -> None:
        """`shards` is what /gateway/bot recommends; for `max_concurrency` see `Gateway`."""
        self.world = World(clock or RunningClock(), token, name)
        self.gateway = Gateway(self.world, heartbeat=heartbeat, shards=shards, max_concurrency=max_concurrency)
        own = (Route("GET", "/gateway", self._where, open=True), Route("GET", "/gateway/bot", self._where_bot))
        modules = (discord_app, discord_channels, discord_webhooks, discord_interactions)
        self.rest = Rest(self.world, [*own, *(route for module in modules for route in module.ROUTES)])
        self.cdn = Cdn(self.world)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_route("*", "/api/v10/{path:.*}", self.rest.serve)
        app.router.add_get("/attachments/{channel}/{id}/{filename}", self.cdn.serve)
        app.router.add_get("/emojis/{file}", self._emoji)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.world.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gateway.is_open = False
        await self.gateway.close_all()
        if self._runner:
            await self._runner.cleanup()

    # ------------------------------------------------------------ the server

    @property
    def url(self) -> str:
        """The address of all of it, without a slash at the end."""
        return self.world.base

    @property
    def api(self) -> str:
        """What `discord.http.Route.BASE` is to be."""
        return f"{self.url}/api/v10"

    @property
    def gateway_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/gateway"

    @property
    def token(self) -> str:
        return self.world.token

    @property
    def me(self) -> User:
        """The bot."""
        return self.world.me

    @property
    def calls(self) -> list[Call]:
        """All requests so far, oldest first."""
        return self.rest.calls

    def called(self, method: str, path: str) -> list[Call]:
        """The requests of a route so far; `*` in the path is one part of it."""
        return self.rest.called(method, path)

    def order(self, method: str, path: str, *faults: Fault) -> None:
        """Disturb the next calls of a route, one fault a call."""
        self.rest.order(method, path, *faults)

    def limit(self, method: str, path: str, calls: int, window: float) -> None:
        """Rate-limit a route for each channel or webhook, from now on, in real time."""
        self.rest.limit(method, path, Limit(calls, window))

    def limit_sends(self, calls: int = 5, window: float = 2.0) -> None:
        """What is reported of the real one: so many posts in a channel, and as many through a webhook."""
        self.limit("POST", "/channels/*/messages", calls, window)
        self.limit("POST", "/webhooks/*/*", calls, window)

    def advance(self, seconds: float) -> None:
        """Let time pass, on the clock that this fake has made itself."""
        if not isinstance(self.world.clock, RunningClock):
            raise TypeError("the test brought its own clock; let time pass on that")
        self.world.clock.advance(seconds)

    async def until(self, holds: Callable[[], object], what: str, deadline: float = DEADLINE) -> None:
        """Wait until `holds()`; fail with `what` after `deadline` seconds."""
        end = time.monotonic() + deadline
        while not holds():
            assert time.monotonic() < end, f"waited {deadline} s in vain for {what}"
            await asyncio.sleep(0.005)

    @contextmanager
    def burst(self, *, reverse: bool = False) -> Iterator[None]:
        """Everything that happens inside is told at once at the end; with `reverse` the last first."""
        with self.gateway.burst(reverse=reverse):
            yield

    def malformed(self) -> None:
        """Send an event that no client can read."""
        self.gateway.tell_raw("MESSAGE_CREATE", {"id": "1"})

    def forbid_intent(self, intent: int) -> None:
        """Switch a privileged intent off for the app: who asks for it is closed with 4014."""
        self.world.privileged &= ~intent

    def block(self, word: str, code: int = 200000) -> None:
        """Let no message with this word or link pass; `code` says why: 200000 AutoMod, 240000 a harmful link."""
        self.world.blocked[word] = code

    # ------------------------------------------------------------ who and where

    def person(self, name: str, *guilds: Guild, bot: bool = False) -> Person:
        """Somebody new, in these guilds; with `bot` another bot."""
        user = User(self.world.snowflake(), name, bot=bot)
        self.world.users[user.id] = user
        person = Person(self.world, user)
        for each in guilds:
            self.joins(person, each)
        return person

    def guild(
        self,
        name: str,
        *members: Person,
        permissions: int = BOT,
        owner: Person | None = None,
        shard: int = 0,
        of: int = 1,
    ) -> Guild:
        """A guild with the bot in it, whose role allows `permissions`; its id falls to the shard `shard` of `of`."""
        id = self.world.snowflake(shard, of)
        guild = Guild(id, name, owner.id if owner else self.world.snowflake())
        guild.roles[id] = Role(id, "@everyone", EVERYONE)
        mine = Role(self.world.snowflake(), self.me.name, permissions)
        guild.roles[mine.id] = mine
        guild.members = {self.me.id: {mine.id}, **{each.id: set() for each in (*members, *((owner,) if owner else ()))}}
        self.world.guilds[id] = guild
        self.world.publish(Event("GUILD_CREATE", wire.guild(self.world, guild), guild, intent=GUILDS))
        return guild

    def role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        role = Role(self.world.snowflake(), name, permissions)
        guild.roles[role.id] = role
        data = {"guild_id": str(guild.id), "role": wire.role(role, len(guild.roles))}
        self.world.publish(Event("GUILD_ROLE_CREATE", data, guild, intent=GUILDS))
        return role

    def grants(self, guild: Guild, person: Person, *roles: Role) -> None:
        """Give roles to a member."""
        guild.members[person.id] |= {each.id for each in roles}
        data = {**wire.member(guild, person.user), "guild_id": str(guild.id)}
        self.world.publish(Event("GUILD_MEMBER_UPDATE", data, guild, intent=GUILD_MEMBERS))

    def joins(self, person: Person, guild: Guild) -> None:
        guild.members.setdefault(person.id, set())
        data = {**wire.member(guild, person.user), "guild_id": str(guild.id)}
        self.world.publish(Event("GUILD_MEMBER_ADD", data, guild, intent=GUILD_MEMBERS))

    def removes_bot(self, guild: Guild) -> None:
        """Throw the bot out."""
        del guild.members[self.me.id]
        self.world.publish(Event("GUILD_DELETE", {"id": str(guild.id)}, guild, intent=GUILDS))

    def channel(self, guild: Guild, name: str, *, private_to: tuple[Someone, ...] | None = None) -> Channel:
        """A text channel; with `private_to` only these see it (`fake.me` is the bot)."""
        channel = Channel(self.world.snowflake(), name, TEXT, guild, created_at=self.world.clock.now())
        if private_to is not None:
            channel.overwrites = {guild.id: (0, VIEW_CHANNEL), **{each.id: (VIEW_CHANNEL, 0) for each in private_to}}
        self.world.channels[channel.id] = channel
        self.world.publish(Event("CHANNEL_CREATE", wire.channel(self.world, channel), guild, intent=GUILDS))
        return channel

    def permits(self, channel: Channel, who: Someone, *, allow: int = 0, deny: int = 0) -> None:
        """Set the overwrite of somebody in a channel (permissions: constants of `discord_state`)."""
        channel.overwrites[who.id] = (allow, deny)
        self.world.publish(Event("CHANNEL_UPDATE", wire.channel(self.world, channel), channel.guild, intent=GUILDS))

    def deletes_channel(self, channel: Channel) -> None:
        """Delete a channel or thread, with the webhooks and threads in it."""
        gone = [channel, *(each for each in self.world.channels.values() if each.parent is channel)]
        data = {**wire.channel(self.world, channel)}
        for each in gone:
            self.world.channels.pop(each.id, None)
        self.world.webhooks = {id: it for id, it in self.world.webhooks.items() if it.channel not in gone}
        name = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
        self.world.publish(Event(name, data, channel.guild, intent=GUILDS))

    def archives(self, thread: Channel, *, locked: bool = False) -> None:
        """Archive a thread."""
        thread.archived, thread.locked = True, locked
        tell_channel(self.world, "THREAD_UPDATE", thread)

    def notes(self, channel: Channel, kind: int, about: Person) -> Message:
        """Let Discord say a line of its own, such as `PINNED` or `JOINED` of `discord_state`."""
        return announce(self.world, Message(self.world.snowflake(), channel, about.user, kind=kind))

    def unfurls(self, message: Message, **embed: Any) -> None:
        """Add the preview of a link, as Discord does by itself: an update that is no edit of anybody's."""
        edit(self.world, message, {"embeds": [*message.embeds, embed]}, quietly=True)

    # ------------------------------------------------------------ webhooks

    def webhooks(self, channel: Channel) -> list[Webhook]:
        """The webhooks of a channel."""
        return [each for each in self.world.webhooks.values() if each.channel is channel]

    def other_webhook(self, channel: Channel, name: str, creator: Person | None = None) -> Webhook:
        """A webhook that a person has made, in the settings of the channel."""
        made_by = creator.user if creator else User(self.world.snowflake(), "somebody")
        return discord_webhooks.make(self.world, channel, name, made_by, None)

    def webhook_says(self, webhook: Webhook, text: str, *, username: str | None = None, repeat: int = 1) -> Message:
        """Something is posted through a webhook by whoever has its address."""
        message = Message(self.world.snowflake(), webhook.channel, webhook.creator, webhook=webhook, username=username)
        message.application = webhook.application
        return post(self.world, message, {"content": text}, repeat=repeat)

    def deletes_webhook(self, webhook: Webhook) -> None:
        """Delete a webhook in the settings of its channel."""
        del self.world.webhooks[webhook.id]
        discord_webhooks.tell_webhooks(self.world, webhook.channel)

    # ------------------------------------------------------------ what people see

    def seen(self, channel: Channel) -> list[Seen]:
        """The messages of a channel as people read them, oldest first: also those for one person, not Discord's own."""
        written = (each for each in channel.messages.values() if not each.deleted and each.kind in (0, 19, 20))
        return [seen(each) for each in sorted(written, key=lambda each: each.id)]

    def said(self, channel: Channel) -> list[tuple[str, str]]:
        """Who said what there, the bot and its webhooks alone."""
        ours = (each for each in self.seen(channel) if each.message.author is self.me and not each.loading)
        return [(each.author, each.text) for each in ours]

    def blank(self) -> list[Message]:
        """The bot's messages on which there is nothing to see."""
        every = [each for channel in self.world.channels.values() for each in self.seen(channel)]
        return [each.message for each in every if each.message.author is self.me and each.is_blank]

    # ------------------------------------------------------------ endpoints of its own

    def _where(self, world: World, call: Call) -> dict[str, Any]:
        return {"url": self.gateway_url}

    def _where_bot(self, world: World, call: Call) -> dict[str, Any]:
        limit = {"total": 1000, "remaining": 1000 - len(self.gateway.identified), "reset_after": 86_400_000}
        limit["max_concurrency"] = self.gateway.max_concurrency or 1
        return {"url": self.gateway_url, "shards": self.gateway.shards, "session_start_limit": limit}

    async def _emoji(self, request: web.Request) -> web.Response:
        id = request.match_info["file"].partition(".")[0]
        found = self.world.emojis.get(int(id)) if id.isdigit() else None
        return web.Response(body=found[1], content_type="image/png") if found else web.Response(status=404)


@contextmanager
def pointed_at(fake: FakeDiscord) -> Iterator[None]:
    """Let the library call this fake instead of Discord, until the end of the block."""
    before = ClientRoute.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE
    ClientRoute.BASE = fake.api
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(fake.gateway_url)
    Asset.BASE = fake.url
    try:
        yield
    finally:
        ClientRoute.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE = before


__all__ = ["FakeDiscord", "Person", "Seen", "pointed_at"]
