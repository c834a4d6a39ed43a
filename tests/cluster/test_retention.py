"""Which records are kept: so many of each job, and so many bytes in each namespace."""

from __future__ import annotations

from typing import Any

from tests import manifests
from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, wait_for

MEBIBYTE = 1024 * 1024
LOUD = "import sys\nprint('x' * 60_000)\nprint('y' * 60_000, file=sys.stderr)\n"


def kept(kubectl: Kubectl, namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = kubectl.json("get", "ajr", "-n", namespace)["items"]
    return found


def test_a_job_keeps_as_many_runs_as_its_history_says_and_counts_them_all(agentjobs: Installed, kubectl: Kubectl, namespace: str) -> None:
    agentjobs.in_force(namespace, "report", "print(1)\n", history={"successful": 2, "failed": 1})
    for number in range(4):
        agentjobs.finished(namespace, agentjobs.start(namespace, "report", f"run-{number}"))
    names = ["run-2", "run-3"]
    wait_for(lambda: [run["metadata"]["name"] for run in kept(kubectl, namespace)] == names, 30, "the two newest runs are left")
    assert agentjobs.job(namespace, "report")["status"]["runCount"] == 4


def test_a_namespace_keeps_no_more_output_than_its_budget_and_each_job_its_newest_run(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    jobs = [f"job-{number}" for number in range(4)]
    with agentjobs.values_set(**{"history.namespaceBytes": MEBIBYTE}):
        many.in_force(agentjobs, namespace, [manifests.job(job, script={"inline": LOUD}) for job in jobs])
        newest: dict[str, str] = {}
        for lap in range(4):
            newest = {job: f"{job}-lap-{lap}" for job in jobs}
            kubectl.create(namespace, *(manifests.run(run, job) for job, run in newest.items()))
            many.finished(agentjobs, namespace, newest)

        def fits() -> bool:
            return sum(int(run["status"]["outputBytes"]) for run in kept(kubectl, namespace)) <= MEBIBYTE

        wait_for(fits, 30, "what is stored fits into the budget")
        left = {run["metadata"]["name"] for run in kept(kubectl, namespace)}
    assert set(newest.values()) <= left
    assert len(left) == 10, "of 16 records of 102,400 bytes and a line each, ten fit into a mebibyte"
