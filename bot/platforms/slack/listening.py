"""What Slack tells the bot, each kind to where it belongs. It is acknowledged when it is safe in its mailbox."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.core.model import MENU_OPTIONS, Conversation, Inbound, Menu
from bot.platforms.button_payload import Pressed, Words
from bot.platforms.mentions import meant
from bot.platforms.slack import arrival, blocks, views
from bot.platforms.slack.arrival import Me, Person
from bot.platforms.slack.home import Home
from bot.platforms.slack.people import People
from bot.platforms.slack.posting import place
from bot.platforms.slack.typed import mentioned
from bot.platforms.slack.web import RefusedError, UnansweredError, Web
from bot.ports.library import Library
from bot.ports.mailbox import MailboxFullError, StoreError
from bot.ports.transport import InboundGateway

log = logging.getLogger(__name__)

FULL = "Too many messages are waiting here, so this one was not taken. Please send it again in a while."
ELSEWHERE = (
    "I am not in this conversation, so nobody could answer you here. In a channel, `/invite` me first, then use "
    "{command} again; or write to me in private."
)
NAMED = 20
"""So many people whom one message mentions are looked up by name."""

HANDLED = frozenset(
    {
        "message", "app_mention", "app_home_opened", "agent_session_stopped", "member_joined_channel",
        "member_left_channel", "tokens_revoked", "app_uninstalled", "channel_archive", "channel_deleted",
        "channel_left", "group_archive", "group_deleted", "group_left",
    }
)  # fmt: skip
"""The events that something is done with: those that the manifest subscribes to, and no others."""

GONE_EVENTS = ("tokens_revoked", "app_uninstalled")
LEFT_EVENTS = ("channel_archive", "channel_deleted", "channel_left", "group_archive", "group_deleted", "group_left")


@dataclass(frozen=True, slots=True)
class Answer:
    """What Slack gets back: a status, 503 where it is to deliver again, and a body."""

    status: int = 200
    body: Mapping[str, Any] | None = None


TAKEN = Answer()
AGAIN = Answer(503)


Stopped = Callable[[str, str, Sequence[str]], Conversation | None]
"""Told the channel, the thread and the streams that Slack's stop button has ended; where that is, if it is known."""


class EventHandler:
    """Takes everything that Slack delivers, in whatever way it came."""

    def __init__(
        self, web: Web, me: Me, people: People, home: Home, gateway: InboundGateway, library: Library, stopped: Stopped
    ) -> None:
        self._web, self._me, self._people, self._stopped_by_slack = web, me, people, stopped
        self._home, self._gateway, self._library = home, gateway, library

    async def take(self, body: Mapping[str, Any]) -> Answer:
        """One delivery. Never raises but for cancellation: what fails is delivered again."""
        try:
            return await self._take(body)
        except (StoreError, UnansweredError) as error:
            log.warning("a delivery of Slack's was not taken, and comes again: %s", error)
        except Exception:
            log.exception("a delivery of Slack's could not be read, and comes again")
        return AGAIN

    async def _take(self, body: Mapping[str, Any]) -> Answer:
        match body.get("type"):
            case "event_callback":
                await self._event(body.get("event") or {}, str(body.get("event_id", "")))
            case "block_actions":
                await self._pressed(body)
            case "view_submission":
                return await self._submitted(body)
            case "message_action" | "shortcut":
                await self._shortcut(body)
            case _ if "command" in body:
                return await self._slash(body)
            case other:
                log.debug("nothing is done with a %s of Slack's", other)
        return TAKEN

    # -------------------------------------------------------- events

    async def _event(self, event: Mapping[str, Any], event_id: str) -> None:
        if event.get("type") not in HANDLED:
            log.debug("nothing is done with Slack's event %s", event.get("type"))
            return
        match event.get("type"):
            case "message" | "app_mention":
                await self.message(event)
            case "app_home_opened" if event.get("tab") == "home":
                await self._home.show(str(event["user"]), self._gateway, self._library)
            case "app_home_opened":
                await self._home.suggest(str(event.get("channel", "")), self._library)
            case "agent_session_stopped":
                await self._stopped(event, event_id)
            case "member_joined_channel" | "member_left_channel":
                self._people.changed(user=str(event.get("user", "")), channel=str(event.get("channel", "")))
                if event.get("type") == "member_left_channel" and event.get("user") == self._me.user:
                    log.warning(
                        "the bot was taken out of %s: what is said there is not heard any more", event["channel"]
                    )
            case kind if kind in GONE_EVENTS:
                self._web.revoked = str(kind)
                log.error("Slack says %s: install the app again and set SLACK_BOT_TOKEN", kind)
            case kind if kind in LEFT_EVENTS:
                log.warning("Slack says %s of %s: nothing more is said there", kind, event.get("channel"))
            case other:
                raise AssertionError(f"nothing handles {other}, though HANDLED names it")

    async def message(self, event: Mapping[str, Any]) -> None:
        """Somebody wrote, edited or deleted something. Raises StoreError and UnansweredError."""
        match event.get("subtype"):
            case "message_deleted" | "message_changed" if found := arrival.deletion(event, self._me.team):
                await self._gateway.deleted(*found)
            case "message_changed":
                now, before = event.get("message") or {}, event.get("previous_message") or {}
                names = await self._names(f"{now.get('text')} {before.get('text')}")
                if changed := arrival.edit(event, self._me, await self._sender(now), names):
                    await self._full_told(changed[0], self._gateway.edited(self._meant(changed[0]), changed[1]))
            case _:
                self._web.time.said(event.get("ts"))
                if arrival.sender_of(event):
                    names = await self._names(str(event.get("text", "")))
                    inbound = arrival.message(event, self._me, await self._sender(event), names)
                    if inbound:
                        await self._receive(self._meant(inbound))

    async def _sender(self, message: Mapping[str, Any]) -> Person:
        user = arrival.sender_of(message)
        return await self._people.person(user) if user else Person("", "")

    async def _names(self, text: str) -> dict[str, str]:
        """The names of the people whom a text mentions, the first `NAMED` of them."""
        users = [ident for ident in mentioned(text) if ident[:1] in ("U", "W") and ident != self._me.user][:NAMED]
        return {user: (await self._people.person(user)).name for user in users}

    def _meant(self, inbound: Inbound) -> Inbound:
        """The message as it is meant, where it mentions the bot and nothing else."""
        if not inbound.addressed or inbound.files or inbound.others:
            return inbound
        return replace(inbound, text=meant(inbound.text, self._library.cast))

    async def _stopped(self, event: Mapping[str, Any], event_id: str) -> None:
        """Slack's own stop button (docs, agent_session_stopped)."""
        thread = str(event.get("thread_ts") or "")
        channel, user = str(event.get("channel") or ""), str(event.get("user") or "")
        if not channel or not user:
            log.warning("Slack's stop button named no channel or no user, so it stops nothing")
            return
        person = await self._people.person(user)
        streams = [str(ts) for ts in event.get("streaming_message_ts") or ()]
        where = self._stopped_by_slack(channel, thread, streams) or Conversation(
            "slack", self._me.team, channel, thread
        )
        if where.parent and arrival.is_direct(channel) and where.thread == thread:
            # At the top of a direct message the work is tied to the message that is being answered.
            where = where if await self._gateway.saved(where) else where.parent
        order = await self._order(where)
        pressed = Inbound(where, event_id, user, person.name, "stop", order, order / 1e6, addressed=True)
        await self._receive(replace(pressed, roles=person.roles, outsider=person.outsider))

    # -------------------------------------------------------- commands, presses, views, shortcuts

    async def _slash(self, body: Mapping[str, Any]) -> Answer:
        """A slash command; Slack lets people use it where the bot has not been invited."""
        person = await self._people.person(str(body["user_id"]))
        inbound = arrival.slash(body, self._me, person, 0)
        if not await self._people.may_speak(inbound.conversation.channel):
            return Answer(body={"response_type": "ephemeral", "text": ELSEWHERE.format(command=body["command"])})
        await self._receive(await self._ordered(inbound))
        return TAKEN

    async def _pressed(self, body: Mapping[str, Any]) -> None:
        user = str(body["user"]["id"])
        page = views.turned(body)
        if page is not None:
            await self._home.show(user, self._gateway, self._library, page)
            return
        person = await self._people.person(user)
        if arrival.action_of(body).get("action_id") == views.START:
            await self._start(body, person)
            return
        match arrival.press(body, self._me, person):
            case Inbound() as inbound:
                await self._receive(inbound)
            case Words() as asked:
                menu = await self._open_menu(asked)
                if menu is None:
                    # Beyond the last option of any menu: it can choose nothing, and its presser is told so.
                    passed = Pressed(asked.conversation, asked.menu, MENU_OPTIONS + 1)
                    await self._receive(arrival.picked(body, passed, person))
                else:
                    await self._open(body, views.answering(asked, menu.prompt, str(body.get("response_url") or "")))
            case arrival.Mismatch(why):
                log.warning("a press in Slack counts for nothing: %s", why)

    async def _open_menu(self, asked: Words) -> Menu | None:
        saved = await self._gateway.saved(asked.conversation)
        return next((m for m in saved.session.menus if m.id == asked.menu), None) if saved else None

    async def _start(self, body: Mapping[str, Any], person: Person) -> None:
        """Bring a persona on in the private talk with whoever pressed it in the App Home."""
        try:
            channel = await self._people.direct(person.user)
        except RefusedError as error:
            log.warning("no private talk with %s could be begun (%s)", person.user, error)
            return
        if inbound := views.start(body, self._me, person, channel):
            await self._receive(inbound)

    async def _submitted(self, body: Mapping[str, Any]) -> Answer:
        person = await self._people.person(str(body["user"]["id"]))
        read = views.asked if (body.get("view") or {}).get("callback_id") == views.ASK else arrival.words
        match read(body, self._me, person, 0):
            case Inbound(menu=menu, conversation=where) if menu and not await self._open_menu(Words(where, menu)):
                return _refused("This was answered meanwhile. What you wrote is still here, for you to copy.")
            case Inbound() as inbound:
                await self._receive(await self._ordered(inbound))
                return TAKEN
            case arrival.Mismatch(why):
                return _refused(f"This cannot be sent: {why}.")

    async def _shortcut(self, body: Mapping[str, Any]) -> None:
        if body.get("callback_id") != views.ASK:
            return
        channel = str((body.get("channel") or {}).get("id", ""))
        if await self._people.may_speak(channel):
            await self._open(body, views.asking(self._library.cast, body))
        else:
            await self._open(body, views.notice("Ask a persona", ELSEWHERE.format(command="this")))

    async def _open(self, body: Mapping[str, Any], view: Mapping[str, Any]) -> None:
        try:
            await self._web.call("views.open", trigger_id=body.get("trigger_id"), view=view)
        except RefusedError as error:
            log.warning("a form could not be opened (%s)", error)

    # -------------------------------------------------------- into the house

    async def _ordered(self, inbound: Inbound) -> Inbound:
        """With an order of Slack's, for what comes without."""
        order = await self._order(inbound.conversation)
        return replace(inbound, order=order, at=order / arrival.MICRO)

    async def _order(self, where: Conversation) -> int:
        saved = await self._gateway.saved(where)
        marks = [anchor.order for anchor in saved.number_anchors] if saved else []
        return self._web.time.order(max([await self._gateway.last_seen(where), *marks]))

    async def _receive(self, inbound: Inbound) -> None:
        await self._full_told(inbound, self._gateway.receive(inbound))

    async def _full_told(self, inbound: Inbound, taking: Any) -> None:
        try:
            await taking
        except MailboxFullError as error:
            where = inbound.conversation
            if not error.tell and not inbound.menu:
                return
            try:
                await self._web.call("chat.postEphemeral", now=True, user=inbound.user, text=FULL, **place(where))
            except (RefusedError, UnansweredError) as error:
                log.warning("that %s is full could not be told to %s (%s)", where.key, inbound.user, error)


def _refused(why: str) -> Answer:
    """Why a form is not taken; it stays open."""
    return Answer(body={"response_action": "errors", "errors": {blocks.TEXT: why}})
