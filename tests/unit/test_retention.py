"""Which records go, which are shortened, and which stay when their job goes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.api.job import History, ScheduledAgentJobStatus
from agentjobs.core import retention
from agentjobs.core.plan import Observed
from agentjobs.core.policy import Budgets
from agentjobs.core.retention import SHORT_BYTES, size
from agentjobs.core.views import FinishedRun, job_view
from tests import manifests

OUTCOMES = st.sampled_from(["Succeeded", "Failed"])


def finished(number: int, phase: str = "Succeeded", output: int = 10, job: str = "report", owner: str | None = None) -> FinishedRun:
    return FinishedRun("ns", f"{job}-{number}", f"{job}-uid-{number}", job, phase, f"2026-11-{number:02d}T00:00:00Z", output, owner)


def names(runs: tuple[FinishedRun, ...]) -> list[str]:
    return [run.name for run in runs]


@given(
    st.lists(st.tuples(st.integers(1, 28), st.sampled_from("abc"), st.integers(0, 9000), OUTCOMES), unique_by=lambda t: t[:2]),
    st.integers(0, 90_000),
)
def test_the_budget_takes_the_oldest_first_and_leaves_each_living_job_its_newest(
    rows: list[tuple[int, str, int, str]], budget: int
) -> None:
    runs = [finished(day, phase, output, job) for day, job, output, phase in rows]
    gone = retention.over_budget(runs, budget, "ab")
    kept = [run for run in runs if run not in gone]
    assert {run.job for run in runs} - {"c"} <= {run.job for run in kept}
    newest = {run.job: run for run in sorted(runs, key=lambda run: run.finished) if run.job != "c"}
    removable = [run for run in kept if run not in newest.values()]
    assert sum(map(size, kept)) <= budget or not removable
    assert not gone or sum(map(size, [*kept, gone[-1]])) > budget
    for run in gone:
        assert not any(other.phase == run.phase and other.finished < run.finished for other in removable)
    assert all(run.phase == "Failed" for run in removable) or all(run.phase == "Succeeded" for run in gone)


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 5000)), st.integers(1, 3000), st.integers(1, 9000))
def test_within_the_allowance_everything_fits_and_small_namespaces_lose_nothing(stored: dict[str, int], most: int, cluster: int) -> None:
    allowed = retention.allowance(stored, Budgets(most, cluster))
    assert allowed <= most
    left = [min(count, allowed) for count in stored.values()]
    assert sum(left) <= cluster
    if allowed < most:
        assert sum(left) > cluster - len(stored), "no more is taken than has to be"


def test_the_newest_runs_and_the_newest_failure_keep_their_whole_output() -> None:
    loud = SHORT_BYTES + 1
    runs = [finished(1, "Failed", loud), finished(2, "TimedOut", loud), finished(3, output=loud), finished(4, output=SHORT_BYTES)]
    runs += [finished(5, output=loud), finished(6, output=loud), finished(7, "Skipped")]
    assert names(retention.to_shorten(runs, History(outputs=2))) == ["report-3", "report-1"]
    assert retention.to_shorten(runs, History(outputs=6)) == ()


def record(stdout: str, stderr: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": "run", "uid": "u", "resourceVersion": "7"}, "status": {"stdout": stdout, "stderr": stderr, **more}}


def test_a_shortened_record_says_what_went_and_is_shortened_once() -> None:
    head, tail = "é" * 12_800, "ü" * 12_800
    body = record(f"{head}\n[agentjobs: 1000 bytes dropped here]\n{tail}", "short", stdoutDroppedBytes=1000, stderrDroppedBytes=0)
    write = retention.shortened(body)
    assert write.body is not None
    assert write.body["metadata"] == {"uid": "u", "resourceVersion": "7"}
    dropped = 1000 + 51_200 - 2048
    stdout = f"[agentjobs: {dropped} bytes dropped here]\n" + "ü" * 1024
    assert write.body["status"] == {
        "outputTrimmed": True,
        "outputBytes": len(stdout.encode()) + 5,
        "stdout": stdout,
        "stdoutDroppedBytes": dropped,
        "stderr": "short",
        "stderrDroppedBytes": 0,
    }
    assert write.body["status"]["outputBytes"] <= SHORT_BYTES


@given(st.text(max_size=3000), st.text(max_size=3000))
def test_whatever_was_printed_what_is_left_needs_no_second_look(stdout: str, stderr: str) -> None:
    write = retention.shortened(record(stdout * 3, stderr * 3, stdoutDroppedBytes=0, stderrDroppedBytes=0))
    assert write.body is not None
    status = write.body["status"]
    assert status["outputBytes"] <= SHORT_BYTES
    for stream, text in (("stdout", stdout * 3), ("stderr", stderr * 3)):
        dropped = status[f"{stream}DroppedBytes"]
        kept = status[stream].removeprefix(f"[agentjobs: {dropped} bytes dropped here]\n") if dropped else status[stream]
        assert len(kept.encode()) + dropped == len(text.encode())
        assert text.endswith(kept)


@pytest.mark.parametrize(
    ("stays", "changed"),
    [(False, {"report-2": True}), (True, {"report-1": False})],
    ids=["a record without an owner goes with the job from now on", "an owned record stays from now on"],
)
def test_owners_follow_what_the_history_says(stays: bool, changed: dict[str, bool]) -> None:
    body = manifests.job("report", script={"inline": "print(1)\n"}, history={"keepAfterDelete": stays})
    body["metadata"] |= {"namespace": "ns", "uid": "job", "resourceVersion": "1"}
    runs = (finished(1, owner="job"), finished(2), finished(3, owner="another"))
    job = job_view(body)
    assert (job.problem, job.status) == (None, ScheduledAgentJobStatus())
    writes = list(retention.writes(Observed(job=job, finished=runs)))
    owners = {write.name: bool(write.body["metadata"]["ownerReferences"]) for write in writes if write.body}
    assert owners == changed
