"""The CronJob of an approved content, and the Jobs that the operator makes of its template.

Every field that the API server would default is written out: a CronJob's spec then equals what the
server stores, and drift is a comparison of hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agentjobs.api import names
from agentjobs.api.event import Event
from agentjobs.api.schedule import Schedule
from agentjobs.core import naming
from agentjobs.core.content.digest import Content
from agentjobs.core.content.packages import foreign
from agentjobs.core.naming import Manifest, labels, owned_by, revision_name
from agentjobs.core.triggers import chains
from agentjobs.core.triggers.events import with_event
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.cronjob import CronJobView
from agentjobs.core.views.job import JobView
from agentjobs.core.views.run import RunView
from agentjobs.core.workload.pod import Frozen, pod_spec
from agentjobs.core.workload.settings import RunPolicy

KEEP_ALL: Final = 2**31 - 1
"""History limits: the operator deletes a Job itself, after its run is recorded."""
NEVER: Final = "0 0 1 1 *"
"""A CronJob needs a schedule; one that stays suspended never uses it."""
NO_EVICTION: Final = {
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
}


@dataclass(frozen=True, slots=True)
class Timing:
    """What a CronJob says about time. `deadline_seconds`: how late it may still start."""

    schedule: str
    time_zone: str
    deadline_seconds: int
    suspended: bool


def plain(schedule: Schedule, *, suspended: bool) -> Timing:
    """The timing of a cron that needs no arming, or of no schedule."""
    never = suspended or schedule.cron is None
    late = schedule.starting_deadline_seconds
    return Timing(schedule.cron or NEVER, schedule.time_zone, late, suspended=never)


def cron_job(
    job: JobView, content: Content, policy: RunPolicy, timing: Timing, frozen: Frozen | None = None
) -> Manifest:
    """The CronJob that runs this content.

    Even suspended it is the template of other runs, and their lock.
    """
    frozen = frozen or Frozen(revision_name(job.name, content.digest))
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": job.name,
            "namespace": job.namespace,
            "labels": labels(job.name) | chains.labels(content.spec),
            "annotations": {names.DIGEST_ANNOTATION: content.digest},
            "ownerReferences": owned_by(job),
        },
        "spec": {
            "schedule": timing.schedule,
            "timeZone": timing.time_zone,
            "startingDeadlineSeconds": timing.deadline_seconds,
            "concurrencyPolicy": content.spec.concurrency_policy,
            "suspend": timing.suspended,
            "successfulJobsHistoryLimit": KEEP_ALL,
            "failedJobsHistoryLimit": KEEP_ALL,
            "jobTemplate": {
                "metadata": {
                    "labels": labels(job.name),
                    "annotations": _job_annotations(content, policy),
                },
                "spec": _job_spec(job.name, content, policy, frozen),
            },
        },
    }


def _job_annotations(content: Content, policy: RunPolicy) -> dict[str, str]:
    """What a Job says about itself, so that it can be stopped even when its revision is gone."""
    pins = foreign(content.spec.packages, policy.inventory)
    packages = {names.PACKAGES_ANNOTATION: ",".join(pins)} if pins else {}
    return {names.DIGEST_ANNOTATION: content.digest, **packages}


def _job_spec(name: str, content: Content, policy: RunPolicy, frozen: Frozen) -> Manifest:
    # Ignore would run the script a second time after an eviction.
    disrupted = [{"type": "DisruptionTarget", "status": "True"}]
    rule = {"action": "FailJob", "onPodConditions": disrupted}
    return {
        "activeDeadlineSeconds": policy.deadline_seconds,
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {"rules": [rule]},
        "template": {
            "metadata": {
                "labels": labels(name),
                "annotations": {names.DIGEST_ANNOTATION: content.digest, **NO_EVICTION},
            },
            "spec": pod_spec(name, content, policy, frozen),
        },
    }


def manual_job(
    job: JobView,
    run: RunView,
    cron: CronJobView,
    content: Content,
    policy: RunPolicy,
    frozen: Frozen,
    event: Event | None = None,
) -> Manifest:
    """The Job of a run that the operator starts, from the CronJob's template.

    It is suspended until it is in the CronJob's `status.active`.
    """
    spec = _job_spec(job.name, content, policy, frozen)
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": cron.name, "uid": cron.uid}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": run.name,
            "namespace": job.namespace,
            "labels": labels(job.name),
            "annotations": {
                **_job_annotations(content, policy),
                names.TRIGGER_ANNOTATION: "Schedule" if run.scheduled else "Manual",
                names.RUN_UID_ANNOTATION: run.uid,
            },
            "ownerReferences": [{**owner, "controller": True}],
        },
        "spec": (with_event(spec, event) if event else spec) | {"suspend": True},
    }


def active_reference(job: BatchJobView) -> Manifest:
    """The reference to an active Job in a CronJob's status."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": job.name,
        "namespace": job.namespace,
        "uid": job.uid,
        "resourceVersion": job.resource_version,
    }


def would_fire_old_starts(cron: CronJobView, spec: naming.Manifest) -> bool:
    """Whether the controller would make up for starts from before this write.

    That is, unless its status says that it has just started one.
    """
    if spec["suspend"]:
        return False
    return cron.suspended or (cron.schedule, cron.time_zone) != (spec["schedule"], spec["timeZone"])
