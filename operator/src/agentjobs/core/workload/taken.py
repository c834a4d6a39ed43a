"""Decides whether the object that has a wanted name is the one that was to be created.

A second try finds what the first one made; anything else is in the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentjobs.api import names
from agentjobs.core.plan import Kind
from agentjobs.core.views.metadata import Body, annotations_of, controller_uid, labels_of

KINDS: Final[Mapping[str, str]] = {
    "run": "an AgentJobRun",
    "cronjob": "a CronJob",
    "batchjob": "a Job",
    "revision": "a ConfigMap",
    "claim": "a PersistentVolumeClaim",
}
"""What is created under computed names, which others can therefore take first."""


def is_same(kind: Kind, wanted: Body, found: Body) -> bool:
    """Whether the found object is the wanted one, by all marks that identify it.

    What only the server or a later step writes is ignored.
    """
    if kind == "run":
        return _cause(wanted) == _cause(found)
    return _marks(wanted) == _marks(found)


def _marks(body: Body) -> tuple[Any, ...]:
    made_for = (labels_of(body).get(names.JOB_LABEL), controller_uid(body))
    marks = (names.DIGEST_ANNOTATION, names.TRIGGER_ANNOTATION, names.RUN_UID_ANNOTATION)
    return (*made_for, *(annotations_of(body).get(mark) for mark in marks))


def _cause(run: Body) -> tuple[Any, ...]:
    """What caused a run.

    Only the operator creates runs that a schedule or another run starts, so what they say about
    that is true.
    """
    spec = run["spec"]
    trigger = spec.get("trigger") or {}
    event = trigger.get("event") or {}
    cause = (trigger.get(name) for name in ("type", "scheduledAt", "upstreamRun"))
    return (spec["jobName"], *cause, event.get("source"), event.get("id"))


def sentence(kind: Kind, name: str) -> str:
    """The sentence that says what is in the way."""
    return f"{KINDS[kind]} named {name} exists and is not the one that this job needs; delete it"
