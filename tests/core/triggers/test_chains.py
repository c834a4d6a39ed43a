"""What a run is told of the one before it, and where a chain ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentjobs.api.run import AgentJobRunStatus
from agentjobs.core.observed import Follower
from agentjobs.core.triggers import chains
from agentjobs.core.views.event import MAX_EVENT_BYTES, encoded
from agentjobs.core.views.run import RunView, run_view
from tests.support import manifests
from tests.support.decisions import observed

JOB = observed().job


def finished(stdout: str = "done\n", phase: str = "Succeeded") -> AgentJobRunStatus:
    return AgentJobRunStatus.model_validate(
        {"phase": phase, "reason": "Completed", "exitCode": 0, "stdout": stdout}
    )


def run(*ancestors: str) -> RunView:
    metadata = {
        "namespace": "team",
        "name": "go",
        "uid": "u-1",
        "resourceVersion": "1",
        "creationTimestamp": "2026-03-02T08:00:00Z",
    }
    return replace(run_view({**manifests.run("go"), "metadata": metadata}), ancestors=ancestors)


@pytest.mark.parametrize(
    "text", ["", "done\n", "é" * 25_600, "\0" * 51_200, '"\\' * 25_600, "a" * 51_200]
)
def test_a_completion_fits_into_an_event_with_as_much_output_as_possible(text: str) -> None:
    event = chains.completion_event(JOB, run(), finished(text))
    size = len(encoded(event).encode())
    assert size <= MAX_EVENT_BYTES
    output = event.data["stdout"]
    if output != text:
        assert "characters left out" in output
        assert size > MAX_EVENT_BYTES - 100
        assert output.startswith(text[:1000])
        assert output.endswith(text[-1000:])


@pytest.mark.parametrize(
    ("phase", "on", "follows"),
    [
        ("Succeeded", "Succeeded", True),
        ("Succeeded", "Failed", False),
        ("Failed", "Failed", True),
        ("TimedOut", "Failed", True),
        ("TimedOut", "Finished", True),
        ("Cancelled", "Finished", False),
        ("Skipped", "Finished", False),
    ],
)
def test_a_job_follows_the_outcomes_that_its_trigger_names(
    phase: str, on: str, follows: bool
) -> None:
    other = Follower("next", "n-1", frozenset({on}))
    assert bool(list(chains.starts(JOB, run(), finished(phase=phase), [other]))) == follows


def started(*ancestors: str, job: str = "next") -> tuple[bool, str]:
    """Whether it starts, and why not."""
    (write,) = chains.starts(
        JOB, run(*ancestors), finished(), [Follower(job, "n-1", frozenset({"Finished"}))]
    )
    assert write.body is not None
    assert len(write.body["spec"]["trigger"]["ancestors"]) <= 10
    told = write.body["metadata"].get("annotations", {})
    return not told, "".join(told.values())


def test_a_chain_has_ten_jobs_before_its_last_one() -> None:
    assert started(*(f"job-{number}" for number in range(9)))[0]
    begins, why = started(*(f"job-{number}" for number in range(10)))
    assert not begins
    assert why.startswith("ChainTooLong: ")


def test_no_job_follows_itself_however_long_the_way() -> None:
    for ancestors in ((), ("a",), ("next", "b", "c")):
        begins, why = started(*ancestors, job="next" if ancestors[:1] == ("next",) else "report")
        assert not begins
        assert why.startswith("ChainCycle: ")


def test_the_same_run_starts_the_same_run() -> None:
    names = {
        write.name
        for _ in range(3)
        for write in chains.starts(
            JOB, run(), finished(), [Follower("next", "n", frozenset({"Finished"}))]
        )
    }
    assert len(names) == 1
