"""How a run ended: one row for each way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runs.outcome import AGAIN, GONE, LIVE, NOTHING, TAILS, Ending, record
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.pod import PodView, pod_view
from tests.support.endings import (
    EXITED,
    FAILED_POD,
    JOB,
    KILLED,
    LOST,
    MADE,
    NEVER,
    NOW,
    POD,
    RUN,
    RUNNING_POD,
    TERMINATED,
    TIMED_OUT,
)

RAISED = replace(
    EXITED, exit_code=1, reason="ScriptFailed", message="the script exited with code 1"
)


CASES = {
    "success": (JOB, POD, Evidence(EXITED), "Succeeded", "Completed", True),
    "the script raised": (JOB, FAILED_POD, Evidence(RAISED), "Failed", "ScriptFailed", True),
    "its own limit": (
        JOB,
        replace(FAILED_POD, exit_code=124),
        Evidence(TIMED_OUT),
        "TimedOut",
        "Timeout",
        True,
    ),
    "out of memory": (
        JOB,
        replace(KILLED, ended_by="OOMKilled"),
        Evidence(replace(RAISED, exit_code=137)),
        "Failed",
        "OOMKilled",
        True,
    ),
    "out of memory, runner included": (
        JOB,
        replace(KILLED, ended_by="OOMKilled"),
        LOST,
        "Failed",
        "OOMKilled",
        False,
    ),
    "an envelope that claims more than the container": (
        JOB,
        FAILED_POD,
        Evidence(EXITED),
        "Failed",
        "ExitCodeMismatch",
        True,
    ),
    "denied": (
        replace(JOB, stop_reason="Denied"),
        replace(RUNNING_POD, deletion=NOW),
        Evidence(TERMINATED),
        "Cancelled",
        "Denied",
        True,
    ),
    "revoked, but it ended by itself first": (
        replace(JOB, stop_reason="ApprovalRevoked"),
        POD,
        Evidence(EXITED),
        "Succeeded",
        "Completed",
        True,
    ),
    "never started": (
        replace(JOB, stop_reason="StartTimeout"),
        NEVER,
        Evidence(None),
        "Failed",
        "StartTimeout",
        True,
    ),
    "deadline": (
        replace(JOB, failure="DeadlineExceeded"),
        replace(RUNNING_POD, deletion=NOW),
        Evidence(TERMINATED),
        "TimedOut",
        "DeadlineExceeded",
        True,
    ),
    "deadline, before its Job says so": (
        replace(JOB, due=MADE + timedelta(minutes=1)),
        replace(RUNNING_POD, deletion=NOW, told_to_end=MADE + timedelta(minutes=1)),
        Evidence(TERMINATED),
        "TimedOut",
        "DeadlineExceeded",
        True,
    ),
    "pod deleted long before the deadline": (
        replace(JOB, due=MADE + timedelta(minutes=2)),
        replace(RUNNING_POD, deletion=NOW, told_to_end=MADE + timedelta(minutes=1)),
        Evidence(TERMINATED),
        "Failed",
        "PodDeleted",
        True,
    ),
    "drained": (
        JOB,
        replace(RUNNING_POD, deletion=NOW, disruption="EvictionByEvictionAPI"),
        Evidence(TERMINATED),
        "Failed",
        "Disrupted",
        True,
    ),
    "evicted by the node": (
        JOB,
        replace(KILLED, ended_by="Evicted", exit_code=None),
        LOST,
        "Failed",
        "Evicted",
        False,
    ),
    "evicted by the node, the log read": (
        JOB,
        replace(KILLED, ended_by="Evicted"),
        Evidence(TERMINATED),
        "Failed",
        "Evicted",
        True,
    ),
    "evicted by the node, its containers forgotten": (
        JOB,
        replace(KILLED, ended_by="Evicted", exit_code=None, started=None),
        Evidence(None),
        "Failed",
        "Evicted",
        False,
    ),
    "stopped by nobody that is known": (
        JOB,
        replace(FAILED_POD, exit_code=143),
        Evidence(TERMINATED),
        "Failed",
        "Terminated",
        True,
    ),
    "pod deleted": (
        JOB,
        replace(RUNNING_POD, deletion=NOW),
        Evidence(TERMINATED),
        "Failed",
        "PodDeleted",
        True,
    ),
    "job deleted": (
        None,
        replace(RUNNING_POD, deletion=NOW),
        Evidence(TERMINATED),
        "Failed",
        "JobDeleted",
        True,
    ),
    "everything gone": (None, None, Evidence(None), "Failed", "JobDeleted", False),
    "pod gone": (JOB, None, Evidence(None), "Failed", "PodDeleted", False),
    "log lost, success": (JOB, POD, LOST, "Succeeded", "Completed", False),
    "log lost, failure": (JOB, FAILED_POD, LOST, "Failed", "Error", False),
}


@pytest.mark.parametrize("case", CASES)
def test_each_ending_has_phase_and_reason_and_says_if_output_is_missing(case: str) -> None:
    job, pod, evidence, phase, reason, complete = CASES[case]
    run = replace(RUN, started=None) if pod is NEVER else RUN
    found = record(Ending(run, job, pod, evidence), "d" * 64, "image", NOW)
    assert (found.phase, found.reason, found.logs_complete) == (phase, reason, complete)
    assert found.message
    assert ("incomplete" in found.message) is not complete
    assert found.finished_at


def test_the_containers_exit_code_counts() -> None:
    assert record(Ending(RUN, JOB, FAILED_POD, Evidence(EXITED)), None, "image", NOW).exit_code == 1


def test_an_exit_code_made_up_for_a_container_never_started_is_left_out() -> None:
    """As a kubelet reports a pod that waited for a key of a Secret when it was deleted."""
    made_up = {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "startedAt": None,
        "finishedAt": None,
        "message": "not located",
    }
    pod = pod_view(
        {
            "metadata": {
                "namespace": "ns",
                "name": "p",
                "uid": "u",
                "resourceVersion": "1",
                "deletionTimestamp": "2026-11-22T09:00:00Z",
            },
            "status": {
                "phase": "Failed",
                "containerStatuses": [{"name": "runner", "state": {"terminated": made_up}}],
            },
        }
    )
    assert pod.ended
    waited = replace(RUN, started=None)
    found = record(
        Ending(waited, replace(JOB, stop_reason="StartTimeout"), pod, Evidence(None)),
        None,
        "image",
        NOW,
    )
    assert (found.reason, found.exit_code, found.logs_complete) == ("StartTimeout", None, True)
    assert (
        record(Ending(waited, JOB, pod, Evidence(None)), None, "image", NOW).reason == "PodDeleted"
    )


SHORT = (
    '{"version":1,"runId":"r","digest":"","outcome":"Exited","exitCode":1,"reason":"ScriptFailed","message":"m","startedAt":null,'
    '"finishedAt":"2026-11-22T08:01:00.000000Z","stdoutDroppedBytes":0,"stderrDroppedBytes":0,"logDroppedBytes":0,"sha256":"'
    + "0" * 64
    + '","lines":1,"stdoutTail":"last words","stderrTail":"Traceback"}'
)


def test_without_a_log_the_tails_of_the_termination_message_are_kept() -> None:
    found = record(
        Ending(RUN, JOB, replace(FAILED_POD, termination_message=SHORT), LOST), None, "image", NOW
    )
    assert (found.stdout, found.stderr, found.logs_complete) == ("last words", "Traceback", False)


@pytest.mark.parametrize(
    ("job", "pod", "evidence", "said"),
    [
        (JOB, replace(FAILED_POD, termination_message=SHORT), LOST, (LOST.problem, TAILS, AGAIN)),
        (JOB, FAILED_POD, replace(LOST, live="words"), (LOST.problem, LIVE, AGAIN)),
        (JOB, None, Evidence(None), (GONE, NOTHING, AGAIN)),
        (replace(JOB, stop_reason="Denied"), None, Evidence(None), (GONE, NOTHING)),
    ],
    ids=["tails", "live log", "nothing", "nobody wants it again"],
)
def test_a_record_says_what_it_holds_of_incomplete_output_and_what_to_do(
    job: BatchJobView, pod: PodView | None, evidence: Evidence, said: tuple[str, ...]
) -> None:
    found = record(Ending(RUN, job, pod, evidence), None, "image", NOW)
    assert str(found.message).endswith(f"; the output is incomplete: {'; '.join(said)}")


def test_a_start_timeout_says_once_why_the_pod_did_not_start() -> None:
    waited = replace(RUN, started=None, message="the pod cannot start: ErrImagePull: no such image")
    job = replace(JOB, stop_reason="StartTimeout")
    found = record(Ending(waited, job, NEVER, Evidence(None)), None, "image", NOW)
    assert found.message == "the pod did not start in time: ErrImagePull: no such image"


def test_the_size_of_what_is_stored_is_told() -> None:
    found = record(
        Ending(RUN, JOB, POD, Evidence(replace(EXITED, stdout="é", stderr="x"))), None, "image", NOW
    )
    assert found.output_bytes == 3
    assert found.stderr_dropped_bytes == 7
