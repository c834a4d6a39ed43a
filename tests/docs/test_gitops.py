"""What GitOps tools are told, with Lua 5.1 as Argo CD has it."""

from __future__ import annotations

from typing import Any

import pytest
from lupa.lua51 import LuaRuntime

from agentjobs.cli.files.manifests import jobs_in
from agentjobs.core.status.conditions import RETRIED, STALLED, conditions
from tests.support.decisions import NOW
from tests.support.root import ROOT

HEALTH = (ROOT / "examples/gitops/argocd-health.lua").read_text()


def job(
    reason: str = "", status: str = "False", seen: int = 2, suspend: bool = False, **more: Any
) -> dict[str, Any]:
    """With the conditions that the operator writes beside this answer of Ready."""
    told = {"Approved": ("False", "x", "x"), "Ready": (status, reason, f"because {reason}")}
    found = [condition.wire() for condition in conditions((), told, seen, NOW)]
    return {
        "metadata": {"generation": 2},
        "spec": {"suspend": suspend},
        "status": {"observedGeneration": seen, "conditions": found, **more},
    }


CASES = {
    "new": ({"metadata": {"generation": 1}, "spec": {}}, "Progressing"),
    "an older answer": (job("Ready", "True", seen=1), "Progressing"),
    "in force": (job("Ready", "True"), "Healthy"),
    "its run failed": (
        job("Ready", "True", phase="Failed", lastError="ScriptFailed: 3"),
        "Healthy",
    ),
    "paused": (job("Ready", "True", suspend=True), "Suspended"),
    "waits": (job("PendingApproval"), "Suspended"),
    "waits for packages": (job("PackagesPending"), "Suspended"),
    "denied": (job("Denied"), "Degraded"),
    "invalid": (job("InvalidSpec"), "Degraded"),
    "its name is taken": (job("NameTaken"), "Degraded"),
    "unprotected": (job("PolicyMissing"), "Degraded"),
    "its package was denied": (job("PackageDenied"), "Degraded"),
    "its text is not to be used": (job("SourceNotLabelled"), "Degraded"),
    "its text may come with the next file": (job("SourceMissing"), "Progressing"),
    "the quota is full": (job("ClusterRefused"), "Progressing"),
}


def health(body: dict[str, Any]) -> dict[str, str]:
    lua = LuaRuntime()
    lua.globals().obj = lua.table_from(body, recursive=True)
    return dict(lua.execute(HEALTH))


@pytest.mark.parametrize("what", CASES)
def test_argo_cd_is_told_how_a_job_is(what: str) -> None:
    body, expected = CASES[what]
    told = health(body)
    assert told["status"] == expected
    assert told["message"]


def test_a_failed_run_is_told_although_the_deployment_is_fine() -> None:
    assert (
        health(CASES["its run failed"][0])["message"]
        == "in force; the last run failed: ScriptFailed: 3"
    )


def kstatus(body: dict[str, Any]) -> str:
    """By the rules of kstatus for conditions.

    See https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
    """
    held = {
        condition["type"]: condition["status"]
        for condition in body.get("status", {}).get("conditions", ())
    }
    if body.get("status", {}).get("observedGeneration") != body["metadata"]["generation"]:
        return "InProgress"
    if held.get("Reconciling") == "True":
        return "InProgress"
    if held.get("Stalled") == "True":
        return "Failed"
    return "Current" if held.get("Ready") == "True" else "InProgress"


@pytest.mark.parametrize("what", CASES)
def test_argo_cd_and_kstatus_are_told_the_same(what: str) -> None:
    body, expected = CASES[what]
    meant = {
        "Healthy": {"Current"},
        "Degraded": {"Failed"},
        "Progressing": {"InProgress"},
        "Suspended": {"InProgress", "Current"},
    }
    assert kstatus(body) in meant[expected]


def test_stalled_and_reconciling_go_when_they_are_over() -> None:
    before = conditions((), {"Ready": ("False", "Denied", "no")}, 1, NOW)
    assert [condition.type for condition in before] == ["Ready", "Stalled"]
    told = {
        condition.type: (condition.status, condition.reason, condition.message)
        for condition in before
    }
    assert [
        condition.type
        for condition in conditions(before, {**told, "Ready": ("True", "Ready", "yes")}, 1, NOW)
    ] == ["Ready"]
    refused = conditions(before, {**told, "Ready": ("False", "ClusterRefused", "quota")}, 1, NOW)
    assert [(condition.type, condition.reason) for condition in refused] == [
        ("Ready", "ClusterRefused"),
        ("Reconciling", "ClusterRefused"),
    ]


def test_the_reasons_of_stalled_and_reconciling_are_reasons_of_ready() -> None:
    written = "".join(path.read_text() for path in (ROOT / "operator/src/agentjobs").rglob("*.py"))
    assert [reason for reason in (*STALLED, *RETRIED) if f'"{reason}"' not in written] == []


def test_the_example_renders() -> None:
    (found,) = jobs_in([ROOT / "examples/gitops/jobs"])
    assert (found.name, found.spec["schedule"]["cron"]) == ("weekly-summary", "0 8 * * 1")
