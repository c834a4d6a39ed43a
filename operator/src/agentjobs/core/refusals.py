"""Remembers what the cluster refuses, by job.

So the job reports it until it is over, but not every single failure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from agentjobs.core.errors import ClusterError, Conflict, NameTaken, NotFound, Refused
from agentjobs.core.plan import Write

Key = tuple[str, str]
"""Namespace and name of a job."""
REPORT_AFTER: Final = 5
"""Conflicts in a row after which the job reports them.

A single one goes away when the object is read again.

After as many failures an Event is given up, so that it does not hold back a record forever."""
MAX_REPORTED: Final = 3
"""Sentences reported at once."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How often a write failed in a row, and what the server answered, if it did.

    `reason` is one of the condition Ready.
    """

    times: int = 0
    reason: str = ""
    message: str = ""


NONE_YET: Final = Failure()


@dataclass
class Pass:
    """What became of the writes of one plan."""

    before: dict[str, Failure]
    now: dict[str, Failure] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)

    def failed(self, write: Write, error: ClusterError) -> int:
        """Notes a failure; returns how many there were in a row.

        A server that does not answer is not reported to the job's author.
        """
        self.tried.add(write.target)
        times = self.before.get(write.target, NONE_YET).times + 1
        if isinstance(error, Refused):
            times = REPORT_AFTER
        answered = isinstance(error, (Refused, Conflict, NotFound))
        reason = "NameTaken" if isinstance(error, NameTaken) else "ClusterRefused"
        self.now[write.target] = Failure(
            min(times, REPORT_AFTER), reason, str(error) if answered else ""
        )
        return times

    def left_out(self, write: Write) -> None:
        """Notes that a write was left out: what was noted about it before stays."""
        self.tried.add(write.target)
        if write.target in self.before:
            self.now[write.target] = self.before[write.target]

    def succeeded(self, write: Write) -> None:
        """Notes a success: the refusal is over."""
        self.tried.add(write.target)
        self.now.pop(write.target, None)

    def changed(self) -> bool:
        """Whether the report differs from before, as far as the plan has been carried out."""
        rest = {key: one for key, one in self.before.items() if key not in self.tried}
        return differs(self.before, {**rest, **self.now})


def reports(failures: dict[str, Failure]) -> tuple[tuple[str, str], ...]:
    """The reasons and sentences to report, in a fixed order."""
    found = {
        (one.reason, one.message)
        for one in failures.values()
        if one.message and one.times >= REPORT_AFTER
    }
    return tuple(sorted(found)[:MAX_REPORTED])


def differs(before: dict[str, Failure], now: dict[str, Failure]) -> bool:
    """Whether something else is to be reported.

    New words alone are not news, since a server may put the time into them.
    """

    def what(failures: dict[str, Failure]) -> set[tuple[str, str]]:
        return {(target, one.reason) for target, one in failures.items() if reports({target: one})}

    return what(before) != what(now) and reports(before) != reports(now)


class Refusals:
    """The refusals of all jobs. They belong to one process: the next leader finds out by itself."""

    def __init__(self) -> None:
        self._failures: dict[Key, dict[str, Failure]] = {}

    def of(self, key: Key) -> tuple[tuple[str, str], ...]:
        """What the job is to report."""
        return reports(self._failures.get(key, {}))

    def begin(self, key: Key) -> Pass:
        """Call before a plan of this job is carried out."""
        return Pass(self._failures.get(key, {}))

    def end(self, key: Key, done: Pass) -> bool:
        """Keeps what became of a plan; returns whether something else is to be reported now."""
        if done.now:
            self._failures[key] = done.now
        else:
            self._failures.pop(key, None)
        return differs(done.before, done.now)
