"""The objects that the operator writes, as data.

Every field that the API server would default is written out: a CronJob's spec then equals what the server stores,
and drift is a comparison of hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from agentjobs.api import names
from agentjobs.api.event import Event
from agentjobs.api.job import EnvVar, ResourceList, Schedule, ScheduledAgentJobSpec
from agentjobs.core import chains, install, sessions
from agentjobs.core.approval import Content
from agentjobs.core.packages import foreign
from agentjobs.core.pods import RUNNER_CONTAINER
from agentjobs.core.policy import RunPolicy
from agentjobs.core.triggers import with_event
from agentjobs.core.views import BatchJobView, CronJobView, JobView, RunView

Manifest = dict[str, Any]

REVISION_KEY: Final = "revision.json"
REVISION_DIRECTORY: Final = "/etc/agentjobs/revision"
WORKSPACE: Final = "/workspace"
HOME: Final = "/home/agent"
GRACE_SECONDS: Final = 30
"""The runner needs 5 s to end a script and lingers 15 s, so that its log can be read while the pod is ended from outside."""
KEEP_ALL: Final = 2**31 - 1
"""History limits: the operator deletes a Job itself, after its run is recorded."""
NEVER: Final = "0 0 1 1 *"
"""A CronJob needs a schedule; one that stays suspended never uses it."""
NO_EVICTION: Final = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}


@dataclass(frozen=True, slots=True)
class Timing:
    """What a CronJob says about time. `deadline_seconds`: how late it may still start."""

    schedule: str
    time_zone: str
    deadline_seconds: int
    suspended: bool


def plain(schedule: Schedule, *, suspended: bool) -> Timing:
    """Of a cron that needs no arming, or of no schedule."""
    never = suspended or schedule.cron is None
    return Timing(schedule.cron or NEVER, schedule.time_zone, schedule.starting_deadline_seconds, suspended=never)


def revision_name(job: str, digest: str) -> str:
    """The ConfigMap that holds one approved content: at most 117 characters.

    With all digits of the digest: of ten, two contents can be made that have the same.
    """
    return f"{job}-{digest}"


def older_revision_name(job: str, digest: str) -> str:
    """As it was named at first, with ten digits. Such a revision stays in use, and so does what its packages resolved to."""
    return f"{job}-{digest[:10]}"


def labels(job: str) -> dict[str, str]:
    """On everything of a job."""
    return {names.JOB_LABEL: job, names.MANAGED_BY_LABEL: names.MANAGED_BY}


def owned_by(job: JobView) -> list[Manifest]:
    """The job as controller: garbage collection removes what it owns. Deletion of the job never waits for them."""
    return [{"apiVersion": names.API_VERSION, "kind": names.JOB_KIND, "name": job.name, "uid": job.uid, "controller": True}]


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
    """Where a continuous job's session is kept."""
    return sessions.claim(job.namespace, job.name, labels(job.name), owned_by(job), policy.session)


@dataclass(frozen=True, slots=True)
class Frozen:
    """Where pods find the content: the name of its revision, and whether the first resolution of its packages is kept beside it."""

    name: str
    resolved: bool = False


def cron_job(job: JobView, content: Content, policy: RunPolicy, timing: Timing, frozen: Frozen | None = None) -> Manifest:
    """The CronJob that runs this content. Where it is suspended it is still the template and the lock of other runs."""
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
                "metadata": {"labels": labels(job.name), "annotations": _job_annotations(content, policy)},
                "spec": _job_spec(job.name, content, policy, frozen),
            },
        },
    }


def _job_annotations(content: Content, policy: RunPolicy) -> dict[str, str]:
    """What a Job says of itself, so that it can be stopped even when its revision is gone."""
    pins = foreign(content.spec.packages, policy.inventory)
    return {names.DIGEST_ANNOTATION: content.digest} | ({names.PACKAGES_ANNOTATION: ",".join(pins)} if pins else {})


def _job_spec(name: str, content: Content, policy: RunPolicy, frozen: Frozen) -> Manifest:
    return {
        "activeDeadlineSeconds": policy.deadline_seconds,
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",
        # Ignore would run the script a second time after an eviction.
        "podFailurePolicy": {"rules": [{"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]},
        "template": {
            "metadata": {"labels": labels(name), "annotations": {names.DIGEST_ANNOTATION: content.digest, **NO_EVICTION}},
            "spec": _pod_spec(name, content, policy, frozen),
        },
    }


def _pod_spec(name: str, content: Content, policy: RunPolicy, frozen: Frozen) -> Manifest:
    spec: Manifest = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": policy.uid,
            "runAsGroup": policy.uid,
            "fsGroup": policy.uid,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(content, policy)],
        "volumes": _volumes(name, content, frozen),
    }
    optional = {
        "nodeSelector": dict(policy.node_selector),
        "tolerations": [dict(toleration) for toleration in policy.tolerations],
        "imagePullSecrets": [{"name": secret} for secret in policy.image_pull_secrets],
        "priorityClassName": policy.priority_class_name,
        "runtimeClassName": policy.runtime_class_name,
    }
    spec |= {key: value for key, value in optional.items() if value}
    if install.needed(content, policy):
        return install.with_packages(spec, frozen.name, content, policy, kept=frozen.resolved)
    return spec


def _container(content: Content, policy: RunPolicy) -> Manifest:
    return {
        "name": RUNNER_CONTAINER,
        "image": policy.image,
        "imagePullPolicy": policy.image_pull_policy,
        "workingDir": WORKSPACE,
        "env": _environment(content, policy),
        "resources": _resources(content.spec, policy),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "revision", "mountPath": REVISION_DIRECTORY, "readOnly": True},
            {"name": "workspace", "mountPath": WORKSPACE},
            {"name": "home", "mountPath": HOME},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 a volume of the pod's own
            *sessions.mounts(content.spec),
        ],
    }


def _runner_env(content: Content, policy: RunPolicy) -> list[Manifest]:
    timeout = min(content.spec.timeout_seconds, policy.longest_run_seconds)
    name_of_run = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}}
    return [
        {"name": "JOB_RUN_ID", "valueFrom": name_of_run},
        {"name": "AGENTJOBS_DIGEST", "value": content.digest},
        {"name": "AGENTJOBS_TIMEOUT_SECONDS", "value": str(timeout)},
        {"name": "HOME", "value": HOME},
        *sessions.environment(content.spec),
        *policy.models.environment(content.spec),
    ]


def _environment(content: Content, policy: RunPolicy) -> list[Manifest]:
    """With the names of the variables that come from Secrets: the runner hides their values in all output."""
    fixed, own = _runner_env(content, policy), [_env(variable) for variable in content.spec.env]
    secret = [variable["name"] for variable in (*fixed, *own) if "secretKeyRef" in variable.get("valueFrom", {})]
    names_of_secrets = [{"name": "AGENTJOBS_SECRET_VARIABLES", "value": ",".join(secret)}] if secret else []
    return [*fixed, *names_of_secrets, *own]


def _env(variable: EnvVar) -> Manifest:
    if variable.value_from is not None:
        reference = variable.value_from.secret_key_ref
        return {"name": variable.name, "valueFrom": {"secretKeyRef": {"name": reference.name, "key": reference.key}}}
    # The API server leaves an empty value out.
    return {"name": variable.name, "value": variable.value} if variable.value else {"name": variable.name}


def _resources(spec: ScheduledAgentJobSpec, policy: RunPolicy) -> Manifest:
    def merged(defaults: ResourceList, wanted: ResourceList) -> dict[str, str]:
        return {**defaults.wire(), **wanted.wire()}

    return {
        "requests": merged(policy.resources.requests, spec.resources.requests),
        "limits": merged(policy.resources.limits, spec.resources.limits),
    }


def _volumes(name: str, content: Content, frozen: Frozen) -> list[Manifest]:
    workspace = content.spec.workspace
    return [
        {"name": "revision", "configMap": {"name": frozen.name, "defaultMode": 0o444}},
        {"name": "workspace", "persistentVolumeClaim": {"claimName": workspace.claim_name}}
        if workspace
        else {"name": "workspace", "emptyDir": {}},
        {"name": "home", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
        *sessions.volumes(name, content.spec),
    ]


def manual_job(
    job: JobView, run: RunView, cron: CronJobView, content: Content, policy: RunPolicy, frozen: Frozen, event: Event | None = None
) -> Manifest:
    """The Job of a run that is started by us: from the CronJob's template, suspended until it stands in the CronJob's `status.active`."""
    spec = _job_spec(job.name, content, policy, frozen)
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
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob", "name": cron.name, "uid": cron.uid, "controller": True}],
        },
        "spec": (with_event(spec, event) if event else spec) | {"suspend": True},
    }


def active_reference(job: BatchJobView) -> Manifest:
    """How a CronJob names a Job that is active, in its status."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": job.name,
        "namespace": job.namespace,
        "uid": job.uid,
        "resourceVersion": job.resource_version,
    }


def scheduled_run(job: JobView, start: BatchJobView, scheduled_at: str) -> Manifest:
    """The AgentJobRun of a start that the CronJob controller made."""
    return _run(job, start.name, scheduled_at, {"ownerReferences": owned_by(job), "annotations": {names.MADE_AS_ANNOTATION: start.uid}})


def orphaned_run(job: JobView, start: BatchJobView, scheduled_at: str) -> Manifest:
    """As `scheduled_run`, where there is no job that could own it."""
    return _run(job, start.name, scheduled_at, {"annotations": {names.MADE_AS_ANNOTATION: start.uid}})


def own_start(job: JobView, name: str, scheduled_at: str) -> Manifest:
    """The AgentJobRun of a start that the operator makes. Nobody owns it until it is adopted, as it is with a run by hand."""
    return _run(job, name, scheduled_at, {})


def left_out(job: JobView, name: str, scheduled_at: str, why: str) -> Manifest:
    """The AgentJobRun of a start that does not happen. It is born adopted, and with the reason."""
    return _run(job, name, scheduled_at, {"ownerReferences": owned_by(job), "annotations": {names.SKIP_ANNOTATION: why}})


def _run(job: JobView, name: str, scheduled_at: str, metadata: Manifest) -> Manifest:
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.RUN_KIND,
        "metadata": {"name": name, "namespace": job.namespace, "labels": labels(job.name), **metadata},
        "spec": {"jobName": job.name, "trigger": {"type": "Schedule", "scheduledAt": scheduled_at}},
    }
