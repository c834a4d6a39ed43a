"""Which records go, which are shortened, and which stay when their job goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.api.job import History
from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.core.observed import Observed
from agentjobs.core.runs import retention
from agentjobs.core.runs.retention import SHORT_BYTES, size
from agentjobs.core.runs.writes import final, skipped
from agentjobs.core.views.job import job_view
from agentjobs.core.views.run import FinishedRun, run_view
from agentjobs.core.wire.bodies import SIZE, read, sized, slim
from agentjobs.core.wire.weight import weight
from agentjobs.core.workload.settings import Budgets
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.caches.finished import finished_rows
from tests.support import manifests
from tests.support.stored import as_go_writes_it

NOW: Final = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ORDER: Final = ("Skipped", "Succeeded", "Failed")
OUTCOMES = st.sampled_from(ORDER)


def finished(
    number: int,
    phase: str = "Succeeded",
    output: int = 10,
    job: str = "report",
    owner: str | None = None,
) -> FinishedRun:
    return FinishedRun(
        "ns",
        f"{job}-{number}",
        f"{job}-uid-{number}",
        job,
        phase,
        f"2026-11-{number:02d}T00:00:00Z",
        output,
        owner,
    )


def names(runs: tuple[FinishedRun, ...]) -> list[str]:
    return [run.name for run in runs]


@given(
    st.lists(
        st.tuples(st.integers(1, 28), st.sampled_from("abcd"), st.integers(0, 9000), OUTCOMES),
        unique_by=lambda t: t[:2],
    ),
    st.integers(0, 90_000),
)
def test_the_budget_takes_the_least_missed_and_leaves_each_jobs_newest(
    rows: list[tuple[int, str, int, str]], budget: int
) -> None:
    runs = [finished(day, phase, output, job) for day, job, output, phase in rows]
    gone = retention.over_budget(runs, budget, "abc")
    kept = [run for run in runs if run not in gone]
    assert {run.job for run in runs} - {"d"} <= {run.job for run in kept}
    newest = {run.job: run for run in sorted(runs, key=lambda run: run.finished) if run.job != "d"}
    removable = [run for run in kept if run not in newest.values()]
    assert sum(map(size, kept)) <= budget or not removable
    assert not gone or sum(map(size, [*kept, gone[-1]])) > budget, "no more is taken than has to be"

    def rank(run: FinishedRun) -> tuple[bool, int, str]:
        return run.job != "d", ORDER.index(run.phase), run.finished

    assert not gone or all(rank(run) >= max(map(rank, gone)) for run in removable)
    fewer = retention.over_budget(runs, budget + 10_000, "abc")
    assert set(fewer) <= set(gone), "two views of one moment take the same"


@pytest.mark.parametrize("job", ["none", "theirs"])
def test_whoever_floods_a_job_takes_no_record_of_another(job: str) -> None:
    """With runs that start nothing and carry the largest of events.

    They are in the name of no job, or of one that their author may start.
    """
    quiet = [
        finished(day, phase, 10_000, "quiet")
        for day, phase in ((1, "Succeeded"), (2, "Failed"), (3, "Succeeded"))
    ]
    theirs = [finished(day, "Succeeded", 10_000, "theirs") for day in (4, 5, 6)]
    flood = [
        replace(
            finished(7, "Skipped", 0, job),
            uid=str(number),
            name=str(number),
            stored_bytes=1_400_000,
        )
        for number in range(75)
    ]
    gone = retention.over_budget([*quiet, *theirs, *flood], 10_000_000, ["quiet", "theirs"])
    assert {(run.job, run.phase) for run in gone} == {(job, "Skipped")}


@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 5000)),
    st.integers(1, 3000),
    st.integers(1, 9000),
)
def test_all_fits_within_the_allowance_and_small_namespaces_lose_nothing(
    stored: dict[str, int], most: int, cluster: int
) -> None:
    allowed = retention.allowance(stored, Budgets(most, cluster))
    assert allowed <= most
    left = [min(count, allowed) for count in stored.values()]
    assert sum(left) <= cluster
    if allowed < most:
        assert sum(left) > cluster - len(stored), "no more is taken than has to be"


def test_the_newest_runs_and_the_newest_failure_keep_their_whole_output() -> None:
    loud = SHORT_BYTES + 1
    runs = [
        finished(1, "Failed", loud),
        finished(2, "TimedOut", loud),
        finished(3, output=loud),
        finished(4, output=SHORT_BYTES),
    ]
    runs += [finished(5, output=loud), finished(6, output=loud), finished(7, "Skipped")]
    assert names(retention.to_shorten(runs, History(outputs=2))) == ["report-3", "report-1"]
    assert retention.to_shorten(runs, History(outputs=6)) == ()


def record(stdout: str, stderr: str, **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "run", "uid": "u", "resourceVersion": "7"},
        "status": {"stdout": stdout, "stderr": stderr, **more},
    }


def test_a_shortened_record_says_what_went_and_is_shortened_once() -> None:
    head, tail = "é" * 12_800, "ü" * 12_800
    body = record(
        f"{head}\n[agentjobs: 1000 bytes dropped here]\n{tail}",
        "short",
        stdoutDroppedBytes=1000,
        stderrDroppedBytes=0,
    )
    write = retention.shortened(body)
    assert write.body is not None
    assert write.body["metadata"] == {"uid": "u", "resourceVersion": "7"}
    dropped = 1000 + 51_200 - 2048
    stdout = f"[agentjobs: {dropped} bytes dropped here]\n" + "ü" * 1024
    assert write.body["status"] == {
        "outputTrimmed": True,
        "outputBytes": len(stdout.encode()) + 5,
        "storedBytes": write.body["status"]["storedBytes"],
        "stdout": stdout,
        "stdoutDroppedBytes": dropped,
        "stderr": "short",
        "stderrDroppedBytes": 0,
    }
    assert write.body["status"]["outputBytes"] <= SHORT_BYTES


def test_a_record_with_a_large_event_counts_with_it() -> None:
    event = {"id": "1", "source": "/shop", "type": "a.b", "data": {"text": "<" * 20_000}}
    body = manifests.run("now", "report", trigger={"type": "Event", "event": event})
    body["metadata"] |= {
        "namespace": "ns",
        "uid": "u",
        "resourceVersion": "7",
        "creationTimestamp": "2026-11-22T08:00:00Z",
    }
    text = as_go_writes_it(body).encode()
    view = run_view(slim("agentjobruns", sized(read(text), text)))
    write = final(view, skipped("NoTrigger", "none takes it", NOW))
    stored = dict(write.body or {})["status"]["storedBytes"]
    assert 120_000 < len(text) < stored < len(text) + 1000
    row = {
        "cells": ["report", "Skipped", None, 0, stored],
        "object": {"metadata": body["metadata"]},
    }
    columns = [
        {"name": name} for name in ("Job", "Phase", "Finished", "Output Bytes", "Stored Bytes")
    ]
    ((told, _),) = finished_rows({"columnDefinitions": columns, "rows": [row]}, Cache().finished)
    assert size(told) == stored


@given(st.text(max_size=9000), st.text(max_size=9000), st.integers(0, 5000))
def test_a_shortened_record_counts_what_is_left_of_it(
    stdout: str, stderr: str, beside: int
) -> None:
    body = record(stdout, stderr)
    whole = beside + weight(body["status"])
    write = retention.shortened(body | {SIZE: whole})
    status = dict(write.body or {})["status"]
    assert status["storedBytes"] <= whole + 200
    assert abs(status["storedBytes"] - beside - weight({**body["status"], **status})) < 100


@given(st.text(max_size=3000), st.text(max_size=3000))
def test_whatever_was_printed_what_is_left_needs_no_second_look(stdout: str, stderr: str) -> None:
    write = retention.shortened(
        record(stdout * 3, stderr * 3, stdoutDroppedBytes=0, stderrDroppedBytes=0)
    )
    assert write.body is not None
    status = write.body["status"]
    assert status["outputBytes"] <= SHORT_BYTES
    for stream, text in (("stdout", stdout * 3), ("stderr", stderr * 3)):
        dropped = status[f"{stream}DroppedBytes"]
        kept = (
            status[stream].removeprefix(f"[agentjobs: {dropped} bytes dropped here]\n")
            if dropped
            else status[stream]
        )
        assert len(kept.encode()) + dropped == len(text.encode())
        assert text.endswith(kept)


@pytest.mark.parametrize(
    ("stays", "changed"),
    [(False, {"report-2": True}), (True, {"report-1": False})],
    ids=[
        "a record without an owner goes with the job from now on",
        "an owned record stays from now on",
    ],
)
def test_owners_follow_what_the_history_says(stays: bool, changed: dict[str, bool]) -> None:
    body = manifests.job(
        "report", script={"inline": "print(1)\n"}, history={"keepAfterDelete": stays}
    )
    body["metadata"] |= {"namespace": "ns", "uid": "job", "resourceVersion": "1"}
    runs = (finished(1, owner="job"), finished(2), finished(3, owner="another"))
    job = job_view(body)
    assert (job.problem, job.status) == (None, ScheduledAgentJobStatus())
    writes = list(retention.writes(Observed(job=job, finished=runs)))
    owners = {
        write.name: bool(write.body["metadata"]["ownerReferences"])
        for write in writes
        if write.body
    }
    assert owners == changed
