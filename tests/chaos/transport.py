"""The replicas' side of the platform: a transport that posts over HTTP, as those of real platforms do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.core.codec import dump, load
from bot.core.model import Attachment, Conversation, Receipt
from bot.ports.transport import Outgoing, TransportError

SECONDS = 5.0


@dataclass(slots=True)
class HttpTransport:
    """`bot.ports.transport.Transport` on the platform server at `url`; `name` is whose calls these are.

    A post takes `lag` seconds longer than it has to.
    """

    session: aiohttp.ClientSession
    url: str
    name: str
    lag: float = 0.0
    limit: int = 3500
    most: int = 0
    tables: bool = True

    async def post(self, out: Outgoing) -> Receipt:
        """See `Transport.post`."""
        await asyncio.sleep(self.lag)
        found = await self._call("post", out=dump(out))
        if found is None:
            raise TransportError("the platform gives no receipt")
        return _receipt(found)

    async def find(self, out: Outgoing) -> Receipt | None:
        """See `Transport.find`."""
        found = await self._call("find", out=dump(out))
        return found and _receipt(found)

    async def preview(self, out: Outgoing) -> str | None:
        """See `Transport.preview`."""
        ref: str | None = await self._call("preview", out=dump(out))
        return ref

    async def extend(self, ref: str, text: str) -> None:
        """See `Transport.extend`; a preview that is gone is no error."""
        await self._call("extend", ref=ref, text=text)

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """See `Transport.seal`."""
        await asyncio.sleep(self.lag)
        found = await self._call("seal", ref=ref, out=dump(out))
        return found and _receipt(found)

    async def withdraw(self, ref: str) -> None:
        """See `Transport.withdraw`."""
        await self._call("withdraw", ref=ref)

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """See `Transport.torn`."""
        found = await self._call("torn", conversation=dump(conversation), since=since)
        return found and (found[0], found[1])

    async def busy(self, out: Outgoing) -> None:
        """Nobody looks."""

    async def read(self, file: Attachment, room: int) -> Attachment:
        """People send no files here."""
        return file

    async def open_thread(self, conversation: Conversation, receipt: Receipt, title: str) -> Conversation | None:
        """There are none here."""
        return None

    async def _call(self, method: str, **given: Any) -> Any:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with self.session.post(
                f"{self.url}/{method}", json=given, headers={"Replica": self.name}, timeout=timeout
            ) as answer:
                if answer.status != 200:
                    raise TransportError(f"{method}: {answer.status} {await answer.text()}", retry=answer.status >= 500)
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TransportError(f"{method}: {error!r}") from error


def _receipt(text: str) -> Receipt:
    receipt: Receipt = load(text, Receipt)
    return receipt
