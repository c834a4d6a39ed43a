"""Envelopes as the runner writes them."""

from __future__ import annotations

from agentjobs_runner import envelope as writer
from agentjobs_runner.capture import Capture
from agentjobs_runner.report import Report

RUN_ID = "report-29000000"


DIGEST = "a" * 64


def captured(data: bytes) -> Capture:
    capture = Capture()
    capture.feed(data)
    return capture


def report(run_id: str = RUN_ID) -> Report:
    report = Report(run_id, DIGEST)
    report.start()
    report.exited(0)
    return report


def written(
    stdout: bytes = b"out\n",
    stderr: bytes = b"err\n",
    report: Report | None = None,
    log_dropped: int = 0,
) -> writer.Envelope:
    return writer.Envelope(
        report or globals()["report"](), captured(stdout), captured(stderr), log_dropped
    )
