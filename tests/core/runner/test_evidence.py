"""What could be read of a run decides what its record says of its output."""

from __future__ import annotations

from dataclasses import replace

from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runs.outcome import Ending, record
from tests.support.endings import EXITED, JOB, KILLED, NOW, POD, RUN


def test_with_an_envelope_the_live_log_does_not_count() -> None:
    found = record(Ending(RUN, JOB, POD, Evidence(EXITED, live="something else")), None, "r", NOW)
    assert (found.stdout, found.stderr, found.logs_complete) == ("out", "err", True)


def test_without_one_the_end_of_the_live_log_is_kept_and_the_reason_said() -> None:
    evidence = Evidence(None, "the log ends without an envelope", "the last lines\n")
    found = record(Ending(RUN, JOB, KILLED, evidence), None, "r", NOW)
    assert (found.stdout, found.logs_complete) == ("the last lines\n", False)
    assert "the log ends without an envelope" in (found.message or "")
    empty = record(Ending(RUN, JOB, KILLED, replace(evidence, live="")), None, "r", NOW)
    assert empty.logs_complete is False
