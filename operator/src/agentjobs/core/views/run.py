"""An AgentJobRun, reduced to what decisions need, and the phases it can have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeGuard, get_args

from agentjobs.api import kinds, names
from agentjobs.api.job_status import RunPhase
from agentjobs.core.timestamps import from_wire
from agentjobs.core.views.event import NO_START, EventView, event_view
from agentjobs.core.views.metadata import Body, annotations_of, controller_uid
from agentjobs.core.wire.bodies import SIZE, unreadable

FAILURES: Final = frozenset({"Failed", "TimedOut"})
NEVER_BEGAN: Final = frozenset({"Skipped", "Missed"})
"""Of records that are no runs: they count nowhere."""
FINAL_PHASES: Final[frozenset[str]] = frozenset(kinds.FINAL_PHASES)
SKIP_REASONS: frozenset[str] = frozenset(
    {
        "NotApproved",
        "NameTaken",
        "Overlap",
        "PolicyMissing",
        "CancelledBeforeStart",
        "NotStartedInTime",
        "JobNotFound",
        *NO_START,
    }
)


@dataclass(frozen=True, slots=True)
class RunView:
    """An AgentJobRun that is not finished, or whose phase says that it is."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    job: str
    adopted: bool
    manual: bool
    """Whether the operator starts it, not the CronJob controller."""
    created: datetime
    phase: RunPhase
    reason: str | None
    message: str | None
    started: str | None
    digest: str | None = None
    skip: tuple[str, str] | None = None
    """Reason and message, where it was decided that the run does not start."""
    started_as: str | None = None
    """The uid of the one Job of an adopted manual run."""
    made_as: str | None = None
    """The uid of the Job that the CronJob controller made for it, where it was noted."""
    event: EventView | None = None
    ancestors: tuple[str, ...] = ()
    """The jobs of the chain before it."""
    cancel: bool = False
    """Whether somebody wants it to end."""
    scheduled: bool = False
    """Whether its trigger is a schedule, no matter what starts it."""
    stored_bytes: int = 0
    """Size of the whole object as it was last read."""

    @property
    def final(self) -> bool:
        """Whether its record is complete. Later only its output is shortened."""
        return self.phase in FINAL_PHASES


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A finished run for retention: when, how, how many bytes, and whether it goes with its job."""

    namespace: str
    name: str
    uid: str
    job: str
    phase: str
    finished: str
    output_bytes: int
    owner_uid: str | None = None
    stored_bytes: int = 0
    """Size of the whole record; 0 in records of earlier versions."""


def _is_phase(text: object) -> TypeGuard[RunPhase]:
    return text in get_args(RunPhase)


def run_view(body: Body) -> RunView:
    """The view of an AgentJobRun. An empty phase means Pending."""
    metadata, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    phase, trigger = status.get("phase"), spec.get("trigger") or {}
    scheduled = trigger.get("type", "Manual") == "Schedule"
    adopted = controller_uid(body) is not None
    started_as = annotations_of(body).get(names.STARTED_AS_ANNOTATION)
    return RunView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        job=spec["jobName"],
        adopted=adopted,
        manual=not scheduled or not adopted or started_as is not None,
        created=from_wire(metadata["creationTimestamp"]),
        phase=phase if _is_phase(phase) else "Pending",
        reason=status.get("reason"),
        message=status.get("message"),
        started=status.get("startedAt"),
        digest=status.get("digest"),
        skip=_skip(body),
        started_as=started_as,
        made_as=annotations_of(body).get(names.MADE_AS_ANNOTATION),
        event=event_view(trigger, unreadable(body)),
        ancestors=tuple(trigger.get("ancestors") or ()),
        cancel=bool(spec.get("cancel")),
        scheduled=scheduled,
        stored_bytes=body.get(SIZE, 0),
    )


def _skip(body: Body) -> tuple[str, str] | None:
    reason, _, message = annotations_of(body).get(names.SKIP_ANNOTATION, "").partition(": ")
    return (reason, message) if reason in SKIP_REASONS else None
