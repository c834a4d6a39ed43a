"""Runs: who starts and ends them, and what only the operator says of them."""

from __future__ import annotations

from typing import Final

from tests.policies.asking import creates, deletes, updates
from tests.policies.cases import ACCOUNT, Manifest, Request
from tests.policies.existing import OWNER, having
from tests.support import manifests

RIGHT: Final = "may not start or end runs of "
TYPE: Final = "is set by the operator; leave spec.trigger out for a manual run"
BY: Final = "spec.trigger.by must be you, "
MARKS: Final = "metadata.annotations: those that begin with agentjobs.dev/ are written by the oper"
OWNERS: Final = "metadata.ownerReferences: a run belongs to its job, and the operator says so"
EVENTS: Final = 'metadata.name: names like report-e012345678, which end in "-e" and nine hex digits'
CHAINS: Final = 'metadata.name: names like report-a012345678, which end in "-a" and nine hex digits'
HELD: Final = "metadata.finalizers: a record goes when it is deleted; leave the finalizer out"
STATUS: Final = "the status of jobs and runs is what the operator saw; nobody else writes it"
EVENT: Final = {"id": "1", "source": "/eve", "type": "x"}
SCHEDULED: Final = manifests.scheduled("second", 29453761, "2026-01-01T00:01:00Z")
CANCEL: Final = {"spec": {"cancel": True}}
PHASE: Final = {"status": {"phase": "Succeeded"}}


def run(name: str = "new", job: str = "second", **trigger: object) -> Manifest:
    return manifests.run(name, job, **({"trigger": trigger} if trigger else {}))


def by_event(name: str, job: str = "second") -> Manifest:
    return run(name, job, type="Event", event=EVENT)


def follows(name: str) -> Manifest:
    return run(name, type="After", event=EVENT, upstreamRun="first-run", ancestors=["first"])


def marked(key: str, value: str | None) -> Manifest:
    return {"metadata": {"annotations": {key: value}}}


RIGHTS: Final = {
    "start a job": creates("ana", run(), spec={"trigger": {"by": "ana", "type": "Manual"}}),
    "start a job with the right on it": creates("tina", run()),
    "start a job without the right": creates("ed", run(), f"ed {RIGHT}second: it needs the verb"),
    "start a job with the right on another": creates("tina", run(job="busy"), f"{RIGHT}busy"),
    "start with the right to approve": creates("ada", run(job="busy"), f"{RIGHT}busy"),
    "cancel a run": updates("tina", "agentjobruns second-run", CANCEL),
    "cancel a run without the right": updates("ed", "agentjobruns second-run", CANCEL, RIGHT),
    "delete a run": deletes("tina", "agentjobruns second-run"),
    "delete a run without the right": deletes("ada", "agentjobruns second-run", RIGHT),
    "the operator starts": creates("the operator", SCHEDULED, spec={"trigger": {"by": None}}),
    "the operator deletes": deletes("the operator", "agentjobruns second-run"),
    "the controllers delete": deletes("the controllers", "agentjobruns second-run"),
    "the scheduler deletes": deletes("the scheduler", "agentjobruns second-run"),
    "the API server deletes": deletes("the API server", "agentjobruns second-run"),
    "the collector deletes": deletes("the collector", "agentjobruns second-held"),
    "a node deletes": deletes("a node", "agentjobruns second-run"),
}

TRIGGERS: Final = {
    "start as the schedule": creates("ana", SCHEDULED, f"Schedule {TYPE}"),
    "start as a chain": creates("ana", follows("new"), f"After {TYPE}"),
    "start by an event": creates("ana", by_event("new"), spec={"trigger": {"by": "ana"}}),
    "cancel what the schedule started": updates("tina", "agentjobruns second-29453760", CANCEL),
    "start in one's own name": creates("tina", run(by="tina")),
    "start in another's name": creates("tina", run(by="ana"), f"{BY}tina"),
    "start in the operator's name": creates("ana", run(by=ACCOUNT), f"{BY}ana"),
    "an account starts": creates("its own account", run()),
    "an account starts in another's name": creates("its own account", run(by="ana"), BY),
}

MARKED: Final = {
    "write a note": creates("ana", having(run(), annotations={"example.com/a": "1"})),
    "write a mark of the operator": creates(
        "ana", having(run(), annotations={"agentjobs.dev/started-as": "x"}), MARKS
    ),
    "add a note": updates("ana", "agentjobruns second-run", marked("example.com/b", "1")),
    "change a note": updates("ana", "agentjobruns second-run", marked("example.com/note", "2")),
    "remove a note": updates("ana", "agentjobruns second-run", marked("example.com/note", None)),
    "add a mark": updates("ana", "agentjobruns second-run", marked("agentjobs.dev/x", "1"), MARKS),
    "change a mark": updates(
        "ana", "agentjobruns second-run", marked("agentjobs.dev/started-as", "y"), MARKS
    ),
    "remove a mark": updates(
        "ana", "agentjobruns second-run", marked("agentjobs.dev/started-as", None), MARKS
    ),
    "remove every annotation": updates(
        "ana", "agentjobruns second-run", {"metadata": {"annotations": None}}, MARKS
    ),
    "mark a run that has none": updates(
        "ana", "agentjobruns second-held", marked("agentjobs.dev/x", "1"), MARKS
    ),
}

OWNED: Final = {
    "start with an owner that controls": creates(
        "ana", having(run(), ownerReferences=[OWNER]), OWNERS
    ),
    "start with an owner that does not": creates(
        "ana", having(run(), ownerReferences=[{**OWNER, "controller": False}])
    ),
    "start with an owner that says nothing": creates(
        "ana",
        having(run(), ownerReferences=[{k: v for k, v in OWNER.items() if k != "controller"}]),
    ),
    "give a run an owner": updates(
        "ana", "agentjobruns second-held", {"metadata": {"ownerReferences": [OWNER]}}, OWNERS
    ),
    "take a run from its owner": updates(
        "ana", "agentjobruns second-run", {"metadata": {"ownerReferences": None}}, OWNERS
    ),
    "change the owner of a run": updates(
        "ana",
        "agentjobruns second-run",
        {"metadata": {"ownerReferences": [{**OWNER, "controller": False}]}},
        OWNERS,
    ),
}

NAMES: Final = {
    "take the name of an event's run": creates("ana", run("second-e012345678"), EVENTS),
    "take it for another job": creates("ana", by_event("first-e012345678"), EVENTS),
    "take it for a job that ends so": creates("ana", by_event("x-second-e012345678"), EVENTS),
    "take it for a job that begins so": creates("ana", by_event("second-x-e012345678"), EVENTS),
    "an event's run": creates("tina", by_event("second-e012345678")),
    "a name that ends in ten digits": creates("ana", run("second-e0123456789")),
    "a name that ends in eight digits": creates("ana", run("second-e01234567")),
    "a name with such digits inside": creates("ana", run("second-e012345678-x")),
    "a name that ends in other letters": creates("ana", run("second-e01234567g")),
    "take the name of the run after": creates("ana", run("second-a012345678"), CHAINS),
    "take it by an event": creates("ana", by_event("second-a012345678"), CHAINS),
    "a name that is no run after": creates("ana", run("second-a01234567")),
    "a name with a run after inside": creates("ana", run("second-a012345678-x")),
    "cancel a run by an event": updates("ana", "agentjobruns second-e000000000", CANCEL),
    "cancel a run after another": updates("ana", "agentjobruns second-a000000000", CANCEL),
}

HOLDING: Final = {
    "hold a record": creates("ana", having(run(), finalizers=["example.com/stays"]), HELD),
    "hold it later": updates(
        "ana", "agentjobruns second-run", {"metadata": {"finalizers": ["example.com/b"]}}, HELD
    ),
    "hold it by one more": updates(
        "ana",
        "agentjobruns second-held",
        {"metadata": {"finalizers": ["example.com/a", "example.com/b"]}},
        HELD,
    ),
    "cancel what is held": updates("ana", "agentjobruns second-held", CANCEL),
    "let it go": updates("ana", "agentjobruns second-held", {"metadata": {"finalizers": None}}),
    "delete what is held": deletes("ana", "agentjobruns second-held"),
}

STATUSES: Final = {
    "write the status of a run": updates("ana", "agentjobruns/status second-run", PHASE, STATUS),
    "write the status of a job": updates(
        "ana", "scheduledagentjobs/status second", {"status": {"phase": "Paused"}}, STATUS
    ),
    "the controllers write a status": updates(
        "the controllers", "agentjobruns/status second-run", PHASE, STATUS
    ),
    "the operator writes a status": updates(
        "the operator", "agentjobruns/status second-run", PHASE
    ),
    "a deputy writes a status": updates("a deputy", "agentjobruns/status second-run", PHASE),
    "an administrator writes one": updates("root", "agentjobruns/status second-run", PHASE),
}

GROUPS: Final[tuple[dict[str, Request], ...]] = (
    RIGHTS,
    TRIGGERS,
    MARKED,
    OWNED,
    NAMES,
    HOLDING,
    STATUSES,
)
