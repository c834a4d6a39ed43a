"""Events as CloudEvents' JSON format writes them, and what distinguishes one from another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from agentjobs.api.base import explain
from agentjobs.api.event import Event
from agentjobs.core.views import event_digits
from agentjobs.core.views.metadata import Body
from agentjobs.core.wire.bodies import unreadable

MAX_EVENT_BYTES: Final = 128 * 1024
"""The largest event, encoded. All annotations of a pod together may have twice that."""
NO_START: Final = frozenset(
    {"EventInvalid", "EventName", "NoTrigger", "Paused", "ChainCycle", "ChainTooLong"}
)
"""Reasons why an event starts nothing."""


def encoded(event: Event) -> str:
    """The event as one line of JSON."""
    fields = {"specversion": "1.0", **event.wire()}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def digits(event: Event) -> str:
    """Its hash digits; the name of the run that it starts contains them."""
    return event_digits.digits(event.source, event.id)


def size_problem(event: Event) -> str | None:
    """The sentence when an event is too large to be handed to a pod; None: it fits."""
    size = len(encoded(event).encode())
    if size <= MAX_EVENT_BYTES:
        return None
    allowed = f"at most {MAX_EVENT_BYTES} are allowed; send less data"
    return f"spec.trigger.event: has {size} bytes as JSON, and {allowed}"


@dataclass(frozen=True, slots=True)
class EventView:
    """The event of a run, without its data."""

    type: str
    source: str
    digits: str
    """Hash digits of source and id, as in the run's name."""
    problem: str | None = None
    """What is wrong with it, where it got past the CRD."""


def event_of(run: Body) -> Event | None:
    """The event of a run, with its data; None where it is not valid."""
    if unreadable(run):
        return None
    try:
        return Event.model_validate((run["spec"].get("trigger") or {}).get("event"))
    except ValidationError:
        return None


def event_view(trigger: Body, corrupt: str | None = None) -> EventView | None:
    """The view of a run's `spec.trigger`.

    Its data is checked only when the run is about to start. `corrupt`: why it cannot be read.
    """
    if corrupt:
        return EventView(
            "", "", "", f"spec.trigger.event: {corrupt}; send less data, or nest it less"
        )
    if trigger.get("type") not in ("Event", "After"):
        return None
    try:
        event = Event.model_validate(trigger.get("event") or {})
    except ValidationError as error:
        return EventView("", "", "", explain(error, "spec.trigger.event"))
    return EventView(event.type, event.source, digits(event))
