"""Mutants of the stores: what is taken, held and kept."""

from __future__ import annotations

from tests.mutants.model import Edit, Mutant

MAILBOX = "bot/stores/sqlite_mailbox.py"
BUDGET = "bot/stores/sqlite_budget.py"
SHARED = "bot/stores/lua/shared.lua"
ENQUEUE = "bot/stores/lua/enqueue.lua"

DOCUMENTS = "bot/stores/sqlite_documents.py"
DOCUMENT_WRITE = "bot/stores/lua/document_write.lua"
DOCUMENT_SUITE = "tests/contract/test_documents.py"

TURNS = "tests/contract/test_store_turns.py"
STORE = "tests/contract/test_store.py"

OF_STORES = (
    Mutant(
        "a document's key not looked up",
        (Edit(DOCUMENTS, "if before := _written(db, place, key):", "if before := 0:"),),
        (f"{DOCUMENT_SUITE}::test_the_same_key_writes_once_whatever_stands_there_by_now",),
    ),
    Mutant(
        "a document's key not looked up on Redis",
        (Edit(DOCUMENT_WRITE, "if before then", "if false then"),),
        (f"{DOCUMENT_SUITE}::test_the_same_key_writes_once_whatever_stands_there_by_now",),
    ),
    Mutant(
        "a document's base not checked",
        (Edit(DOCUMENTS, "return None if stands == base else", "return None if base else"),),
        (f"{DOCUMENT_SUITE}::test_whoever_wrote_on_an_older_version_is_told_which_one_stands",),
    ),
    Mutant(
        "versions counted a document",
        (Edit(DOCUMENTS, "version = _counted(db, place)", "version = 1 + (row['version'] if row else 0)"),),
        (f"{DOCUMENT_SUITE}::test_no_number_of_a_version_ever_stands_for_two_texts",),
    ),
    Mutant(
        "no dedupe",
        (Edit(MAILBOX, "return new.rowcount == 1", "return True"),),
        ("tests/scenario/test_talk.py::test_a_repeated_delivery_is_answered_once",),
    ),
    Mutant(
        "no dedupe on Redis",
        (Edit(ENQUEUE, "if known then", "if false then"),),
        (f"{STORE}::test_a_redelivered_message_is_not_taken_again",),
    ),
    Mutant(
        "messages kept at commit",
        (Edit(MAILBOX, '"DELETE FROM message WHERE conversation = ? AND place IS NOT NULL"', '"SELECT ?"'),),
        (f"{TURNS}::test_a_commit_saves_state_and_log_and_ends_the_turn",),
    ),
    Mutant(
        "fence not checked",
        (Edit(MAILBOX, "WHERE key = ? AND fence = ? AND held = 1", "WHERE key = ? AND fence >= ? AND held = 1"),),
        (f"{TURNS}::test_a_claim_that_was_taken_over_writes_nothing",),
    ),
    Mutant(
        "fence not checked on Redis",
        (Edit(SHARED, "return found[1] == fence and found[2] == '1'", "return found[2] == '1'"),),
        (f"{TURNS}::test_a_claim_that_was_taken_over_writes_nothing",),
    ),
    Mutant(
        "claim not frozen",
        (
            Edit(
                MAILBOX,
                '    if row["head"] is None:\n        _take(db, place, together)\n',
                '    db.execute("UPDATE message SET place = NULL WHERE conversation = ?", (place,))\n'
                "    _take(db, place, together)\n",
            ),
        ),
        (f"{STORE}::test_a_retake_brings_the_same_messages_whatever_came_meanwhile",),
    ),
    Mutant(
        "commands taken together with talk",
        (Edit(MAILBOX, 'row["plain"] and row["floor_open"]', 'row["floor_open"]'),),
        (f"{STORE}::test_a_message_that_is_not_plain_ends_a_burst",),
    ),
    Mutant(
        "a burst through a closed floor",
        (Edit(MAILBOX, 'row["plain"] and row["floor_open"]', 'row["plain"]'),),
        (f"{STORE}::test_nothing_is_taken_together_where_the_floor_is_not_open",),
    ),
    Mutant(
        "unbound control flag",
        (
            Edit(
                MAILBOX,
                '" WHERE key = ? AND flag.head = ?",\n        (claim.conversation, claim.head.id),',
                '" WHERE key = ?",\n        (claim.conversation,),',
            ),
        ),
        (f"{TURNS}::test_a_flag_is_not_seen_by_another_turn",),
    ),
    Mutant(
        "an unused stop is lost",
        (Edit(MAILBOX, "if held.is_flagged and not used_flag:", "if False:"),),
        (f"{TURNS}::test_an_unused_flag_becomes_a_message_in_its_order",),
    ),
    Mutant(
        "refusal forgotten",
        (
            Edit(
                MAILBOX,
                "    if waiting >= cap:\n",
                "    if waiting >= cap:\n"
                '        db.execute("DELETE FROM seen WHERE conversation = ? AND id = ?", (place, message.id))\n',
            ),
        ),
        (f"{STORE}::test_what_a_full_mailbox_refused_stays_refused",),
    ),
    Mutant(
        "refusal forgotten on Redis",
        (Edit(ENQUEUE, "  remember(conversation, id, REFUSED)\n", ""),),
        (f"{STORE}::test_what_a_full_mailbox_refused_stays_refused",),
    ),
    Mutant(
        "a newer build's state is taken",
        (Edit(MAILBOX, "state_version <= ? AND", "state_version <= ? + 1 AND"),),
        (f"{STORE}::test_a_newer_state_is_left_alone",),
    ),
    Mutant(
        "deleted words come back with a checkpoint",
        (Edit(MAILBOX, "kept = without_message(turn, held.blanked(db))", "kept = turn"),),
        ("tests/contract/test_store_blank.py",),
    ),
    Mutant(
        "settled twice",
        (Edit(BUDGET, 'if not row["settled"]:', "if True:"),),
        ("tests/contract/test_store_budgets.py::test_settling_replaces_what_was_reserved_once",),
    ),
)
