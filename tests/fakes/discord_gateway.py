"""Discord's gateway: who is let in, and what each session is told.

Opcodes and close codes: API documentation, "Gateway", "Opcodes and Status Codes". A session keeps all it was ever told,
so a RESUME replays what was missed. Whoever does not beat is closed with 4009.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from tests.fakes import discord_wire as wire
from tests.fakes.discord_sessions import CloseError, Connection, Session
from tests.fakes.discord_state import (
    GUILD_MEMBERS,
    GUILD_PRESENCES,
    MESSAGE_CONTENT,
    Event,
    Guild,
    World,
)

PRIVILEGED = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT
INTENTS = (1 << 26) - 1
IDENTIFY_WINDOW = 5.0
PAYLOAD = 4096


class Gateway:
    """All connections and sessions. `heartbeat` is the interval in seconds; `is_open` False refuses new connections.

    `max_concurrency` limits how many may identify within 5 s of the world's clock, by shard; None limits nothing.
    """

    def __init__(self, world: World, *, heartbeat: float, shards: int, max_concurrency: int | None) -> None:
        self.heartbeat = heartbeat
        self.shards = shards
        self.max_concurrency = max_concurrency
        self.is_open = True
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.refused: list[int] = []
        self.identified: list[dict[str, Any]] = []
        self.resumed = 0
        self._world = world
        self._held: list[Event] | None = None
        self._identifies: list[tuple[int, float]] = []
        world.publish = self.publish

    # ------------------------------------------------------------ telling

    def publish(self, event: Event) -> None:
        """Tell every session that it is for."""
        if self._held is not None:
            self._held.append(event)
            return
        for session in list(self.sessions.values()):
            if self._is_for(session, event):
                data = event.data
                if event.message is not None and not wire.may_read(self._world, event.message, session.intents):
                    data = wire.without_content(data)
                for _ in range(event.repeat):
                    session.tell(event.name, data)

    def _is_for(self, session: Session, event: Event) -> bool:
        me = self._world.me.id
        if event.intent and not session.intents & event.intent:
            return False
        if event.guild and me not in event.guild.members and event.name != "GUILD_DELETE":
            return False
        if (event.guild.id >> 22) % session.shard[1] != session.shard[0] if event.guild else session.shard[0] != 0:
            return False
        return event.channel is None or event.channel.sees(me)

    @contextmanager
    def burst(self, *, reverse: bool = False) -> Iterator[None]:
        """Hold back what is told inside, then tell it at once; with `reverse` the last first."""
        self._held = []
        try:
            yield
        finally:
            held, self._held = self._held, None
            for event in reversed(held) if reverse else held:
                self.publish(event)

    def tell_raw(self, name: str, data: object) -> None:
        """Tell every session anything at all, a malformed event for one."""
        for session in self.sessions.values():
            session.tell(name, data)

    # ------------------------------------------------------------ disturbing

    def _live(self, shard: int | None) -> list[Connection]:
        return [each for each in self.connections if each.session and shard in (None, each.session.shard[0])]

    def cut(self, shard: int | None = None) -> None:
        """Break the connections (of one shard) without a word; their sessions can be resumed."""
        for each in self._live(shard):
            each.cut()

    def reconnect(self, shard: int | None = None) -> None:
        """Ask clients to come again (op 7)."""
        for each in self._live(shard):
            each.send({"op": 7, "d": None})

    def invalidate(self, shard: int | None = None, *, resumable: bool = False) -> None:
        """Tell clients that their session is not valid (op 9); unless `resumable` it is gone."""
        for each in self._live(shard):
            if each.session and not resumable:
                self.sessions.pop(each.session.id, None)
                each.detach()
            each.send({"op": 9, "d": resumable})

    def forget_sessions(self) -> None:
        """Lose all sessions: who resumes gets op 9 and has to identify anew."""
        self.sessions.clear()

    async def close_all(self, code: int = WSCloseCode.GOING_AWAY) -> None:
        """Close every connection with a code."""
        for each in list(self.connections):
            await each.close(code, "")

    # ------------------------------------------------------------ a connection's life

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Handle `GET /gateway`."""
        query = request.query
        if not self.is_open:
            return web.Response(status=503, text="the gateway is closed")
        if query.get("compress", "zlib-stream") != "zlib-stream":
            return web.Response(status=400, text="this gateway speaks zlib-stream and plain, nothing else")
        socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = Connection(request, socket, compress="compress" in query)
        self.connections.append(connection)
        writer = asyncio.create_task(connection.write())
        watch = asyncio.create_task(self._watch(connection))
        try:
            if query.get("v") not in ("9", "10"):
                raise CloseError(4012, "Invalid API version.")
            if query.get("encoding", "json") != "json":
                raise CloseError(4002, "Error while decoding payload.")
            connection.send({"op": 10, "d": {"heartbeat_interval": int(self.heartbeat * 1000)}})
            async for message in socket:
                self._receive(connection, message)
        except CloseError as error:
            self.refused.append(error.code)
            await connection.close(error.code, str(error))
        finally:
            watch.cancel()
            writer.cancel()
            self.connections.remove(connection)
            self._left(connection, socket.close_code)
            await asyncio.gather(writer, watch, return_exceptions=True)
        return socket

    def _left(self, connection: Connection, code: int | None) -> None:
        if code in (1000, 1001) and connection.session and connection.session.connection is connection:
            self.sessions.pop(connection.session.id, None)
        connection.detach()

    async def _watch(self, connection: Connection) -> None:
        # The real one forgives a little lateness too.
        patience = self.heartbeat * 1.5 + 0.1
        silent = 0.0
        while silent < patience:
            await asyncio.sleep(patience - silent)
            silent = time.monotonic() - connection.last_beat
        self.refused.append(4009)
        if connection.session:
            self.sessions.pop(connection.session.id, None)
        await connection.close(4009, "Session timed out.")

    def _receive(self, connection: Connection, message: WSMessage) -> None:
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise CloseError(4002, "Error while decoding payload.")
        connection.count_command()
        try:
            payload = json.loads(message.data)
        except ValueError:
            raise CloseError(4002, "Error while decoding payload.") from None
        if not isinstance(payload, dict) or len(message.data) > PAYLOAD:
            raise CloseError(4002, "Error while decoding payload.")
        match payload:
            case {"op": 1}:
                connection.last_beat = time.monotonic()
                connection.send({"op": 11})
            case {"op": 2, "d": dict(body)}:
                self._identify(connection, body)
            case {"op": 6, "d": dict(body)}:
                self._resume(connection, body)
            case {"op": 3 | 4 | 8} if connection.session is None:
                raise CloseError(4003, "Not authenticated.")
            case {"op": 3 | 4}:
                pass
            case {"op": 8, "d": dict(body)} if connection.session is not None:
                self._tell_members(connection.session, body)
            case _:
                raise CloseError(4001, "Unknown opcode.")

    def _identify(self, connection: Connection, body: dict[str, Any]) -> None:
        if connection.session is not None:
            raise CloseError(4005, "Already authenticated.")
        if body.get("token") != self._world.token:
            raise CloseError(4004, "Authentication failed.")
        intents = body.get("intents")
        if not isinstance(intents, int) or not 0 <= intents <= INTENTS or not isinstance(body.get("properties"), dict):
            raise CloseError(4013, "Invalid intent(s).")
        if intents & PRIVILEGED & ~self._world.privileged:
            raise CloseError(4014, "Disallowed intent(s).")
        match body.get("shard", [0, 1]):
            case [int(number), int(count)] if 0 <= number < count:
                shard = (number, count)
            case _:
                raise CloseError(4010, "Invalid shard.")
        if not self._may_identify(shard[0]):
            connection.send({"op": 9, "d": False})
            return
        self.identified.append(body)
        session = Session(secrets.token_hex(16), intents, shard, connection=connection)
        connection.session = session
        self.sessions[session.id] = session
        self._greet(session)

    def _may_identify(self, shard: int) -> bool:
        if self.max_concurrency is None:
            return True
        now, key = self._world.clock.now(), shard % self.max_concurrency
        self._identifies = [(k, at) for k, at in self._identifies if at > now - IDENTIFY_WINDOW]
        allowed = all(k != key for k, _ in self._identifies)
        if allowed:
            self._identifies.append((key, now))
        return allowed

    def _greet(self, session: Session) -> None:
        world = self._world
        mine = [
            each
            for each in world.guilds.values()
            if world.me.id in each.members and (each.id >> 22) % session.shard[1] == session.shard[0]
        ]
        ready = {
            "v": 10,
            "user": {**wire.user(world.me), "verified": True, "mfa_enabled": False, "email": None, "flags": 0},
            "guilds": [{"id": str(each.id), "unavailable": True} for each in mine],
            "session_id": session.id,
            "resume_gateway_url": world.base.replace("http", "ws", 1) + "/gateway",
            "shard": list(session.shard),
            "application": {"id": str(world.application), "flags": application_flags(world)},
            "private_channels": [],
        }
        session.tell("READY", ready)
        for each in mine if session.intents & 1 else ():
            self._tell_guild(session, each)

    def _tell_guild(self, session: Session, guild: Guild) -> None:
        both = bool(session.intents & GUILD_MEMBERS and session.intents & GUILD_PRESENCES)
        session.tell("GUILD_CREATE", wire.guild(self._world, guild, members=both))

    def _resume(self, connection: Connection, body: dict[str, Any]) -> None:
        if connection.session is not None:
            raise CloseError(4005, "Already authenticated.")
        if body.get("token") != self._world.token:
            raise CloseError(4004, "Authentication failed.")
        session = self.sessions.get(str(body.get("session_id")))
        seq = body.get("seq")
        if session is None:
            connection.send({"op": 9, "d": False})
            return
        if not isinstance(seq, int) or not 0 <= seq <= len(session.buffer):
            raise CloseError(4007, "Invalid seq.")
        if session.connection is not None:
            session.connection.cut()
        for event in session.buffer[seq:]:
            connection.send(event)
        connection.session, session.connection = session, connection
        self.resumed += 1
        session.tell("RESUMED", {"_trace": []})

    def _tell_members(self, session: Session, body: dict[str, Any]) -> None:
        guild = self._world.guilds.get(int(body.get("guild_id", 0)))
        query, wanted = body.get("query"), [int(each) for each in body.get("user_ids") or ()]
        if query == "" and not body.get("limit") and not session.intents & GUILD_MEMBERS:
            raise CloseError(4014, "Disallowed intent(s).")
        if guild is None:
            return
        users = [self._world.users[who] for who in guild.members]
        if wanted:
            users = [each for each in users if each.id in wanted]
        elif query:
            users = [each for each in users if each.name.startswith(query)][: body.get("limit") or 100]
        chunk = {
            "guild_id": str(guild.id),
            "members": [wire.member(guild, each) for each in users],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [str(each) for each in wanted if each not in guild.members],
            "presences": [],
        }
        session.tell("GUILD_MEMBERS_CHUNK", chunk | ({"nonce": body["nonce"]} if "nonce" in body else {}))


def application_flags(world: World) -> int:
    """The public flags that say which privileged intents the app has ("limited": it is in under 100 guilds)."""
    flags = 0
    for intent, flag in ((GUILD_PRESENCES, 1 << 13), (GUILD_MEMBERS, 1 << 15), (MESSAGE_CONTENT, 1 << 19)):
        flags |= flag if world.privileged & intent else 0
    return flags
