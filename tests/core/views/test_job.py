"""A job is read as far as it can be: nothing that this version does not know is acted on."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.api import names
from agentjobs.core.views.job import is_left, is_of, job_view
from agentjobs.core.wire.bodies import MAX_DEPTH, read
from tests.support import manifests as written

SYSTEM = {"namespace": "ns", "uid": "uid", "resourceVersion": "7", "generation": 3}


def job(status: Any = None, metadata: dict[str, Any] | None = None, **spec: Any) -> Any:
    body = written.job("report", **spec)
    return body | {"metadata": body["metadata"] | SYSTEM | (metadata or {}), "status": status}


def test_a_valid_spec_has_no_problem_and_an_invalid_one_only_a_sentence() -> None:
    good = job_view(job())
    assert (good.problem, good.spec is not None) == (None, True)
    bad = job_view(job(sidecar={}))
    assert bad.spec is None
    assert (bad.problem or "").startswith("spec.sidecar: ")


def test_suspend_is_heard_even_where_the_rest_cannot_be_read() -> None:
    assert job_view(job(sidecar={}, suspend=True)).suspended
    assert not job_view(job(suspend="true")).suspended, "the API server takes no text there"
    assert not job_view({"metadata": {"name": "report"} | SYSTEM}).suspended


def test_a_spec_beyond_reading_is_a_problem_that_says_what_to_write() -> None:
    deep = '{"a":' * (MAX_DEPTH + 5) + "1" + "}" * (MAX_DEPTH + 5)
    metadata = '{"name":"report","namespace":"ns","uid":"u","resourceVersion":"1"}'
    text = f'{{"metadata":{metadata},"spec":{deep}}}'
    found = job_view(read(text.encode()))
    assert found.spec is None
    assert (found.problem or "").startswith("spec: is nested more than 100 levels deep; nest")


def test_a_corrupt_field_of_the_status_is_left_out_and_the_others_count() -> None:
    found = job_view(job({"runCount": 7, "phase": "Brandnew", "failureCount": "many"})).status
    assert (found.run_count, found.phase, found.failure_count) == (7, None, 0)
    assert job_view(job(None)).status.run_count == 0


def test_who_changed_it_last_is_what_a_policy_has_stamped() -> None:
    assert job_view(job()).requester is None
    stamped = {"annotations": {names.REQUESTER_ANNOTATION: "ana"}}
    assert job_view(job(metadata=stamped)).requester == "ana"
    assert job_view(job(metadata={"deletionTimestamp": "2026-11-22T08:00:00Z"})).deleting


@pytest.mark.parametrize(
    ("owner", "label", "of", "left"),
    [
        ("uid", "report", True, False),
        (None, "report", False, True),
        ("another", "report", False, False),
        ("uid", "other", False, False),
        (None, None, False, False),
    ],
)
def test_what_is_a_jobs_own_and_what_an_earlier_one_left(
    owner: str | None, label: str | None, of: bool, left: bool
) -> None:
    owners = [{"uid": owner, "controller": True}] if owner else []
    labels = {names.JOB_LABEL: label} if label else {}
    body = {"metadata": {"labels": labels, "ownerReferences": owners}}
    view = job_view(job())
    assert (is_of(body, view), is_left(body, view)) == (of, left)
