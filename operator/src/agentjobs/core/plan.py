"""What a reconcile decides, as values: writes, their order, and what depends on what."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal

Kind = Literal[
    "job",
    "run",
    "approval",
    "packageapproval",
    "cronjob",
    "batchjob",
    "revision",
    "claim",
    "event",
    "lease",
    "whoami",
    "may",
]
"""By the short names of `api.kinds`."""

Verb = Literal["create", "replace", "patch", "delete"]
PATCH: Final = "merge"
"""How every patch of ours is meant: RFC 7386."""


class Stage(IntEnum):
    """What a write is for, in a plan's order: ending something comes before beginning something."""

    STOP = 0
    """Stops a Job or suspends a CronJob."""
    RECORD = 1
    """Records what became of runs."""
    START = 2
    """Writes what was decided about runs that wait."""
    CREATE = 3
    """Brings into force what is approved."""
    TELL = 4
    """Answers the job's author."""
    KEEP = 5
    """Deletes what is no longer kept."""


@dataclass(frozen=True, slots=True)
class Write:
    """One request that changes the cluster.

    Safe to repeat: names are deterministic and preconditions are in the body. Only what a person
    asks for may have a name that the API server completes; `name` is then its beginning.

    `uid` and `resource_version` are a delete's preconditions. `expendable`: an answer of 409 or 404
    is as good as success. `strand`: after a failure the later writes of the same strand are left
    out; `needs`: so are those that need the strand. All others of the plan go on.
    """

    verb: Verb
    kind: Kind
    name: str
    why: str
    body: Mapping[str, Any] | None = None
    subresource: Literal["", "status"] = ""
    uid: str | None = None
    resource_version: str | None = None
    expendable: bool = False
    stage: Stage = Stage.KEEP
    strand: str = ""
    needs: frozenset[str] = frozenset()

    @property
    def sent(self) -> Mapping[str, Any] | None:
        """The request's body: of a delete, its options with the preconditions."""
        if self.verb != "delete":
            return self.body
        preconditions = {"uid": self.uid, "resourceVersion": self.resource_version}
        return {
            "propagationPolicy": "Background",
            "preconditions": {name: value for name, value in preconditions.items() if value},
        }

    @property
    def target(self) -> str:
        """What the write does to which object, for people and as a key."""
        return f"{self.verb} {self.kind} {self.name}"

    def held_back_by(self, failed: AbstractSet[str]) -> bool:
        """Whether the write depends on one of these strands."""
        return bool(failed & {self.strand, *self.needs})


CONTENT: Final = "content"
"""The strand of what brings a content into force: a CronJob comes after its revision."""
STATUS: Final = "status"
"""The strand of the job's status, where it counts runs: their final phase comes after it."""
ANSWER: Final = "answer"
"""The strand of the job's status, where it only answers."""


def run_strand(run: str) -> str:
    """The strand of one run: its writes stay in order, and do not wait for those of other runs."""
    return f"run/{run}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, in this order, and the seconds to the next look (None: at the next event)."""

    writes: tuple[Write, ...] = ()
    requeue_after: float | None = None

    @property
    def may_start_something(self) -> bool:
        """Whether a write could start something. Some of these writes end something instead."""
        return any(
            write.kind in ("cronjob", "batchjob") and write.verb != "delete"
            for write in self.writes
        )
