"""What the chart renders, word by word: a change shows in review as what reaches the cluster."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.chart.helm import CHART, FULL_VALUES, Helm

GOLDEN = Path(__file__).with_name("golden")


def readable(text: str) -> str:
    """Without the second copy of the policies, which the operator gets.

    The CRDs have a test of their own.
    """
    return re.sub(
        r"(?<=\n    policies:)\n(      .*\n)+", " (as in admission.yaml)\n", text
    ).removeprefix("---\n")


@pytest.mark.parametrize(("name", "file"), [("default", None), ("full", FULL_VALUES)])
def test_golden_manifests(helm: Helm, name: str, file: Path | None) -> None:
    rendered = readable(helm.template(file=file))
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("AGENTJOBS_UPDATE_GOLDEN"):
        path.write_text(rendered)
    assert rendered == path.read_text(), (
        "the chart renders something else: `make golden`, and look at the difference"
    )


@pytest.mark.parametrize("values", [(), ("--values", FULL_VALUES)], ids=["default", "full"])
def test_chart_passes_helms_strict_lint(helm: Helm, values: tuple[str | Path, ...]) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", CHART, *values)


def notes(helm: Helm, *words: str) -> str:
    fixed = ("--dry-run=client", "--namespace", "team-a", "--set", "crds.enabled=false")
    return helm("install", "agentjobs", CHART, *fixed, *words).split("NOTES:")[1]


def test_notes_name_the_first_steps(helm: Helm) -> None:
    found = notes(helm)
    assert "kubectl --namespace team-a rollout status deployment/agentjobs" in found
    assert "kubectl get scheduledagentjob NAME -o jsonpath='{.status.card}'" in found
    assert "kind: AgentJobApproval" in found


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("", ""),
        ("approval.stamp=false", ", with their own name in spec.approvedBy"),
        ("approval.requireSecondPerson=true", ", but not what they changed last themselves"),
    ],
    ids=["default", "without-stamp", "second-person"],
)
def test_notes_say_who_approves_and_how(helm: Helm, values: str, words: str) -> None:
    assert f"people with `admin` approve them{words}.\n" in notes(helm, "--set", values)
