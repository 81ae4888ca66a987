"""What the shipped rules and dashboard ask Prometheus for, and what a bot's own page really holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.health.metrics import Metrics
from bot.ports.mailbox import Stats
from bot.ports.observer import Budgeted, ModelAsked
from tests.unit.health.turns import USED, claim, talk

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = PROMETHEUS / "greenroom.rules.yml"
RULES_TEST = PROMETHEUS / "greenroom.rules.test.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "greenroom.json"

OF_PROMETHEUS = {"up": {"job", "instance"}}
"""What Prometheus makes by itself for each target, and its labels."""

OF_GRAFANA = {"$__rate_interval": "5m"}


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def asked_for() -> Iterator[tuple[str, str]]:
    """Every expression with the name of the rule or panel that it stands in."""
    yield from ((rule["alert"], rule["expr"]) for rule in rules())
    for panel in panels():
        for target in panel["targets"]:
            expression = target["expr"]
            for variable, value in OF_GRAFANA.items():
                expression = expression.replace(variable, value)
            yield panel["title"], expression


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """The selectors of an expression. Raises ValueError where Prometheus could not read it."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node: object) -> None:
        match node:
            case promql_parser.VectorSelector():
                found.append(node)
            case promql_parser.MatrixSelector():
                visit(node.vector_selector)
            case promql_parser.BinaryExpr():
                visit(node.lhs)
                visit(node.rhs)
            case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
                visit(node.expr)
            case promql_parser.Call():
                for argument in node.args:
                    visit(argument)

    visit(promql_parser.parse(expression))
    return found


def page() -> dict[str, list[dict[str, str]]]:
    """The samples of a page that has seen everything once: their labels, by name."""
    metrics = Metrics(today=lambda: "2026-11-21")
    of = claim()
    for happening in talk(of):
        metrics.saw(happening)
    metrics.saw(ModelAsked(of, "architect", 1.0, "end_turn", usage=USED, cost=0.1))
    metrics.saw(Budgeted(of, "everywhere", "2026-11-21", 0.5))
    text = metrics.text(Stats(0, 0, 0, 0.0), ("claude-one",), {"slack": True}).decode()
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(dict(sample.labels))
    return found
