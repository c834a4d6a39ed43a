"""Lives of jobs whose runs start and end in other ways than by the clock: see `lives`."""

from __future__ import annotations

from typing import Final

from agentjobs.core.views import FINAL_PHASES
from agentjobs.testing.simulation import Kubernetes
from tests.unit.lives import (
    NS,
    SCHEDULED_RUN,
    Act,
    apply,
    at_rest,
    counted,
    decide,
    delete,
    eight_o_clock,
    ended,
    gone,
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
    assert (status(kube, "report")["phase"], runs(kube)[SCHEDULED_RUN]["phase"]) == ("Running", "Running")


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
LIVES: Final = {"cancelled": CANCELLED}
