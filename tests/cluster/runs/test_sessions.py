"""A continuous job's session is on a claim that one pod at a time has, whoever owns the other."""

from __future__ import annotations

from typing import Final

from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, wait_for

HOLDS: Final = """\
import fcntl, os, time
lock = os.open("/workspace/run.lock", os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""
"""As the runner of another run does."""


def test_a_run_whose_session_is_busy_is_skipped_and_the_next_one_runs(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    jobs = [
        many.job("diary", "print('started')", session="Continuous"),
        many.job("holder", HOLDS, workspace={"claimName": "diary-session"}),
    ]
    many.in_force(agentjobs, namespace, jobs)
    holder = agentjobs.start(namespace, "holder", "holder-run")
    wait_for(
        lambda: kubectl("logs", "-n", namespace, f"job/{holder}") == "held\n",
        60,
        "another pod has the session",
    )

    busy = agentjobs.finished(namespace, agentjobs.start(namespace, "diary", "second"))
    assert (busy["phase"], busy["reason"], busy["stdout"], busy["logsComplete"]) == (
        "Skipped",
        "SessionBusy",
        "",
        True,
    ), busy
    assert (
        busy["message"]
        == "another run of this job is using the session; a job with session Continuous has one run"
        " at a time"
    )
    assert agentjobs.job(namespace, "diary")["status"]["failureCount"] == 0

    kubectl(
        "patch",
        "ajr",
        "-n",
        namespace,
        holder,
        "--type=merge",
        "--patch",
        '{"spec":{"cancel":true}}',
    )
    assert agentjobs.finished(namespace, holder)["phase"] == "Cancelled"
    free = agentjobs.finished(namespace, agentjobs.start(namespace, "diary", "third"))
    assert (free["phase"], free["stdout"]) == ("Succeeded", "started\n")
