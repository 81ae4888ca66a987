"""What may not be: lost, doubled, out of order, buried, torn. Judged against a run in which nothing went wrong.

That run takes the same messages in the same turns, one process, no faults. A turn is what stands under one head.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from bot.core.codec import load
from bot.core.commands import is_plain
from bot.core.events import Usage
from bot.core.model import Conversation, Inbound
from bot.core.session import ConversationState
from bot.core.steps import Entry
from bot.personas.model import Cast
from bot.ports.store import Store
from tests.chaos.model import script, without_takes
from tests.fakes.library import CAST
from tests.fakes.platform import FakePlatform, Shown
from tests.scenario.stage import stage


@dataclass(frozen=True, slots=True)
class Past:
    """What has become of a conversation: its posts as people see them, and what the store keeps."""

    posts: tuple[tuple[str, str, str], ...]
    session: str
    log: tuple[Entry, ...]
    usage: tuple[Usage, ...]


def head_of(shown: Shown) -> str:
    """The id of the message that a post answers."""
    return shown.key.removeprefix(f"{shown.conversation}/").split("/")[0]


def turns_of(sent: Sequence[Inbound], seen: Sequence[Shown]) -> list[list[Inbound]]:
    """The messages of one conversation as turns took them: a turn begins with a message that posts stand under.

    A plain message that has none was taken with the one before it; whatever else has none is a turn that said nothing.
    """
    heads = {head_of(shown) for shown in seen}
    turns: list[list[Inbound]] = []
    for message in sent:
        together = message.id not in heads and not message.menu and is_plain(message.text)
        if together and turns and is_plain(turns[-1][0].text) and not turns[-1][0].menu:
            turns[-1].append(message)
        else:
            turns.append([message])
    return turns


async def undisturbed(conversation: Conversation, turns: Sequence[Sequence[Inbound]], cast: Cast = CAST) -> Past:
    """What becomes of those turns when nothing goes wrong."""
    async with stage(script, cast=cast) as on:
        for turn in turns:
            for message in turn:
                order = on.platform.said("", conversation=conversation).order
                await on.inbox.receive(replace(message, order=order))
            await on.settle()
        return await past(conversation, on.platform, on.store)


async def past(conversation: Conversation, platform: FakePlatform, store: Store) -> Past:
    """What has become of a conversation, whichever of a model's takes its replies are."""
    state = await store.peek(conversation.key)
    # Which message a turn is named after depends on what had come by then.
    session = replace(load(state, ConversationState).session, turn="", counter=0) if state else None
    lines = [load(line, Entry) for line in await store.log(conversation.key)]
    return Past(
        tuple((m.voice.name, without_takes(m.text), m.menu.id if m.menu else "") for m in platform.seen(conversation)),
        without_takes(repr(session)),
        tuple(
            replace(e, text=without_takes(e.text), content=without_takes(e.content), call=without_takes(e.call))
            for e in lines
        ),
        await store.spent(conversation.key),
    )


async def differences(
    conversation: Conversation, sent: Sequence[Inbound], platform: FakePlatform, store: Store
) -> list[str]:
    """All that should not be in one conversation; empty where nobody can tell that something went wrong."""
    seen = platform.seen(conversation)
    found = shape(sent, seen)
    was = await past(conversation, platform, store)
    turns = turns_of(sent, seen)
    should = await undisturbed(conversation, turns)
    for name in ("posts", "log"):
        here, there = getattr(was, name), getattr(should, name)
        if here != there:
            first = next((n for n, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), -1)
            found.append(f"{name} differ at {first}: {here[first:][:2]} instead of {there[first:][:2]}")
    if was.session != should.session:
        found.append(f"session {was.session} instead of {should.session}")
    if was.usage != should.usage:
        found.append(f"usage {was.usage} instead of {should.usage}")
    said = {shown.text for shown in seen}
    for entry in [load(line, Entry) for line in await store.log(conversation.key)]:
        if entry.kind == "reply" and entry.text and entry.text not in said:
            found.append(f"in the log, but never said: {entry.text!r}")
    return [f"{conversation.key}: {what}" for what in found]


def shape(sent: Sequence[Inbound], seen: Sequence[Shown]) -> list[str]:
    """What the posts alone tell: each once, sealed, under a message that was sent, in the order of those messages."""
    found = [f"a torn preview is left: {shown.text!r}" for shown in seen if not shown.sealed]
    keys = Counter(shown.key for shown in seen if shown.sealed)
    found += [f"said {times} times: {key}" for key, times in keys.items() if times > 1]
    places = {message.id: place for place, message in enumerate(sent)}
    heads = [head for head, _ in groupby(head_of(shown) for shown in seen if shown.sealed)]
    found += [f"an answer to nothing: {head}" for head in heads if head not in places]
    order = [places[head] for head in heads if head in places]
    if order != sorted(set(order)):
        found.append(f"answers out of order: {heads}")
    return found
