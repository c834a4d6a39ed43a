"""A life of a job that events start."""

from __future__ import annotations

import json
from typing import Final

from agentjobs.api import names
from agentjobs.api.event import Event
from agentjobs.core.views.event import digits
from agentjobs.testing.simulation import Kubernetes
from tests.support.corpus.events import event_run
from tests.support.lives.starts import suspend
from tests.support.lives.steps import (
    Act,
    apply,
    at_rest,
    counted,
    create,
    decide,
    delete,
    ended,
    gone,
    nothing,
    runs,
    start,
    status,
    step,
)

SCHEMA: Final = {
    "type": "object",
    "required": ["price"],
    "properties": {"price": {"type": "number", "minimum": 1}},
}
TRIGGERS: Final = [
    {"event": {"type": "sold", "source": "/shop"}},
    {"event": {"type": "priced", "dataSchema": SCHEMA}},
]


def name_of(number: int) -> str:
    """Of the run of this job's event with this id."""
    return f"orders-e{digits(Event(id=str(number), source='/shop', type='any'))}"


ELSEWHERE: Final = f"orders-e{digits(Event(id='2', source='/elsewhere', type='any'))}"


def send(number: int, name: str | None = None, **attributes: object) -> Act:
    event = {"id": str(number), "source": "/shop", "type": "sold", **attributes}
    return create("run", event_run(name or name_of(number), "orders", **event))


def _skipped(kube: Kubernetes, run: str, reason: str) -> None:
    ended(kube, run, "Skipped", reason, started=0)


def _came_too_early(kube: Kubernetes) -> None:
    at_rest(kube)
    _skipped(kube, name_of(0), "NotApproved")


def _is_on_the_card(kube: Kubernetes) -> None:
    assert status(kube, "orders")["card"]["triggers"] == [
        "event sold from /shop",
        "event priced from any source; a schema checks its data",
    ]


def _ran_once(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, name_of(1), "Succeeded", "Completed", "done\n")
    for number in range(3):
        _skipped(kube, f"again-{number}", "EventName")
    assert name_of(1) in runs(kube)["again-0"]["message"]
    counted(kube, "orders", succeeded=1)


def _were_turned_down(kube: Kubernetes) -> None:
    at_rest(kube)
    _skipped(kube, ELSEWHERE, "NoTrigger")
    _skipped(kube, name_of(3), "EventInvalid")
    assert "-17" not in runs(kube)[name_of(3)]["message"]
    _skipped(kube, name_of(4), "EventInvalid")
    assert "at most 131072 are allowed" in runs(kube)[name_of(4)]["message"]


def _was_handed_over(kube: Kubernetes) -> None:
    at_rest(kube)
    ended(kube, name_of(5), "Succeeded", "Completed", "done\n")
    pods = [change.after for change in kube.server.changes if change.kind == "pod" and change.after]
    (event,) = {
        pod["metadata"]["annotations"][names.EVENT_ANNOTATION]
        for pod in pods
        if pod["metadata"]["name"].startswith(name_of(5))
    }
    data = {"price": 17.5, "name": "Bücher"}
    assert json.loads(event) == {
        "specversion": "1.0",
        "id": "5",
        "source": "/shop",
        "type": "priced",
        "data": data,
    }


def _does_not_wake_a_paused_job(kube: Kubernetes) -> None:
    at_rest(kube)
    _skipped(kube, name_of(6), "Paused")
    ended(kube, "by-hand", "Succeeded", "Completed", "done\n")


EVENTS: Final = (
    step(_came_too_early, apply("orders", "ok", triggers=TRIGGERS), send(0)),
    step(_is_on_the_card, decide("orders")),
    step(_ran_once, send(1), *(send(1, f"again-{number}") for number in range(3))),
    step(
        _were_turned_down,
        send(2, ELSEWHERE, source="/elsewhere"),
        send(3, type="priced", data={"price": -17}),
        send(4, data="x" * 131_072),
    ),
    step(_was_handed_over, send(5, type="priced", data={"price": 17.5, "name": "Bücher"})),
    step(nothing, suspend("orders", True)),
    step(_does_not_wake_a_paused_job, send(6), start("orders", "by-hand")),
    step(gone, delete("job", "orders")),
)
LIVES: Final = {"events": EVENTS}
