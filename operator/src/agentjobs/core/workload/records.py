"""The revision, the session's claim and the records of runs that the operator writes, as data."""

from __future__ import annotations

from typing import Final

from agentjobs.api import names
from agentjobs.core.content.digest import Content
from agentjobs.core.naming import Manifest, labels, owned_by, revision_name
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.job import JobView
from agentjobs.core.workload import sessions
from agentjobs.core.workload.settings import RunPolicy

REVISION_KEY: Final = "revision.json"


def revision(job: JobView, content: Content) -> Manifest:
    """One approved content, frozen: its canonical bytes, whose SHA-256 is the digest."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": revision_name(job.name, content.digest),
            "namespace": job.namespace,
            "labels": labels(job.name),
            "annotations": {names.DIGEST_ANNOTATION: content.digest},
            "ownerReferences": owned_by(job),
        },
        "immutable": True,
        "data": {REVISION_KEY: content.document.decode()},
    }


def session_claim(job: JobView, policy: RunPolicy) -> Manifest:
    """The PersistentVolumeClaim that holds a continuous job's session."""
    return sessions.claim(job.namespace, job.name, labels(job.name), owned_by(job), policy.session)


def scheduled_run(job: JobView, start: BatchJobView, scheduled_at: str) -> Manifest:
    """The AgentJobRun of a start that the CronJob controller made."""
    annotations = {names.MADE_AS_ANNOTATION: start.uid}
    metadata = {"ownerReferences": owned_by(job), "annotations": annotations}
    return _run(job, start.name, scheduled_at, metadata)


def orphaned_run(job: JobView, start: BatchJobView, scheduled_at: str) -> Manifest:
    """As `scheduled_run`, where there is no job that could own it."""
    annotations = {names.MADE_AS_ANNOTATION: start.uid}
    return _run(job, start.name, scheduled_at, {"annotations": annotations})


def own_start(job: JobView, name: str, scheduled_at: str) -> Manifest:
    """The AgentJobRun of a start that the operator makes.

    Nobody owns it until it is adopted, as it is with a run by hand.
    """
    return _run(job, name, scheduled_at, {})


def left_out(job: JobView, name: str, scheduled_at: str, why: str) -> Manifest:
    """The AgentJobRun of a start that does not happen.

    It is created with its owner and with the reason.
    """
    annotations = {names.SKIP_ANNOTATION: why}
    metadata = {"ownerReferences": owned_by(job), "annotations": annotations}
    return _run(job, name, scheduled_at, metadata)


def _run(job: JobView, name: str, scheduled_at: str, metadata: Manifest) -> Manifest:
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.RUN_KIND,
        "metadata": {
            "name": name,
            "namespace": job.namespace,
            "labels": labels(job.name),
            **metadata,
        },
        "spec": {"jobName": job.name, "trigger": {"type": "Schedule", "scheduledAt": scheduled_at}},
    }
