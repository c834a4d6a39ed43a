"""What a run says of itself: who starts it, what was decided about it, and whether it is over."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from agentjobs.api import names
from agentjobs.api.job_status import RunPhase
from agentjobs.core.views.run import FINAL_PHASES, SKIP_REASONS, RunView, run_view
from agentjobs.core.wire.bodies import SIZE
from tests.support import manifests as written

SYSTEM = {
    "namespace": "ns",
    "uid": "u",
    "resourceVersion": "1",
    "creationTimestamp": "2026-11-22T08:00:00Z",
}
OWNED = [{"uid": "job", "controller": True}]
BY_SCHEDULE = {"type": "Schedule", "scheduledAt": "2026-11-22T08:00:00Z"}


def seen(
    status: Any = None, *, trigger: Any = None, notes: dict[str, str] | None = None, **metadata: Any
) -> RunView:
    body = written.run("now", "report", **({"trigger": trigger} if trigger else {}))
    annotations = {"annotations": notes} if notes else {}
    return run_view(
        body | {"metadata": body["metadata"] | SYSTEM | annotations | metadata, "status": status}
    )


def test_a_run_that_nobody_has_looked_at_is_pending_and_started_by_hand() -> None:
    found = seen()
    assert (found.phase, found.manual, found.adopted, found.scheduled) == (
        "Pending",
        True,
        False,
        False,
    )
    assert not found.final


@pytest.mark.parametrize(
    ("owners", "notes", "manual"),
    [
        ([], {}, True),
        (OWNED, {}, False),
        (OWNED, {names.STARTED_AS_ANNOTATION: "j"}, True),
        (OWNED, {names.MADE_AS_ANNOTATION: "j"}, False),
    ],
)
def test_who_starts_a_scheduled_run_shows_in_what_it_was_given(
    owners: list[dict[str, Any]], notes: dict[str, str], manual: bool
) -> None:
    """The controller's runs come with their owner; those that the operator makes get it later."""
    found = seen(trigger=BY_SCHEDULE, notes=notes, ownerReferences=owners)
    assert (found.manual, found.scheduled) == (manual, True)


@pytest.mark.parametrize(
    ("note", "skip"),
    [
        ("Overlap: another one goes on: wait", ("Overlap", "another one goes on: wait")),
        ("Overlap", ("Overlap", "")),
        ("Brandnew: x", None),
        ("", None),
    ],
)
def test_only_a_known_reason_keeps_a_run_from_starting(
    note: str, skip: tuple[str, str] | None
) -> None:
    assert seen(notes={names.SKIP_ANNOTATION: note}).skip == skip
    assert skip is None or skip[0] in SKIP_REASONS


@pytest.mark.parametrize("phase", [*get_args(RunPhase), "Brandnew", None])
def test_a_run_is_over_in_the_phases_that_are_final(phase: str | None) -> None:
    found = seen({"phase": phase})
    assert found.final is (phase in FINAL_PHASES)
    assert found.phase == ("Pending" if phase in ("Brandnew", None) else phase)


def test_a_cancel_and_the_size_of_the_record_are_read() -> None:
    body = written.run("now", "report", cancel=True)
    found = run_view(body | {"metadata": body["metadata"] | SYSTEM, SIZE: 4711})
    assert (found.cancel, found.stored_bytes) == (True, 4711)
    assert (seen().cancel, seen().stored_bytes) == (False, 0)


def test_a_run_of_a_chain_knows_the_jobs_before_it() -> None:
    event = {"id": "1", "source": "/s", "type": "t"}
    trigger = {"type": "After", "upstreamRun": "r", "ancestors": ["a", "b"], "event": event}
    found = seen(trigger=trigger)
    assert found.ancestors == ("a", "b")
    assert found.event is not None
