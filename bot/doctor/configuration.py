"""Where the settings come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.doctor.finding import Case, Finding
from bot.settings import LOOKUP, Settings


async def check_configuration(case: Case) -> Sequence[Finding]:
    """Which file was read, what the environment sets, and which keys are not at their defaults."""
    if case.file:
        found = [Finding("configuration", "ok", f"{case.file} is read")]
    else:
        looked = " and ".join(str(path) for path in LOOKUP)
        found = [Finding("configuration", "ok", f"no file (looked for {looked}), so the defaults count")]
    if names := sorted(name for name, value in case.env.items() if name.startswith("GREENROOM_") and value):
        found.append(Finding("configuration", "ok", f"set by the environment: {', '.join(names)}"))
    if changed := sorted(_changed(case.settings.model_dump(exclude={"secrets"}), Settings().model_dump())):
        found.append(Finding("configuration", "ok", f"not at the default: {', '.join(changed)}"))
    return found


def _changed(values: Mapping[str, object], defaults: Mapping[str, object], above: str = "") -> Iterator[str]:
    for name, value in values.items():
        usual = defaults.get(name)
        if isinstance(value, Mapping) and isinstance(usual, Mapping):
            yield from _changed(value, usual, f"{above}{name}.")
        elif value != usual:
            yield f"{above}{name}"


def misconfigured(problems: Sequence[str]) -> list[Finding]:
    """What there is to say when the configuration cannot be used at all."""
    mend = "correct it there; config/greenroom.yaml of the sources describes every key"
    return [
        *(Finding("configuration", "problem", problem, mend) for problem in problems),
        Finding(
            "configuration",
            "warning",
            "library, store, model and platforms were not looked at",
            "mend the above and run again",
        ),
    ]
