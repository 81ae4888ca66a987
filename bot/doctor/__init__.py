"""`greenroom doctor`: looks at everything that a bot needs before it can work, and says what is wrong and what to do.

Each check is a function from a `Case` to findings, and `CHECKS` is all of them, in the order they are told in. A check
changes nothing and posts nothing: the database is read beside its worker, platforms are asked about the bot itself
where their tokens are set, and the model is called only when asked for.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bot.doctor.configuration import check_configuration, misconfigured
from bot.doctor.discord import check_discord
from bot.doctor.environment import check_terminal, check_versions
from bot.doctor.finding import Case, Check, Finding, Level, count
from bot.doctor.library import check_library
from bot.doctor.model import check_model
from bot.doctor.permissions import check_permissions
from bot.doctor.running import check_health
from bot.doctor.slack import check_slack
from bot.doctor.store import check_store
from bot.doctor.watching import check_telemetry
from bot.platforms.terminal.harmless import harmless
from bot.settings import Settings, SettingsError, file_of, load
from bot.telemetry import without_secrets

CHECKS: tuple[tuple[str, Check], ...] = (
    ("configuration", check_configuration),
    ("library", check_library),
    ("store", check_store),
    ("permissions", check_permissions),
    ("model", check_model),
    ("slack", check_slack),
    ("discord", check_discord),
    ("health", check_health),
    ("telemetry", check_telemetry),
    ("versions", check_versions),
    ("terminal", check_terminal),
)
"""Area and check, in the order they are told in. A new part of the bot adds its line here."""

ALWAYS = frozenset({"versions", "terminal"})
"""Areas that can be looked at without a configuration."""


async def examined(case: Case, checks: Sequence[tuple[str, Check]] = CHECKS) -> list[Finding]:
    """The findings of all checks. One that fails by itself is a problem among the others, and they go on."""
    found: list[Finding] = []
    for area, check in checks:
        try:
            found += await check(case)
        except Exception as error:
            says = f"this check failed itself: {type(error).__name__}: {error}"
            found.append(Finding(area, "problem", says, "report it to Greenroom's authors, with this line"))
    return found


def run(config: Path | None, env: Mapping[str, str], options: Mapping[str, str], *, online: bool, as_data: bool) -> int:
    """Print the findings; the exit code, 0 when there is no problem among them and 1 otherwise."""
    try:
        settings = load(config, env, options)
    except SettingsError as error:
        environment = [(area, check) for area, check in CHECKS if area in ALWAYS]
        found = misconfigured(error.problems) + asyncio.run(examined(Case(Settings(), env), environment))
    else:
        found = asyncio.run(examined(Case(settings, env, file_of(config, env), online)))
    print(as_json(found) if as_data else harmless("\n".join(as_text(found))))
    return 1 if any(finding.level == "problem" for finding in found) else 0


def as_text(found: Sequence[Finding]) -> Iterator[str]:
    """The findings as lines for people, areas one after the other."""
    area = ""
    for finding in found:
        if finding.area != area:
            yield f"\n{finding.area}" if area else finding.area
            area = finding.area
        yield f"  {finding.level:<8} {_in_one_line(finding.says)}"
        if finding.mend:
            yield f"  {'':<8} -> {_in_one_line(finding.mend)}"
    levels = Counter(finding.level for finding in found)
    yield f"\n{count(levels['problem'], 'problem')}, {count(levels['warning'], 'warning')}"


def as_json(found: Sequence[Finding]) -> str:
    """The findings as one JSON object: `ok`, and `findings` with area, level, says and mend."""
    findings = [
        {"area": f.area, "level": f.level, "says": without_secrets(f.says), "mend": without_secrets(f.mend)}
        for f in found
    ]
    return json.dumps(
        {"ok": all(f.level != "problem" for f in found), "findings": findings}, ensure_ascii=False, indent=2
    )


def _in_one_line(text: str) -> str:
    return " ".join(without_secrets(text).split())


__all__ = ["ALWAYS", "CHECKS", "Case", "Check", "Finding", "Level", "as_json", "as_text", "examined", "run"]
