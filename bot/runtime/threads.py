"""A work goes on in a thread of its own: the thread is opened below a post, and the work handed over to it, once."""

from __future__ import annotations

import logging

from bot.core.codec import dump, load
from bot.core.events import Handed
from bot.core.model import Conversation, Receipt
from bot.core.session import Turn
from bot.core.steps import OpenThread
from bot.ports.mailbox import MailboxFullError, Message
from bot.ports.store import Store
from bot.ports.transport import Transport, TransportError
from bot.runtime.lease import Lease, TooEarlyError

log = logging.getLogger(__name__)


async def wait_for_the_work(thread: Conversation, store: Store) -> None:
    """Raise TooEarlyError while a turn in the channel above may be handing a work over to this thread, which is new.

    Whoever writes there first is answered after the work has greeted. Raises UnreadableError, and StoreError.
    """
    turn = await store.under_way(thread.parent.key) if thread.parent else None
    if turn is not None and isinstance(load(turn, Turn).request, OpenThread):
        raise TooEarlyError(f"a work may be on its way to {thread.key}")


async def handed_over(
    work: Handed, title: str, below: Receipt, where: Conversation, transport: Transport, store: Store, lease: Lease
) -> Conversation | None:
    """Open the thread below that post of `where`, put `work` into its mailbox, and give the thread.

    None where the platform has no thread there, or refuses it for good: the work begins where it is. May be repeated:
    the thread is opened once, and takes a work once by its key. Raises LostError, StoreError, and TransportError where
    the platform does not answer.
    """
    await lease.confirm()
    try:
        thread = await transport.open_thread(where, below, title)
    except TransportError as error:
        if error.retry:
            raise
        log.warning("no thread for %s in %s (%s); it begins there", work.command, where.key, error)
        return None
    if thread is None:
        return None
    await lease.confirm()
    try:
        # The post that the thread hangs on has the lowest order in it, so the work greets before anybody is answered.
        await store.enqueue(thread.key, Message(work.key, dump(work), below.order))
    except MailboxFullError as error:
        log.warning("%s cannot be handed to %s (%s); it begins in %s", work.command, thread.key, error, where.key)
        return None
    return thread
