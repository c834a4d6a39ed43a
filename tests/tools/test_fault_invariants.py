"""The fault machine finds each broken promise in a made-up story, and none in a good one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

import pytest

from agentjobs.testing.real_cluster.client import Seen, Watch
from tests.cluster.faults.invariants import breaches
from tests.cluster.faults.story import PATHS, Story

TEXT: Final = '{"recipe":1}'
DIGEST: Final = hashlib.sha256(TEXT.encode()).hexdigest()
Json = dict[str, Any]


class Told:
    """A story that grows: each object has a version and a time one later than the one before."""

    def __init__(self) -> None:
        self.clock = 0
        self.story = Story("here", {kind: Watch() for kind in PATHS})

    def tell(self, kind: str, name: str, *, gone: bool = False, uid: str = "", **body: Any) -> None:
        self.clock += 1
        metadata = {
            "name": name,
            "uid": uid or f"{kind}-{name}",
            "resourceVersion": str(self.clock),
            **body.pop("metadata", {}),
        }
        event = "DELETED" if gone else "ADDED"
        self.story.watches[kind].saw(
            Seen(self.clock, self.clock, event, {"metadata": metadata, **body})
        )

    def pod(
        self, state: str = "running", run: str = "first", uid: str = "", digest: str = DIGEST
    ) -> None:
        labels = {"agentjobs.dev/job": "report", "batch.kubernetes.io/job-name": run}
        metadata = {"labels": labels, "annotations": {"agentjobs.dev/digest": digest}}
        volumes = [{"configMap": {"name": "revision"}}]
        status: Json = {"containerStatuses": [{"state": {state: {}}}]}
        self.tell(
            "pod",
            f"{run}-pod",
            uid=uid,
            metadata=metadata,
            spec={"volumes": volumes},
            status=status,
        )

    def batch_job(self, run: str = "first", minute: str = "") -> None:
        notes = {"batch.kubernetes.io/cronjob-scheduled-timestamp": minute} if minute else {}
        self.tell(
            "batchjob",
            run,
            metadata={"labels": {"agentjobs.dev/job": "report"}, "annotations": notes},
        )

    def decision(self, decision: str = "Approved") -> None:
        self.tell(
            "approval", decision, spec={"jobName": "report", "digest": DIGEST, "decision": decision}
        )

    def run(self, phase: str, name: str = "first", uid: str = "") -> None:
        self.tell("run", name, uid=uid, spec={"jobName": "report"}, status={"phase": phase})

    def counters(self, runs: int, succeeded: int, failed: int) -> None:
        status = {"runCount": runs, "successCount": succeeded, "failureCount": failed}
        self.tell("job", "report", status=status)

    def breaches(self, calm: float = 0) -> list[str]:
        return [f"{breach.kind}: {breach.what}" for breach in breaches(self.story, calm)]


def good() -> Told:
    """A run, from its approval to its record."""
    told = Told()
    told.tell("configmap", "revision", data={"revision.json": TEXT})
    told.decision()
    told.run("")
    told.batch_job()
    told.pod()
    told.pod("terminated")
    told.counters(1, 1, 0)
    told.run("Succeeded")
    return told


def test_a_good_story_breaks_nothing() -> None:
    assert good().breaches() == []


def _not_approved(told: Told) -> None:
    told.story.watches["approval"].events.clear()


def _approved_too_late(told: Told) -> None:
    _not_approved(told)
    told.decision()


def _exchanged(told: Told) -> None:
    told.story.watches["configmap"].events.clear()
    told.tell("configmap", "revision", data={"revision.json": "{}"})


def _denied_and_goes_on(told: Told) -> None:
    told.decision("Denied")
    told.batch_job("second")
    told.pod(run="second")
    told.run("Cancelled", "second")
    told.counters(2, 1, 0)


def _ran_twice(told: Told) -> None:
    told.pod("terminated", uid="another")


def _minute_twice(told: Told) -> None:
    for run in ("a", "b"):
        told.batch_job(run, "10:00")
        told.pod("terminated", run)
        told.run("Succeeded", run)
    told.counters(3, 3, 0)


def _two_records(told: Told) -> None:
    told.run("Succeeded", uid="another")
    told.counters(2, 2, 0)


def _second_verdict(told: Told) -> None:
    told.run("Failed")
    told.counters(1, 0, 1)


def _no_record(told: Told) -> None:
    told.batch_job("forgotten")


def _no_end(told: Told) -> None:
    told.run("Running", "second")


def _counted_twice(told: Told) -> None:
    told.counters(2, 2, 0)


@pytest.mark.parametrize(
    ("breaks", "found"),
    [
        (_not_approved, "unapproved: first-pod ran"),
        (_approved_too_late, "unapproved: first-pod ran"),
        (_exchanged, "unapproved: first-pod ran something else"),
        (_denied_and_goes_on, "unapproved: second-pod was denied and runs still"),
        (_ran_twice, "doubled: first ran 2 times"),
        (_minute_twice, "doubled: report started 2 times for 10:00"),
        (_two_records, "doubled: first has 2 records"),
        (_second_verdict, "doubled: the record of first was first Succeeded, then Failed"),
        (_no_record, "lost: the Job forgotten has no record"),
        (_no_end, "lost: second ends as Running"),
        (_counted_twice, "miscounted: report says (2, 2, 0), its records (1, 1, 0)"),
    ],
)
def test_a_broken_promise_is_found(breaks: Callable[[Told], None], found: str) -> None:
    told = good()
    breaks(told)
    assert [each[: len(found)] for each in told.breaches()] == [found]


def test_what_was_denied_may_run_until_the_bound_after_the_fault() -> None:
    told = good()
    told.batch_job("second")
    told.pod(run="second")
    told.decision("Denied")
    told.clock += 30
    told.pod("terminated", "second")
    told.run("Cancelled", "second")
    told.counters(2, 1, 0)
    assert told.breaches(calm=25) == []
    assert told.breaches(calm=0) != []
