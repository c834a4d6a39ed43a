"""The pod that runs an approved content.

Every field that the API server would default is written out, so that drift is a comparison of
hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agentjobs.api.container import EnvVar, ResourceList
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.content.digest import Content
from agentjobs.core.naming import Manifest
from agentjobs.core.views.pod import RUNNER_CONTAINER
from agentjobs.core.workload import install, sessions
from agentjobs.core.workload.settings import RunPolicy

REVISION_DIRECTORY: Final = "/etc/agentjobs/revision"
WORKSPACE: Final = "/workspace"
HOME: Final = "/home/agent"
GRACE_SECONDS: Final = 30
"""The runner needs 5 s to end a script and lingers 15 s, so that its log can be read."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """Where pods find the content.

    That is the name of its revision, and whether the first resolution of its packages is kept as
    well.
    """

    name: str
    resolved: bool = False


def pod_spec(name: str, content: Content, policy: RunPolicy, frozen: Frozen) -> Manifest:
    """The spec of the pod that runs this content."""
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
    name_of_run = {
        "fieldRef": {
            "apiVersion": "v1",
            "fieldPath": "metadata.labels['batch.kubernetes.io/job-name']",
        }
    }
    return [
        {"name": "JOB_RUN_ID", "valueFrom": name_of_run},
        {"name": "AGENTJOBS_DIGEST", "value": content.digest},
        {"name": "AGENTJOBS_TIMEOUT_SECONDS", "value": str(timeout)},
        {"name": "HOME", "value": HOME},
        *sessions.environment(content.spec),
        *policy.models.environment(content.spec),
    ]


def _environment(content: Content, policy: RunPolicy) -> list[Manifest]:
    """The variables, among them one that names those from Secrets.

    The runner hides their values in all output.
    """
    fixed, own = _runner_env(content, policy), [_env(variable) for variable in content.spec.env]
    sources = {variable["name"]: variable.get("valueFrom", {}) for variable in (*fixed, *own)}
    secret = ",".join(name for name, source in sources.items() if "secretKeyRef" in source)
    if secret:
        fixed.append({"name": "AGENTJOBS_SECRET_VARIABLES", "value": secret})
    return [*fixed, *own]


def _env(variable: EnvVar) -> Manifest:
    if variable.value_from is not None:
        reference = variable.value_from.secret_key_ref
        return {
            "name": variable.name,
            "valueFrom": {"secretKeyRef": {"name": reference.name, "key": reference.key}},
        }
    # The API server leaves an empty value out.
    value = {"value": variable.value} if variable.value else {}
    return {"name": variable.name, **value}


def _resources(spec: ScheduledAgentJobSpec, policy: RunPolicy) -> Manifest:
    def merged(defaults: ResourceList, wanted: ResourceList) -> dict[str, str]:
        return {**defaults.wire(), **wanted.wire()}

    return {
        "requests": merged(policy.resources.requests, spec.resources.requests),
        "limits": merged(policy.resources.limits, spec.resources.limits),
    }


def _volumes(name: str, content: Content, frozen: Frozen) -> list[Manifest]:
    workspace = content.spec.workspace
    source: Manifest = {"emptyDir": {}}
    if workspace:
        source = {"persistentVolumeClaim": {"claimName": workspace.claim_name}}
    return [
        {"name": "revision", "configMap": {"name": frozen.name, "defaultMode": 0o444}},
        {"name": "workspace", **source},
        {"name": "home", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
        *sessions.volumes(name, content.spec),
    ]
