from __future__ import annotations

import pytest

from bot.personas.naming import default_icon, display_name, slug


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("vm-migration-architect", "VM Migration Architect"),
        ("network-sdn-controller", "Network SDN Controller"),
        ("ha-fault-tolerance-engineer", "HA Fault Tolerance Engineer"),
        ("ml-predictive-analytics", "ML Predictive Analytics"),
        ("guest-os-integration-specialist", "Guest OS Integration Specialist"),
        ("k8s-container-integration", "K8s Container Integration"),
        ("api-gateway-mesh-developer", "API Gateway Mesh Developer"),
        ("ui-ux-designer", "UI/UX Designer"),
        ("ci-cd", "CI/CD"),
        ("devops_engineer", "DevOps Engineer"),
        ("README", "README"),
        ("MIGRATION_SUMMARY", "Migration Summary"),
        ("Code Reviewer", "Code Reviewer"),
        ("MyAgent", "MyAgent"),
        ("the-and-of", "The and of"),
        ("", ""),
    ],
)
def test_a_file_name_as_people_write_it(written: str, shown: str) -> None:
    assert display_name(written) == shown


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("Code Reviewer", "code-reviewer"),
        ("  a//b ", "a-b"),
        ("a_b", "a-b"),
        ("Game_Dev.2", "game-dev-2"),
        ("Ärger & Co.", "ärger-co"),
        ("!?", ""),
    ],
)
def test_an_id_made_of_a_name(written: str, made: str) -> None:
    assert slug(written) == made


def test_the_first_hint_that_is_known_gives_the_icon() -> None:
    assert default_icon("zed", "qa-person") == "🧪"
    assert default_icon("zed") == "🤖"
