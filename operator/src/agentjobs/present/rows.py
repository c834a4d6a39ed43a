"""What jobs and runs look like in a table, with a tone where a cell is good or bad news. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from agentjobs.api.kinds import FINAL_PHASES
from agentjobs.present.text import (
    NOTHING,
    Json,
    Line,
    Tone,
    at,
    between,
    named,
    one_line,
    visible,
    when,
)


@dataclass(frozen=True, slots=True)
class Column:
    """`value` gets the row and `now`, `tone` the value's text.

    A wide column shows only where there is room, or somebody asks for it.
    """

    title: str
    value: Callable[[Json, datetime], Line]
    wide: bool = False
    tone: Callable[[str], Tone] | None = None


STATUS: Final = {
    "Scheduled": "scheduled",
    "Running": "running",
    "Finished": "finished",
    "Failed": "failed",
    "Triggered": "triggered",
    "Paused": "paused",
    "Denied": "denied",
    "Invalid": "invalid",
    "Blocked": "blocked",
    "Idle": "idle",
    "PendingApproval": "waits for approval",
}
"""Phases in people's words."""
APPROVAL: Final = {"Approved": "approved", "Denied": "denied"}
_TONES: Final[dict[str, Tone]] = {
    "running": "active",
    "finished": "good",
    "succeeded": "good",
    "failed": "bad",
    "timed out": "bad",
    "invalid": "bad",
    "denied": "bad",
    "waits": "waiting",
    "waits for approval": "waiting",
    "change waits": "waiting",
    "packages wait": "waiting",
    "change denied": "bad",
    "change invalid": "bad",
    "spec invalid": "bad",
    "blocked": "bad",
    "paused": "quiet",
    "skipped": "waiting",
    "missed": "waiting",
    "cancelled": "waiting",
}
T = TypeVar("T", bound=Json)

RUN_PHASES: Final = {"TimedOut": "timed out"}
FINAL: Final = frozenset(FINAL_PHASES)
"""Phases in which a run stays."""
ERROR_WIDTH: Final = 48
PLAIN: Final = frozenset({"InvalidSpec", "Suspended", "NoSchedule"})
"""Reasons that the phase says by itself."""
TOLD_ELSEWHERE: Final = frozenset({"Failed", "Denied", "PendingApproval"})
"""Phases whose reason stands in another column."""
UNDECIDABLE: Final = frozenset(
    {"InvalidSpec", "SourceMissing", "SourceNotLabelled", "SourceInvalid"}
)
"""Reasons of Approved with which there is nothing to decide about."""


def tone_of(word: str) -> Tone:
    """Of a status or an approval in words."""
    return _TONES.get(word.partition(": ")[0], "")


def status(job: Json) -> Line:
    """The job in a word or two, with the reason where that is news."""
    phase, reason = at(job, "status", "phase"), at(job, "status", "reason")
    if not phase:
        return visible("not seen yet")
    word = STATUS.get(phase) or str(phase).lower()
    is_news = reason and reason not in PLAIN and phase not in TOLD_ELSEWHERE
    return one_line(f"{word}: {reason}" if is_news else word)


def approval(job: Json) -> Line:
    """Whether the spec as it is may run, and what becomes of a change."""
    state, reason = at(job, "status", "approval", "state"), _reason(job, "Approved")
    if state not in ("Pending", "Changed"):
        return one_line(APPROVAL.get(state, state))
    changed = state == "Changed"
    if reason in UNDECIDABLE:
        return one_line("change invalid" if changed else "spec invalid")
    if changed:
        return one_line("change denied" if _change_is_denied(job) else "change waits")
    return one_line("packages wait" if reason == "Approved" else "waits")


def schedule(job: Json) -> Line:
    """Of what runs, to which the next start belongs; and of a change that waits.

    An older operator tells only that of the card.
    """
    told = at(job, "status", "schedule") or at(job, "status", "card", "schedule")
    waiting = at(job, "status", "waiting")
    return one_line(f"{told}; change waits: {waiting}" if waiting else told)


def next_run(job: Json, now: datetime) -> Line:
    """When it starts by itself."""
    start = at(job, "status", "nextRunAt")
    never = not start and _reason(job, "Scheduled") in ("NeverDue", "Past")
    return visible("never") if never else when(start, now)


def _reason(job: Json, kind: str) -> str:
    told = (
        str(each.get("reason"))
        for each in at(job, "status", "conditions") or ()
        if each.get("type") == kind
    )
    return next(told, "")


def _change_is_denied(job: Json) -> bool:
    reasons = _reason(job, "Approved"), _reason(job, "PackagesApproved")
    return reasons[0] == "Denied" or reasons[1] == "PackageDenied"


def waits(job: Json) -> bool:
    """Whether somebody has to decide about it.

    A change that was denied has been decided about, while what runs is another content.
    """
    denied = any(
        condition["type"] == "Approved" and condition["reason"] == "Denied"
        for condition in at(job, "status", "conditions") or ()
    )
    return (
        not denied
        and at(job, "status", "approval", "state") in ("Pending", "Changed")
        and bool(at(job, "status", "card", "digest"))
    )


def _of(*path: str) -> Column:
    return Column(path[-1].upper(), lambda job, _: one_line(at(job, *path)))


def _count(job: Json, field: str) -> Line:
    return one_line(at(job, "status", field) or "0")


def _last_error(job: Json) -> Line:
    return one_line(at(job, "status", "lastError"), ERROR_WIDTH)


def _short(digest: object) -> Line:
    return one_line(str(digest or "")[:10])


def _bad(text: str) -> Tone:
    return "" if text == NOTHING else "bad"


NAMESPACE: Final = Column("NAMESPACE", lambda job, _: one_line(at(job, "metadata", "namespace")))
JOBS: Final = (
    Column("NAME", lambda job, _: one_line(at(job, "metadata", "name"))),
    Column("STATUS", lambda job, _: status(job), tone=tone_of),
    Column("APPROVAL", lambda job, _: approval(job), tone=tone_of),
    Column("SCHEDULE", lambda job, _: schedule(job)),
    Column("LAST RUN", lambda job, now: when(at(job, "status", "lastRunAt"), now)),
    Column("NEXT RUN", next_run),
    Column("RUNS", lambda job, _: _count(job, "runCount")),
    Column("LAST ERROR", lambda job, _: _last_error(job), tone=_bad),
    Column("STARTED", lambda job, now: when(at(job, "status", "startedAt"), now), wide=True),
    Column("FAILED", lambda job, _: _count(job, "failureCount"), wide=True),
    Column("SESSION", lambda job, _: one_line(at(job, "status", "card", "session")), wide=True),
    Column("DIGEST", lambda job, _: _short(at(job, "status", "card", "digest")), wide=True),
    Column("DESCRIPTION", lambda job, _: one_line(at(job, "spec", "description"), 72), wide=True),
)


def run_status(run: Json) -> Line:
    """A run's phase in words."""
    phase = at(run, "status", "phase") or "Pending"
    return one_line(RUN_PHASES.get(phase) or str(phase).lower())


def _exit_code(run: Json) -> Line:
    code = at(run, "status", "exitCode")
    return NOTHING if code is None else one_line(code)


def _trigger(run: Json) -> Line:
    return one_line(str(at(run, "spec", "trigger", "type") or "Manual").lower())


def _took(run: Json) -> Line:
    return between(at(run, "status", "startedAt"), at(run, "status", "finishedAt"))


def _message(run: Json) -> Line:
    return one_line(at(run, "status", "message"))


RUNS: Final = (
    Column("RUN", lambda run, _: one_line(at(run, "metadata", "name"))),
    Column("STATUS", lambda run, _: run_status(run), tone=tone_of),
    Column("REASON", lambda run, _: one_line(at(run, "status", "reason"))),
    Column("EXIT", lambda run, _: _exit_code(run)),
    Column("TRIGGER", lambda run, _: _trigger(run)),
    Column("STARTED", lambda run, now: when(_moment(run), now)),
    Column("TOOK", lambda run, _: _took(run)),
    Column("BY", lambda run, _: named(at(run, "spec", "trigger", "by")), wide=True),
    Column("DIGEST", lambda run, _: _short(at(run, "status", "digest")), wide=True),
    Column("MESSAGE", lambda run, _: _message(run), wide=True),
)


PACKAGE_TONES: Final[dict[str, Tone]] = {
    "in the runner image": "good",
    "approved": "good",
    "denied": "bad",
    "needs approval": "waiting",
}
PACKAGES: Final = (
    Column("PACKAGE", lambda row, _: one_line(row["package"])),
    Column(
        "STATUS",
        lambda row, _: one_line(row["status"]),
        tone=lambda text: PACKAGE_TONES.get(text, ""),
    ),
    Column("JOBS", lambda row, _: one_line(", ".join(row["jobs"]))),
    Column("DECIDED BY", lambda row, _: named(", ".join(row["by"]))),
    Column("DECISIONS", lambda row, _: one_line(", ".join(row["decisions"])), wide=True),
)
"""Of the rows that `package_rows` makes."""


def _moment(run: Json) -> str:
    """When it started; of a start that became no run, when it was due."""
    found = (
        at(run, "status", "startedAt")
        or at(run, "spec", "trigger", "scheduledAt")
        or at(run, "metadata", "creationTimestamp")
    )
    return str(found or "")


def newest_first(runs: Iterable[T]) -> list[T]:
    """By the moment that a reader looks for."""

    def moment_and_name(run: T) -> tuple[float, str]:
        return _time(_moment(run)), str(at(run, "metadata", "name"))

    return sorted(runs, key=moment_and_name, reverse=True)


def _time(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp() if text else 0.0
    except (ValueError, OverflowError):
        return 0.0
