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
TELL_AFTER: Final = 5
"""Conflicts in a row after which the job reports them.

A single one goes away when the object is read again.

After as many failures an Event is given up, so that it does not hold back a record forever."""
AT_MOST: Final = 3
"""Sentences reported at once."""


@dataclass(frozen=True, slots=True)
class Known:
    """How often a write failed in a row, and what the server answered, if it did.

    `reason` is one of the condition Ready.
    """

    times: int = 0
    reason: str = ""
    message: str = ""


NOTHING: Final = Known()


@dataclass
class Pass:
    """What became of the writes of one plan."""

    before: dict[str, Known]
    now: dict[str, Known] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)

    def failed(self, write: Write, error: ClusterError) -> int:
        """Notes a failure; returns how many there were in a row.

        A server that does not answer is not reported to the job's author.
        """
        self.tried.add(write.target)
        times = self.before.get(write.target, NOTHING).times + 1
        if isinstance(error, Refused):
            times = TELL_AFTER
        answered = isinstance(error, (Refused, Conflict, NotFound))
        reason = "NameTaken" if isinstance(error, NameTaken) else "ClusterRefused"
        self.now[write.target] = Known(
            min(times, TELL_AFTER), reason, str(error) if answered else ""
        )
        return times

    def left_out(self, write: Write) -> None:
        """Notes that a write was left out: what was known about it before stays."""
        self.tried.add(write.target)
        if write.target in self.before:
            self.now[write.target] = self.before[write.target]

    def succeeded(self, write: Write) -> None:
        """Notes a success: the refusal is over."""
        self.tried.add(write.target)
        self.now.pop(write.target, None)

    def news(self) -> bool:
        """Whether the report differs from before, as far as the plan has been carried out."""
        rest = {key: known for key, known in self.before.items() if key not in self.tried}
        return differs(self.before, {**rest, **self.now})


def told(known: dict[str, Known]) -> tuple[tuple[str, str], ...]:
    """The reasons and sentences to report, in a fixed order."""
    found = {
        (one.reason, one.message)
        for one in known.values()
        if one.message and one.times >= TELL_AFTER
    }
    return tuple(sorted(found)[:AT_MOST])


def differs(before: dict[str, Known], now: dict[str, Known]) -> bool:
    """Whether something else is to be reported.

    New words alone are not news, since a server may put the time into them.
    """

    def what(known: dict[str, Known]) -> set[tuple[str, str]]:
        return {(target, one.reason) for target, one in known.items() if told({target: one})}

    return what(before) != what(now) and told(before) != told(now)


class Refusals:
    """The refusals of all jobs. They belong to one process: the next leader finds out by itself."""

    def __init__(self) -> None:
        self._known: dict[Key, dict[str, Known]] = {}

    def of(self, key: Key) -> tuple[tuple[str, str], ...]:
        """What the job is to report."""
        return told(self._known.get(key, {}))

    def begin(self, key: Key) -> Pass:
        """Call before a plan of this job is carried out."""
        return Pass(self._known.get(key, {}))

    def end(self, key: Key, done: Pass) -> bool:
        """Keeps what became of a plan; returns whether something else is to be reported now."""
        if done.now:
            self._known[key] = done.now
        else:
            self._known.pop(key, None)
        return differs(done.before, done.now)
