"""Runs started by an event: names, which jobs accept them, and how the event gets into the pod."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, Final

from agentjobs.api import names
from agentjobs.api.event import Event, EventTrigger
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.naming import run_of_event
from agentjobs.core.observed import Observed
from agentjobs.core.triggers import chains, event_schema
from agentjobs.core.views.event import EventView, encoded, size_problem
from agentjobs.core.views.run import RunView

DIRECTORY: Final = "/etc/agentjobs/event"
FILE: Final = "event.json"
Refusal = tuple[str, str]


def check(spec: ScheduledAgentJobSpec) -> None:
    """Checks the triggers of a spec. Raises UserError for a schema that cannot be used."""
    for number, trigger in enumerate(spec.triggers):
        if trigger.event and trigger.event.data_schema is not None:
            path = f"spec.triggers[{number}].event.dataSchema"
            event_schema.check(trigger.event.data_schema, path)


def words(spec: ScheduledAgentJobSpec) -> Iterable[str]:
    """Yields a line for the card for each trigger."""
    for trigger in spec.triggers:
        event = trigger.event
        if trigger.after:
            yield f"after {trigger.after.job}, when it has {trigger.after.on.lower()}"
        if event is None:
            continue
        source = f" from {event.source or 'any source'}"
        checked = "; a schema checks its data" if event.data_schema is not None else ""
        yield f"event {event.type}{source}{checked}"


def to_read(observed: Observed) -> tuple[str, ...]:
    """The name of the run whose event has to be read: the next one to start, if any.

    Views hold no data, since each may have megabytes.
    """
    made = {job.name for job in observed.batch_jobs}
    wait = [
        run
        for run in observed.runs
        if run.event and not (run.adopted or run.name in made or refusal(run, None, None, None))
    ]
    return tuple(run.name for run in sorted(wait, key=lambda run: (run.created, run.name))[:1])


def refusal(
    run: RunView, spec: ScheduledAgentJobSpec | None, event: Event | None, paused: str | None
) -> Refusal | None:
    """Why an event starts nothing, as reason and sentence; None: it may.

    `spec`: of what runs, if anything; `event`: if it was read.
    """
    view = run.event
    if view is None:
        return None
    if problem := view.problem or (size_problem(event) if event else None):
        return "EventInvalid", problem
    # The operator itself names a run that follows another one, if need be in another way.
    if not run.ancestors and (wanted := run_of_event(run.job, view.digits)) != run.name:
        message = (
            f"the run of this event must be named {wanted}: under another name, the same event"
            " could start the job twice"
        )
        return "EventName", message
    return _unwanted(run, view, spec, event, paused) if spec else None


def _unwanted(
    run: RunView,
    view: EventView,
    spec: ScheduledAgentJobSpec,
    event: Event | None,
    paused: str | None,
) -> Refusal | None:
    events = [trigger.event for trigger in spec.triggers if trigger.event]
    kinds = [kind for kind in events if _takes(kind, view)]
    if run.ancestors and not chains.takes(spec, run):
        message = (
            f"no trigger of {run.job} matches this run of {run.ancestors[-1]} any more; see the"
            " job's status.card.triggers"
        )
        return "NoTrigger", message
    if not kinds and not run.ancestors:
        message = (
            f"no trigger of {run.job} matches the type and source of this event; see the job's"
            " status.card.triggers"
        )
        return "NoTrigger", message
    if paused:
        return "Paused", paused
    if run.ancestors:
        return None
    schemas = [kind.data_schema for kind in kinds]
    problems = [
        event_schema.problem(schema, event.data) if schema and event else None for schema in schemas
    ]
    return ("EventInvalid", f"spec.trigger.event.{problems[0]}") if all(problems) else None


def _takes(trigger: EventTrigger, event: EventView) -> bool:
    return trigger.type == event.type and trigger.source in (None, event.source)


def with_event(job_spec: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """The Job's spec with the event in a pod annotation, which the kubelet makes into a file."""
    spec = deepcopy(dict(job_spec))
    template = spec["template"]
    template["metadata"]["annotations"][names.EVENT_ANNOTATION] = encoded(event)
    field = {"apiVersion": "v1", "fieldPath": f"metadata.annotations['{names.EVENT_ANNOTATION}']"}
    volume = {
        "name": "event",
        "downwardAPI": {"defaultMode": 0o444, "items": [{"path": FILE, "fieldRef": field}]},
    }
    template["spec"]["volumes"].append(volume)
    (container,) = template["spec"]["containers"]
    container["volumeMounts"].append({"name": "event", "mountPath": DIRECTORY, "readOnly": True})
    container["env"].append({"name": "AGENTJOBS_EVENT_FILE", "value": f"{DIRECTORY}/{FILE}"})
    return spec
