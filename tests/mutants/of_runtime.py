"""Mutants of the runtime: how a turn is carried, once."""

from __future__ import annotations

from tests.mutants.model import Edit, Mutant

ASKING = "bot/runtime/asking.py"
CARRYING = "bot/runtime/carrying.py"
INBOX = "bot/runtime/inbox.py"
LEASE = "bot/runtime/lease.py"
OUTBOX = "bot/runtime/outbox.py"
TURNS = "bot/runtime/turns.py"
WORKER = "bot/runtime/worker.py"

_SWEEP = "tests/scenario/test_crash_sweep.py::test_a_crash_at_any_point_leaves_no_trace"
TALK, TOOLS = (f"{_SWEEP}[never the same twice-{name}]" for name in ("talk", "tools"))
ACCESS = "tests/scenario/test_access.py"
EDITS = "tests/scenario/test_edits.py"
GIVEN_UP = "tests/scenario/test_given_up.py"
SUSPENDED = "tests/scenario/test_suspended.py"
WORKS_SWEEP = "tests/scenario/test_works_sweep.py::test_a_crash_at_any_point_of_a_work_leaves_no_trace"
HANDED = f"{WORKS_SWEEP}[always the same-handed to a thread, and gone on with there]"
BROKEN = f"{WORKS_SWEEP}[always the same-a link that is given up, and tried again]"
SAVED = f"{WORKS_SWEEP}[always the same-saved as two versions, and then one that comes too late]"
WRITTEN_FIRST = f"{WORKS_SWEEP}[always the same-handed to a thread in which somebody writes first]"

ENTER = (
    "        if turn.posts or turn.request:\n"
    "            await self._checkpoint(turn)\n"
    "        return await self._deliver(turn, again=False)\n"
)

OF_RUNTIME = (
    Mutant("checkpoint missing", (Edit(CARRYING, "if turn.posts or turn.request:", "if False:"),), (TALK,)),
    Mutant(
        "acting before the checkpoint",
        (
            Edit(
                CARRYING,
                ENTER,
                "        marks = await self._deliver(turn, again=False)\n"
                "        await self._checkpoint(turn)\n"
                "        return marks\n",
            ),
        ),
        (TALK,),
    ),
    Mutant(
        "sealed before the checkpoint",
        (
            Edit(
                CARRYING,
                ENTER,
                "        if any(getattr(p, 'completes', None) is not None for p in turn.posts):\n"
                "            marks = await self._deliver(turn, again=False)\n"
                "            await self._checkpoint(turn)\n"
                "            return marks\n" + ENTER,
            ),
        ),
        (TALK,),
    ),
    Mutant(
        "no find before a repeated post",
        (Edit(OUTBOX, "receipt = await transport.find(out) if again else None", "receipt = None"),),
        (TALK,),
    ),
    Mutant(
        "torn preview not withdrawn",
        (Edit(ASKING, "    if torn:\n        await transport.withdraw(torn[0])\n", ""),),
        (TALK,),
    ),
    Mutant(
        "preview of a failed reply not withdrawn",
        (Edit(CARRYING, "        await self._withdraw()\n        if claim.turn", "        if claim.turn"),),
        ("tests/scenario/test_talk.py::test_what_people_watched_of_a_reply_that_came_to_nothing_is_taken_back",),
    ),
    Mutant("base ordinal stays", (Edit(TURNS, "base=ordinal(turn) + 1", "base=turn.base"),), (TALK, TOOLS)),
    Mutant(
        "newest instead of oldest number anchors dropped",
        (Edit(TURNS, "*anchors)[-ANCHORS:]", "*anchors)[:ANCHORS]"),),
        ("tests/unit/test_turns.py",),
    ),
    Mutant(
        "number bound to the newest menu",
        (Edit(TURNS, "(a for a in anchors if a.order < order)", "anchors"),),
        ("tests/scenario/test_talk.py::test_a_number_typed_before_the_menu_stood_there_did_not_mean_it",),
    ),
    Mutant(
        "two asks share a key",
        (Edit(CARRYING, "self._address.key(spent.ask)", "self._address.key(0)"),),
        (f"{ACCESS}::test_each_ask_of_a_turn_is_counted",),
    ),
    Mutant(
        "budget key without its fence",
        (Edit(ASKING, 'f"{asked.out.key}@{asked.claim.fence}"', "asked.out.key"),),
        (f"{ACCESS}::test_a_call_that_is_made_again_after_a_crash_is_paid_again",),
    ),
    Mutant(
        "lease confirm skipped",
        (Edit(CARRYING, "            await self.lease.confirm()\n            preview", "            preview"),),
        (f"{SUSPENDED}::test_what_follows_a_post_in_which_a_process_was_suspended_is_posted_once",),
    ),
    Mutant(
        "lease not confirmed before a document is written",
        (
            Edit(
                CARRYING, "                await self.lease.confirm()\n                return", "                return"
            ),
        ),
        ("tests/scenario/test_documents.py::test_a_turn_that_somebody_else_has_by_now_writes_nothing",),
    ),
    Mutant(
        "a document written without key",
        (
            Edit(
                CARRYING,
                "change(address.key(turns.ordinal(turn)), change)",
                'change(f"{self._claim.fence}/{address.key(turns.ordinal(turn))}", change)',
            ),
        ),
        (SAVED,),
    ),
    Mutant(
        "a lost lease confirmed",
        (
            Edit(
                LEASE,
                "if renewed is False or now() >= self.ends:\n            raise",
                "if now() >= self.ends:\n            raise",
            ),
        ),
        (f"{SUSPENDED}::test_a_lease_that_somebody_else_has_now_is_lost",),
    ),
    Mutant(
        "a stop in time is not heeded after a crash",
        (Edit(ASKING, "    if flag:\n", "    if False and flag:\n"),),
        (
            "tests/scenario/test_talk.py::test_a_reply_that_was_stopped_while_its_worker_was_dead_is_not_asked_for_again",
        ),
    ),
    Mutant(
        "access after the control lane",
        (Edit(INBOX, " and not self._access.refuses(inbound)", ""),),
        (f"{ACCESS}::test_only_who_may_speak_here_can_stop_a_reply",),
    ),
    Mutant(
        "edits decide",
        (Edit(INBOX, "dump(replace(inbound, edited=True))", "dump(inbound)"),),
        (f"{EDITS}::test_an_edit_of_a_number_that_chose_never_chooses_again",),
    ),
    Mutant(
        "the last edit is lost",
        (Edit(INBOX, "if not await self._store.amend(key, told, payload):", "if True:"),),
        (f"{EDITS}::test_of_several_edits_of_a_message_that_was_taken_the_last_one_counts",),
    ),
    Mutant(
        "a deleted message's edit stays",
        (Edit(INBOX, "        await self._store.amend(conversation.key, edit_of(message_id), None)\n", ""),),
        (f"{EDITS}::test_an_edit_that_waits_goes_with_its_message",),
    ),
    Mutant(
        "hand-over under a key of each attempt",
        (
            Edit(
                CARRYING,
                "where, key = self._address.conversation, self._address.key(turns.ordinal(turn))",
                'where, key = self._address.conversation, f"{turn.head}@{self._claim.fence}"',
            ),
        ),
        (HANDED,),
    ),
    Mutant(
        "whoever writes first in a thread is answered before the work greets",
        (Edit(CARRYING, "await wait_for_the_work(self._address.conversation, self.store)", "pass"),),
        (WRITTEN_FIRST,),
    ),
    Mutant(
        "a link is buried without its work",
        (Edit(WORKER, "is_done = await runner.give_up(claim, reason, words)", "pass"),),
        (GIVEN_UP,),
    ),
    Mutant(
        "the gate of what is given up is not saved",
        (
            Edit(
                CARRYING,
                "self.store.bury(self._claim, turn.given_up, left)",
                "self.store.bury(self._claim, turn.given_up)",
            ),
        ),
        (GIVEN_UP,),
    ),
    Mutant(
        "what is given up is told before it is stored",
        (
            Edit(
                CARRYING,
                "            await self._checkpoint(turn)\n        await self._bury",
                "        await self._bury",
            ),
        ),
        (GIVEN_UP,),
    ),
    Mutant(
        "what is given up is committed after a crash",
        (Edit(CARRYING, "            if turn.given_up:\n", "            if False:\n"),),
        (BROKEN,),
    ),
    Mutant(
        "a number just below somebody else's list chooses from it",
        (Edit(TURNS, "first.at - last.at < HASTE", "False"),),
        ("tests/scenario/test_hasty.py",),
    ),
)
