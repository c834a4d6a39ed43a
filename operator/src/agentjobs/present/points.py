"""What an approver should look at first: what a content may reach or spend, and what is new.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.schedules.description import of_job
from agentjobs.core.triggers.events import words
from agentjobs.present.text import Json, Line, at, named, one_line, span, visible


@dataclass(frozen=True, slots=True)
class Point:
    """One of them. `before`: what it was in the content in force; empty where it is new."""

    label: Line
    value: Line
    before: Line


def _secrets(spec: Json) -> Iterator[str]:
    for variable in spec.get("env") or ():
        if reference := at(variable, "valueFrom", "secretKeyRef"):
            yield f"{reference['name']}/{reference['key']}"


def _values(*path: str) -> Callable[[Json], Iterator[str]]:
    return lambda spec: iter(map(str, at(spec, *path) or ()))


LISTS: Final[dict[str, Callable[[Json], Iterator[str]]]] = {
    "Secret": _secrets,
    "Package": _values("packages"),
    "Tool": _values("agent", "tools"),
}
"""Where each entry counts, and one that is taken away does not."""


def _schedule(spec: Json) -> str:
    return of_job(ScheduledAgentJobSpec.model_validate(spec))


def _triggers(spec: Json) -> str:
    return "; ".join(words(ScheduledAgentJobSpec.model_validate(spec)))


def _one(*path: str) -> Callable[[Json], str]:
    return lambda spec: str(at(spec, *path) or "")


def _limit(spec: Json) -> str:
    return span(ScheduledAgentJobSpec.model_validate(spec).timeout_seconds)


def _resources(spec: Json) -> str:
    limits: dict[str, Any] = at(spec, "resources", "limits") or {}
    return ", ".join(f"{name} {amount}" for name, amount in sorted(limits.items()))


VALUES: Final[dict[str, Callable[[Json], str]]] = {
    "Schedule": _schedule,
    "Triggers": _triggers,
    "Volume": _one("workspace", "claimName"),
    "Session": _one("session"),
    "Model": _one("agent", "model"),
    "Time limit": _limit,
    "Resources": _resources,
}


def points(before: Json | None, after: Json) -> list[Point]:
    """Of a first content what it may reach; of a change what is new or different."""
    found = [
        Point(visible(label), named(value), visible(""))
        for label, values in LISTS.items()
        for value in dict.fromkeys(values(after))
        if before is None or value not in set(values(before))
    ]
    for label, value_of in VALUES.items():
        new, old = value_of(after), value_of(before) if before else ""
        if new != old and (new or old):
            found.append(
                Point(
                    visible(label), one_line(new or "none"), one_line(old) if old else visible("")
                )
            )
    return found
