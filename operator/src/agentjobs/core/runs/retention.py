"""Decides which records go, which keep only their output's end, and which outlive their job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from agentjobs.api.job import History
from agentjobs.core import naming
from agentjobs.core.observed import Observed
from agentjobs.core.plan import Write
from agentjobs.core.runs.history import TAIL_BYTES
from agentjobs.core.views.run import FAILURES, NEVER_BEGAN, FinishedRun
from agentjobs.core.wire.bodies import SIZE
from agentjobs.core.wire.weight import weight
from agentjobs.core.workload.settings import Budgets

RECORD_BYTES: Final = 2048
"""What a record takes in etcd at least, besides its output."""
SHORT_BYTES: Final = 2 * (TAIL_BYTES + 64)
"""The most output that a shortened record keeps.

It is the end of both streams, each below a line that counts what went."""
AT_ONCE: Final = 20
READ_AT_ONCE: Final = 5
"""Records read in one pass to shorten them: half a megabyte, which is forgotten at once."""


def size(run: FinishedRun) -> int:
    """How many bytes a record counts in the budgets."""
    return max(run.stored_bytes, RECORD_BYTES + run.output_bytes)


def allowance(stored: Mapping[str, int], budgets: Budgets) -> int:
    """How many bytes a namespace may keep.

    Where all together exceed the cluster's budget, the largest shrink to the same size.
    """
    sizes = sorted(min(count, budgets.namespace) for count in stored.values())
    left = budgets.cluster
    for index, count in enumerate(sizes):
        share = left // (len(sizes) - index)
        if count > share:
            return share
        left -= count
    return budgets.namespace


def over_budget(
    runs: Iterable[FinishedRun], budget: int, jobs: Iterable[str]
) -> tuple[FinishedRun, ...]:
    """The finished runs of a namespace that go, in order, so that the rest fit into `budget` bytes.

    First those of no job in `jobs`, then those that never began, since anyone who may start a job
    can make any number of them. Failures go last, and within each group the oldest go first. The
    order does not depend on what else there is: reconciles of several jobs, each with a view of its
    own moment, take the same records. The newest record of a job always stays: somebody may be
    waiting for that report.
    """
    ordered = sorted(runs, key=lambda run: (run.finished, run.name))
    living = set(jobs)
    newest = {run.job: run.uid for run in ordered if run.job in living}
    excess = sum(map(size, ordered)) - budget
    gone: list[FinishedRun] = []
    for run in sorted(ordered, key=lambda run: (run.job in living, _worth(run))):
        if excess > 0 and newest.get(run.job) != run.uid:
            gone.append(run)
            excess -= size(run)
    return tuple(gone)


def _worth(run: FinishedRun) -> int:
    if run.phase in NEVER_BEGAN:
        return 0
    return 2 if run.phase in FAILURES else 1


def to_shorten(runs: Iterable[FinishedRun], history: History) -> tuple[FinishedRun, ...]:
    """The runs of one job whose whole output is no longer kept, newest first."""
    ran = sorted(
        (run for run in runs if run.phase not in NEVER_BEGAN),
        key=lambda run: (run.finished, run.name),
        reverse=True,
    )
    failed = next((run for run in ran if run.phase in FAILURES), None)
    return tuple(
        run for run in ran[history.outputs :] if run.output_bytes > SHORT_BYTES and run != failed
    )


def to_read(observed: Observed) -> tuple[FinishedRun, ...]:
    """The runs of `to_shorten` to read now, except those that are deleted anyway."""
    spec = observed.job.spec
    if spec is None:
        return ()
    gone = {run.uid for run in _gone(observed)}
    long = to_shorten(observed.finished, spec.history)
    return tuple(islice((run for run in long if run.uid not in gone), READ_AT_ONCE))


def shortened(body: Mapping[str, Any]) -> Write:
    """Reduces a record to the end of its output.

    It says so, and counts what went; bytes that were not UTF-8 count as they were shown.
    """
    status: dict[str, Any] = {"outputTrimmed": True, "outputBytes": 0}
    for stream in ("stdout", "stderr"):
        whole, count = body["status"].get(stream) or "", f"{stream}DroppedBytes"
        text, dropped = _end(whole, body["status"].get(count))
        status |= {stream: text, count: dropped}
        status["outputBytes"] += len(text.encode())
    before = {name: text for name, text in body["status"].items() if name in status}
    status["storedBytes"] = max(0, body.get(SIZE, 0) - weight(before)) + weight(status)
    metadata = {key: body["metadata"][key] for key in ("uid", "resourceVersion")}
    name, why = body["metadata"]["name"], "only newer runs keep their whole output"
    patch = {"metadata": metadata, "status": status}
    return Write("patch", "run", name, why, patch, "status", expendable=True)


def _end(text: str, dropped: int | None) -> tuple[str, int | None]:
    data = text.encode()
    if len(data) <= TAIL_BYTES:
        return text, dropped
    end = data[-TAIL_BYTES:].decode(errors="ignore")
    marker = f"\n[agentjobs: {dropped} bytes dropped here]\n"
    ours = len(marker) if marker in text else 0
    total = (dropped or 0) + len(data) - ours - len(end.encode())
    return f"[agentjobs: {total} bytes dropped here]\n{end}", total


def writes(observed: Observed) -> Iterable[Write]:
    """Every write that retention asks for.

    Level-triggered: what `spec.history` says now holds for all existing records.
    """
    gone = _gone(observed)
    yield from deletions(gone)
    yield from observed.shortened
    yield from islice(_owners(observed, {run.uid for run in gone}), AT_ONCE)


def deletions(runs: Iterable[FinishedRun]) -> Iterable[Write]:
    """Deletes these records."""
    for run in runs:
        why = "the history or a budget has no room for it"
        yield Write("delete", "run", run.name, why, uid=run.uid, expendable=True)


def next_look(observed: Observed) -> Iterable[float]:
    """0 where one pass may not suffice: finished runs cause no watch events to bring another."""
    owners = sum(1 for _ in islice(_owners(observed, set()), AT_ONCE))
    if len(observed.shortened) == READ_AT_ONCE or AT_ONCE in (len(observed.over_budget), owners):
        yield 0


def _gone(observed: Observed) -> tuple[FinishedRun, ...]:
    spec = observed.job.spec
    beyond = surplus(observed.finished, spec.history) if spec else ()
    return tuple(dict.fromkeys((*beyond, *observed.over_budget)))


def _owners(observed: Observed, gone: set[str]) -> Iterable[Write]:
    """Sets or removes owners, with which records go.

    One without is from an earlier job of the name, or from when records were to stay.
    """
    job = observed.job
    if job.spec is None:
        return
    stays = job.spec.history.keep_after_delete
    for run in observed.finished:
        if run.uid not in gone and run.owner_uid == (job.uid if stays else None):
            owners = None if stays else naming.owned_by(job)
            body = {"metadata": {"uid": run.uid, "ownerReferences": owners}}
            why = "it stays when its job is deleted" if stays else "it is deleted with its job"
            yield Write("patch", "run", run.name, why, body, expendable=True)


def _kept_with(phase: str) -> str:
    if phase in NEVER_BEGAN:
        return "Skipped"
    return phase if phase == "Succeeded" else "Failed"


def surplus(runs: Iterable[FinishedRun], history: History) -> tuple[FinishedRun, ...]:
    """The finished runs of one job beyond what its history keeps, oldest first.

    Skipped ones are counted separately.
    """
    limits = {"Succeeded": history.successful, "Failed": history.failed, "Skipped": history.failed}
    gone: list[FinishedRun] = []
    newest_first = sorted(runs, key=lambda run: (run.finished, run.name), reverse=True)
    for kind, limit in limits.items():
        gone += [run for run in newest_first if _kept_with(run.phase) == kind][limit:]
    return tuple(sorted(gone, key=lambda run: (run.finished, run.name)))
