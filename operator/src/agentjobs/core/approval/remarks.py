"""Remarks for an approver about a content that is valid and still will not do what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.schedule import Schedule
from agentjobs.core.schedules import next_starts
from agentjobs.core.schedules.windows import Draw
from agentjobs.core.workload.llm import Models


def remarks(
    spec: ScheduledAgentJobSpec, models: Models, now: datetime, draw: Draw = next_starts.NO_DRAW
) -> Iterator[str]:
    """Yields sentences, the most important ones first."""
    if said := _no_start(spec.schedule, now, draw):
        yield said
    yield from _model(spec, models)


def _no_start(wanted: Schedule, now: datetime, draw: Draw) -> str | None:
    if not next_starts.is_timed(wanted) or next_starts.next_starts(wanted, now, 1, draw):
        return None
    if wanted.once:
        start = next_starts.run_at(wanted.once, next_starts.zone_of(wanted))
        return (
            f"the only start, {start.isoformat()}, is in the past: the job will not start by itself"
        )
    return "the schedule matches no day in the next five years: the job will not start by itself"


def _model(spec: ScheduledAgentJobSpec, models: Models) -> Iterator[str]:
    """Remarks about an agent's model. Of a script nobody knows whether it calls one."""
    if spec.agent is None:
        return
    name = models.of(spec)
    if not name:
        yield (
            "the agent names no model, and the installation has no default model: every run will"
            " fail"
        )
    elif name not in models.names:
        yield (
            f"the installation has no model {name}: every run will fail; the models that it has:"
            f" {', '.join(models.names) or 'none'}"
        )
    elif (variable := models.variable_of(spec)) and variable not in {one.name for one in spec.env}:
        yield (
            f"the key of the model {name} comes from the variable {variable}, which spec.env does"
            " not set: every run will fail"
        )
