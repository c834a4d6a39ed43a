"""Resources as people write them, as small as they can be."""

from __future__ import annotations

from typing import Any, Final

Manifest = dict[str, Any]

DIGEST: Final = "0123456789abcdef" * 4
API_VERSION: Final = "agentjobs.dev/v1alpha1"


def job(name: str = "report", **spec: Any) -> Manifest:
    """The smallest ScheduledAgentJob, with these fields of its spec on top; None leaves one out."""
    full = {
        "description": "Writes the weekly report.",
        "script": {"inline": "print('hello')\n"},
        **spec,
    }
    return _object(
        "ScheduledAgentJob",
        name,
        {field: value for field, value in full.items() if value is not None},
    )


def agent_job(name: str = "report", agent: Manifest | None = None, **spec: Any) -> Manifest:
    """The smallest one with an agent in the script's place, and these agent fields on top."""
    return job(
        name, script=None, agent={"instructions": "# Write the report\n"} | (agent or {}), **spec
    )


def run(name: str = "report-by-hand", job_name: str = "report", **spec: Any) -> Manifest:
    return _object("AgentJobRun", name, {"jobName": job_name, **spec})


def approval(name: str = "report-yes", **spec: Any) -> Manifest:
    return _object(
        "AgentJobApproval",
        name,
        {"jobName": "report", "digest": DIGEST, "decision": "Approved", **spec},
    )


def package_approval(name: str = "batch", **spec: Any) -> Manifest:
    return _object(
        "PackageApproval", name, {"packages": ["requests==2.32.3"], "decision": "Approved", **spec}
    )


def scheduled(job_name: str, minutes: int, scheduled_at: str) -> Manifest:
    """The record of a scheduled start, as the operator writes it."""
    return run(
        f"{job_name}-{minutes}", job_name, trigger={"type": "Schedule", "scheduledAt": scheduled_at}
    )


def _object(kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}
