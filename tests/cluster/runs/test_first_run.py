"""The main path: apply, approve, run, read."""

from __future__ import annotations

from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, wait_for
from tests.support import manifests

SCRIPT = """\
import os, sys
print("report of", os.environ["JOB_RUN_ID"])
print("a warning", file=sys.stderr)
"""


def test_an_approved_job_runs_and_its_record_can_be_read_from_the_api(
    agentjobs: Installed, namespace: str
) -> None:
    digest = agentjobs.in_force(namespace, "report", SCRIPT)
    record = agentjobs.finished(namespace, agentjobs.start(namespace, "report", "report-now"))
    assert (record["phase"], record["reason"], record["exitCode"]) == ("Succeeded", "Completed", 0)
    assert (record["stdout"], record["stderr"]) == ("report of report-now\n", "a warning\n")
    assert (record["stdoutDroppedBytes"], record["stderrDroppedBytes"], record["logsComplete"]) == (
        0,
        0,
        True,
    )
    assert record["digest"] == digest
    status = agentjobs.job(namespace, "report")["status"]
    assert (
        status["phase"],
        status["runCount"],
        status["successCount"],
        status["failureCount"],
    ) == ("Finished", 1, 1, 0)
    assert status["lastRun"]["name"] == "report-now"
    assert [line["name"] for line in status["recentRuns"]] == ["report-now"]


def test_an_unapproved_job_has_no_cron_job_no_revision_and_no_pod(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.apply(namespace, manifests.job("report", schedule={"cron": "* * * * *"}))
    condition = agentjobs.wait_condition(namespace, "report", "Approved", "False")
    assert condition["reason"] == "PendingApproval"
    agentjobs.start(namespace, "report", "too-early")
    assert agentjobs.finished(namespace, "too-early")["reason"] == "NotApproved"
    owned = kubectl.json(
        "get", "cronjobs,jobs,pods,configmaps", "-n", namespace, "-l", "agentjobs.dev/job"
    )["items"]
    assert owned == []


def test_the_job_of_a_recorded_run_goes(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    agentjobs.ran(namespace, "report", SCRIPT)
    wait_for(
        lambda: not kubectl.json("get", "jobs,pods", "-n", namespace)["items"],
        30,
        "the Job and its pod are gone",
    )
