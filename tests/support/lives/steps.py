"""What users and the clock do to a cluster in memory, and what must be true when all rests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from agentjobs.cluster.client import Json
from agentjobs.core.views.run import FINAL_PHASES
from agentjobs.testing.server import Server
from agentjobs.testing.simulation import Kubernetes, Script
from tests.support import manifests

NS: Final = "team"
SCRIPTS: Final = {
    "ok": Script(stdout="done\n"),
    "other": Script(stdout="done otherwise\n"),
    "fail": Script(exit_code=3, stdout="oh no\n"),
    "long": Script(seconds=1000, stdout="begun\n"),
}
MONDAY: Final = datetime(2026, 3, 2, 7, 50, 0, tzinfo=UTC)
EIGHT: Final = MONDAY.replace(hour=8, minute=0, second=0)
SCHEDULED_RUN: Final = f"report-{int(EIGHT.timestamp()) // 60}"
Act = Callable[[Kubernetes], None]


def new_cluster() -> Kubernetes:
    return Kubernetes(Server(MONDAY), SCRIPTS)


@dataclass(frozen=True)
class Step:
    """Something that users or the clock do at one moment, and what must be true afterwards."""

    check: Act
    acts: tuple[Act, ...]


def step(check: Act, *acts: Act) -> Step:
    return Step(check, acts)


# What is done


def create(kind: str, body: Json) -> Act:
    return lambda kube: void(kube.server.create(kind, NS, body))


def void(_: object) -> None:
    """For what is done, not told."""


def apply(name: str, script: str, **spec: Any) -> Act:
    return create("job", manifests.job(name, script={"inline": script}, **spec))


def decide(job: str, decision: str = "Approved") -> Act:
    def act(kube: Kubernetes) -> None:
        digest = status(kube, job)["card"]["digest"]
        name = (
            f"{job}-{decision.lower()}-{digest[:4]}"
            if ("approval", NS, f"{job}-{decision.lower()}") in kube.server.objects
            else ""
        )
        create(
            "approval",
            manifests.approval(
                name or f"{job}-{decision.lower()}", jobName=job, digest=digest, decision=decision
            ),
        )(kube)

    return act


def decide_packages(name: str, *pins: str, decision: str = "Approved") -> Act:
    return create(
        "packageapproval", manifests.package_approval(name, packages=list(pins), decision=decision)
    )


def start(job: str, run: str) -> Act:
    return create("run", manifests.run(run, job))


def rewrite(job: str, script: str) -> Act:
    return lambda kube: void(
        kube.server.patch(("job", NS, job), spec={"script": {"inline": script}})
    )


def delete(kind: str, name: str) -> Act:
    return lambda kube: kube.server.remove((kind, NS, name))


def eight_o_clock(kube: Kubernetes) -> None:
    kube.server.now = EIGHT


# What must be true


def status(kube: Kubernetes, job: str) -> Json:
    found: Json = kube.server.objects["job", NS, job]["status"]
    return found


def runs(kube: Kubernetes) -> dict[str, Json]:
    return {run["metadata"]["name"]: run.get("status", {}) for run in kube.server.all("run")}


def ended(
    kube: Kubernetes, run: str, phase: str, reason: str, stdout: str = "", started: int = 1
) -> None:
    """Its record is complete, and its script ran once.

    Events said once that it was triggered and how it ended.
    """
    record = runs(kube)[run]
    told = (
        record["phase"],
        record["reason"],
        record.get("stdout"),
        record["logsComplete"],
        kube.started[NS, run],
    )
    assert told == (phase, reason, stdout, True, started), (run, told, record["message"])
    assert record["finishedAt"]
    if started:
        assert all(
            record.get(name) is not None for name in ("digest", "exitCode", "startedAt", "podName")
        ), record
    events = [
        event for event in kube.server.all("event") if event["message"].startswith(f"{run}: ")
    ]
    reasons = [event["reason"] for event in events]
    assert [reason for reason in reasons if reason != "RunTriggered"] == [f"Run{phase}"], (
        run,
        events,
    )
    assert reasons.count("RunTriggered") in ((1,) if started else (0, 1)), (run, events)


def counted(
    kube: Kubernetes, job: str, succeeded: int, failed: int = 0, cancelled: int = 0
) -> None:
    """The counters are exact, and the history's line for each run says what its record says."""
    found = status(kube, job)
    counters = tuple(found.get(name, 0) for name in ("runCount", "successCount", "failureCount"))
    assert counters == (succeeded + failed + cancelled, succeeded, failed)
    uids = [line["uid"] for line in found["recentRuns"]]
    assert len(set(uids)) == len(uids)
    for line in found["recentRuns"]:
        record = runs(kube)[line["name"]]
        assert (line["phase"], line.get("reason")) == (record["phase"], record["reason"]), line[
            "name"
        ]
    assert "startedAt" not in found


def at_rest(kube: Kubernetes) -> None:
    """Every run has its record, nothing could still run, no script ran twice, no record changed."""
    assert {
        run: record.get("phase")
        for run, record in runs(kube).items()
        if record.get("phase") not in FINAL_PHASES
    } == {}
    assert kube.server.all("batchjob") == kube.server.all("pod") == []
    assert [
        cron["metadata"]["name"]
        for cron in kube.server.all("cronjob")
        if cron.get("status", {}).get("active")
    ] == []
    assert max(kube.started.values(), default=0) <= 1, kube.started
    for change in kube.server.changes:
        if (
            change.kind == "run"
            and change.before
            and change.before.get("status", {}).get("phase") in FINAL_PHASES
        ):
            assert change.after is None or change.after["status"] == change.before["status"], change


def gone(kube: Kubernetes) -> None:
    assert [
        row
        for row in kube.server.objects
        if row[0] not in ("event", "approval", "packageapproval", "run")
    ] == []
    assert [run for run in kube.server.all("run") if run["metadata"].get("ownerReferences")] == []


def has_event(kube: Kubernetes, reason: str, times: int = 1) -> None:
    assert Counter(event["reason"] for event in kube.server.all("event"))[reason] == times


def nothing(_: Kubernetes) -> None:
    """Not a moment of rest."""
