"""Who answers."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from bot.app import SystemClock, model_of
from bot.core.failures import REASONS
from bot.core.prompt import Block, Message, Prompt
from bot.doctor.finding import Case, Finding
from bot.ports.model import ModelError
from bot.settings import REHEARSAL, Settings

ANSWER = 16
"""Tokens of the one reply that `--online` pays for at most."""

PATIENCE = 20.0
"""Seconds that the service may be silent before `--online` calls it out of reach."""


async def check_model(case: Case) -> Sequence[Finding]:
    """Who answers, with which key (never shown), where, and, with `online`, whether somebody does."""
    chosen, key = case.settings.model, case.settings.secrets.anthropic_api_key
    if chosen.name == REHEARSAL:
        return [Finding("model", "ok", f"{REHEARSAL}: replies are made without a model and say so; no key is needed")]
    alias = chosen.aliases.get(chosen.name)
    ident = alias.id if alias else chosen.name
    found = [Finding("model", "ok", f"{chosen.name} is {ident}" if alias else f"{ident} answers")]
    found.append(Finding("model", "ok", f"asked at {chosen.base_url or 'the address of the service itself'}"))
    if key is None and not chosen.base_url:
        mend = "set ANTHROPIC_API_KEY or ANTHROPIC_API_KEY_FILE, or try the flows with `--model rehearsal`"
        return [*found, Finding("model", "problem", "there is no key", mend)]
    source = "ANTHROPIC_API_KEY_FILE" if case.env.get("ANTHROPIC_API_KEY_FILE") else "ANTHROPIC_API_KEY"
    if key is None:
        found.append(Finding("model", "ok", "no key, which a server of your own may not need"))
    elif not chosen.base_url and not key.get_secret_value().startswith("sk-ant-"):
        mend = f"check that {source} holds the whole key; `--online` tries it"
        found.append(Finding("model", "warning", "the key does not begin as the service's keys do", mend))
    else:
        found.append(Finding("model", "ok", f"a key is there ({source})"))
    if not case.online:
        return [*found, Finding("model", "ok", "not called; --online calls it once, for a few tokens")]
    return [*found, await called(case.settings, ident)]


async def called(settings: Settings, ident: str) -> Finding:
    """What comes of one short call by the adapter that answers people too."""
    sparing = {"max_tokens": ANSWER, "retry": 0.0, "timeout": min(PATIENCE, settings.model.timeout)}
    tried = settings.model_copy(update={"model": settings.model.model_copy(update=sparing)})
    model = model_of(tried, SystemClock())
    hello = Block(json.dumps({"type": "text", "text": "Operator: Are you there?"}))
    prompt = Prompt("doctor", ("Answer with the one word: yes",), (), (Message("user", (hello,)),))
    began = time.monotonic()
    try:
        reply = await model.reply(prompt, _unseen)
    except ModelError as error:
        says = f"a call of {ident} failed ({error.reason}{f': {error.detail}' if error.detail else ''})"
        return Finding("model", "problem", says, REASONS[error.reason])
    finally:
        await model.close()
    took, usage = time.monotonic() - began, reply.usage
    return Finding(
        "model", "ok", f"{ident} answered in {took:.1f} s ({usage.read} tokens read, {usage.output} written)"
    )


async def _unseen(_piece: str) -> None:
    """Nobody watches this reply grow."""
