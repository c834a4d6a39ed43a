"""A CronJob as it was written shows no drift, and anything else does."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.api import names
from agentjobs.core.views.cronjob import CronJobView, cron_job_view
from agentjobs.core.views.spec_hash import spec_hash
from tests.support.workload import cron_job


def test_a_cron_job_as_written_has_no_drift_and_a_changed_spec_has() -> None:
    body = cron_job(schedule={"cron": "0 8 * * 1"})
    body["metadata"] |= {"uid": "c", "resourceVersion": "1"}
    assert cron_job_view(body).spec_hash == spec_hash(
        cron_job(schedule={"cron": "0 8 * * 1"})["spec"]
    )
    body["spec"]["jobTemplate"]["spec"]["template"]["spec"]["hostPID"] = True
    assert cron_job_view(body).spec_hash != spec_hash(
        cron_job(schedule={"cron": "0 8 * * 1"})["spec"]
    )


def view(**metadata: Any) -> CronJobView:
    body = cron_job(schedule={"cron": "0 8 * * 1"})
    body["metadata"] |= {"uid": "c", "resourceVersion": "1"} | metadata
    return cron_job_view(body)


@pytest.mark.parametrize(
    ("metadata", "ours"),
    [
        ({}, True),
        ({"ownerReferences": []}, True),
        ({"ownerReferences": [{"uid": "another", "controller": True}]}, False),
        ({"labels": {}}, False),
        ({"labels": {names.JOB_LABEL: "report"}}, False),
        ({"labels": {names.JOB_LABEL: "other", names.MANAGED_BY_LABEL: names.MANAGED_BY}}, False),
    ],
)
def test_it_is_ours_by_both_labels_and_no_other_owner(metadata: dict[str, Any], ours: bool) -> None:
    """Only the operator can set the labels; anybody can set or remove an owner."""
    assert view(**metadata).belongs_to("uid") is ours
