"""Lives of jobs, from creation to deletion: what users do, and what must hold when all rests."""

from __future__ import annotations

from typing import Final

from agentjobs.testing.simulation import Kubernetes
from tests.support.lives.steps import (
    NS,
    SCHEDULED_RUN,
    apply,
    at_rest,
    counted,
    create,
    decide,
    decide_packages,
    delete,
    eight_o_clock,
    ended,
    gone,
    has_event,
    nothing,
    rewrite,
    runs,
    start,
    status,
    step,
)

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
