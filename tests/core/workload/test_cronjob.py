"""The CronJob of a content: it starts each run once, and belongs to its job."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentjobs.api import names
from agentjobs.core.views.cronjob import cron_job_view
from agentjobs.core.workload import cronjob, records
from agentjobs.core.workload.pod import Frozen
from tests.support.endings import RUN
from tests.support.workload import POLICY, cron_job, observed


def test_a_script_runs_once_and_for_an_hour_at_most() -> None:
    job = cron_job()["spec"]["jobTemplate"]["spec"]
    assert (job["activeDeadlineSeconds"], job["backoffLimit"]) == (3600, 0)
    assert job["podFailurePolicy"]["rules"][0]["action"] == "FailJob"
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert "ttlSecondsAfterFinished" not in job


def test_without_a_schedule_the_cron_job_is_a_suspended_template() -> None:
    assert cron_job()["spec"]["suspend"] is True
    assert cron_job(schedule={"cron": "0 8 * * 1"})["spec"]["suspend"] is False
    assert cron_job(suspended=True, schedule={"cron": "0 8 * * 1"})["spec"]["suspend"] is True


def test_everything_belongs_to_the_job_and_nothing_blocks_its_deletion() -> None:
    job, approved = observed()
    for body in (records.revision(job, approved), cron_job()):
        assert body["metadata"]["ownerReferences"][0]["uid"] == "uid"
        assert "blockOwnerDeletion" not in body["metadata"]["ownerReferences"][0]
        assert "finalizers" not in body["metadata"]


@pytest.mark.parametrize(
    ("stored", "wanted", "fires"),
    [
        ({}, {}, False),
        ({"suspended": True}, {}, True),
        ({"schedule": "0 9 * * *"}, {}, True),
        ({"time_zone": "Asia/Tokyo"}, {}, True),
        ({"suspended": True}, {"suspend": True}, False),
        ({"schedule": "0 9 * * *"}, {"suspend": True}, False),
    ],
)
def test_a_write_that_would_make_up_for_old_starts_is_known(
    stored: dict[str, Any], wanted: dict[str, Any], fires: bool
) -> None:
    """The controller makes up for what lies before, where its status does not say otherwise."""
    body = cron_job(schedule={"cron": "0 8 * * 1"})
    body["metadata"] |= {"uid": "c", "resourceVersion": "1"}
    view = replace(cron_job_view(body), **stored)
    assert cronjob.would_fire_old_starts(view, body["spec"] | wanted) is fires


def test_a_run_by_hand_gets_a_job_like_that_of_the_schedule_that_waits() -> None:
    job, approved = observed(packages=["six==1.17.0"])
    body = cron_job(packages=["six==1.17.0"])
    body["metadata"] |= {"uid": "c", "resourceVersion": "1"}
    frozen = Frozen(f"report-{approved.digest}")
    made = cronjob.manual_job(job, RUN, cron_job_view(body), approved, POLICY, frozen)
    template = body["spec"]["jobTemplate"]
    assert made["spec"] == template["spec"] | {"suspend": True}
    annotations = template["metadata"]["annotations"]
    assert made["metadata"]["annotations"].items() >= annotations.items()
    assert annotations[names.PACKAGES_ANNOTATION] == "six==1.17.0"
    assert made["metadata"]["annotations"][names.RUN_UID_ANNOTATION] == RUN.uid
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("CronJob", "c")
