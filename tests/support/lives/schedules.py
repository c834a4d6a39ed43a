"""Lives of jobs whose starts come from a schedule, or do not come: armed, missed, paused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from agentjobs.testing.simulation import Kubernetes
from tests.support.lives.jobs import is_in_force
from tests.support.lives.steps import (
    EIGHT,
    NS,
    SCHEDULED_RUN,
    Act,
    apply,
    at_rest,
    counted,
    decide,
    delete,
    ended,
    gone,
    nothing,
    runs,
    status,
    step,
)

# One that starts once, and one whose starts are lost


def at(moment: datetime, *, halted: bool = False) -> Act:
    """The clock, and whether a CronJob controller runs."""

    def act(kube: Kubernetes) -> None:
        kube.server.now, kube.halted = max(moment, kube.server.now), halted

    return act


def _is_armed(kube: Kubernetes) -> None:
    spec = kube.server.objects["cronjob", NS, "single"]["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["suspend"]) == ("0 8 2 3 *", "Etc/UTC", False)
    assert status(kube, "single")["nextRunAt"] == "2026-03-02T08:00:00Z"


def _has_fired(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, f"single-{int(EIGHT.timestamp()) // 60}", "Succeeded", "Completed", "done\n")
    counted(kube, "single", succeeded=1)
    assert (status(kube, "single")["phase"], "nextRunAt" in status(kube, "single")) == (
        "Triggered",
        False,
    )
    assert kube.server.objects["cronjob", NS, "single"]["spec"]["suspend"]


ONCE: Final = (
    step(nothing, apply("single", "ok", schedule={"once": {"runAt": "2026-03-02T08:00:00Z"}})),
    step(_is_armed, decide("single")),
    step(_has_fired, at(EIGHT)),
    step(gone, delete("job", "single")),
)


def _one_is_missed(kube: Kubernetes) -> None:
    """However many there were."""
    at_rest(kube)
    ended(kube, SCHEDULED_RUN, "Missed", "NotStartedInTime", started=0)
    assert (list(runs(kube)), status(kube, "report")["missedSince"]) == (
        [SCHEDULED_RUN],
        "2026-03-02T08:00:00Z",
    )


def _goes_on_after_the_gap(kube: Kubernetes) -> None:
    at_rest(kube)
    assert len(runs(kube)) == 2
    counted(kube, "report", succeeded=1)
    assert "missedSince" not in status(kube, "report")


def _is_paused(kube: Kubernetes) -> None:
    assert status(kube, "report")["phase"] == "Paused"


def _one_is_paused(kube: Kubernetes) -> None:
    at_rest(kube)
    assert sorted(record["reason"] for record in runs(kube).values()) == [
        "Completed",
        "NotStartedInTime",
        "Paused",
    ]


def pause(kube: Kubernetes) -> None:
    kube.server.patch(("job", NS, "report"), spec={"suspend": True})


def resume(kube: Kubernetes) -> None:
    kube.server.patch(("job", NS, "report"), spec={"suspend": False})


def _nothing_old_started(kube: Kubernetes) -> None:
    _one_is_paused(kube)
    assert (kube.started.total(), status(kube, "report")["nextRunAt"]) == (
        1,
        "2026-03-02T12:00:00Z",
    )


LOST: Final = (
    step(nothing, apply("report", "ok", schedule={"cron": "0 * * * *"})),
    step(is_in_force, decide("report")),
    step(_one_is_missed, at(EIGHT + timedelta(minutes=6), halted=True)),
    step(_one_is_missed, at(EIGHT + timedelta(minutes=66), halted=True)),
    step(_goes_on_after_the_gap, at(EIGHT + timedelta(hours=2))),
    step(_is_paused, pause),
    step(_one_is_paused, at(EIGHT + timedelta(hours=3, seconds=30))),
    step(_nothing_old_started, resume),
    step(gone, delete("job", "report")),
)
LIVES: Final = {"once": ONCE, "lost": LOST}
