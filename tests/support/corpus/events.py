"""Starts by events, and some others, as people write them.

There are good ones, and bad ones with what their authors are told.
"""

from __future__ import annotations

from typing import Any, Final

Manifest = dict[str, Any]


def event_run(
    name: str = "report-e000000000", job_name: str = "report", /, **attributes: Any
) -> Manifest:
    """A run that an event starts; None leaves an attribute out."""
    event = {"id": "1", "source": "/cms", "type": "com.example.published", **attributes}
    return _run(
        name,
        job_name,
        {
            "type": "Event",
            "event": {key: value for key, value in event.items() if value is not None},
        },
    )


def _job(triggers: list[Manifest]) -> Manifest:
    spec = {"description": "Takes orders.", "script": {"inline": "print()\n"}, "triggers": triggers}
    return {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "ScheduledAgentJob",
        "metadata": {"name": "report"},
        "spec": spec,
    }


def _run(name: str, job_name: str, trigger: Manifest) -> Manifest:
    spec = {"jobName": job_name, "trigger": trigger}
    return {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "AgentJobRun",
        "metadata": {"name": name},
        "spec": spec,
    }


REFUSED: Final[tuple[tuple[str, Manifest, str, str | None], ...]] = (
    *(
        (
            f"an event without its {name}",
            event_run(**{name: None}),
            f"event.{name}: Required value",
            f"event.{name}: is required",
        )
        for name in ("id", "source", "type")
    ),
    (
        "an event with an empty source",
        event_run(source=""),
        "at least 1 char",
        "should have at least 1 character",
    ),
    (
        "an event with a source of two lines",
        event_run(source="/a\n/b"),
        "contains line breaks or characters that hide text",
        None,
    ),
    (
        "an event at no time",
        event_run(time="yesterday"),
        "must be an RFC 3339 time",
        None,
    ),
    (
        "a run by no event",
        _run("a", "report", {"type": "Event"}),
        "types Event and After need event, with at least id, source",
        None,
    ),
    (
        "the start of another job",
        _run(
            "report-29412345", "other", {"type": "Schedule", "scheduledAt": "2025-12-03T05:45:00Z"}
        ),
        "minutes from 1970 to spec.trigger.scheduledAt",
        None,
    ),
    (
        "11 triggers",
        _job([{"event": {"type": "a"}}] * 11),
        "must have at most 10 items",
        "should have at most 10 items",
    ),
    ("a trigger by nothing", _job([{}]), "set exactly one of event and after", None),
    (
        "a trigger by two",
        _job([{"event": {"type": "a"}, "after": {"job": "b"}}]),
        "set exactly one of event and after",
        None,
    ),
    (
        "a job after itself",
        _job([{"after": {"job": "report"}}]),
        "a job cannot start after itself",
        None,
    ),
    (
        "an event in a run by hand",
        _run("a", "report", {"type": "Manual", "event": {"id": "1", "source": "/a", "type": "b"}}),
        "types Event and After need event, with at least id, source and type",
        None,
    ),
)
TRIGGERS: Final[list[Manifest]] = [
    {"after": {"job": "email-reader"}},
    {"after": {"job": "email-reader", "on": "Failed"}},
    {"event": {"type": "com.example.published"}},
    {
        "event": {
            "type": "b",
            "source": "/cms",
            "dataSchema": {"type": "object", "properties": {"id": {"minimum": 1}}},
        }
    },
]
GOOD: Final = {
    "triggers": _job(TRIGGERS),
    "an event": event_run(),
    "an event with everything": event_run(
        subject="product/7",
        time="2026-11-24T12:00:00Z",
        datacontenttype="application/json",
        dataschema="https://example.com/product",
        data={"id": 7, "tags": ["new", None, 1.5], "nested": {"deep": [{}]}},
    ),
    "an event whose data is a text": event_run(data="plain"),
}
