"""With the operator down, killed or one of two, every start has exactly one complete record.

Every script ran once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import pytest

from tests.cluster import many
from tests.cluster.installed import FINAL, NAMESPACE, Installed, Manifest
from tests.cluster.process import OPERATORS, Killer, killer, leader, metrics, reconciles
from tests.cluster.support import Kubectl, KubectlError, new_namespace, wait_for
from tests.support import manifests

KILLS: Final = 20
RUNS: Final = 50
JOBS: Final = ("first", "second", "third")
EVERY_MINUTE: Final = {"cron": "* * * * *"}
REPORT: Final = "import os\nprint('report of', os.environ['JOB_RUN_ID'])\n"
WAITS: Final = """\
import os, time
print("begun", flush=True)
while not os.path.exists("/tmp/go"):
    time.sleep(0.1)
print("ended")
"""
GO: Final = ("--", "python3", "-c", "open('/tmp/go', 'w')")
SIGNS: Final = """\
import os, sys
with open("guests", "a") as book:
    book.write(os.environ["JOB_RUN_ID"] + "\\n")
print("it was", os.environ["JOB_RUN_ID"])
sys.exit(int(os.environ["JOB_RUN_ID"][-1]) % 3 == 0)
"""
READS: Final = "print(open('guests').read(), end='')\n"


def named(kubectl: Kubectl, namespace: str, kind: str) -> dict[str, Manifest]:
    return {
        body["metadata"]["name"]: body
        for body in kubectl.json("get", kind, "-n", namespace)["items"]
    }


def records(kubectl: Kubectl, namespace: str, job: str) -> dict[str, Manifest]:
    """What is recorded of each run of a job."""
    runs = named(kubectl, namespace, "ajr")
    return {
        name: run.get("status", {}) for name, run in runs.items() if run["spec"]["jobName"] == job
    }


def counters(agentjobs: Installed, namespace: str, job: str) -> tuple[int, int, int]:
    status = agentjobs.job(namespace, job)["status"]
    return status["runCount"], status["successCount"], status["failureCount"]


# Down for a while


@pytest.fixture(scope="module")
def downtime(agentjobs: Installed, kubectl: Kubectl) -> Iterator[str]:
    """A namespace in which much happened while no operator ran.

    That was a start and its end, the end of a run, a trigger, and a withdrawn approval.
    """
    with new_namespace(kubectl) as namespace:
        revoked = many.job("revoked", REPORT, schedule={"cron": "0 0 1 1 *"})
        ticker = many.job("ticker", REPORT, schedule=EVERY_MINUTE)
        many.in_force(
            agentjobs,
            namespace,
            [many.job("slow", WAITS), many.job("later", REPORT), revoked, ticker],
        )
        many.running(agentjobs, namespace, many.started(agentjobs, namespace, ["slow"]))
        agentjobs.scale(0)
        try:
            # The runner may end this process, too, before it has told that all went well.
            with suppress(KubectlError):
                kubectl("exec", "-n", namespace, "job/slow-run", *GO)
            agentjobs.start(namespace, "later", "later-run")
            kubectl("delete", "agentjobapproval", "-n", namespace, "revoked-approved")
            kubectl(
                "wait", "-n", namespace, "--for=condition=Complete", "job/slow-run", "--timeout=60s"
            )
            wait_for(
                lambda: "Complete" in ended(kubectl, namespace, "ticker"),
                90,
                "a start of ticker came and ran",
            )
        finally:
            agentjobs.scale(1)
        yield namespace


def ended(kubectl: Kubectl, namespace: str, job: str) -> list[str]:
    """The conditions of the Jobs of a job."""
    jobs = kubectl.json("get", "jobs", "-n", namespace, "-l", f"agentjobs.dev/job={job}")["items"]
    return [
        condition["type"] for body in jobs for condition in body["status"].get("conditions", ())
    ]


def test_a_scheduled_run_that_came_and_went_in_a_downtime_has_one_record(
    agentjobs: Installed, kubectl: Kubectl, downtime: str
) -> None:
    def recorded() -> dict[str, Manifest]:
        found = records(kubectl, downtime, "ticker")
        return (
            found
            if found and all(record.get("phase") in FINAL for record in found.values())
            else {}
        )

    found = wait_for(recorded, 30, "the runs of ticker are recorded")
    for name, record in found.items():
        assert (record["phase"], record["stdout"], record["logsComplete"]) == (
            "Succeeded",
            f"report of {name}\n",
            True,
        )
    kubectl(
        "patch",
        "saj",
        "-n",
        downtime,
        "ticker",
        "--type=merge",
        "-p",
        '{"spec": {"suspend": true}}',
    )
    wait_for(lambda: not named(kubectl, downtime, "jobs"), 60, "every Job is recorded and gone")
    total = len(records(kubectl, downtime, "ticker"))
    assert counters(agentjobs, downtime, "ticker") == (total, total, 0)
    starts = [
        event["message"].split()[-1]
        for event in created_by_the_cron_job(kubectl, downtime, "ticker")
    ]
    assert sorted(starts) == sorted(records(kubectl, downtime, "ticker"))


def created_by_the_cron_job(kubectl: Kubectl, namespace: str, job: str) -> list[Manifest]:
    """The CronJob controller tells each Job that it makes in an event: "Created job <name>"."""
    selector = f"reason=SuccessfulCreate,involvedObject.kind=CronJob,involvedObject.name={job}"
    return list(
        kubectl.json("get", "events", "-n", namespace, "--field-selector", selector)["items"]
    )


def test_a_run_that_ended_while_the_operator_was_down_has_its_whole_record(
    agentjobs: Installed, downtime: str
) -> None:
    record = agentjobs.finished(downtime, "slow-run")
    assert (record["phase"], record["stdout"], record["logsComplete"]) == (
        "Succeeded",
        "begun\nended\n",
        True,
    )
    assert counters(agentjobs, downtime, "slow") == (1, 1, 0)


def test_a_run_that_was_requested_in_a_downtime_runs_afterwards(
    agentjobs: Installed, downtime: str
) -> None:
    record = agentjobs.finished(downtime, "later-run")
    assert (record["phase"], record["stdout"]) == ("Succeeded", "report of later-run\n")
    assert counters(agentjobs, downtime, "later") == (1, 1, 0)


def test_an_approval_that_was_withdrawn_in_a_downtime_is_noticed(
    agentjobs: Installed, kubectl: Kubectl, downtime: str
) -> None:
    agentjobs.wait_condition(downtime, "revoked", "Approved", "False")
    wait_for(
        lambda: "revoked" not in named(kubectl, downtime, "cronjobs"), 30, "its CronJob is gone"
    )


# Killed again and again


@dataclass
class Guests:
    """Jobs that sign the same book, one run after the other each, and a scheduled one."""

    agentjobs: Installed
    namespace: str
    begun: int = 0

    def prepare(self) -> None:
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
        body = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "guests"},
            "spec": claim,
        }
        self.agentjobs.kubectl.create(self.namespace, body)
        book = {"workspace": {"claimName": "guests"}}
        jobs = [many.job(job, SIGNS, **book) for job in JOBS]
        jobs += [
            many.job("ticker", SIGNS, **book, schedule=EVERY_MINUTE),
            many.job("reader", READS, **book),
        ]
        many.in_force(self.agentjobs, self.namespace, jobs)

    def go_on(self) -> None:
        """The next run of each job whose last one has ended."""
        busy = self.going()
        idle = [job for job in JOBS if job not in busy]
        self.begun += 1
        if idle:
            self.agentjobs.kubectl.create(
                self.namespace, *(manifests.run(f"{job}-{self.begun}", job) for job in idle)
            )

    def going(self) -> set[str]:
        """The jobs with a run that is not over."""
        runs = named(self.agentjobs.kubectl, self.namespace, "ajr").values()
        return {
            run["spec"]["jobName"]
            for run in runs
            if run.get("status", {}).get("phase") not in FINAL
        }

    def all_ended(self) -> bool:
        return not named(self.agentjobs.kubectl, self.namespace, "jobs") and not self.going()

    def stop(self) -> None:
        self.agentjobs.kubectl(
            "patch",
            "saj",
            "-n",
            self.namespace,
            "ticker",
            "--type=merge",
            "-p",
            '{"spec": {"suspend": true}}',
        )
        wait_for(self.all_ended, 120, "every run is recorded and its Job gone")


@pytest.fixture
def killers(agentjobs: Installed) -> Iterator[Killer]:
    with killer(agentjobs) as found:
        yield found


@pytest.mark.timeout(600)
def test_an_operator_killed_again_and_again_loses_no_run_and_repeats_none(
    agentjobs: Installed, kubectl: Kubectl, killers: Killer, namespace: str
) -> None:
    guests, seed = Guests(agentjobs, namespace), random.SystemRandom().randrange(2**32)
    print("seed:", seed)
    dice = random.Random(seed)
    guests.prepare()
    for number in range(KILLS):
        pod = wait_for(lambda: leader(kubectl), 60, "an operator leads")
        guests.go_on()
        wait_for(lambda: dice.random() < 0.3, 30, "a moment that the dice choose")
        if number % 2:
            killers.kill_with_pod(pod)
            killers.free_lease()
        else:
            killers.kill(pod)
    while len(named(kubectl, namespace, "ajr")) < RUNS:
        guests.go_on()
        wait_for(lambda: not guests.going().issuperset(JOBS), 60, "a run has ended")
    guests.stop()
    signed = [
        name for job in (*JOBS, "ticker") for name in recorded_exactly(agentjobs, namespace, job)
    ]
    book = agentjobs.finished(namespace, agentjobs.start(namespace, "reader"))["stdout"]
    assert Counter(book.split()) == Counter(signed), "what has a record ran, and once"
    assert len(signed) >= RUNS


def recorded_exactly(agentjobs: Installed, namespace: str, job: str) -> list[str]:
    """The run names of a job that signs the book: records, counters and recent runs say the same.

    The last start of `ticker` may have come while it was paused, so that all could end.
    """
    found = {
        name: record
        for name, record in records(agentjobs.kubectl, namespace, job).items()
        if record["reason"] != "Paused"
    }
    for name, record in found.items():
        expected = "Failed" if int(name[-1]) % 3 == 0 else "Succeeded"
        assert (record["phase"], record["stdout"], record["logsComplete"]) == (
            expected,
            f"it was {name}\n",
            True,
        ), (name, record)
    failed = sum(record["phase"] == "Failed" for record in found.values())
    assert counters(agentjobs, namespace, job) == (len(found), len(found) - failed, failed)
    newest = sorted(found, key=lambda name: str(found[name]["finishedAt"]), reverse=True)
    phases = [found[name]["phase"] for name in newest]
    status = agentjobs.job(namespace, job)["status"]
    told = [
        (line["name"], line["phase"]) for line in status["recentRuns"] if line["reason"] != "Paused"
    ]
    assert told == list(zip(newest, phases, strict=True))[: len(told)]
    assert len(status["recentRuns"]) >= min(len(found), 10)
    assert status["consecutiveFailures"] == [*phases, "Succeeded"].index("Succeeded")
    return newest


# Two at once


def test_a_second_operator_acts_only_when_the_first_is_killed(
    agentjobs: Installed, kubectl: Kubectl, killers: Killer, namespace: str
) -> None:
    agentjobs.in_force(namespace, "report", REPORT)
    first = leader(kubectl)
    kubectl("scale", "-n", NAMESPACE, "deploy/agentjobs", "--replicas=2")
    try:
        pods = wait_for(lambda: pair(kubectl), 60, "both answer")
        assert (
            agentjobs.finished(namespace, agentjobs.start(namespace, "report", "before"))["phase"]
            == "Succeeded"
        )
        second = next(pod for pod in pods if pod != first)
        assert (
            leader(kubectl),
            metrics(kubectl, second)["agentjobs_leading"],
            reconciles(kubectl, second),
        ) == (first, 0, 0)
        killers.kill_with_pod(first)
        agentjobs.start(namespace, "report", "after")
        assert agentjobs.finished(namespace, "after")["stdout"] == "report of after\n"
        assert leader(kubectl) != first
        assert counters(agentjobs, namespace, "report") == (2, 2, 0)
    finally:
        agentjobs.scale(1)


def pair(kubectl: Kubectl) -> list[str]:
    """The pods, if there are two that answer."""
    pods = [pod["metadata"]["name"] for pod in kubectl.json("get", "pods", *OPERATORS)["items"]]
    return (
        pods
        if len(pods) == 2 and all("agentjobs_leading" in metrics(kubectl, pod) for pod in pods)
        else []
    )
