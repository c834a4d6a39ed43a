"""What GitOps tools are told, with Lua 5.1 as Argo CD has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lupa.lua51 import LuaRuntime

from agentjobs.cli.files import jobs_in

ROOT = Path(__file__).parents[2]
HEALTH = (ROOT / "examples/gitops/argocd-health.lua").read_text()


def job(reason: str = "", status: str = "False", seen: int = 2, suspend: bool = False, **more: Any) -> dict[str, Any]:
    condition = {"type": "Ready", "status": status, "reason": reason, "message": f"because {reason}"}
    answer = {"observedGeneration": seen, "conditions": [{"type": "Approved", "status": "False", "reason": "x"}, condition], **more}
    return {"metadata": {"generation": 2}, "spec": {"suspend": suspend}, "status": answer}


CASES = {
    "new": ({"metadata": {"generation": 1}, "spec": {}}, "Progressing"),
    "an older answer": (job("Ready", "True", seen=1), "Progressing"),
    "in force": (job("Ready", "True"), "Healthy"),
    "its run failed": (job("Ready", "True", phase="Failed", lastError="ScriptFailed: 3"), "Healthy"),
    "paused": (job("Ready", "True", suspend=True), "Suspended"),
    "waits": (job("PendingApproval"), "Suspended"),
    "waits for packages": (job("PackagesPending"), "Suspended"),
    "denied": (job("Denied"), "Degraded"),
    "invalid": (job("InvalidSpec"), "Degraded"),
    "its name is taken": (job("NameTaken"), "Degraded"),
    "unprotected": (job("PolicyMissing"), "Degraded"),
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
    assert health(CASES["its run failed"][0])["message"] == "in force; the last run failed: ScriptFailed: 3"


def test_the_reasons_in_the_health_check_are_the_operators() -> None:
    written = "".join(path.read_text() for path in (ROOT / "operator/src/agentjobs").rglob("*.py"))
    for line in HEALTH.splitlines():
        if line.startswith("local stuck"):
            reasons = [part.partition("=")[0].strip(" {") for part in line.partition("=")[2].split(",")]
            assert [reason for reason in reasons if f'"{reason}"' not in written] == []
            return
    pytest.fail("there is no line of reasons")


def test_the_example_renders() -> None:
    (found,) = jobs_in([ROOT / "examples/gitops/jobs"])
    assert (found.name, found.spec["schedule"]["cron"]) == ("weekly-summary", "0 8 * * 1")
