"""Events as CloudEvents' JSON format writes them, and what tells one from another."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from agentjobs.api.base import explain
from agentjobs.api.event import Event
from agentjobs.core.views.metadata import Body
from agentjobs.core.wire.bodies import unreadable

MAX_EVENT_BYTES: Final = 128 * 1024
"""Encoded. All annotations of a pod together may have twice that."""
DIGITS: Final = 9
NO_START: Final = frozenset({"EventInvalid", "EventName", "NoTrigger", "Paused", "ChainCycle", "ChainTooLong"})
"""Reasons why an event starts nothing."""


def encoded(event: Event) -> str:
    """One line of JSON."""
    return json.dumps({"specversion": "1.0", **event.wire()}, ensure_ascii=False, separators=(",", ":"))


def digits(event: Event, number: int = 0) -> str:
    """Of source and id, which together name an event; they stand in the name of the run that it starts.

    `number`: further ones, for where the name of the ones before is somebody else's.
    """
    further = f"\n{number}" if number else ""
    return hashlib.sha256(f"{event.source}\n{event.id}{further}".encode()).hexdigest()[:DIGITS]


def size_problem(event: Event) -> str | None:
    """A sentence when it is too large to be handed to a pod."""
    size = len(encoded(event).encode())
    return None if size <= MAX_EVENT_BYTES else f"spec.trigger.event: has {size} bytes as JSON, at most {MAX_EVENT_BYTES} can be handed on"


@dataclass(frozen=True, slots=True)
class EventView:
    """The event of a run, without its data."""

    type: str
    source: str
    digits: str
    """Of source and id, as the run's name has them."""
    problem: str | None = None
    """What is wrong with it, where something got past the CRD."""


def event_of(run: Body) -> Event | None:
    """The event of a run, with its data, where it is a valid one."""
    if unreadable(run):
        return None
    try:
        return Event.model_validate((run["spec"].get("trigger") or {}).get("event"))
    except ValidationError:
        return None


def event_view(trigger: Body, spoilt: str | None = None) -> EventView | None:
    """Of `spec.trigger` of a run, whatever its data, which is looked at when the run is about to start. `spoilt`: why it cannot be read."""
    if spoilt:
        return EventView("", "", "", f"spec.trigger.event: {spoilt}; send less, or flatter data")
    if trigger.get("type") not in ("Event", "After"):
        return None
    try:
        event = Event.model_validate(trigger.get("event") or {})
    except ValidationError as error:
        return EventView("", "", "", explain(error, "spec.trigger.event"))
    return EventView(event.type, event.source, digits(event))
