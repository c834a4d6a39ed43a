"""Each write of a run holds only for the run as it was read, and its record comes last."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentjobs.core.plan import STATUS, Stage
from agentjobs.core.runs.writes import adopt, delete_job, final, progress, skipped
from tests.support.decisions import NOW, observed
from tests.support.endings import JOB, RUN
from tests.support.stored import as_go_writes_it

READ = {"uid": RUN.uid, "resourceVersion": RUN.resource_version}


def metadata(body: Any) -> dict[str, Any]:
    return dict(dict(body)["metadata"])


def test_every_write_of_a_run_is_refused_where_somebody_was_faster() -> None:
    job = observed().job
    for write in (
        adopt(job, RUN, {"a": "b"}),
        final(RUN, skipped("Overlap", "x", NOW)),
        progress(RUN, {"phase": "Running"}),
    ):
        assert metadata(write.body).items() >= READ.items()
        assert write.strand == "run/report-now"
    assert delete_job(JOB, "why").uid == JOB.uid


def test_a_run_is_recorded_and_its_job_deleted_only_when_it_is_counted() -> None:
    record, deletion = final(RUN, skipped("Overlap", "x", NOW)), delete_job(JOB, "why")
    assert record.needs == deletion.needs == {STATUS}
    assert record.stage == deletion.stage == Stage.RECORD


def test_an_adopted_run_belongs_to_its_job_and_says_what_was_decided() -> None:
    found = metadata(adopt(observed().job, RUN, {"decision": "yes"}).body)
    assert found["annotations"] == {"decision": "yes"}
    assert [(owner["uid"], owner["controller"]) for owner in found["ownerReferences"]] == [
        ("uid", True)
    ]
    assert found["labels"]["agentjobs.dev/job"] == "report"


@pytest.mark.parametrize(
    ("reason", "phase"),
    [
        ("NotApproved", "Skipped"),
        ("CancelledBeforeStart", "Cancelled"),
        ("NotStartedInTime", "Missed"),
    ],
)
def test_a_run_that_did_not_start_has_a_whole_record_without_output(
    reason: str, phase: str
) -> None:
    record = skipped(reason, "because", NOW)
    assert (record.phase, record.reason, record.message) == (phase, reason, "because")
    assert (record.stdout, record.stderr, record.output_bytes) == ("", "", 0)
    assert (record.logs_complete, record.finished_at) == (True, "2026-11-22T08:00:00Z")


def test_a_record_says_how_much_of_the_storage_it_takes() -> None:
    record = skipped("Overlap", "<&> and \u2028", NOW)
    status = dict(final(RUN, record).body or {})["status"]
    assert status["storedBytes"] == len(as_go_writes_it(record.wire()).encode())
    assert json.loads(json.dumps(status))["message"] == "<&> and \u2028"
