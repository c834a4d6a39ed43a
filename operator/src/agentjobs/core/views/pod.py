"""Pods of runs, reduced to what decisions need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agentjobs.api import names
from agentjobs.core.timestamps import from_wire
from agentjobs.core.views.metadata import Body, condition_of, controller_uid, labels_of

RUNNER_CONTAINER = "runner"
INSTALL_CONTAINER = "packages"
UNKNOWN_END = "ContainerStatusUnknown"
"""The kubelet's reason for a container that it never started, or lost.

It then makes up an exit code of 137."""


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
    container = _named(status.get("containerStatuses"), RUNNER_CONTAINER)
    installer = _named(status.get("initContainerStatuses"), INSTALL_CONTAINER)
    state, install = container.get("state") or {}, installer.get("state") or {}
    ended, running = state.get("terminated") or {}, state.get("running") or {}
    installed = install.get("terminated") or {}
    waiting = install.get("waiting") or state.get("waiting") or {}
    if not container:
        waiting = _unscheduled(status) or waiting
    return PodView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        job=labels_of(body).get(names.JOB_LABEL, ""),
        run=labels_of(body).get("batch.kubernetes.io/job-name", ""),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner_uid=controller_uid(body),
        phase=status.get("phase", ""),
        deletion=_deletion(metadata),
        disruption=condition_of(body, "DisruptionTarget").get("reason", ""),
        running=bool(running),
        started=running.get("startedAt") or ended.get("startedAt"),
        finished=ended.get("finishedAt"),
        exit_code=None if ended.get("reason") == UNKNOWN_END else ended.get("exitCode"),
        ended_by=status.get("reason") or ended.get("reason", ""),
        termination_message=ended.get("message", ""),
        waiting=waiting.get("reason", ""),
        waiting_message=waiting.get("message", ""),
        image=container.get("imageID") or container.get("image"),
        installing="running" in install,
        install_exit=installed.get("exitCode"),
        install_message=installed.get("message", ""),
        install_ended_by=installed.get("reason", ""),
        told_to_end=_told_to_end(metadata),
    )


def _named(containers: Iterable[Mapping[str, Any]] | None, name: str) -> Mapping[str, Any]:
    return next((each for each in containers or () if each["name"] == name), {})


def _unscheduled(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The condition PodScheduled where it is false, else an empty mapping."""
    conditions = status.get("conditions") or ()
    found = (each for each in conditions if each["type"] == "PodScheduled")
    return next((each for each in found if each["status"] == "False"), {})


def _deletion(metadata: Mapping[str, Any]) -> datetime | None:
    text = metadata.get("deletionTimestamp")
    return from_wire(text) if text else None


def _told_to_end(metadata: Mapping[str, Any]) -> datetime | None:
    deletion, grace = _deletion(metadata), metadata.get("deletionGracePeriodSeconds") or 0
    return deletion - timedelta(seconds=grace) if deletion else None
