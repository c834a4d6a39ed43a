"""The controller manager is down over a start, which its schedule may still allow.

What it allows happens once, late, and the rest is reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.cluster import many
from tests.cluster.installed import FINAL, Installed, Manifest
from tests.cluster.process import killer
from tests.cluster.support import Kubectl, new_namespace, wait_for

pytestmark = pytest.mark.timeout(600)

REPORT: Final = "print('done')\n"
MINUTE: Final = timedelta(minutes=1)
DEADLINES: Final = {"plain": 300, "single": 300, "window": 300, "plain-lost": 10, "single-lost": 10}
LATE: Final = ("plain", "single", "window")
LOST: Final = ("plain-lost", "single-lost")
OWN: Final = ("single", "window")
"""What no cron says: the operator makes the start itself where its CronJob does not."""


@dataclass(frozen=True)
class Outage:
    """One start of each job.

    `told`: nextRunAt before it. `until`: when the controller manager came back.
    """

    namespace: str
    start: datetime
    until: datetime
    told: dict[str, str]

    def named(self, job: str) -> str:
        return f"{job}-{int(self.start.timestamp()) // 60}"


def schedule(job: str, start: datetime) -> dict[str, Any]:
    deadline = {"startingDeadlineSeconds": DEADLINES[job]}
    if job.startswith("single"):
        return {"once": {"runAt": f"{start:%Y-%m-%dT%H:%M:00}"}, **deadline}
    if job == "window":
        return {
            "window": {
                "cron": "0 0 * * *",
                "startTime": f"{start:%H:%M}",
                "endTime": f"{start + MINUTE:%H:%M}",
            },
            **deadline,
        }
    return {"cron": f"{start.minute} {start.hour} * * *", **deadline}


@pytest.fixture(scope="module")
def outage(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Outage]:
    with new_namespace(kubectl) as namespace, killer(agentjobs) as killers:
        start = (datetime.now(UTC) + timedelta(seconds=100)).replace(second=0, microsecond=0)
        many.in_force(
            agentjobs,
            namespace,
            [many.job(job, REPORT, schedule=schedule(job, start)) for job in DEADLINES],
        )
        told = {job: agentjobs.job(namespace, job)["status"]["nextRunAt"] for job in DEADLINES}
        with killers.controllers_stopped():
            assert datetime.now(UTC) < start, "the machine is too slow to prepare for this minute"
            wait_for(
                lambda: {phases(kubectl, namespace, job) for job in LOST} == {("Missed",)},
                150,
                "it is too late for two of them",
            )
            wait_for(
                lambda: all(jobs_of(kubectl, namespace, job) for job in OWN),
                60,
                "the operator has made two starts itself",
            )
            assert not jobs_of(kubectl, namespace, "plain")
            until = datetime.now(UTC)
        wait_for(
            lambda: all(ended(kubectl, namespace, job) for job in DEADLINES),
            120,
            "every start has its record",
        )
        yield Outage(namespace, start, until, told)


def runs(kubectl: Kubectl, namespace: str, job: str) -> dict[str, Manifest]:
    bodies = kubectl.json("get", "ajr", "-n", namespace, "--field-selector", f"spec.jobName={job}")[
        "items"
    ]
    return {body["metadata"]["name"]: body for body in bodies}


def phases(kubectl: Kubectl, namespace: str, job: str) -> tuple[str, ...]:
    return tuple(
        body.get("status", {}).get("phase", "Pending")
        for body in runs(kubectl, namespace, job).values()
    )


def ended(kubectl: Kubectl, namespace: str, job: str) -> bool:
    found = phases(kubectl, namespace, job)
    return bool(found) and set(found) <= set(FINAL)


def jobs_of(kubectl: Kubectl, namespace: str, job: str) -> list[Manifest]:
    return list(
        kubectl.json("get", "jobs", "-n", namespace, "-l", f"agentjobs.dev/job={job}")["items"]
    )


@pytest.mark.parametrize("job", LATE)
def test_a_start_still_within_its_time_happens_once_after_an_outage(
    kubectl: Kubectl, outage: Outage, job: str
) -> None:
    record = runs(kubectl, outage.namespace, job)[outage.named(job)]
    assert record["spec"]["trigger"] == {"type": "Schedule", "scheduledAt": outage.told[job]}
    assert (record["status"]["phase"], record["status"]["stdout"]) == ("Succeeded", "done\n")
    assert datetime.fromisoformat(record["status"]["startedAt"]) >= outage.until.replace(
        microsecond=0
    )


@pytest.mark.parametrize("job", LOST)
def test_a_start_whose_time_has_run_out_is_one_record_that_says_why(
    kubectl: Kubectl, outage: Outage, job: str
) -> None:
    record = runs(kubectl, outage.namespace, job)[outage.named(job)]
    assert record["spec"]["trigger"] == {"type": "Schedule", "scheduledAt": outage.told[job]}
    assert (record["status"]["phase"], record["status"]["reason"]) == ("Missed", "NotStartedInTime")
    assert f"the start at {outage.told[job]} did not happen in time" in record["status"]["message"]
    assert "startedAt" not in record["status"]


@pytest.mark.parametrize("job", LOST)
def test_a_missed_start_is_told_in_kubectl_describe(
    kubectl: Kubectl, outage: Outage, job: str
) -> None:
    lines = (
        kubectl("describe", "saj", "-n", outage.namespace, job)
        .partition("\nEvents:")[2]
        .splitlines()
    )
    told = [" ".join(line.split()) for line in lines if "RunMissed" in line.split()]
    assert [
        line.startswith("Warning RunMissed") and f"{outage.named(job)}: NotStartedInTime" in line
        for line in told
    ] == [True], lines


@pytest.mark.parametrize("job", DEADLINES)
def test_afterwards_the_job_looks_ahead_and_nothing_starts_again(
    agentjobs: Installed, kubectl: Kubectl, outage: Outage, job: str
) -> None:
    """There is still the one record and at most one pod.

    By then the job's CronJob is armed for the next start, or for none any more.
    """
    following = (
        None
        if job.startswith("single")
        else f"{outage.start + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    )

    def looks_ahead() -> Manifest:
        status = agentjobs.job(outage.namespace, job)["status"]
        cron = kubectl.json("get", "cronjob", "-n", outage.namespace, job)
        assert (
            status.get("nextRunAt"),
            cron["spec"]["suspend"],
            cron["status"].get("active", []),
        ) == (following, following is None, [])
        return dict(status)

    status: Mapping[str, Any] = wait_for(looks_ahead, 60, f"{job} looks ahead")
    ran = job in LATE
    assert list(runs(kubectl, outage.namespace, job)) == [outage.named(job)]
    assert (many.pods(kubectl, outage.namespace)[outage.named(job)], status["runCount"]) == (
        int(ran),
        int(ran),
    )
    assert status.get("missedSince") == (None if ran else outage.told[job])
    ahead = "Scheduled" if following else "Idle"
    assert status["phase"] == (ahead if not ran else "Triggered" if job == "single" else "Finished")
