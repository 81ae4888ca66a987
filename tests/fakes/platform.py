"""A platform as far as posting goes, which keeps what Slack keeps and no more.

A posted or sealed message carries its key as metadata; a preview has none until it is sealed, and only shows as an
unsealed message of ours. Sending twice shows twice: nothing is deduplicated here. Orders are given out by the
platform, to people's messages and to ours alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.core.model import Attachment, Conversation, Inbound, Menu, Receipt, Voice
from bot.ports.transport import FormRefusedError, Outgoing, Upload

ROOM = Conversation("fake", "team", "general")


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as people see it."""

    order: int
    conversation: str
    voice: Voice
    text: str
    menu: Menu | None = None
    key: str = ""
    sealed: bool = True
    only: str = ""
    file: Upload | None = None


@dataclass(slots=True)
class FakePlatform:
    limit: int = 3500
    most: int = 5
    tables: bool = True
    messages: dict[str, Shown] = field(default_factory=dict)
    clock: int = 0
    spoken: int = 0
    previews: bool = True
    refuses_files: bool = False
    files: dict[str, Attachment] = field(default_factory=dict)
    busied: list[Outgoing] = field(default_factory=list)
    threads: bool = True
    opened: dict[str, tuple[Conversation, str]] = field(default_factory=dict)
    """Threads with their titles, by the post that each hangs on."""

    # -------------------------------------------------------- people

    def said(
        self,
        text: str,
        *,
        user: str = "alice",
        conversation: Conversation = ROOM,
        at: float = 1000.0,
        menu: str = "",
        number: int = 0,
        addressed: bool = False,
        others: bool = False,
        direct: bool = False,
        files: tuple[Attachment, ...] = (),
        handle: str = "",
    ) -> Inbound:
        order = self._tick()
        self.spoken += 1
        self.files |= {file.ref: file for file in files}
        return Inbound(
            conversation,
            f"in{self.spoken}",
            f"U{user}",
            user,
            text,
            order,
            at,
            direct,
            addressed,
            others,
            menu,
            number,
            files=tuple(replace(file, text=None, cut=False, problem="") for file in files),
            handle=handle,
        )

    def seen(self, conversation: Conversation = ROOM) -> list[Shown]:
        """What stands in the conversation, in the platform's order."""
        return sorted((m for m in self.messages.values() if m.conversation == conversation.key), key=lambda m: m.order)

    @property
    def texts(self) -> list[str]:
        return [m.text for m in self.seen()]

    def last_menu(self) -> Menu:
        return next(m.menu for m in reversed(self.seen()) if m.menu)

    # -------------------------------------------------------- bot.ports.transport.Transport

    async def post(self, out: Outgoing) -> Receipt:
        assert len(out.text) <= self.limit, "a real platform refuses or cuts this"
        assert out.text.strip() or (out.file and out.file.content.strip()), "no platform posts nothing"
        if out.file and self.refuses_files:
            raise FormRefusedError("files are switched off here")
        order = self._tick()
        self.messages[str(order)] = Shown(
            order,
            out.conversation.key,
            out.voice,
            out.text,
            out.menu,
            out.key,
            only=out.only.user if out.only else "",
            file=out.file,
        )
        return Receipt(str(order), order)

    async def find(self, out: Outgoing) -> Receipt | None:
        for ref, message in self.messages.items():
            if message.key == out.key and message.sealed and message.order > out.since:
                return Receipt(ref, message.order)
        return None

    async def preview(self, out: Outgoing) -> str | None:
        if not self.previews:
            return None
        order = self._tick()
        self.messages[str(order)] = Shown(order, out.conversation.key, out.voice, "", sealed=False)
        return str(order)

    async def extend(self, ref: str, text: str) -> None:
        before = self.messages[ref]
        assert not before.sealed, "a sealed stream takes nothing more"
        assert text.startswith(before.text), "a stream only grows"
        self.messages[ref] = replace(before, text=text)

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        before = self.messages.get(ref)
        if before is None or before.sealed or not out.text.startswith(before.text):
            return None
        self.messages[ref] = replace(before, text=out.text, menu=out.menu, key=out.key, sealed=True)
        return Receipt(ref, before.order)

    async def withdraw(self, ref: str) -> None:
        if ref in self.messages and not self.messages[ref].sealed:
            del self.messages[ref]

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        for ref, message in self.messages.items():
            if message.conversation == conversation.key and not message.sealed and message.order > since:
                return ref, message.text
        return None

    async def busy(self, out: Outgoing) -> None:
        self.busied.append(out)

    async def read(self, file: Attachment, room: int) -> Attachment:
        kept = self.files[file.ref]
        text = kept.text
        return kept if text is None else replace(kept, text=text[:room], cut=len(text) > room)

    async def open_thread(self, conversation: Conversation, receipt: Receipt, title: str) -> Conversation | None:
        if not self.threads or conversation.thread:
            return None
        assert self.messages[receipt.ref].conversation == conversation.key, "a thread hangs on a post of its channel"
        thread = replace(conversation, thread=receipt.ref)
        return self.opened.setdefault(receipt.ref, (thread, title))[0]

    def _tick(self) -> int:
        self.clock += 1
        return self.clock
