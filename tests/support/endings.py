"""Pods, Jobs and records of runs that ended in every way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from agentjobs.core.runner.envelope import Envelope
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.views.batch_job import BatchJobView
from agentjobs.core.views.pod import PodView
from agentjobs.core.views.run import RunView

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RUN = RunView(
    "ns",
    "report-now",
    "uid",
    "1",
    "report",
    True,
    True,
    NOW,
    "Running",
    None,
    None,
    "2026-11-22T08:00:00Z",
)
MADE = NOW.replace(hour=8)
JOB = BatchJobView(
    "ns",
    "report-now",
    "report",
    "juid",
    "1",
    "cuid",
    MADE,
    False,
    True,
    "d" * 64,
    None,
    "",
    "",
    False,
)
POD = PodView(
    namespace="ns",
    name="report-now-x",
    job="report",
    run="report-now",
    uid="puid",
    resource_version="1",
    owner_uid="juid",
    phase="Succeeded",
    deletion=None,
    disruption="",
    running=False,
    started="2026-11-22T08:00:00Z",
    finished="2026-11-22T08:01:00Z",
    exit_code=0,
    ended_by="Completed",
    termination_message="",
    waiting="",
    waiting_message="",
    image="sha256:1",
)
EXITED = Envelope(
    run_id="report-now",
    digest="d" * 64,
    outcome="Exited",
    exit_code=0,
    reason="Completed",
    message="the script exited with code 0",
    started_at=datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
    finished_at=datetime(2026, 11, 22, 8, 1, tzinfo=UTC),
    stdout="out",
    stderr="err",
    stdout_dropped_bytes=0,
    stderr_dropped_bytes=7,
    log_dropped_bytes=0,
)

TIMED_OUT = replace(
    EXITED,
    outcome="TimedOut",
    exit_code=124,
    reason="Timeout",
    message="ended after its limit of 10 s",
)
TERMINATED = replace(
    EXITED, outcome="Terminated", exit_code=143, reason="Terminated", message="ended from outside"
)
LOST = Evidence(None, "the log ends without the runner's report")
FAILED_POD = replace(POD, phase="Failed", exit_code=1, ended_by="Error")
RUNNING_POD = replace(
    POD, phase="Running", running=True, exit_code=None, finished=None, ended_by=""
)
NEVER = replace(RUNNING_POD, phase="Pending", running=False, started=None)
KILLED = replace(FAILED_POD, exit_code=137)
