"""Which Job and which pod belong to a run: by label and owner, not by name alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from agentjobs.core.decide import decide
from agentjobs.core.gone import stand_in
from agentjobs.core.runs.cases import cases
from agentjobs.core.views.pod import pod_view
from agentjobs.core.views.run import run_view
from tests.support import manifests as written
from tests.support.decisions import NOW, asked, cron_job, observed, settled, told
from tests.support.endings import JOB as BATCH_JOB
from tests.support.workload import POLICY

METADATA: Final = {
    "namespace": "ns",
    "name": "now",
    "uid": "u",
    "resourceVersion": "1",
    "creationTimestamp": "2026-03-02T08:00:00Z",
}
OF_RUN: Final = {"labels": {"agentjobs.dev/job": "report", "batch.kubernetes.io/job-name": "now"}}


def test_a_cron_job_without_our_label_is_not_ours_and_neither_are_its_jobs() -> None:
    seen = settled(observed())
    forged = replace(
        seen,
        cron_job=cron_job(seen, labelled=False),
        batch_jobs=(replace(BATCH_JOB, owner_uid="cron"),),
    )
    assert forged.cron_job
    forged = replace(forged, batch_jobs=(replace(BATCH_JOB, owner_uid=forged.cron_job.uid),))
    plan = decide(forged, POLICY, NOW)
    # It is no run of ours; but it has our label and nothing approves it, so it does not go on.
    assert (cases(forged), asked(plan)) == ((), [("patch", "batchjob")])
    assert plan.writes[0].why == "stopped: ApprovalRevoked"
    assert told(plan, "Ready").reason == "NameTaken"


@pytest.mark.parametrize("known", ["started_as", "made_as"])
def test_only_the_pod_of_its_own_job_says_how_an_orphaned_run_ended(known: str) -> None:
    """What a ReplicaSet makes from a template carries whatever labels that has."""
    view = run_view({**written.run("now", "report"), "metadata": METADATA})
    run = replace(view, started_as="job") if known == "started_as" else replace(view, made_as="job")
    own = pod_view(
        {
            "metadata": {
                **METADATA,
                **OF_RUN,
                "ownerReferences": [{"uid": "job", "controller": True}],
            }
        }
    )
    other = pod_view(
        {
            "metadata": {
                **METADATA,
                **OF_RUN,
                "name": "a",
                "ownerReferences": [{"uid": "set", "controller": True}],
            }
        }
    )
    for pods in ((other, own), (own, other)):
        (case,) = cases(replace(observed(), runs=(run,), pods=pods))
        assert case.pod == own
    (case,) = cases(replace(observed(), runs=(run,), pods=(other,)))
    assert case.pod is None
    left = replace(own, owner_uid=None)
    (case,) = cases(replace(observed(), runs=(run,), pods=(other, left)))
    assert case.pod == left, "its Job was deleted without it"


@pytest.mark.parametrize("cron", ["as it was a moment ago", "gone, too"])
def test_a_run_has_its_own_batch_job_whatever_is_known_of_the_cron_job(cron: str) -> None:
    """Both are read at once, and the CronJob may have been read first."""
    metadata = {
        "namespace": "ns",
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": "2026-03-02T08:00:00Z",
    }
    run = replace(
        run_view(
            {
                **written.run(BATCH_JOB.name, "report"),
                "metadata": metadata | {"name": BATCH_JOB.name},
            }
        ),
        started_as="juid",
    )
    there = observed()
    seen = replace(
        there,
        runs=(run,),
        batch_jobs=(BATCH_JOB,),
        cron_job=None if cron == "gone, too" else cron_job(there, uid="cuid"),
    )
    (case,) = cases(replace(seen, job=stand_in("ns", "report")))
    assert case.batch_job == BATCH_JOB
    (case,) = cases(replace(seen, job=replace(there.job, uid="of another job")))
    assert case.batch_job is None, "an owner that is somebody else's counts while there is a job"
