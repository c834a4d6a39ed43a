"""Kubernetes Events: one for each step, told once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agentjobs.api import names
from agentjobs.api.run import AgentJobRunStatus
from agentjobs.core.plan import Write
from agentjobs.core.status import kube_events
from agentjobs.core.views.job import job_view
from agentjobs.core.views.run import RunView
from tests.support import manifests

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BODY = manifests.job("report", script={"inline": "print(1)\n"})
JOB = job_view(
    BODY | {"metadata": {"name": "report", "namespace": "ns", "uid": "uid", "resourceVersion": "7"}}
)
RUN = RunView("ns", "run", "run-uid", "1", "report", True, True, NOW, "Pending", None, None, None)


def reasons(record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    writes = kube_events.of_runs(
        JOB,
        [
            (
                RUN,
                AgentJobRunStatus.model_validate({"reason": "Why", "message": "because", **record}),
            )
        ],
        NOW,
    )
    return {
        body["reason"]: (body["type"], body["message"]) for write in writes if (body := write.body)
    }


def test_what_is_missing_of_an_output_is_told_beside_how_the_run_ended() -> None:
    assert reasons({"phase": "Succeeded", "logsComplete": True, "stdoutDroppedBytes": 0}) == {
        "RunSucceeded": ("Normal", "run: Why: because")
    }
    truncated = reasons(
        {
            "phase": "Succeeded",
            "logsComplete": True,
            "stdoutDroppedBytes": 7,
            "stderrDroppedBytes": 9,
        }
    )
    assert truncated["OutputTruncated"] == (
        "Warning",
        (
            "run: the output exceeded the limit; not recorded: 7 bytes of stdout and 9 bytes of"
            " stderr"
        ),
    )
    assert set(reasons({"phase": "TimedOut", "logsComplete": False})) == {
        "RunTimedOut",
        "OutputIncomplete",
    }
    assert reasons({"phase": "Missed", "logsComplete": True}) == {
        "RunMissed": ("Warning", "run: Why: because")
    }


def test_only_a_start_or_an_adoption_triggers_a_run_and_only_once() -> None:
    def told(write: Write) -> list[tuple[str, str]]:
        return [
            (event.name, event.body["message"])
            for event in kube_events.of_starts(JOB, [write], NOW)
            if event.body
        ]

    def adopted(uid: str, annotation: str) -> Write:
        return Write(
            "patch",
            "run",
            "run",
            "why",
            {"metadata": {"uid": uid, "annotations": {annotation: "x"}}},
        )

    def created(job: str) -> Write:
        return Write(
            "create",
            "run",
            "report-29000000",
            "why",
            {"metadata": {"name": "report-29000000"}, "spec": {"jobName": job}},
        )

    [(name, message)] = told(created(JOB.name))
    assert message == "report-29000000: started on schedule"
    [(first, message)] = told(adopted("one", names.STARTED_AS_ANNOTATION))
    assert message == "run: started on request"
    [(second, _)] = told(adopted("two", names.STARTED_AS_ANNOTATION))
    assert len({name, first, second}) == 3, "a name that is used again is another run's"
    assert told(adopted("one", names.STARTED_AS_ANNOTATION))[0][0] == first
    assert told(adopted("one", names.SKIP_ANNOTATION)) == []
    assert told(created("follower")) == [], "its own job tells it"
    assert (
        told(
            Write(
                "patch",
                "run",
                "run",
                "why",
                {"metadata": {"uid": "one"}, "status": {"phase": "Running"}},
                "status",
            )
        )
        == []
    )
    assert told(Write("delete", "batchjob", "run", "why")) == []
