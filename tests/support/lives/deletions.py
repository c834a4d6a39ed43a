"""Jobs that are deleted and stay, or go and leave things behind: whatever runs ends properly."""

from __future__ import annotations

from typing import Final

from agentjobs.testing.simulation import Kubernetes
from tests.support.lives.jobs import is_in_force
from tests.support.lives.starts import cancel_what_runs
from tests.support.lives.steps import (
    NS,
    Act,
    Step,
    apply,
    at_rest,
    counted,
    decide,
    eight_o_clock,
    ended,
    nothing,
    runs,
    start,
    status,
    step,
    void,
)

OWNED: Final = ("run", "cronjob", "batchjob", "revision", "claim")


def held(job: str) -> Act:
    """Deleted, while somebody's finalizer keeps it."""

    def act(kube: Kubernetes) -> None:
        metadata = {"deletionTimestamp": "2026-03-02T07:50:00Z", "finalizers": ["example.com/mine"]}
        kube.server.patch(("job", NS, job), metadata=metadata)

    return act


def let_go(job: str) -> Act:
    """Whoever put the finalizer there takes it off."""
    return lambda kube: kube.server.forget(("job", NS, job))


def orphan(job: str) -> Act:
    """`kubectl delete saj JOB --cascade=orphan`.

    Garbage collection takes the owner off, then the job goes.
    """

    def act(kube: Kubernetes) -> None:
        orphaning(job)(kube)
        kube.server.forget(("job", NS, job))

    return act


def orphaning(job: str) -> Act:
    """The same, as far as the job is still there."""

    def act(kube: Kubernetes) -> None:
        marked_as_orphaning(job)(kube)
        taken_off(job, *OWNED)(kube)

    return act


def marked_as_orphaning(job: str) -> Act:
    """Garbage collection has taken no owner off yet."""
    metadata = {"deletionTimestamp": "2026-03-02T07:50:00Z", "finalizers": ["orphan"]}
    return lambda kube: void(kube.server.patch(("job", NS, job), metadata=metadata))


def taken_off(job: str, *kinds: str) -> Act:
    """The owner of everything of these kinds that the job has."""

    def act(kube: Kubernetes) -> None:
        uid = kube.server.objects["job", NS, job]["metadata"]["uid"]
        for kind in kinds:
            for body in kube.server.all(kind, NS):
                owners = body["metadata"].get("ownerReferences", [])
                if any(owner["uid"] == uid for owner in owners):
                    row = (kind, NS, body["metadata"]["name"])
                    void(kube.server.patch(row, metadata={"ownerReferences": None}))

    return act


def has_begun(kube: Kubernetes) -> None:
    assert runs(kube)["endless"]["phase"] == "Running"


def _goes_on_without_new_starts(kube: Kubernetes) -> None:
    """What was approved goes on; nothing else begins."""
    has_begun(kube)
    assert kube.server.objects["cronjob", NS, "slow"]["spec"]["suspend"]
    told = {c["type"]: c["reason"] for c in status(kube, "slow")["conditions"]}
    assert told["Ready"] == "Deleting"
    assert runs(kube)["too-late"]["reason"] == "JobNotFound"


def _is_cancelled_while_deleted(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "endless", "Cancelled", "CancelledByUser", "begun\n")
    counted(kube, "slow", succeeded=0, cancelled=1)


def nothing_is_left(kube: Kubernetes) -> None:
    left = [row for row in kube.server.objects if row[0] not in ("event", "approval", "run")]
    assert left == []


HELD: Final = (
    step(nothing, apply("slow", "long", schedule={"cron": "0 8 * * *"})),
    step(has_begun, decide("slow"), start("slow", "endless")),
    step(_goes_on_without_new_starts, held("slow"), start("slow", "too-late")),
    step(_is_cancelled_while_deleted, cancel_what_runs),
    step(_is_cancelled_while_deleted, eight_o_clock),
    step(nothing_is_left, let_go("slow")),
)


def _is_denied_while_deleted(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "endless", "Cancelled", "Denied", "begun\n")


DENIED_WHILE_HELD: Final = (
    step(nothing, apply("slow", "long")),
    step(has_begun, decide("slow"), start("slow", "endless")),
    step(has_begun, held("slow")),
    step(_is_denied_while_deleted, decide("slow", "Denied")),
    step(nothing_is_left, let_go("slow")),
)


def _has_no_starts(kube: Kubernetes) -> None:
    """Its run goes on, since it is approved."""
    has_begun(kube)
    assert kube.server.objects["cronjob", NS, "slow"]["spec"]["suspend"]


def is_recorded(kube: Kubernetes, phase: str, reason: str) -> None:
    at_rest(kube)
    record = runs(kube)["endless"]
    assert (record["phase"], record["reason"], record["stdout"]) == (phase, reason, "begun\n")
    assert record["logsComplete"] is True
    nothing_is_left(kube)


ORPHANED: Final = (
    step(nothing, apply("slow", "long", schedule={"cron": "0 8 * * *"})),
    step(has_begun, decide("slow"), start("slow", "endless")),
    step(_has_no_starts, orphaning("slow")),
    step(_has_no_starts, let_go("slow")),
    step(lambda kube: is_recorded(kube, "Cancelled", "CancelledByUser"), cancel_what_runs),
    step(nothing_is_left, eight_o_clock),
)


ORPHANED_SLOWLY: Final = (
    step(nothing, apply("slow", "long", schedule={"cron": "0 8 * * *"})),
    step(has_begun, decide("slow"), start("slow", "endless")),
    step(_has_no_starts, marked_as_orphaning("slow")),
    step(nothing, cancel_what_runs, taken_off("slow", "run")),
    step(
        lambda kube: is_recorded(kube, "Cancelled", "CancelledByUser"),
        taken_off("slow", "cronjob", "revision"),
        let_go("slow"),
    ),
)


def forget_approvals(kube: Kubernetes) -> None:
    for body in kube.server.all("approval", NS):
        kube.server.remove(("approval", NS, body["metadata"]["name"]))


ORPHANED_AND_DENIED: Final = (
    step(nothing, apply("slow", "long")),
    step(has_begun, decide("slow"), start("slow", "endless")),
    step(_has_no_starts, orphan("slow")),
    step(lambda kube: is_recorded(kube, "Cancelled", "ApprovalRevoked"), forget_approvals),
)


def _is_taken_back(kube: Kubernetes) -> None:
    assert (
        status(kube, "report")["phase"],
        kube.server.objects["cronjob", NS, "report"]["spec"]["suspend"],
    ) == ("Scheduled", False)
    uid = kube.server.objects["job", NS, "report"]["metadata"]["uid"]
    for row in [row for row in kube.server.objects if row[0] in ("cronjob", "revision")]:
        (owner,) = kube.server.objects[row]["metadata"]["ownerReferences"]
        assert owner["uid"] == uid, row


def _ran(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "again", "Succeeded", "Completed", "done\n")


def _recreate(kube: Kubernetes) -> None:
    orphan("report")(kube)
    apply("report", "ok", schedule={"cron": "0 8 * * *"})(kube)


TAKEN_BACK: Final[tuple[Step, ...]] = (
    step(nothing, apply("report", "ok", schedule={"cron": "0 8 * * *"})),
    step(is_in_force, decide("report")),
    step(_is_taken_back, _recreate),
    step(_ran, start("report", "again")),
)

LIVES: Final = {
    "held": HELD,
    "denied-while-held": DENIED_WHILE_HELD,
    "orphaned": ORPHANED,
    "orphaned-slowly": ORPHANED_SLOWLY,
    "orphaned-and-denied": ORPHANED_AND_DENIED,
    "taken-back": TAKEN_BACK,
}
