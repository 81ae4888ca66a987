"""Replies that people watch as they are written, as Slack's own streams.

A stream carries no key until it is sealed. Slack ends it after some five minutes, so it is begun anew before that, and
whatever goes wrong with it, the finished reply is posted instead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot.core.model import Conversation, Receipt
from bot.core.replies import STOPPED
from bot.platforms.growing import Pace, Pump
from bot.platforms.slack import markup
from bot.platforms.slack.arrival import is_direct
from bot.platforms.slack.blocks import menu_blocks
from bot.platforms.slack.posting import Poster, key_of, metadata, place, receipt
from bot.platforms.slack.web import START_STREAM, LimitedError, RefusedError, UnansweredError, Web
from bot.ports.transport import Outgoing, TransportError

log = logging.getLogger(__name__)

PACE = 0.7
"""Seconds between two pieces of all streams: Slack takes some 100 a minute of a workspace (docs, chat.appendStream)."""

OLD = 240.0
"""Seconds after which a stream is begun anew; Slack ends it after about 300."""


SHORT = 2.0
"""Seconds for which a stream waits to be finished; where Slack limits that for longer, the reply is posted instead."""

LAG = 400
"""So many characters may be missing in a stream that Slack's stop button has ended: about what came meanwhile."""

TOPLESS = ("invalid_arguments", "invalid_arg_name", "invalid_thread_ts", "missing_thread_ts", "thread_not_found")
"""What Slack may say where it has no streams at the top of channels, which its documentation tells in two ways."""


@dataclass(slots=True)
class Stream:
    """A stream under way: its message, when it began by the loop's clock, what it shows, and what shows more of it.

    `sent` is what it shows, `shown` of which text of ours that is. `is_stopped`: Slack's stop button has ended it.
    """

    out: Outgoing
    ts: str
    began: float
    sent: str = ""
    shown: str = ""
    pump: Pump | None = None
    is_stopped: bool = False

    async def halted(self) -> bool:
        """Send nothing more; whether it is known what the stream shows."""
        if self.pump is None:
            return True
        await self.pump.halt()
        return not self.pump.is_dead


class Streams:
    """The streams of this process. `now` is a clock of seconds that only runs forward."""

    def __init__(self, web: Web, box: Poster, team: str, now: Callable[[], float], pace: float = PACE) -> None:
        self._web, self._box, self._team, self._now = web, box, team, now
        self._pace = Pace(pace)
        self._open: dict[str, Stream] = {}
        self._starts_at = 0.0
        self._has_tops = True

    async def preview(self, out: Outgoing) -> str | None:
        """Begin a stream, and give its ref; None where Slack has none here, or does not want one now.

        Slack has them in threads, and at the top of channels, not of direct messages (docs, chat.startStream: without
        `thread_ts` "only supported in channels"). Older documentation requires `thread_ts`; so a refusal is remembered.
        """
        where = out.conversation
        if not where.thread and (is_direct(where.channel) or not self._has_tops):
            return None
        ts = await self._begin(out, "")
        if ts is None:
            return None
        stream = Stream(out, ts, self._now())
        stream.pump = Pump(lambda wanted: self._forward(stream, wanted), 0.0, self._pace.turn)
        ref = f"{out.conversation.channel}:{ts}"
        self._open[ref] = stream
        return ref

    async def extend(self, ref: str, text: str) -> None:
        """Show `text` soon; what is newer overtakes what was not yet sent."""
        stream = self._open.get(ref)
        if stream and stream.pump:
            stream.pump.show(text)

    def stopped(self, channel: str, ts: str) -> Conversation | None:
        """Slack's stop button has ended that stream; the conversation that it is of, if it is one of this process."""
        for stream in self._open.values():
            if (stream.out.conversation.channel, stream.ts) == (channel, ts):
                stream.is_stopped = True
                return stream.out.conversation
        return None

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """Finish the stream as the post `out`; None where it had to be taken away."""
        stream = self._open.pop(ref, None)
        if stream is None:
            await self._remove(*ref.split(":", 1))
            return None
        is_known = await stream.halted()
        text = markup.neutral(self._shown(out, out.text))
        where = out.conversation
        if stream.is_stopped:
            return await self._left(stream, out)
        if is_known and text.startswith(stream.sent):
            rest = text[len(stream.sent) :]
            extra: dict[str, Any] = {"markdown_text": rest} if rest else {}
            if out.menu:
                extra["blocks"] = menu_blocks(where, out.menu)
            try:
                await self._finish(channel=where.channel, ts=stream.ts, metadata=metadata(out.key), **extra)
                return receipt(stream.ts, self._web.time.seconds())
            except LimitedError as error:
                log.info("a stream cannot be finished soon (%s); the reply is posted instead", error)
            except UnansweredError:
                if found := await self._box.find(out):
                    return found
            except RefusedError as error:
                if stream.is_stopped or await self._was_stopped(stream, error):
                    return await self._left(stream, out)
                log.info("a stream could not be finished (%s); the reply is posted instead", error)
        await self._remove(where.channel, stream.ts)
        return None

    async def _finish(self, **arguments: Any) -> None:
        """Raises LimitedError where that would take longer than `SHORT`."""
        try:
            await self._web.call("chat.stopStream", now=True, **arguments)
        except LimitedError as error:
            if error.seconds > SHORT:
                raise
            await asyncio.sleep(error.seconds)
            await self._web.call("chat.stopStream", now=True, **arguments)

    async def _was_stopped(self, stream: Stream, error: RefusedError) -> bool:
        """Whether people have stopped it, and not its age: the event may have gone to another process.

        Only an append is told (docs, errors of chat.appendStream: `stopped_by_user`), and shows nothing then.
        """
        if error.code != "message_not_in_streaming_state":
            return False
        channel = stream.out.conversation.channel
        try:
            await self._web.call("chat.appendStream", now=True, channel=channel, ts=stream.ts, markdown_text=" ")
        except RefusedError as refused:
            return refused.code == "stopped_by_user"
        except UnansweredError as unanswered:
            log.info("why a stream has ended is not known (%s)", unanswered)
        return False

    async def _left(self, stream: Stream, out: Outgoing) -> Receipt:
        """The receipt of a stream that Slack's stop button has ended, which stays as it is.

        It takes no key any more: after a crash before the commit it is taken for torn. Whoever pressed may not have
        been allowed to stop the reply: what was not shown of one that went on is posted below, and so are a menu and
        what is more than a few words of one that was stopped.
        """
        rest = out.text[len(stream.shown) :] if out.text.startswith(stream.shown) else out.text
        if out.menu is None and (not rest.strip() or (STOPPED in rest and len(rest) <= LAG)):
            return receipt(stream.ts)
        return await self._box.post(replace(out, text=rest.strip()))

    async def withdraw(self, ref: str) -> None:
        """Take the stream away."""
        stream = self._open.pop(ref, None)
        channel, ts = ref.split(":", 1)
        if stream:
            await stream.halted()
            ts = stream.ts
        await self._remove(channel, ts)

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """Our newest message there without a key; should there be more of them, the others are taken away.

        It may be one of this very process, whose turn failed and was taken up again.
        """
        found = await self._unkeyed(conversation, since)
        for message in found[:-1]:
            await self._remove(conversation.channel, str(message["ts"]))
        if not found:
            return None
        ts = str(found[-1]["ts"])
        ref = next((ref for ref, stream in self._open.items() if stream.ts == ts), f"{conversation.channel}:{ts}")
        return ref, str(found[-1].get("text", ""))

    async def _unkeyed(self, conversation: Conversation, since: int) -> list[dict[str, Any]]:
        """Our messages there without a key, oldest first."""
        ours = self._box.ours(conversation, since)
        found = [message async for message in ours if not key_of(message) and not message.get("files")]
        return sorted(found, key=lambda message: str(message["ts"]))

    async def close(self) -> None:
        """Stop showing; what is open is finished or replaced by whoever takes its turn up."""
        for stream in self._open.values():
            await stream.halted()
        self._open.clear()

    # -------------------------------------------------------- one stream

    def _shown(self, out: Outgoing, text: str) -> str:
        return self._box.text_of(replace(out, text=text))

    async def _begin(self, out: Outgoing, text: str) -> str | None:
        where = out.conversation
        arguments = {**place(where), **self._box.voiced(out.voice)}
        if not where.channel.startswith("D"):
            if not out.asker:
                return None
            arguments |= {"recipient_team_id": self._team, "recipient_user_id": out.asker}
        if text:
            arguments["markdown_text"] = text
        if self._loop_time() < self._starts_at:
            return None
        try:
            return str((await self._web.call(START_STREAM, now=True, **arguments))["ts"])
        except LimitedError as error:
            self._starts_at = self._loop_time() + error.seconds
            log.info("Slack limits new streams; replies come when they are finished for the next %.0f s", error.seconds)
            return None
        except RefusedError as error:
            if self._box.spoken_for(error, arguments):
                return await self._begin(out, text)
            if not where.thread and error.code in TOPLESS:
                self._has_tops = False
                log.info("Slack has no streams at the top of channels here (%s)", error)
            log.info("no stream in %s (%s); the reply comes when it is finished", where.key, error)
        except UnansweredError as error:
            # Should it have begun after all, `torn` finds it, since it bears no key.
            log.warning("whether a stream began in %s is not known (%s)", where.key, error)
            await self._sweep(out)
        return None

    async def _sweep(self, out: Outgoing) -> None:
        """Take away what may have begun without our knowing."""
        known = {stream.ts for stream in self._open.values()}
        try:
            for message in await self._unkeyed(out.conversation, out.since):
                if message["ts"] not in known:
                    await self._remove(out.conversation.channel, str(message["ts"]))
        except TransportError as error:
            log.warning("%s", error)

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()

    async def _forward(self, stream: Stream, text: str) -> bool:
        """Send what is wanted and not yet shown; a stream that has grown old is begun anew with all of it."""
        channel = stream.out.conversation.channel
        wanted = markup.neutral(self._shown(stream.out, text), finished=False)
        if self._now() - stream.began > OLD:
            ts = await self._begin(stream.out, wanted)
            if ts is None:
                return False
            old, stream.ts, stream.began, stream.sent, stream.shown = stream.ts, ts, self._now(), wanted, text
            await self._remove(channel, old)
            return True
        if len(wanted) <= len(stream.sent):
            return True
        try:
            await self._web.call(
                "chat.appendStream", now=True, channel=channel, ts=stream.ts, markdown_text=wanted[len(stream.sent) :]
            )
        except LimitedError as error:
            # Nothing was shown. It is tried again when Slack takes more, unless the reply is finished before.
            self._pace.hold(error.seconds)
            if stream.pump:
                stream.pump.show(stream.pump.wanted)
            return True
        except (RefusedError, UnansweredError) as error:
            # What it shows now is not known: the finished reply takes its place.
            stream.is_stopped = stream.is_stopped or getattr(error, "code", "") == "stopped_by_user"
            log.info("a stream came to its end too early (%s)", error)
            return False
        stream.sent, stream.shown = wanted, text
        return True

    async def _remove(self, channel: str, ts: str) -> None:
        """Delete a message of ours, as far as Slack lets us; one that still streams is ended first."""
        for method in ("chat.delete", "chat.stopStream", "chat.delete"):
            try:
                await self._web.call(method, again=True, channel=channel, ts=ts)
            except RefusedError as error:
                if error.code == "message_not_found":
                    return
                log.info("an unfinished reply could not be taken away at once (%s)", error)
            except UnansweredError as error:
                log.warning("an unfinished reply could not be taken away (%s)", error)
                return
            else:
                if method == "chat.delete":
                    return
