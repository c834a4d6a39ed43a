"""What follows from an answer of the API server to a create, where it is not the object."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from agentjobs.actions.refusal import Refusal
from agentjobs.core import naming
from agentjobs.core.plan import Write
from agentjobs.present.text import Json, at

UNSIGNED: Final = "approvedBy must be you"
"""In the refusal of an API server that cannot write the name of the person itself."""


def needs_signature(message: str) -> bool:
    """Whether a decision was refused because it does not name the person who decides."""
    return UNSIGNED in message


def signed(write: Write, person: str) -> Write:
    """The same decision, with the name by which the API server knows the person."""
    body: dict[str, Any] = dict(write.body or {})
    return replace(write, body={**body, "spec": {**body["spec"], "approvedBy": person}})


def if_taken(write: Write, found: Json) -> Write | Refusal | None:
    """What to do where `found` has the name already; None: nothing, it is what was asked for."""
    body: Json = write.body or {}
    if write.kind == "approval":
        return None if _same_decision(body, found) else _renamed(write)
    if event := at(body, "spec", "trigger", "event"):
        if _identity(at(found, "spec", "trigger", "event")) == _identity(event):
            return None
        message = f"AgentJobRun {write.name} is there, and it is not this event's"
        return Refusal("NameTaken", message, "delete it, or give the event another id")
    return Refusal(
        "NameTaken", f"there is an AgentJobRun {write.name} already", "choose another name"
    )


def _same_decision(body: Json, found: Json) -> bool:
    """Whether an object says the same of the same content, and goes on doing so."""
    going = at(found, "metadata", "deletionTimestamp") is None
    return going and all(
        at(found, "spec", field) == at(body, "spec", field)
        for field in ("jobName", "digest", "decision")
    )


def _renamed(write: Write) -> Write:
    """The same object, with a name that the API server completes."""
    name = naming.generated(write.name)
    body = {**(write.body or {}), "metadata": {"generateName": name}}
    return replace(write, name=name, body=body)


def _identity(event: object) -> tuple[object, object]:
    """What distinguishes an event from others."""
    found = event if isinstance(event, dict) else {}
    return found.get("source"), found.get("id")
