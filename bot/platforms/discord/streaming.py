"""Replies that people watch as they are written: a message that is edited, and of which the newest text wins.

Nothing queues: while Discord makes an edit wait for a limit, what is newer takes its place. The message bears the mark
of something unfinished until it is sealed, so whoever takes a turn up knows it by that.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial

from bot.core.model import Conversation, Receipt
from bot.platforms.discord import marks, markup
from bot.platforms.discord.messages import Standing, marking, standing_of
from bot.platforms.discord.posting import Poster
from bot.platforms.discord.web import UNKNOWN_MESSAGE, RefusedError, UnansweredError
from bot.platforms.growing import Pump
from bot.platforms.sending import nothing, sent_once
from bot.ports.transport import Outgoing, TransportError

log = logging.getLogger(__name__)

PACE = 1.2
"""Seconds between two edits; some 5 in 2 s are reported to be allowed in a channel, for all that is said there."""


@dataclass(slots=True)
class Growing:
    """A reply that is being shown: its message once there is one, what it shows, and what shows more of it."""

    out: Outgoing
    standing: Standing | None = None
    sent: str = ""
    pump: Pump | None = None

    async def halt(self) -> None:
        """Let what is on its way arrive, and send nothing more."""
        if self.pump:
            await self.pump.halt()


class Previews:
    """The replies that this process shows while they grow."""

    def __init__(self, box: Poster) -> None:
        self._box, self._messages = box, box.messages
        self._open: dict[str, Growing] = {}
        self._count = 0

    async def preview(self, out: Outgoing) -> str:
        """Begin; the message itself comes with the first text."""
        self._count += 1
        ref = f"growing:{self._count}"
        shown = Growing(out)
        shown.pump = Pump(lambda wanted: self._forward(shown, wanted), PACE)
        self._open[ref] = shown
        return ref

    async def extend(self, ref: str, text: str) -> None:
        """Show `text` soon; what is newer overtakes what was not yet sent."""
        if (shown := self._open.get(ref)) and shown.pump:
            shown.pump.show(text)

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """Make the message the post `out`; None where there is none, or no longer. Raises TransportError."""
        standing = await self._ended(ref, out.conversation)
        if standing is None:
            return None
        edit = partial(self._messages.edit, standing, out.voice, marking(out.key), out.text, out.menu)
        try:
            return (await sent_once(edit, nothing, UnansweredError, "Discord")).receipt
        except RefusedError as error:
            if error.code != UNKNOWN_MESSAGE:
                log.info("a reply that grew could not be finished (%s); it is posted instead", error)
                await self._remove(standing)
            return None

    async def withdraw(self, ref: str) -> None:
        """Take the message away."""
        where = self._open[ref].out.conversation if ref in self._open else None
        if standing := await self._ended(ref, where):
            await self._remove(standing)

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """Our newest unfinished message there and its text; should there be more of them, they are taken away."""
        for ref, shown in list(self._open.items()):
            # Whoever asks has nothing under way: it was shown by an attempt at the turn that has failed here.
            if shown.out.conversation == conversation:
                await self._ended(ref, conversation)
        return await self._unfinished(conversation, since)

    async def close(self) -> None:
        """Stop showing; what is unfinished is finished or replaced by whoever takes its turn up."""
        for shown in self._open.values():
            await shown.halt()
        self._open.clear()

    # -------------------------------------------------------- one reply

    async def _ended(self, ref: str, where: Conversation | None) -> Standing | None:
        """The message of a ref, when nothing more is on its way to it."""
        shown = self._open.pop(ref, None)
        if shown:
            await shown.halt()
            return shown.standing
        key, _, rest = ref.partition("#")
        ident, _, hook = rest.partition("#")
        return Standing(where or Conversation.parse(key), ident, hook) if ident else None

    async def _unfinished(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        found: list[tuple[Standing, str]] = []
        async for message in self._box.ours(conversation, since):
            content = str(message.get("content") or "")
            if marks.mark_in(content) == marks.GROWING:
                standing, text = standing_of(conversation, message), marks.grown(content)
                found.append((standing, text if standing.hook else markup.said(text)))
        for standing, _ in found[:-1]:
            await self._remove(standing)
        if not found:
            return None
        standing, text = found[-1]
        return f"{conversation.key}#{standing.id}#{standing.hook}", text

    async def _forward(self, shown: Growing, wanted: str) -> bool:
        """Show what is wanted and not yet seen."""
        out = shown.out
        if wanted == shown.sent:
            return True
        try:
            if shown.standing is None:
                shown.standing = await self._messages.send(out.conversation, out.voice, marks.growing, wanted)
            else:
                await self._messages.edit(shown.standing, out.voice, marks.growing, wanted)
            shown.sent = wanted
        except RefusedError as error:
            log.info("a reply cannot be shown while it grows (%s)", error)
            return False
        except UnansweredError as error:
            log.info("whether a reply is shown as it grows is not known (%s)", error)
            return shown.standing is not None or await self._adopted(shown)
        except Exception:
            log.exception("a reply cannot be shown while it grows")
            return False
        return True

    async def _adopted(self, shown: Growing) -> bool:
        """Find the message that may have come to stand there without our knowing; False where nobody can look."""
        try:
            torn = await self._unfinished(shown.out.conversation, shown.out.since)
        except TransportError as error:
            # Should it stand there after all, its mark tells whoever takes the turn up.
            log.warning("%s", error)
            return False
        if torn:
            shown.standing = await self._ended(torn[0], shown.out.conversation)
        return True

    async def _remove(self, standing: Standing) -> None:
        try:
            await self._messages.delete(standing)
        except (RefusedError, UnansweredError) as error:
            log.warning("an unfinished reply could not be taken away from %s (%s)", standing.where.key, error)
