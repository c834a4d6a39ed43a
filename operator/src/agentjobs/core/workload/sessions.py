"""The claim that holds a continuous job's session.

It is the job's: deleted with it, and forgotten when somebody deletes the claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.naming import claim_name

SESSION_VARIABLE: Final = "AGENTJOBS_SESSION"
SESSION: Final = "/session"


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """The chart's values for claims that are made from now on."""

    size: str = "1Gi"
    storage_class_name: str = ""
    """Empty: the cluster's default."""


def continuous(spec: ScheduledAgentJobSpec) -> bool:
    """Whether runs remember earlier ones."""
    return spec.session == "Continuous"


def claim(
    namespace: str,
    job: str,
    labels: dict[str, str],
    owners: list[dict[str, Any]],
    policy: SessionPolicy,
) -> dict[str, Any]:
    """The claim. One node at a time is enough: only one run at a time writes a session."""
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": policy.size}},
    }
    if policy.storage_class_name:
        spec["storageClassName"] = policy.storage_class_name
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": claim_name(job),
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": owners,
        },
        "spec": spec,
    }


def environment(spec: ScheduledAgentJobSpec) -> list[dict[str, Any]]:
    """The variable that gives a run's container its session, if it has one."""
    return [{"name": SESSION_VARIABLE, "value": SESSION}] if continuous(spec) else []


def volumes(job: str, spec: ScheduledAgentJobSpec) -> list[dict[str, Any]]:
    """The volume of the pod that holds the session, if it has one."""
    volume = {"name": "session", "persistentVolumeClaim": {"claimName": claim_name(job)}}
    return [volume] if continuous(spec) else []


def mounts(spec: ScheduledAgentJobSpec) -> list[dict[str, Any]]:
    """The mount of the session in the container, if it has one."""
    return [{"name": "session", "mountPath": SESSION}] if continuous(spec) else []
