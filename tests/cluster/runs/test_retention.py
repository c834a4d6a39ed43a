"""Which records are kept, and with how much of their output.

Each job's history decides that, and the budgets of namespace and cluster.
"""

from __future__ import annotations

from typing import Any

from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.support import manifests

MEBIBYTE = 1024 * 1024
RECORD_BYTES = 2048
FAILS_IF_BAD = "import os, sys\nprint('x' * 60_000)\nsys.exit('bad' in os.environ['JOB_RUN_ID'])\n"
LOUD = "import sys\nprint('x' * 60_000)\nprint('y' * 60_000, file=sys.stderr)\n"


def kept(kubectl: Kubectl, namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = kubectl.json("get", "ajr", "-n", namespace)["items"]
    return found


def test_a_job_keeps_as_many_runs_as_its_history_says_and_counts_them_all(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    agentjobs.in_force(namespace, "report", "print(1)\n", history={"successful": 2, "failed": 1})
    for number in range(4):
        agentjobs.finished(namespace, agentjobs.start(namespace, "report", f"run-{number}"))
    names = ["run-2", "run-3"]
    wait_for(
        lambda: [run["metadata"]["name"] for run in kept(kubectl, namespace)] == names,
        30,
        "the two newest runs are left",
    )
    assert agentjobs.job(namespace, "report")["status"]["runCount"] == 4


def test_a_namespaces_output_fits_its_budget_with_each_jobs_newest_run(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    jobs = [f"job-{number}" for number in range(4)]
    with agentjobs.values_set(**{"history.namespaceBytes": MEBIBYTE}):
        many.in_force(
            agentjobs, namespace, [manifests.job(job, script={"inline": LOUD}) for job in jobs]
        )
        newest: dict[str, str] = {}
        for lap in range(4):
            newest = {job: f"{job}-lap-{lap}" for job in jobs}
            kubectl.create(namespace, *(manifests.run(run, job) for job, run in newest.items()))
            many.finished(agentjobs, namespace, newest)

        def fits() -> bool:
            return (
                sum(int(run["status"]["outputBytes"]) for run in kept(kubectl, namespace))
                <= MEBIBYTE
            )

        wait_for(fits, 30, "what is stored fits into the budget")
        left = {run["metadata"]["name"] for run in kept(kubectl, namespace)}
    assert set(newest.values()) <= left
    assert len(left) == 10, (
        "of 16 records of 102,400 bytes and a line each, ten fit into a mebibyte"
    )


def no_namespace_is_ending(kubectl: Kubectl) -> bool:
    return all(
        "deletionTimestamp" not in body["metadata"]
        for body in kubectl.json("get", "namespaces")["items"]
    )


def test_the_largest_namespace_gives_way_to_the_budget_of_the_cluster(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    loud = [f"job-{number}" for number in range(4)]
    wait_for(
        lambda: no_namespace_is_ending(kubectl),
        120,
        "the records of earlier tests are gone: they are in the budget, too",
    )
    with (
        new_namespace(kubectl) as quiet,
        agentjobs.values_set(**{"history.clusterBytes": MEBIBYTE}),
    ):
        agentjobs.in_force(quiet, "report", "print(1)\n")
        many.in_force(agentjobs, namespace, [many.job(job, LOUD) for job in loud])
        for lap in range(3):
            agentjobs.finished(quiet, agentjobs.start(quiet, "report", f"lap-{lap}"))
            kubectl.create(namespace, *(manifests.run(f"{job}-lap-{lap}", job) for job in loud))
            many.finished(agentjobs, namespace, {job: f"{job}-lap-{lap}" for job in loud})

        def fits() -> bool:
            records = [*kept(kubectl, namespace), *kept(kubectl, quiet)]
            return (
                sum(RECORD_BYTES + int(run["status"]["outputBytes"]) for run in records) <= MEBIBYTE
            )

        wait_for(fits, 30, "what is stored fits into the budget")
        assert len(kept(kubectl, quiet)) == 3
        assert len(kept(kubectl, namespace)) == 9, "ten do not fit beside the other namespace"


def test_older_runs_lose_all_but_the_end_of_their_output_and_say_so(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    def one(name: str) -> dict[str, Any]:
        return agentjobs.finished(namespace, agentjobs.start(namespace, "report", name))

    agentjobs.in_force(namespace, "report", FAILS_IF_BAD, history={"outputs": 1})
    assert [one(name)["phase"] for name in ("good-1", "bad-1", "good-2")] == [
        "Succeeded",
        "Failed",
        "Succeeded",
    ]
    short = wait_for(lambda: _trimmed(kubectl, namespace), 30, "the oldest run is shortened")
    dropped = 60_001 - 2048
    assert list(short) == ["good-1"], "the newest run and the newest failure keep theirs"
    status = short["good-1"]
    assert status["stdout"] == f"[agentjobs: {dropped} bytes dropped here]\n" + "x" * 2047 + "\n"
    assert (status["stdoutDroppedBytes"], status["stderr"], status["stderrDroppedBytes"]) == (
        dropped,
        "",
        0,
    )
    assert (status["outputBytes"], status["logsComplete"], status["phase"]) == (
        len(status["stdout"]),
        True,
        "Succeeded",
    )
    assert agentjobs.job(namespace, "report")["status"]["runCount"] == 3
    kubectl(
        "patch",
        "saj",
        "-n",
        namespace,
        "report",
        "--type=merge",
        "--patch",
        '{"spec": {"suspend": true}}',
    )
    assert one("bad-2")["phase"] == "Failed"
    wait_for(
        lambda: sorted(_trimmed(kubectl, namespace)) == ["bad-1", "good-1", "good-2"],
        30,
        "and so are the next ones",
    )
    assert _trimmed(kubectl, namespace)["good-1"] == status, "a shortened record is left alone"


def _trimmed(kubectl: Kubectl, namespace: str) -> dict[str, dict[str, Any]]:
    return {
        run["metadata"]["name"]: run["status"]
        for run in kept(kubectl, namespace)
        if run["status"].get("outputTrimmed")
    }


def test_records_go_with_their_job_unless_its_history_says_that_they_stay(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    def names() -> list[str]:
        return [run["metadata"]["name"] for run in kept(kubectl, namespace)]

    def owned() -> dict[str, bool]:
        return {
            run["metadata"]["name"]: "ownerReferences" in run["metadata"]
            for run in kept(kubectl, namespace)
        }

    stays = {"history": {"keepAfterDelete": True}}
    many.ran(
        agentjobs,
        namespace,
        [many.job("gone", "print(1)\n"), many.job("kept", "print(2)\n", **stays)],
    )
    wait_for(
        lambda: owned() == {"gone-run": True, "kept-run": False}, 30, "only one record has an owner"
    )
    kubectl("delete", "saj", "-n", namespace, "gone", "kept")
    wait_for(lambda: names() == ["kept-run"], 60, "one record is gone")
    assert agentjobs.run(namespace, "kept-run")["status"]["stdout"] == "2\n"
    agentjobs.in_force(namespace, "kept", "print(2)\n")
    wait_for(
        lambda: owned() == {"kept-run": True}, 30, "a new job of the name has it in its history"
    )
    kubectl("delete", "saj", "-n", namespace, "kept")
    wait_for(lambda: names() == [], 60, "and takes it along")
