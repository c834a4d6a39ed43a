"""Pods of runs, reduced to what decisions need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agentjobs.api import names
from agentjobs.core.timestamps import from_wire
from agentjobs.core.views.metadata import Body, condition_of, controller_uid, labels_of

RUNNER_CONTAINER = "runner"
INSTALL_CONTAINER = "packages"
UNKNOWN_END = "ContainerStatusUnknown"
"""The kubelet's reason for a container that it never started, or lost: it then makes up an exit
code of 137."""


@dataclass(frozen=True, slots=True)
class PodView:
    """A run's pod. The container fields are those of the runner."""

    namespace: str
    name: str
    job: str
    run: str
    uid: str
    resource_version: str
    owner_uid: str | None
    phase: str
    deletion: datetime | None
    """When its grace period is over, once its deletion was requested."""
    disruption: str
    running: bool
    started: str | None
    finished: str | None
    exit_code: int | None
    ended_by: str
    termination_message: str
    waiting: str
    waiting_message: str
    image: str | None
    installing: bool = False
    """Whether the init container that installs packages is running."""
    install_exit: int | None = None
    install_message: str = ""
    install_ended_by: str = ""
    told_to_end: datetime | None = None
    """When its deletion was requested; its processes get SIGTERM at once."""

    @property
    def ended(self) -> bool:
        """Whether the container has ended, or the pod has without it ever having started."""
        return self.exit_code is not None or (
            self.phase in ("Failed", "Succeeded") and not self.running
        )

    @property
    def ending(self) -> bool:
        """Whether something ends the pod from outside.

        The runner lingers meanwhile, so that its log can be read.
        """
        return self.deletion is not None or bool(self.disruption)


def pod_view(body: Body) -> PodView:
    """The view of a core/v1 Pod that carries our label."""
    metadata, status = body["metadata"], body.get("status") or {}
    containers = status.get("containerStatuses") or ()
    container: Mapping[str, Any] = next(
        (c for c in containers if c["name"] == RUNNER_CONTAINER), {}
    )
    state = container.get("state") or {}
    ended, running, waiting = (
        state.get("terminated") or {},
        state.get("running") or {},
        state.get("waiting") or {},
    )
    conditions = status.get("conditions") or ()
    unscheduled: Mapping[str, Any] = next(
        (c for c in conditions if c["type"] == "PodScheduled" and c["status"] == "False"), {}
    )
    install: Mapping[str, Any] = next(
        (
            c.get("state") or {}
            for c in status.get("initContainerStatuses") or ()
            if c["name"] == INSTALL_CONTAINER
        ),
        {},
    )
    installed = install.get("terminated") or {}
    waiting = install.get("waiting") or waiting
    reason, message = (
        (waiting.get("reason", ""), waiting.get("message", "")) if waiting else ("", "")
    )
    if unscheduled and not container:
        reason, message = unscheduled.get("reason", ""), unscheduled.get("message", "")
    return PodView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        job=labels_of(body).get(names.JOB_LABEL, ""),
        run=labels_of(body).get("batch.kubernetes.io/job-name", ""),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner_uid=controller_uid(body),
        phase=status.get("phase", ""),
        deletion=from_wire(metadata["deletionTimestamp"])
        if "deletionTimestamp" in metadata
        else None,
        disruption=condition_of(body, "DisruptionTarget").get("reason", ""),
        running=bool(running),
        started=running.get("startedAt") or ended.get("startedAt"),
        finished=ended.get("finishedAt"),
        exit_code=None if ended.get("reason") == UNKNOWN_END else ended.get("exitCode"),
        ended_by=status.get("reason") or ended.get("reason", ""),
        termination_message=ended.get("message", ""),
        waiting=reason,
        waiting_message=message,
        image=container.get("imageID") or container.get("image"),
        installing="running" in install,
        install_exit=installed.get("exitCode"),
        install_message=installed.get("message", ""),
        install_ended_by=installed.get("reason", ""),
        told_to_end=_told_to_end(metadata),
    )


def _told_to_end(metadata: Mapping[str, Any]) -> datetime | None:
    if "deletionTimestamp" not in metadata:
        return None
    return from_wire(metadata["deletionTimestamp"]) - timedelta(
        seconds=metadata.get("deletionGracePeriodSeconds") or 0
    )
