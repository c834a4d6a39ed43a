"""The name of every object that this project makes, and the marks by which it is recognised.

Light to import: the command line needs names before it needs models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from agentjobs.api import names
from agentjobs.core import timestamps
from agentjobs.core.views.event_digits import digits

if TYPE_CHECKING:
    from agentjobs.api.event import Event
    from agentjobs.core.views.job import JobView

Manifest = dict[str, Any]
DECISION_DIGITS: Final = 16
"""Of a digest, in the name of a decision.

Finding another content with the same ones takes years, and it gets another name all the same."""
PACKAGE_DECISIONS: Final = "packages-"
"""How the name of a decision about packages begins; the API server makes up the rest."""


def revision_name(job: str, digest: str) -> str:
    """The ConfigMap that holds one approved content: at most 117 characters.

    It has all digits of the digest: it is feasible to make two contents whose first ten digits are
    the same.
    """
    return f"{job}-{digest}"


def older_revision_name(job: str, digest: str) -> str:
    """The name that revisions had at first, with ten digits.

    Such a revision stays in use, and so does its resolution of packages.
    """
    return f"{job}-{digest[:10]}"


def resolution_name(revision: str) -> str:
    """The ConfigMap that holds the first resolution of a revision."""
    return f"{revision}-packages"


def claim_name(job: str) -> str:
    """The PersistentVolumeClaim that holds a job's session: at most 60 characters."""
    return f"{job}-session"


def start_of(run_name: str) -> datetime | None:
    """The start of a CronJob's Job: its name ends in minutes since 1970 (kubernetes#96498)."""
    minutes = run_name.rpartition("-")[2]
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) >= 8):
        return None
    if int(minutes) * 60 >= timestamps.END.timestamp():
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(minutes=int(minutes))


def run_of_start(job: str, start: datetime) -> str:
    """The name of the run of a scheduled start; `start_of` reads it back."""
    return f"{job}-{int(start.timestamp()) // 60}"


def decision_name(job: str, digest: str, decision: str) -> str:
    """The AgentJobApproval that says this of a content: at most 79 characters.

    The same decision has the same name, so it is written once.
    """
    return f"{job}-{digest[:DECISION_DIGITS]}-{decision.lower()}"


def generated(name: str) -> str:
    """How a name begins that the API server completes, for example of a run by hand."""
    return f"{name}-"


def run_of_event(job: str, event_digits: str) -> str:
    """The one name of the run that an event starts: the API server takes no second object of it."""
    return f"{job}-e{event_digits}"


def runs_of_chain(job: str, event: Event) -> Iterator[str]:
    """The names that a following run may have; it gets the first free one.

    Only the operator may create runs with these names.

    An event's run has an `e` there: anyone who may start the job could have taken that name before.
    """
    return (f"{job}-a{digits(event.source, event.id, number)}" for number in count())


def kube_event_name(job: JobView, about: str) -> str:
    """The Event on this step of a job: the same step has the same name."""
    return f"{job.name}." + hashlib.sha256(f"{job.uid}/{about}".encode()).hexdigest()[:16]


def labels(job: str) -> dict[str, str]:
    """The labels of every object that the operator makes for a job."""
    return {names.JOB_LABEL: job, names.MANAGED_BY_LABEL: names.MANAGED_BY}


def owned_by(job: JobView) -> list[Manifest]:
    """The job as controller: garbage collection removes what it owns.

    Deleting the job never waits for that.
    """
    return [
        {
            "apiVersion": names.API_VERSION,
            "kind": names.JOB_KIND,
            "name": job.name,
            "uid": job.uid,
            "controller": True,
        }
    ]
