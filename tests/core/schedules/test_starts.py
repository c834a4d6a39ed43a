"""Which starts of a job have a run or a Job, and whether it began."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from agentjobs.core import naming
from agentjobs.core.schedules.starts import has_fired
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.run import FinishedRun
from tests.support.decisions import HOURLY, known, observed, settled

ONCE: Final = {"once": {"runAt": "2026-11-22T09:00:00+00:00"}}


AT: Final = datetime(2026, 11, 22, 9, tzinfo=UTC)


def finished(phase: str) -> FinishedRun:
    name = naming.run_of_start("report", AT)
    return FinishedRun("ns", name, "u", "report", phase, to_wire(AT), 0)


@pytest.mark.parametrize(
    ("phase", "fired"),
    [("Succeeded", True), ("Failed", True), ("Skipped", False), ("Missed", False)],
)
def test_a_single_start_has_fired_when_it_has_become_a_run(phase: str, fired: bool) -> None:
    seen = settled(observed(schedule=ONCE))
    spec = seen.job.spec
    assert spec is not None
    assert has_fired(replace(seen, finished=(finished(phase),)), spec.schedule) is fired
    assert not has_fired(seen, spec.schedule)
    line = {"name": naming.run_of_start("report", AT), "uid": "u", "phase": phase}
    kept = known(seen, recentRuns=[line])
    assert has_fired(kept, spec.schedule) is fired, "its record is gone, and the history has it"


def test_a_repeated_start_never_has_fired() -> None:
    seen = settled(observed(schedule=HOURLY))
    assert seen.job.spec
    assert not has_fired(replace(seen, finished=(finished("Succeeded"),)), seen.job.spec.schedule)
