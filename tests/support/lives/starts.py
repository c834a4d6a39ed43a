"""Lives of jobs whose runs start and end in other ways than by the clock."""

from __future__ import annotations

from typing import Final

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.content.digest import content
from agentjobs.core.views.run import FINAL_PHASES
from agentjobs.testing.simulation import Kubernetes
from tests.support import manifests
from tests.support.lives.steps import (
    NS,
    SCHEDULED_RUN,
    Act,
    Step,
    apply,
    at_rest,
    counted,
    create,
    decide,
    delete,
    eight_o_clock,
    ended,
    gone,
    has_event,
    nothing,
    runs,
    start,
    status,
    step,
    void,
)


def cancel(run: str) -> Act:
    return lambda kube: void(kube.server.patch(("run", NS, run), spec={"cancel": True}))


# One whose runs are cancelled


def _goes_on_since_eight(kube: Kubernetes) -> None:
    assert (status(kube, "report")["phase"], runs(kube)[SCHEDULED_RUN]["phase"]) == (
        "Running",
        "Running",
    )


def _the_scheduled_one_was_cancelled(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, SCHEDULED_RUN, "Cancelled", "CancelledByUser", "begun\n")
    counted(kube, "report", succeeded=0, cancelled=1)


def _was_cancelled_in_time(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "unborn", "Cancelled", "CancelledBeforeStart", started=0)
    counted(kube, "report", succeeded=0, cancelled=2)


def _the_other_goes_on(kube: Kubernetes) -> None:
    assert runs(kube)["by-hand"]["phase"] == "Running"


def _the_other_was_cancelled(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "by-hand", "Cancelled", "CancelledByUser", "begun\n")
    counted(kube, "report", succeeded=0, cancelled=3)


def _is_as_it_was(kube: Kubernetes) -> None:
    _the_other_was_cancelled(kube)
    ended(kube, "unborn", "Cancelled", "CancelledBeforeStart", started=0)
    ended(kube, SCHEDULED_RUN, "Cancelled", "CancelledByUser", "begun\n")


CANCELLED: Final = (
    step(nothing, apply("report", "long", schedule={"cron": "0 8 * * *"})),
    step(nothing, decide("report")),
    step(_goes_on_since_eight, eight_o_clock),
    step(_the_scheduled_one_was_cancelled, cancel(SCHEDULED_RUN)),
    step(_was_cancelled_in_time, start("report", "unborn"), cancel("unborn")),
    step(_the_other_goes_on, start("report", "by-hand")),
    step(_the_other_was_cancelled, cancel("by-hand")),
    step(_is_as_it_was, cancel(SCHEDULED_RUN), cancel("unborn")),
    step(gone, delete("job", "report")),
)


# Ones whose runs need not wait for each other


def overlapping(policy: str) -> tuple[Step, ...]:
    """A job whose run goes on since eight."""
    return (
        step(
            nothing,
            apply("report", "long", schedule={"cron": "0 8 * * *"}, concurrencyPolicy=policy),
        ),
        step(nothing, decide("report")),
        step(_goes_on_since_eight, eight_o_clock),
    )


def _both_go_on(kube: Kubernetes) -> None:
    assert {run: record["phase"] for run, record in runs(kube).items()} == {
        SCHEDULED_RUN: "Running",
        "by-hand": "Running",
    }


def _both_were_cancelled(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, SCHEDULED_RUN, "Cancelled", "CancelledByUser", "begun\n")
    ended(kube, "by-hand", "Cancelled", "CancelledByUser", "begun\n")
    counted(kube, "report", succeeded=0, cancelled=2)


def _took_its_place(kube: Kubernetes) -> None:
    ended(kube, SCHEDULED_RUN, "Cancelled", "Replaced", "begun\n")
    assert runs(kube)["by-hand"]["phase"] == "Running"


ALLOWED: Final = (
    *overlapping("Allow"),
    step(_both_go_on, start("report", "by-hand")),
    step(_both_were_cancelled, cancel(SCHEDULED_RUN), cancel("by-hand")),
    step(gone, delete("job", "report")),
)
REPLACED: Final = (
    *overlapping("Replace"),
    step(_took_its_place, start("report", "by-hand")),
    step(gone, delete("job", "report")),
)


def cancel_what_runs(kube: Kubernetes) -> None:
    """Whatever has no record yet."""
    for run, record in runs(kube).items():
        if record.get("phase") not in FINAL_PHASES:
            cancel(run)(kube)


def _goes_on_unless_it_was_cancelled(kube: Kubernetes) -> None:
    if not kube.server.objects["run", NS, "late"]["spec"].get("cancel"):
        assert runs(kube)["late"]["phase"] == "Running"
        return
    at_rest(kube)
    if kube.started[NS, "late"]:
        ended(kube, "late", "Cancelled", "CancelledByUser", "begun\n")
    else:
        ended(kube, "late", "Cancelled", "CancelledBeforeStart", started=0)
    counted(kube, "slow", succeeded=0, cancelled=1)


CANCELLED_LATE: Final = (
    step(nothing, apply("slow", "long")),
    step(nothing, decide("slow")),
    step(_goes_on_unless_it_was_cancelled, start("slow", "late")),
    step(gone, delete("job", "slow")),
)

# One that fails too often


def suspend(job: str, *values: bool) -> Act:
    """One change after the other, before anybody looks."""

    def act(kube: Kubernetes) -> None:
        for value in values:
            kube.server.patch(("job", NS, job), spec={"suspend": value})

    return act


def mend(job: str) -> Act:
    """Its author writes another script, and somebody approves it."""

    def act(kube: Kubernetes) -> None:
        kube.server.patch(("job", NS, job), spec={"script": {"inline": "ok"}})
        spec = ScheduledAgentJobSpec.model_validate(kube.server.objects["job", NS, job]["spec"])
        create(
            "approval", manifests.approval("mended", jobName=job, digest=content(job, spec).digest)
        )(kube)

    return act


def _paused(kube: Kubernetes, failures: int) -> None:
    at_rest(kube)
    found = status(kube, "report")
    assert (found["phase"], found["consecutiveFailures"], "failurePause" in found) == (
        "Paused",
        failures,
        True,
    )
    scheduled = next(
        condition for condition in found["conditions"] if condition["type"] == "Scheduled"
    )
    assert (scheduled["status"], scheduled["reason"]) == ("False", "PausedAfterFailures")
    assert kube.server.objects["cronjob", NS, "report"]["spec"]["suspend"]
    assert not kube.server.objects["job", NS, "report"]["spec"].get("suspend"), (
        "the spec is its author's"
    )
    assert "nextRunAt" not in found


def _is_paused(kube: Kubernetes) -> None:
    _paused(kube, 2)
    has_event(kube, "PausedAfterFailures")


def _did_not_start(kube: Kubernetes) -> None:
    _paused(kube, 2)
    ended(kube, SCHEDULED_RUN, "Skipped", "Paused", started=0)


def _is_still_paused(kube: Kubernetes) -> None:
    _paused(kube, 3)
    ended(kube, "third", "Failed", "ScriptFailed", "oh no\n")


def _is_resumed(kube: Kubernetes) -> None:
    at_rest(kube)
    found = status(kube, "report")
    assert (found["phase"], found.get("consecutiveFailures", 0), "failurePause" in found) == (
        "Failed",
        0,
        False,
    )
    assert not kube.server.objects["cronjob", NS, "report"]["spec"]["suspend"]
    assert found["nextRunAt"]


def _is_paused_again(kube: Kubernetes) -> None:
    _paused(kube, 2)
    has_event(kube, "PausedAfterFailures", 2)


def _waits_although_it_is_mended(kube: Kubernetes) -> None:
    _paused(kube, 2)
    assert status(kube, "report")["approval"]["state"] == "Approved"


def _is_well(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, "sixth", "Succeeded", "Completed", "done\n")
    found = status(kube, "report")
    assert (found["phase"], "failurePause" in found) == ("Finished", False)
    assert not kube.server.objects["cronjob", NS, "report"]["spec"]["suspend"]
    counted(kube, "report", succeeded=1, failed=5)


PAUSED: Final = (
    step(nothing, apply("report", "fail", schedule={"cron": "0 8 * * *"}, pauseAfterFailures=2)),
    step(nothing, decide("report")),
    step(nothing, start("report", "first")),
    step(_is_paused, start("report", "second")),
    step(_did_not_start, eight_o_clock),
    step(_is_still_paused, start("report", "third")),
    step(_is_resumed, suspend("report", True, False)),
    step(nothing, start("report", "fourth")),
    step(_is_paused_again, start("report", "fifth")),
    step(_waits_although_it_is_mended, mend("report")),
    step(_is_well, start("report", "sixth")),
    step(gone, delete("job", "report")),
)
LIVES: Final = {"cancelled": CANCELLED, "paused": PAUSED, "allowed": ALLOWED, "replaced": REPLACED}
