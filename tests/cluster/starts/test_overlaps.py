"""A start while another run of its job goes on, under each policy, whoever asks for it.

All jobs are due in the same minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import pytest

from agentjobs.api.event import Event
from agentjobs.core.views.event import digits
from tests.cluster import many
from tests.cluster.installed import FINAL, Installed, Manifest
from tests.cluster.support import Kubectl, KubectlError, new_namespace, wait_for
from tests.support import manifests
from tests.support.corpus.events import event_run

pytestmark = pytest.mark.timeout(600)

GOES_ON: Final = """\
import os, time
print("begun", flush=True)
while not os.path.exists("/tmp/go"):
    time.sleep(0.1)
print("done")
"""
GO: Final = ("--", "python3", "-c", "open('/tmp/go', 'w')")
EVENT: Final = {"id": "1", "source": "/shop", "type": "priced"}
SMALL: Final = {"requests": {"cpu": "10m", "memory": "32Mi"}}
MINUTE: Final = timedelta(minutes=1)
WHOLE: Final = ("Succeeded", "Completed", "begun\ndone\n")
REPLACED: Final = ("Cancelled", "Replaced", "begun\n")
LEFT_OUT: Final = ("Skipped", "Overlap", "")
Outcome = tuple[str, str, str]


@dataclass(frozen=True)
class Case:
    """A job whose scheduled start meets another run, and what becomes of both.

    The other run came `before` the scheduled one, or comes `over` it.
    """

    policy: Literal["Forbid", "Allow", "Replace"]
    other: Literal["hand before", "hand over", "event before", "event over"]
    scheduled: Outcome
    another: Outcome
    kind: Literal["cron", "once"] = "cron"
    deadline: int = 300

    def job(self, name: str, due: datetime) -> Manifest:
        when = (
            {"once": {"runAt": f"{due:%Y-%m-%dT%H:%M:00}"}}
            if self.kind == "once"
            else {"cron": f"{due.minute} {due.hour} * * *"}
        )
        triggers = [{"event": {"type": "priced"}}] if "event" in self.other else None
        schedule = {**when, "startingDeadlineSeconds": self.deadline}
        return many.job(
            name,
            GOES_ON,
            schedule=schedule,
            concurrencyPolicy=self.policy,
            triggers=triggers,
            resources=SMALL,
        )

    def another_run(self, name: str) -> Manifest:
        if "event" in self.other:
            return event_run(f"{name}-e{digits(Event(**EVENT))}", name, **EVENT)
        return manifests.run(f"{name}-run", name)


CASES: Final[Mapping[str, Case]] = {
    "forbid": Case("Forbid", "hand over", WHOLE, LEFT_OUT),
    "allow": Case("Allow", "hand over", WHOLE, WHOLE),
    "replace": Case("Replace", "hand over", REPLACED, WHOLE),
    "handed-allow": Case("Allow", "hand before", WHOLE, WHOLE),
    "handed-replace": Case("Replace", "hand before", WHOLE, REPLACED),
    "inside": Case("Forbid", "hand before", WHOLE, WHOLE),
    "inside-once": Case("Forbid", "hand before", WHOLE, WHOLE, "once"),
    "past": Case("Forbid", "hand before", LEFT_OUT, WHOLE, deadline=10),
    "past-once": Case("Forbid", "hand before", LEFT_OUT, WHOLE, "once", deadline=10),
    "event-forbid": Case("Forbid", "event over", WHOLE, LEFT_OUT),
    "event-allow": Case("Allow", "event before", WHOLE, WHOLE),
    "event-replace": Case("Replace", "event before", WHOLE, REPLACED),
    "event-over-allow": Case("Allow", "event over", WHOLE, WHOLE),
    "event-over-replace": Case("Replace", "event over", REPLACED, WHOLE),
}
"""Of those `inside` the starting deadline the other run ends when the start has come, which then is
late; of those `past` it, later."""
NEAR: Final = "near"
"""Starts in every minute, each of which the operator has to arm."""


@dataclass(frozen=True)
class Hour:
    """Records by name, pods per run, and the start of `near` whose CronJob was lost just before."""

    due: datetime
    near: datetime
    records: dict[str, Manifest]
    pods: Mapping[str, int]
    made_by_the_cron_job: set[str]

    def scheduled(self, job: str) -> Manifest:
        return self.records[named(job, self.due)]

    def another(self, job: str) -> Manifest:
        return self.records[CASES[job].another_run(job)["metadata"]["name"]]


def named(job: str, start: datetime) -> str:
    return f"{job}-{int(start.timestamp()) // 60}"


@dataclass(frozen=True)
class Day:
    """A namespace, and what is done in it."""

    kubectl: Kubectl
    namespace: str

    def runs(self) -> dict[str, Manifest]:
        return {
            body["metadata"]["name"]: body
            for body in self.kubectl.json("get", "ajr", "-n", self.namespace)["items"]
        }

    def phases(self) -> dict[str, str]:
        return {
            name: body.get("status", {}).get("phase", "Pending")
            for name, body in self.runs().items()
        }

    def go_on(self, runs: list[str]) -> None:
        """Waits until each has begun: what is replaced before that has printed nothing."""

        def begun() -> bool:
            found = self.phases()
            waiting = [run for run in runs if found.get(run) != "Running"]
            waiting = waiting or [
                run
                for run in runs
                if "begun" not in self.kubectl("logs", "-n", self.namespace, f"job/{run}")
            ]
            assert not waiting, f"{', '.join(waiting)} not begun"
            return True

        wait_for(begun, 150, "the runs go on")

    def let_go(self, runs: list[str]) -> None:
        def go(run: str) -> None:
            # The runner may end this process, too, before it has told that all went well.
            with suppress(KubectlError):
                self.kubectl("exec", "-n", self.namespace, f"job/{run}", *GO)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(go, runs))

    def all_ended(self) -> bool:
        going = {
            run: phase
            for run, phase in self.phases().items()
            if phase not in FINAL and not run.startswith(NEAR)
        }
        self.let_go([run for run, phase in going.items() if phase == "Running"])
        return not going

    def lose_the_cron_job(self, start: datetime) -> datetime:
        """Less than 5 s before a start, which nothing but the operator can make then.

        Returns which it was.
        """
        wait_for(
            lambda: datetime.now(UTC) >= start - timedelta(seconds=4), 150, "the start is near"
        )
        self.kubectl("delete", "cronjob", "-n", self.namespace, NEAR)
        return start if datetime.now(UTC) < start else self.lose_the_cron_job(start + MINUTE)


def others(where: str) -> dict[str, Manifest]:
    """The other runs of these cases, by job."""
    return {name: case.another_run(name) for name, case in CASES.items() if where in case.other}


def with_this(outcome: Outcome) -> list[str]:
    return [name for name, case in CASES.items() if case.scheduled == outcome]


@pytest.fixture(scope="module")
def hour(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Hour]:
    with new_namespace(kubectl) as namespace:
        day, due = (
            Day(kubectl, namespace),
            (datetime.now(UTC) + timedelta(seconds=120)).replace(second=0, microsecond=0),
        )
        weekly = {"cron": "* * * * 0-6", "everyWeeks": 2, "startDate": f"{due:%Y-%m-%d}"}
        jobs = [case.job(name, due) for name, case in CASES.items()]
        many.in_force(
            agentjobs,
            namespace,
            [*jobs, many.job(NEAR, "print(1)\n", schedule=weekly, resources=SMALL)],
        )
        kubectl.create(namespace, *others("before").values())
        day.go_on([body["metadata"]["name"] for body in others("before").values()])
        assert datetime.now(UTC) < due, "the machine is too slow to prepare for this minute"
        near = day.lose_the_cron_job(due)
        day.go_on(
            [
                named(job, due)
                for job, case in CASES.items()
                if case.policy != "Forbid" or "over" in case.other
            ]
        )
        kubectl.create(namespace, *others("over").values())
        day.let_go(
            [CASES[job].another_run(job)["metadata"]["name"] for job in ("inside", "inside-once")]
        )
        wait_for(
            lambda: (
                {day.phases().get(named(job, due)) for job in with_this(LEFT_OUT)} == {"Skipped"}
            ),
            60,
            "the past ones are skipped",
        )
        day.go_on(
            [
                body["metadata"]["name"]
                for job, body in others("over").items()
                if CASES[job].another == WHOLE
            ]
        )
        wait_for(day.all_ended, 120, "every run has ended")
        wait_for(
            lambda: day.phases().get(named(NEAR, near + MINUTE)) in FINAL,
            150,
            "the start after it has come and ended",
        )
        yield Hour(
            due,
            near,
            day.runs(),
            many.pods(kubectl, namespace),
            made_by_the_cron_job(kubectl, namespace),
        )


def made_by_the_cron_job(kubectl: Kubectl, namespace: str) -> set[str]:
    """The Jobs of `near` that the CronJob controller made, by its events "Created job <name>"."""
    selector = f"reason=SuccessfulCreate,involvedObject.kind=CronJob,involvedObject.name={NEAR}"
    return {
        event["message"].split()[-1]
        for event in kubectl.json("get", "events", "-n", namespace, "--field-selector", selector)[
            "items"
        ]
    }


@pytest.mark.parametrize("job", CASES)
def test_each_start_becomes_one_run_or_says_why_not(hour: Hour, job: str) -> None:
    scheduled, another = hour.scheduled(job), hour.another(job)
    assert outcome(scheduled) == CASES[job].scheduled
    assert outcome(another) == CASES[job].another
    assert scheduled["spec"]["trigger"] == {
        "type": "Schedule",
        "scheduledAt": f"{hour.due:%Y-%m-%dT%H:%M:%SZ}",
    }
    names = [body["metadata"]["name"] for body in (scheduled, another)]
    assert sorted(
        name for name, body in hour.records.items() if body["spec"]["jobName"] == job
    ) == sorted(names)
    assert [hour.pods[name] for name in names] == [
        int(outcome(body) != LEFT_OUT) for body in (scheduled, another)
    ]


def outcome(run: Manifest) -> Outcome:
    record = run["status"]
    assert record["logsComplete"], record
    return record["phase"], record["reason"], record["stdout"]


def span(run: Manifest) -> tuple[datetime, datetime]:
    """From its start to its end."""
    begin, end = (
        datetime.fromisoformat(run["status"][field]) for field in ("startedAt", "finishedAt")
    )
    return begin, end


@pytest.mark.parametrize("job", [name for name, case in CASES.items() if case.policy == "Allow"])
def test_allow_lets_both_run_at_the_same_time(hour: Hour, job: str) -> None:
    (begin, end), (other_begin, other_end) = span(hour.scheduled(job)), span(hour.another(job))
    assert max(begin, other_begin) < min(end, other_end)


@pytest.mark.parametrize("job", ["inside", "inside-once"])
def test_forbid_makes_a_start_wait_within_the_starting_deadline(hour: Hour, job: str) -> None:
    (begin, _), (_, other_end) = span(hour.scheduled(job)), span(hour.another(job))
    assert hour.due < other_end <= begin < hour.due + timedelta(seconds=CASES[job].deadline)


@pytest.mark.parametrize("job", ["past", "past-once"])
def test_past_the_starting_deadline_the_record_says_what_the_start_met(
    hour: Hour, job: str
) -> None:
    record = hour.scheduled(job)["status"]
    assert "another run of this job had not finished" in record["message"]
    assert datetime.fromisoformat(record["finishedAt"]) < span(hour.another(job))[1], (
        "it was said before that one ended"
    )


def test_a_start_too_near_for_a_cron_job_is_made_once_by_the_operator(hour: Hour) -> None:
    own, following = named(NEAR, hour.near), named(NEAR, hour.near + MINUTE)
    for name, start in ((own, hour.near), (following, hour.near + MINUTE)):
        record = hour.records[name]
        assert (record["status"]["phase"], record["status"]["stdout"], hour.pods[name]) == (
            "Succeeded",
            "1\n",
            1,
        )
        assert record["spec"]["trigger"] == {
            "type": "Schedule",
            "scheduledAt": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        }
        assert start <= span(record)[0] < start + MINUTE
    assert {own, following} & hour.made_by_the_cron_job == {following}
