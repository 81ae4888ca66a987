"""`greenroom usage`: what was spent on a day, by channel, persona, model or user."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Iterable

from bot.operations.formatting import as_json, table
from bot.operations.opening import opened
from bot.ports.budgets import Amount, used_by
from bot.settings import Settings
from bot.stores.budgets import DAYS

MILLION = 1_000_000


async def run(args: argparse.Namespace, settings: Settings) -> None:
    """Do what `args` say. Raises StoreError and OperationError."""
    day = args.day or datetime.datetime.now(datetime.UTC).date().isoformat()
    async with opened(settings) as store:
        counted = await store.counted(day)
    spent = {named[1]: amount for scope, amount in counted.items() if (named := used_by(scope)) and named[0] == args.by}
    rows = sorted(spent.items(), key=lambda row: (-row[1].micros, -row[1].tokens, row[0]))
    # A call has one model, but perhaps no user: a chain that nobody began is nobody's.
    total = _sum(amount for scope, amount in counted.items() if (used_by(scope) or ("", ""))[0] == "model")
    if args.json:
        facts = [{args.by: name, "tokens": amount.tokens, "dollars": amount.micros / MILLION} for name, amount in rows]
        whole = {"tokens": total.tokens, "dollars": total.micros / MILLION}
        print(as_json({"day": day, "by": args.by, "spent": facts, "total": whole}))
        return
    if not rows and total != Amount():
        print(f"On {day} (UTC) nothing was counted by {args.by}. `budget.by_user: true` counts users from then on.")
        return
    if not rows:
        print(f"Nothing was spent on {day} (UTC). What was is kept for {DAYS} days.")
        return
    lines = [(name, f"{amount.tokens:,}", _dollars(amount)) for name, amount in rows]
    print(table((args.by.upper(), "TOKENS", "DOLLARS"), [*lines, ("total", f"{total.tokens:,}", _dollars(total))]))
    print(f"On {day} (UTC), by the prices of the settings; a model without a price counts tokens only.")


def _sum(amounts: Iterable[Amount]) -> Amount:
    total = Amount()
    for amount in amounts:
        total = total.plus(amount)
    return total


def _dollars(amount: Amount) -> str:
    return f"${amount.micros / MILLION:.4f}"
