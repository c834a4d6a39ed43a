"""Lives of jobs, from creation to deletion: what users do, and what must hold when all rests."""

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


# One job, on its schedule and by hand


def _is_pending(kube: Kubernetes) -> None:
    assert (status(kube, "report")["phase"], status(kube, "report")["approval"]["state"]) == (
        "PendingApproval",
        "Pending",
    )
    has_event(kube, "PendingApproval")


def is_in_force(kube: Kubernetes) -> None:
    assert (status(kube, "report")["phase"], status(kube, "report")["approval"]["state"]) == (
        "Scheduled",
        "Approved",
    )
    assert not kube.server.objects["cronjob", NS, "report"]["spec"]["suspend"]
    has_event(kube, "Approved")


def _ran_on_schedule(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, SCHEDULED_RUN, "Succeeded", "Completed", "done\n")
    counted(kube, "report", succeeded=1)


def _ran_by_hand(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "by-hand", "Succeeded", "Completed", "done\n")
    counted(kube, "report", succeeded=2)


def _the_first_ran(kube: Kubernetes) -> None:
    """The second too, if nobody looked at it while the first went on."""
    at_rest(kube)
    ended(kube, "both-1", "Succeeded", "Completed", "done\n")
    if kube.started[NS, "both-2"]:
        ended(kube, "both-2", "Succeeded", "Completed", "done\n")
    else:
        ended(kube, "both-2", "Skipped", "Overlap", started=0)
    counted(kube, "report", succeeded=3 + kube.started[NS, "both-2"])


def _the_approved_content_ran(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "meanwhile", "Succeeded", "Completed", "done\n")
    assert status(kube, "report")["approval"]["state"] == "Changed"
    counted(kube, "report", succeeded=4 + kube.started[NS, "both-2"])


SCHEDULED: Final = (
    step(_is_pending, apply("report", "ok", schedule={"cron": "0 8 * * *"})),
    step(is_in_force, decide("report")),
    step(_ran_on_schedule, eight_o_clock),
    step(_ran_by_hand, start("report", "by-hand")),
    step(_the_first_ran, start("report", "both-2"), start("report", "both-1")),
    step(_the_approved_content_ran, rewrite("report", "other"), start("report", "meanwhile")),
    step(gone, delete("job", "report")),
)


# One that fails, and is denied


def _too_early(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "first", "Skipped", "NotApproved", started=0)
    assert runs(kube)["stray"]["reason"] == "JobNotFound"


def _failed(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "second", "Failed", "ScriptFailed", "oh no\n")
    assert status(kube, "broken")["lastRun"]["name"] == "second"


def _failed_twice(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "third", "Failed", "ScriptFailed", "oh no\n")
    counted(kube, "broken", succeeded=0, failed=2)
    assert (status(kube, "broken")["consecutiveFailures"], status(kube, "broken")["phase"]) == (
        2,
        "Failed",
    )


def _is_denied(kube: Kubernetes) -> None:
    at_rest(kube)
    assert (status(kube, "broken")["phase"], kube.server.all("cronjob")) == ("Denied", [])
    has_event(kube, "Denied")


FAILING: Final = (
    step(_too_early, apply("broken", "fail"), start("broken", "first"), start("nowhere", "stray")),
    step(_failed, decide("broken"), start("broken", "second")),
    step(_failed_twice, start("broken", "third")),
    step(_is_denied, decide("broken", "Denied")),
    step(gone, delete("job", "broken")),
)


# One whose runs are ended from outside


def _goes_on(kube: Kubernetes) -> None:
    assert (status(kube, "slow")["phase"], runs(kube)["endless"]["phase"]) == ("Running", "Running")


def _does_not_overlap(kube: Kubernetes) -> None:
    _goes_on(kube)
    ended(kube, "another", "Skipped", "Overlap", started=0)


def _is_cancelled(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "endless", "Cancelled", "ApprovalRevoked", "begun\n")
    assert (status(kube, "slow")["phase"], kube.server.all("cronjob")) == ("PendingApproval", [])
    counted(kube, "slow", succeeded=0, cancelled=1)


def _is_back(kube: Kubernetes) -> None:
    assert runs(kube)["again"]["phase"] == "Running"
    has_event(kube, "Approved", 2)


def _its_job_was_deleted(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "again", "Failed", "JobDeleted", "begun\n")
    counted(kube, "slow", succeeded=0, failed=1, cancelled=1)


def _its_record_is_gone(kube: Kubernetes) -> None:
    at_rest(kube)
    assert (
        "unwanted" in runs(kube),
        kube.started[NS, "unwanted"],
        status(kube, "slow")["runCount"],
    ) == (False, 1, 2)


STOPPED: Final = (
    step(nothing, apply("slow", "long")),
    step(_goes_on, decide("slow"), start("slow", "endless")),
    step(_does_not_overlap, start("slow", "another")),
    step(_is_cancelled, delete("approval", "slow-approved")),
    step(_is_back, decide("slow"), start("slow", "again")),
    step(_its_job_was_deleted, delete("batchjob", "again")),
    step(nothing, start("slow", "unwanted")),
    step(_its_record_is_gone, delete("run", "unwanted")),
    step(nothing, start("slow", "last")),
    step(gone, delete("job", "slow")),
)


# One that needs packages


def _waits_for_packages(kube: Kubernetes) -> None:
    at_rest(kube)
    found = status(kube, "slow")
    assert (found["phase"], found["approval"]["state"], kube.server.all("cronjob")) == (
        "PendingApproval",
        "Pending",
        [],
    )
    reasons = {condition["type"]: condition["reason"] for condition in found["conditions"]}
    assert (reasons["Approved"], reasons["PackagesApproved"]) == ("Approved", "PackagesPending")
    if "too-early" in runs(kube):
        ended(kube, "too-early", "Skipped", "NotApproved", started=0)


def _its_packages_were_withdrawn(kube: Kubernetes) -> None:
    ended(kube, "endless", "Cancelled", "PackageRevoked", "begun\n")
    counted(kube, "slow", succeeded=0, cancelled=1)
    _waits_for_packages(kube)


def _a_package_was_denied(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "again", "Cancelled", "PackageDenied", "begun\n")
    assert (status(kube, "slow")["phase"], status(kube, "slow")["approval"]) == (
        "Denied",
        {"state": "Denied"},
    )
    counted(kube, "slow", succeeded=0, cancelled=2)


PACKAGED: Final = (
    step(
        nothing,
        apply("slow", "long", packages=["six==1.17.0", "My_Package==2.0"]),
        decide_packages("half", "six==1.17.0"),
    ),
    step(_waits_for_packages, decide("slow"), start("slow", "too-early")),
    step(
        _goes_on,
        decide_packages("batch", "my-package==2.0.0", "other==1"),
        start("slow", "endless"),
    ),
    step(_its_packages_were_withdrawn, delete("packageapproval", "batch")),
    step(nothing, decide_packages("once-more", "my.package==2"), start("slow", "again")),
    step(_a_package_was_denied, decide_packages("no", "six==1.17.0", decision="Denied")),
    step(gone, delete("job", "slow"), delete("packageapproval", "half")),
)


def _remembers(kube: Kubernetes) -> None:
    at_rest(kube)
    (owner,) = kube.server.objects["claim", NS, "report-session"]["metadata"]["ownerReferences"]
    assert owner["uid"] == kube.server.objects["job", NS, "report"]["metadata"]["uid"]


def _ran_once(kube: Kubernetes) -> None:
    _remembers(kube)
    ended(kube, "by-hand", "Succeeded", "Completed", "done\n")


def _remembers_anew(kube: Kubernetes) -> None:
    _remembers(kube)
    ended(kube, "after-it-forgot", "Succeeded", "Completed", "done\n")
    counted(kube, "report", succeeded=2)


def _uses_nobody_elses_memory(kube: Kubernetes) -> None:
    ended(kube, "squatted", "Skipped", "NameTaken", started=0)
    assert kube.server.objects["cronjob", NS, "report"]["spec"]["suspend"]


REMEMBERING: Final = (
    step(nothing, apply("report", "ok", session="Continuous")),
    step(_remembers, decide("report")),
    step(_ran_once, start("report", "by-hand")),
    step(_remembers_anew, delete("claim", "report-session"), start("report", "after-it-forgot")),
    step(
        _uses_nobody_elses_memory,
        delete("claim", "report-session"),
        create("claim", {"metadata": {"name": "report-session"}}),
        start("report", "squatted"),
    ),
    step(gone, delete("job", "report"), delete("claim", "report-session")),
)

LIVES: Final = {
    "scheduled": SCHEDULED,
    "failing": FAILING,
    "stopped": STOPPED,
    "packaged": PACKAGED,
    "remembering": REMEMBERING,
}
