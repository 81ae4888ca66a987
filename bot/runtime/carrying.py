"""One turn, carried from wherever it stands to its commit.

What a crash can do to it, at each point, is held by `tests/scenario/test_crash_sweep.py`: the turn is stored
before each of its effects, posts are looked for before they are repeated, and one fenced commit ends it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from bot.core import machine
from bot.core.codec import UnreadableError, dump, load
from bot.core.context import Context
from bot.core.events import (
    BudgetTold,
    Event,
    GaveUp,
    Handed,
    LibraryRead,
    ModelFailed,
    ModelReplied,
    Recalled,
    ResourceLoaded,
    Result,
    Said,
    ThreadOpened,
)
from bot.core.model import SESSION_VERSION, Conversation, Inbound, Receipt
from bot.core.session import ConversationState, NumberAnchor, Session, Step, Turn
from bot.core.step_builder import voice_of
from bot.core.steps import (
    AskModel,
    CopyDocument,
    DeleteDocument,
    DocumentHistory,
    ForgetAll,
    ListDocuments,
    LoadResource,
    OpenThread,
    ReadDocument,
    ReadLibrary,
    Recall,
    Record,
    RenameDocument,
    TellBudget,
    WriteDocument,
)
from bot.personas.gathering import changes
from bot.personas.model import Cast
from bot.ports.budgets import Amount
from bot.ports.clock import Clock
from bot.ports.library import Library
from bot.ports.mailbox import Claim, Left, Message
from bot.ports.model import Model
from bot.ports.observer import Begun, Budgeted, Committed, ModelAsked, Observer, Posted, Stepped
from bot.ports.store import Store
from bot.ports.transport import Outgoing, Transport, TransportError
from bot.runtime import turns
from bot.runtime.asking import Ask, Means, ask
from bot.runtime.budget import BudgetLedger
from bot.runtime.documents import Shelf
from bot.runtime.incoming import with_files
from bot.runtime.lease import Lease, LostError, PutOffError
from bot.runtime.lease import now as _time
from bot.runtime.options import Options
from bot.runtime.outbox import Address, deliver
from bot.runtime.slots import Slot
from bot.runtime.stops import Stops
from bot.runtime.threads import handed_over, wait_for_the_work
from bot.runtime.transcript import Transcript

log = logging.getLogger(__name__)


@dataclass(slots=True)
class TurnRunner:
    """Carries one turn, whose claim `lease` holds; the slot is given back while a model is awaited."""

    store: Store
    transports: Mapping[str, Transport]
    model: Model
    library: Library
    clock: Clock
    options: Options
    observer: Observer
    stops: Stops
    lease: Lease
    slot: Slot
    _address: Address = field(init=False, repr=False)
    _transcript: Transcript = field(init=False, repr=False)
    _previews: dict[int, str] = field(default_factory=dict, init=False, repr=False)
    _stored: Turn | None = field(default=None, init=False, repr=False)
    """The turn as its last checkpoint stored it."""
    _last: Receipt | None = field(default=None, init=False, repr=False)
    """Of the last post of the step that was delivered just now, if all may see it."""

    def __post_init__(self) -> None:
        claim = self.lease.claim
        self._address = Address(Conversation.parse(claim.conversation), claim.head.id, claim.head.order)

    @property
    def _claim(self) -> Claim:
        return self.lease.claim

    @property
    def _author(self) -> str:
        """The user whose message the turn began with, or whom its chain or its work answers."""
        first = turns.mail(self._claim)[0]
        return first.user if isinstance(first, Inbound) else first.asker

    @property
    def _transport(self) -> Transport:
        return self.transports[self._address.conversation.platform]

    @property
    def _budgets(self) -> BudgetLedger:
        options = self.options
        how = options.budgets, options.price, options.model_of
        return BudgetLedger(self.store, self.clock, *how, told=self._budgeted)

    def _budgeted(self, scope: str, day: str, share: float) -> None:
        self.observer.saw(Budgeted(self._claim, scope, day, share))

    async def carry(self, claim: Claim) -> None:
        """Carry the claim's turn to its commit. Raises LostError where somebody else has it, and what ports raise."""
        cast = self.library.cast
        before = load(claim.state, ConversationState) if claim.state else ConversationState()
        self._transcript = Transcript(self.store, claim.conversation, before.index)
        again = claim.turn is not None
        if claim.turn:
            turn = self._stored = load(claim.turn, Turn)
            if turn.given_up:
                await self._bury(before, turn)
                return
            anchors = await self._deliver(turn, again=True)
        else:
            turn = await self._begin(before, cast)
            anchors = await self._enter(turn)
        while turn.request is not None:
            if isinstance(turn.request, ForgetAll):
                # The turn is wiped with all the rest, so there is nothing left to commit.
                await self.store.forget(claim.conversation)
                return
            result = await self._perform(turn, cast, again=again)
            turn = turns.moved(turn, result, self._step(turn, result, cast), anchors)
            self._stepped(result, turn)
            anchors = await self._enter(turn)
            again = False
        await self._withdraw()
        if claim.turn is not None:
            await self._withdraw_torn()
        await self._commit(before, turn, anchors)

    def _step(self, turn: Turn, result: Result, cast: Cast) -> Step:
        options = self.options
        return machine.step(turn.session, result, cast, Context(host=options.host.name), options.modes)

    async def _begin(self, before: ConversationState, cast: Cast) -> Turn:
        claim, options, where = self._claim, self.options, self._address.conversation
        parent = await self._parent()
        account = turns.account(before, options.context, options.price)
        listen = options.listen(where)
        policy = turns.listening(claim, before, options.idle, parent, listen)
        said = [m for m in turns.mail(claim) if isinstance(m, Inbound)]
        refused = await options.access.refusals(
            said, self.store, lambda m: bool(m.number) or policy.hears(turns.line(m))
        )
        event = turns.opening(claim, before, refused)
        is_admin, host = options.access.is_admin, options.host.name
        now, tables = self.clock.now(), self._transport.tables
        context = replace(
            turns.context_of(claim, before, policy, parent, account, is_admin, refused, host),
            day=turns.day(claim, now),
            location=turns.location(claim, tables),
            has_model=options.has_model,
            approver=turns.are_all_from(said, options.approvers, options.access.own),
            opens_thread=options.threads and turns.is_top_level(claim, options.access.own),
        )
        if isinstance(event, Said) and any(line.files for line in event.lines):
            async with self.slot.lent():  # files may take a minute, and nobody else is to wait for them
                event = await with_files(event, policy, self._transport, self.clock)
        self.observer.saw(Begun(claim, turns.waited(event, self.clock.now())))
        turn = turns.began(claim, machine.step(before.session, event, cast, context, options.modes))
        self._stepped(event, turn)
        return turn

    async def _parent(self) -> Session | None:
        """The session of the channel in which this claim begins a thread. Raises PutOffError and TooEarlyError."""
        parent = self._address.conversation.parent
        if self._claim.state is not None or parent is None:
            return None
        state = await self.store.peek(parent.key)
        try:
            if not isinstance(turns.mail(self._claim)[0], Handed):
                await wait_for_the_work(self._address.conversation, self.store)
            return load(state, ConversationState).session if state else None
        except UnreadableError as error:
            raise PutOffError(f"the state of {parent.key} cannot be read by this build: {error}") from error

    def _stepped(self, event: Event, turn: Turn) -> None:
        request = type(turn.request).__name__ if turn.request else ""
        self.observer.saw(Stepped(self._claim, type(event).__name__, request))

    async def _enter(self, turn: Turn) -> tuple[NumberAnchor, ...]:
        """Store the turn as it stands now, and only then let its posts be seen."""
        if turn.posts or turn.request:
            await self._checkpoint(turn)
        return await self._deliver(turn, again=False)

    async def _checkpoint(self, turn: Turn) -> None:
        async def stored() -> bool:
            return await self.store.checkpoint(self._claim, dump(turn), SESSION_VERSION)

        # What was paid for would have to be asked for again, so it is kept while the store is away.
        if not await (self.lease.insist(stored) if turn.spent else stored()):
            raise LostError
        self._stored = turn

    async def _deliver(self, turn: Turn, *, again: bool) -> tuple[NumberAnchor, ...]:
        """Carry out the turn's posts in order, and give what they mean for numbers typed below them."""
        address, anchors, self._last = self._address, list[NumberAnchor](), None
        began = _time()
        for number, post in enumerate(turn.posts, turn.base):
            if isinstance(post, Record):
                await self.store.audit(address.key(number), address.conversation.key, post)
                continue
            # A process that was suspended must not go on with what somebody else may have done since.
            await self.lease.confirm()
            preview = self._previews.pop(post.completes, None) if post.completes is not None else None
            voiced = post if post.voice.persona else replace(post, voice=self.options.host)
            content = await self._shelf(turn).content(post.file) if post.file else None
            if isinstance(content, str):
                voiced, content = replace(voiced, markdown=f"{voiced.markdown}\n\n{content}".lstrip()), None
            receipt = await deliver(self._transport, address, number, voiced, preview, again=again, content=content)
            self._last = receipt if post.only is None else self._last
            if found := turns.number_anchor(post, receipt, self._author):
                anchors.append(found)
        if turn.posts:
            self.observer.saw(Posted(self._claim, len(turn.posts), _time() - began))
        return tuple(anchors)

    async def _perform(self, turn: Turn, cast: Cast, *, again: bool) -> Result:
        address = self._address
        match turn.request:
            case AskModel() as request:
                return await self._ask(turn, request, cast, again=again)
            case LoadResource(who, kind, name):
                try:
                    return ResourceLoaded(kind, name, await self.library.read(kind, name, who))
                except OSError as error:
                    return ResourceLoaded(kind, name, None, str(error))
            case ReadLibrary():
                problems = await self.library.refresh()
                new = self.library.cast
                what = changes(cast, new)
                count = len(new.personas)
                return LibraryRead(count, problems, what.added, what.changed, what.gone, what.resources)
            case TellBudget(tokens, micros, by):
                raised, words = "", ""
                if more := Amount(tokens, micros) if tokens or micros else None:
                    key = address.key(turns.ordinal(turn))
                    raised, words = await self._budgets.grant(key, address.conversation, more)
                told = await self._budgets.tell(address.conversation)
                return BudgetTold(f"{words}\n\n{told}" if words else told, raised, by)
            case Recall(ids):
                return Recalled(await self._transcript.kept(ids, turn.log))
            case ReadDocument() | ListDocuments() | DocumentHistory() as look:
                return await self._shelf(turn).look(look)
            case WriteDocument() | CopyDocument() | RenameDocument() | DeleteDocument() as change:
                # A process that was suspended must not write what somebody else may have gone on from since.
                await self.lease.confirm()
                return await self._shelf(turn).change(address.key(turns.ordinal(turn)), change)
            case OpenThread() as request:
                return ThreadOpened(await self._hand_over(turn, request))
            case ForgetAll() | None:
                raise RuntimeError(f"turn {turn.head} has no request that anything comes back from")
            case _:
                assert_never(turn.request)

    def _shelf(self, turn: Turn) -> Shelf:
        """The documents of this conversation's channel."""
        first = turns.mail(self._claim)[0]
        direct = isinstance(first, Inbound) and first.direct
        return Shelf(
            self.store.documents,
            self.clock,
            self._address.conversation,
            self._author,
            direct,
            lambda ids: self._transcript.kept(ids, turn.log),
            self.library.cast.persona(turn.session.waiting.who) if turn.session.waiting else None,
        )

    async def _hand_over(self, turn: Turn, request: OpenThread) -> Conversation | None:
        where, key = self._address.conversation, self._address.key(turns.ordinal(turn))
        if self._last is None:
            raise RuntimeError(f"turn {turn.head} opens a thread below no post")
        asker, name = self._author, turns.name_of(turns.mail(self._claim)[0], turn.session)
        work = Handed("", key, request.persona, request.command, request.args, asker, name)
        return await handed_over(work, request.title, self._last, where, self._transport, self.store, self.lease)

    async def _ask(self, turn: Turn, request: AskModel, cast: Cast, *, again: bool) -> Result:
        address, options, ordinal = self._address, self.options, turns.ordinal(turn)
        key, voice = address.key(ordinal), voice_of(cast, request.who)
        # What nobody has posted of a reply is no longer shown when the next one begins, so that at most one is torn.
        await self._withdraw()
        out = Outgoing(key, address.conversation, voice, "", address.since, again=again, asker=self._author)
        room = int(options.context * options.compact_at)
        host, modes = options.host.name, options.modes
        asked = Ask(self._claim, turn, self._transcript, request, ordinal, out, room, options.longest, host, modes)
        budgets = replace(self._budgets, persona=request.who, user=self._author)
        means = Means(self.store, self._transport, self.model, budgets, self.stops, self.slot, self.lease)
        began = _time()
        result, ref = await ask(asked, cast, means, again=again)
        took = _time() - began
        persona = cast.persona(request.who)
        asked_for = options.model_of(persona.model) if persona else ""
        match result:
            case ModelReplied(stop=stop, usage=usage, reason=why):
                cost = options.price(usage)
                self.observer.saw(ModelAsked(self._claim, request.who, took, stop, "", usage, why, asked_for, cost))
            case ModelFailed(reason=reason, detail=detail):
                self.observer.saw(
                    ModelAsked(self._claim, request.who, took, failed=reason, detail=detail, model=asked_for)
                )
            case _:
                assert_never(result)
        if ref is not None:
            self._previews[ordinal] = ref
        return result

    async def _withdraw(self) -> None:
        """Take back what people watched of a reply that came to nothing."""
        for ref in self._previews.values():
            await self._transport.withdraw(ref)
        self._previews.clear()

    async def _withdraw_torn(self) -> None:
        """Take back what a dead worker has shown of a reply that came to nothing."""
        torn = await self._transport.torn(self._address.conversation, self._address.since)
        if torn is not None:
            await self._transport.withdraw(torn[0])

    async def _commit(self, before: ConversationState, turn: Turn, anchors: tuple[NumberAnchor, ...]) -> None:
        claim = self._claim
        saved = await self._saved(before, turn, anchors)
        follow_up = None
        if turn.next:
            resumed = turns.link(turns.mail(claim)[0], turn, self._author)
            follow_up = Message(resumed.turn, dump(resumed), claim.head.order)
        began = _time()
        if not await self.store.commit(
            claim,
            dump(saved),
            SESSION_VERSION,
            [dump(entry) for entry in turn.log],
            floor_open=turn.session.floor_is_open,
            used_flag=turn.used_stop,
            follow_up=follow_up,
        ):
            raise LostError
        self.observer.saw(Committed(claim, _time() - began))

    async def _saved(
        self, before: ConversationState, turn: Turn, anchors: tuple[NumberAnchor, ...]
    ) -> ConversationState:
        """What is kept of the conversation from now on; what the turn has used is counted."""
        for spent in turn.spent:
            await self.store.spend(self._address.key(spent.ask), self._claim.conversation, spent.usage)
        return turns.saved(before, turn, anchors, self._transcript.index(turn.log))

    # ---------------------------------------------------------------- a link that is given up

    async def give_up(self, claim: Claim, reason: str, words: str) -> bool:
        """Bury a link or a hand-over and leave its work at a gate where people can try again; they read `words`.

        False where no work depends on it, and nothing was done. Raises LostError, and what ports raise.
        """
        before = load(claim.state, ConversationState) if claim.state else ConversationState()
        self._transcript = Transcript(self.store, claim.conversation, before.index)
        stored = self._stored or (load(claim.turn, Turn) if claim.turn else None)
        turn = turns.last_stand(claim, before, stored)
        if turn is None:
            return False
        if not turn.given_up:
            event, context = GaveUp(claim.head.id, words), Context(host=self.options.host.name)
            step = machine.step(turn.session, event, self.library.cast, context, self.options.modes)
            turn = turns.given_up(turn, step, reason)
            self._stepped(event, turn)
            await self._checkpoint(turn)
        await self._bury(before, turn)
        return True

    async def _bury(self, before: ConversationState, turn: Turn) -> None:
        """Show the gate and save it with the burial; a platform that refuses the posts for good does not hold it up."""
        anchors: tuple[NumberAnchor, ...] = ()
        try:
            torn = await self._transport.torn(self._address.conversation, self._address.since)
            if torn:
                await self._transport.withdraw(torn[0])
            anchors = await self._deliver(turn, again=True)
        except TransportError as error:
            if error.retry:
                raise
            log.warning("that %s was given up could not be told: %s", turn.head, error)
        state = dump(await self._saved(before, turn, anchors))
        lines = tuple(dump(entry) for entry in turn.log)
        left = Left(state, SESSION_VERSION, lines, floor_open=turn.session.floor_is_open)
        if not await self.store.bury(self._claim, turn.given_up, left):
            raise LostError
