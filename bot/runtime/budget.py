"""What may be spent a day: reserved before a model is asked, settled from what it really used."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.events import Notice, Usage
from bot.core.model import Conversation
from bot.core.prompt import Prompt
from bot.ports.budgets import Amount, Balance, Limit, used_scope
from bot.ports.clock import Clock
from bot.ports.store import Store

WARN_AT = 0.8
"""Share of a budget at which people are told, once a day and conversation."""

LETTERS = 4
"""About so many letters make a token."""

EVERYWHERE = "everywhere"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Budgets:
    """Limits a day (UTC): of each channel with its threads, and of all together. None is no limit.

    With `by_user`, what each person has used is counted too.
    """

    channel: Limit = field(default_factory=lambda: Limit("channel"))
    everywhere: Limit = field(default_factory=lambda: Limit(EVERYWHERE))
    by_user: bool = False

    @property
    def are_set(self) -> bool:
        """Whether anything is limited at all."""
        return any(limit.tokens is not None or limit.micros is not None for limit in (self.channel, self.everywhere))


def untold(_scope: str, _day: str, _share: float) -> None:
    """Nobody wants to know how much of a budget is used."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a model may not be asked: the reason's code (`bot.core.failures`), and what people are told."""

    reason: str
    notice: Notice


def no_price(_: Usage) -> float | None:
    """Prices are not known."""
    return None


@dataclass(frozen=True, slots=True)
class BudgetLedger:
    """Spends from the budgets. `price` gives what usage costs in $; where that is not known, only tokens count.

    `model_of` gives the id of the model that answers a persona's wish, `reply` are the tokens set aside for a reply.
    `persona` spends, for the `user`.
    `told` gets scope, day and share of each limit that is set, whenever they are looked at.
    """

    store: Store
    clock: Clock
    budgets: Budgets = field(default_factory=Budgets)
    price: Callable[[Usage], float | None] = no_price
    model_of: Callable[[str], str] = str
    reply: int = 1000
    told: Callable[[str, str, float], None] = untold
    persona: str = ""
    user: str = ""

    def limits(self, conversation: Conversation) -> tuple[Limit, ...]:
        """What bounds a conversation: its channel's limit, and everybody's."""
        own, everywhere = self.budgets.channel, self.budgets.everywhere
        return (Limit(_channel(conversation), own.tokens, own.micros), everywhere)

    def amount(self, usage: Usage) -> Amount:
        """What usage comes to."""
        return Amount(usage.read + usage.output, round((self.price(usage) or 0.0) * MILLION))

    def guess(self, prompt: Prompt, output: int) -> Usage:
        """What asking comes to with a reply of so many tokens, as far as that can be told from here."""
        letters = sum(map(len, prompt.system)) + sum(len(b.json) for m in prompt.messages for b in m.blocks)
        return Usage(input=letters // LETTERS, output=output, model=self.model_of(prompt.model))

    async def reserve(self, key: str, conversation: Conversation, prompt: Prompt) -> Refused | None:
        """Set aside what asking will cost at the least; why it may not be asked, where it may not."""
        if not self.budgets.are_set:
            return None
        guess = self.amount(self.guess(prompt, self.reply))
        limits = self.limits(conversation)
        done = await self.store.reserve(key, self.today(), guess, limits)
        if done.allowed:
            return None
        for limit, balance in zip(limits, done.balances, strict=True):
            self._tell(limit, self.today(), balance)
        at = next(i for i, limit in enumerate(limits) if limit.scope == done.short)
        limit, balance = limits[at], done.balances[at]
        left = balance.left(limit)
        is_used_up = any(what is not None and what <= 0 for what in (left.tokens, left.micros))
        words = f"{self._words(limit, balance)}. It begins anew at {self._reset()}. {_remedy(limit)}"
        return Refused("budget" if is_used_up else "budget-short", Notice(self.today(), words, (_scope(limit),)))

    async def settle(self, key: str, conversation: Conversation, usage: Usage) -> Notice | None:
        """Put what was really used in the place of what was set aside; a notice where budgets are nearly used up."""
        today, lines, scopes = self.today(), list[str](), list[str]()
        await self._count(key, conversation, usage, today)
        if not self.budgets.are_set:
            return None
        await self.store.settle(key, self.amount(usage))
        for limit in self.limits(conversation):
            balance = await self.store.budget(limit.scope, today)
            self._tell(limit, today, balance)
            if used(limit, balance) >= WARN_AT:
                lines.append(f"{used(limit, balance):.0%} is used: {self._words(limit, balance)}")
                scopes.append(_scope(limit))
        return (
            Notice(today, f"{'; '.join(lines)}. It begins anew at {self._reset()}.", tuple(scopes)) if lines else None
        )

    async def _count(self, key: str, conversation: Conversation, usage: Usage, day: str) -> None:
        """Keep who has used what, for `greenroom usage`."""
        if (amount := self.amount(usage)) == Amount():
            return
        counts_user = self.user and self.budgets.by_user
        names = {
            "channel": _channel(conversation),
            "persona": self.persona,
            "model": usage.model,
            "user": f"{conversation.platform}:{conversation.workspace}:{self.user}" if counts_user else "",
        }
        scopes = [used_scope(by, name) for by, name in names.items() if name]
        await self.store.count(key, day, amount, scopes)

    def _tell(self, limit: Limit, day: str, balance: Balance) -> None:
        if limit.tokens is not None or limit.micros is not None:
            self.told(limit.scope, day, used(limit, balance))

    async def grant(self, key: str, conversation: Conversation, amount: Amount) -> tuple[str, str]:
        """Raise today's limit of the channel: by what it was raised ("" where it was not), and a line for people.

        Nothing is raised that has no limit. Again under `key` raises nothing more, and tells the same.
        """
        limit = self.limits(conversation)[0]
        tokens, dollars = f"{amount.tokens:,} tokens", f"${amount.micros / MILLION:.2f}".removesuffix(".00")
        if (limit.tokens if amount.tokens else limit.micros) is not None:
            more = tokens if amount.tokens else dollars
            await self.store.grant(key, limit.scope, self.today(), amount)
            return more, f"This channel may spend {more} more today."
        if limit.tokens is None and limit.micros is None:
            other = self.budgets.everywhere
            why = "it has no budget of its own"
            if other.tokens is not None or other.micros is not None:
                why += "; that of all channels together is raised in the settings alone (`budget.everywhere`)"
            return "", f"Nothing was raised for this channel: {why}."
        kind, form = ("tokens", "*budget +20000 tokens") if limit.tokens is not None else ("dollars", "*budget +5")
        return "", f"Nothing was raised: the budget of this channel counts {kind} alone. Write, say, `{form}`."

    async def tell(self, conversation: Conversation) -> str:
        """Today's budgets and what is spent of them, for people."""
        if not self.budgets.are_set:
            return "No budget is set, so nothing is limited. `*status` tells what this conversation has used."
        today = self.today()
        lines = [self._words(limit, await self.store.budget(limit.scope, today)) for limit in self.limits(conversation)]
        return "\n".join([*(f"- {line}" for line in lines), f"\nBudgets begin anew at {self._reset()}."])

    def today(self) -> str:
        """The day that is spent from, in UTC."""
        return self._now().date().isoformat()

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.clock.now(), datetime.UTC)

    def _reset(self) -> str:
        tomorrow = self._now().date() + datetime.timedelta(days=1)
        return f"00:00 UTC on {tomorrow.isoformat()}"

    def _words(self, limit: Limit, balance: Balance) -> str:
        whose = "all channels together" if limit.scope == EVERYWHERE else "this channel"
        parts = []
        if limit.tokens is not None:
            parts.append(f"{balance.spent.tokens:,} of {limit.tokens + balance.granted.tokens:,} tokens")
        if limit.micros is not None:
            may = (limit.micros + balance.granted.micros) / MILLION
            parts.append(f"${balance.spent.micros / MILLION:.2f} of ${may:.2f}")
        return f"today {whose} spent {' and '.join(parts) or f'{balance.spent.tokens:,} tokens (no limit)'}"


def _channel(conversation: Conversation) -> str:
    """The channel with its threads."""
    return f"{conversation.platform}:{conversation.workspace}:{conversation.channel}"


def _scope(limit: Limit) -> str:
    return EVERYWHERE if limit.scope == EVERYWHERE else "channel"


def _remedy(limit: Limit) -> str:
    """Who can do what, where a limit is in the way."""
    if limit.scope == EVERYWHERE:
        return "`*budget` does not raise it, as it is for all channels; the operator does, by `budget.everywhere`."
    form = "*budget +5" if limit.micros is not None else "*budget +20000 tokens"
    return f"When an admin has raised it by `{form}`, `*retry` answers what was asked last."


def used(limit: Limit, balance: Balance) -> float:
    """The share of a limit that is spent, the larger one of tokens and money; 0 where there is no limit."""
    shares = [0.0]
    if limit.tokens is not None:
        shares.append(_share(balance.spent.tokens, limit.tokens + balance.granted.tokens))
    if limit.micros is not None:
        shares.append(_share(balance.spent.micros, limit.micros + balance.granted.micros))
    return max(shares)


def _share(spent: int, limit: int) -> float:
    return spent / limit if limit > 0 else 1.0
