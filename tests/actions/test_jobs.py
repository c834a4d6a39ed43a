"""Jobs are paused, resumed and deleted as they were shown."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.actions import jobs
from agentjobs.core.plan import Write

Json = dict[str, Any]
ON: Json = {"spec": {"suspend": True}}
OFF: Json = {"spec": {"suspend": False}}


def job(spec: Json | None = None, **status: Any) -> Json:
    return {"metadata": {"name": "report", "uid": "u-1"}, "spec": spec or {}, "status": status}


def sent(*writes: Write) -> list[Any]:
    assert {(write.verb, write.kind, write.name) for write in writes} == {
        ("patch", "job", "report")
    }
    return [write.sent for write in writes]


def test_a_pause_changes_nothing_that_an_approval_covers() -> None:
    assert sent(jobs.pause(job())) == [ON]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (job({"suspend": True}), [OFF]),
        (job(), [OFF]),
        (job(failurePause={"failures": 3}), [ON, OFF]),
        (job({"suspend": True}, failurePause={"failures": 3}), [OFF]),
    ],
    ids=["paused", "not paused", "paused after failures", "both"],
)
def test_a_resume_also_ends_a_pause_after_failures(body: Json, wanted: list[Json]) -> None:
    assert sent(*jobs.resume(body)) == wanted


def test_the_job_that_was_shown_is_deleted_and_no_later_one_of_its_name() -> None:
    write = jobs.delete(job())
    assert (write.verb, write.kind, write.name) == ("delete", "job", "report")
    assert write.sent == {"propagationPolicy": "Background", "preconditions": {"uid": "u-1"}}


def test_a_job_that_is_not_there_is_reported_with_names_like_its_own() -> None:
    refusal = jobs.missing("reprot", "team", ["report", "mail"])
    assert (refusal.cause, refusal.objects) == ("NotFound", ("report",))
    assert refusal.message == "there is no ScheduledAgentJob reprot in namespace team"
    assert refusal.remedy == "did you mean report?"
    other = jobs.missing("zzz", "team", ["report"], "neither a run nor a")
    assert other.message == "there is neither a run nor a ScheduledAgentJob zzz in namespace team"
    assert (other.objects, other.remedy) == ((), "")
