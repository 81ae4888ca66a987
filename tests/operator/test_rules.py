"""The shipped alarms and the dashboard: they ask for what there is, and each outage raises its alarm."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.core.failures import REASONS
from bot.health.metrics import EVERYWHERE, STOPS
from bot.health.outages import BOUNDS, OURS, UNFINISHED
from bot.runtime import budget
from tests.operator.expressions import (
    DASHBOARD,
    OF_PROMETHEUS,
    PROMETHEUS,
    RULES,
    RULES_TEST,
    asked_for,
    page,
    panels,
    rules,
    selectors,
)

every_expression = pytest.mark.parametrize(
    "expression", [pytest.param(expression, id=f"{name}-{n}") for n, (name, expression) in enumerate(asked_for())]
)


@every_expression
def test_what_is_asked_for_is_there_with_its_labels(expression: str) -> None:
    held = page()
    asked = selectors(expression)
    assert asked, "an expression about nothing"
    for selector in asked:
        labels = {matcher.name for matcher in selector.matchers.matchers} - {"job", "instance"}
        if selector.name in OF_PROMETHEUS:
            assert labels <= OF_PROMETHEUS[selector.name]
            continue
        assert selector.name in held, f"no metric is called {selector.name}"
        assert any(labels <= set(sample) for sample in held[selector.name]), (selector.name, labels)


@every_expression
def test_a_value_that_is_asked_for_by_name_is_one_that_there_can_be(expression: str) -> None:
    held = page()
    for selector in selectors(expression):
        samples = held.get(selector.name or "", [])
        for matcher in selector.matchers.matchers:
            if matcher.name in ("result", "outcome"):
                known = {sample[matcher.name] for sample in samples if matcher.name in sample}
                assert set(matcher.value.split("|")) <= known, matcher.value


def test_a_metric_that_is_not_there_is_noticed() -> None:
    (selector,) = selectors("rate(greenroom_gossip_total[5m])")
    assert selector.name not in page()


def test_every_reason_that_is_an_outage_is_in_the_alarm_and_every_good_end_silences_it() -> None:
    (rule,) = [rule for rule in rules() if rule["alert"] == "GreenroomModelAnswersNobody"]
    fails, answers = re.findall(r'result=~"([^"]+)"', rule["expr"])
    assert set(fails.split("|")) == (set(REASONS) - OURS - BOUNDS) | UNFINISHED
    assert set(answers.split("|")) == set(STOPS) - UNFINISHED


def test_every_alarm_says_how_bad_it_is_and_what_to_do_and_is_tried() -> None:
    tried = yaml.safe_load(RULES_TEST.read_text())["tests"]
    raised = {check["alertname"] for test in tried for check in test["alert_rule_test"] if check["exp_alerts"]}
    silent = {check["alertname"] for test in tried for check in test["alert_rule_test"] if not check["exp_alerts"]}
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"] and rule["annotations"]["action"]
        assert rule["alert"] in raised and rule["alert"] in silent, f"nothing tries {rule['alert']}"


def test_the_dashboard_can_be_imported() -> None:
    found = panels()
    ids = [panel["id"] for panel in found]
    assert len(set(ids)) == len(ids) > 10
    for panel in found:
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["x"] + place["w"] <= 24
        assert panel["datasource"]["uid"] == "${datasource}", "nobody has our data source"
        assert panel["targets"]


def test_every_metric_of_the_bot_is_in_a_rule_or_on_the_dashboard() -> None:
    shown = {selector.name for _, expression in asked_for() for selector in selectors(expression)}
    ours = {
        name for name in page() if name.startswith("greenroom_") and not name.endswith(("_created", "_sum", "_count"))
    }
    assert ours <= shown


def test_the_scope_of_all_channels_is_called_as_the_runtime_calls_it() -> None:
    assert EVERYWHERE == budget.EVERYWHERE


@pytest.mark.parametrize("what", [("check", "rules", RULES.name), ("test", "rules", RULES_TEST.name)])
def test_promtool_takes_the_rules_and_each_outage_raises_its_alarm(what: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on PATH: the rules were parsed, but not tried")
    run = subprocess.run((promtool, *what), cwd=PROMETHEUS, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_files_stand_where_the_page_says() -> None:
    told = (Path(__file__).parents[2] / "docs" / "deploying.md").read_text()
    for path in (RULES, DASHBOARD):
        assert str(path.relative_to(path.parents[2])) in told
