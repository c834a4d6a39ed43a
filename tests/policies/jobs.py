"""Jobs as people write them, where approval.requireSecondPerson is set."""

from __future__ import annotations

from typing import Final

from tests.policies.asking import creates, updates
from tests.policies.cases import Manifest, Request
from tests.policies.existing import BY, SOURCE, VARIABLES, having
from tests.support import manifests

NAMED: Final = "metadata.annotations: agentjobs.dev/requested-by names who changed the content last"
ACCOUNT: Final = "whoever may edit here can act as this service account"
UNKNOWN: Final = "nobody knows who changed a ConfigMap last"
OTHERWISE: Final = {"script": {"inline": "print('else')\n"}}
PAUSED: Final = {"suspend": True}
SHORT: Final = {"history": {"failed": 7}}


def says(who: str | None, **spec: object) -> Manifest:
    """A patch of a job, with this name in the place of who asked; None removes it."""
    return {"metadata": {"annotations": {BY: who}}, "spec": spec}


def asked_by(who: str) -> Manifest:
    return {"metadata": {"annotations": {BY: who}}}


WRITTEN: Final = {
    "write a job": creates("ana", manifests.job("new"), **asked_by("ana")),
    "write a job in one's own name": creates(
        "ana", having(manifests.job("new"), annotations={BY: "ana"})
    ),
    "write a job in another's name": creates(
        "ana", having(manifests.job("new"), annotations={BY: "bo"}), **asked_by("ana")
    ),
    "change a job": updates(
        "bo", "scheduledagentjobs second", {"spec": OTHERWISE}, **asked_by("bo")
    ),
    "change a job and leave the name": updates(
        "bo", "scheduledagentjobs second", says("ana", **OTHERWISE), **asked_by("bo")
    ),
    "give a job less time": updates(
        "bo", "scheduledagentjobs second", {"spec": {"timeoutSeconds": 7}}, **asked_by("bo")
    ),
    "add to a job": updates(
        "bo", "scheduledagentjobs second", {"spec": {"env": VARIABLES}}, **asked_by("bo")
    ),
    "take from a job": updates(
        "ana", "scheduledagentjobs noted", {"spec": {"env": None}}, **asked_by("ana")
    ),
    "write what a ConfigMap said": updates(
        "bo",
        "scheduledagentjobs instructed",
        {"spec": {"agent": {"configMapKeyRef": None, "instructions": "x"}}},
        **asked_by("bo"),
    ),
    "pause a job": updates("bo", "scheduledagentjobs second", {"spec": PAUSED}, **asked_by("ana")),
    "keep less of a job": updates(
        "bo", "scheduledagentjobs second", {"spec": SHORT}, **asked_by("ana")
    ),
    "pause a job and take the name": updates(
        "bo", "scheduledagentjobs second", says("bo", **PAUSED), NAMED
    ),
    "take the name": updates("bo", "scheduledagentjobs second", says("bo"), NAMED),
    "give the name away": updates("ana", "scheduledagentjobs second", says("bo"), NAMED),
    "remove the name": updates("bo", "scheduledagentjobs second", says(None), **asked_by("ana")),
    "pause a job and remove the name": updates(
        "bo", "scheduledagentjobs second", says(None, **PAUSED), **asked_by("ana")
    ),
    "keep less and remove the name": updates(
        "bo", "scheduledagentjobs second", says(None, **SHORT), **asked_by("ana")
    ),
    "remove every annotation": updates(
        "ana", "scheduledagentjobs noted", {"metadata": {"annotations": None}}, **asked_by("bo")
    ),
    "name somebody where nobody was": updates("ana", "scheduledagentjobs older", says("bo"), NAMED),
    "name oneself where nobody was": updates("ana", "scheduledagentjobs older", says("ana"), NAMED),
    "pause what nobody asked for": updates("ana", "scheduledagentjobs older", {"spec": PAUSED}),
    "change what nobody asked for": updates("ana", "scheduledagentjobs older", {"spec": OTHERWISE}),
    "an account writes a job where it is": creates(
        "its own account", manifests.job("new"), ACCOUNT
    ),
    "an account changes a job where it is": updates(
        "its own account", "scheduledagentjobs second", {"spec": OTHERWISE}, ACCOUNT
    ),
    "an account pauses a job where it is": updates(
        "its own account", "scheduledagentjobs second", {"spec": PAUSED}
    ),
    "a pipeline writes a job": creates("a pipeline", manifests.job("new")),
    "write a job in a ConfigMap": creates("ana", manifests.job("new", script=SOURCE), UNKNOWN),
    "write an agent": creates("ana", manifests.agent_job("new")),
    "write an agent in a ConfigMap": creates(
        "ana",
        {**(agent := manifests.agent_job("new")), "spec": {**agent["spec"], "agent": SOURCE}},
        UNKNOWN,
    ),
    "pause what a ConfigMap says": updates("ana", "scheduledagentjobs referring", {"spec": PAUSED}),
    "pause an agent in a ConfigMap": updates(
        "ana", "scheduledagentjobs instructed", {"spec": PAUSED}
    ),
    "change more of what a ConfigMap says": updates(
        "ana", "scheduledagentjobs referring", {"spec": {"timeoutSeconds": 7}}, UNKNOWN
    ),
}

GROUPS: Final[tuple[dict[str, Request], ...]] = (WRITTEN,)
