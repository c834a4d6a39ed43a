"""What is read of a run that is over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agentjobs.core.errors import ClusterError
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runner.lines import LIVE_BYTES, TAIL_LINES, live_output
from agentjobs.core.runs.outcome import AGAIN, LIVE, Ending, record
from agentjobs.operator.collect import read_evidence
from agentjobs.testing.server import Server
from tests.support.endings import JOB, KILLED, NOW, RUN
from tests.support.envelopes.recorded import RECORDED_LOG, SHORT

KILLED_BY_MEMORY = replace(KILLED, ended_by="OOMKilled")
FILLER = b"@agentjobs:filler " + b"0" * 32 + b" ......\n"
PRINTED = b"one\non stderr\ntwo\n"


def read(log: Callable[[], bytes], waited: timedelta = timedelta(minutes=1)) -> Evidence | None:
    server = Server(NOW, lambda *_: log())
    server.create("pod", KILLED.namespace, {"metadata": {"name": KILLED.name}})
    return asyncio.run(read_evidence(server, KILLED_BY_MEMORY, waited))


def test_the_record_of_a_killed_runner_has_the_live_log_and_says_so() -> None:
    evidence = read(lambda: PRINTED)
    assert evidence
    found = record(Ending(RUN, JOB, KILLED_BY_MEMORY, evidence), None, "image", NOW)
    assert (found.reason, found.stdout, found.stderr, found.logs_complete) == (
        "OOMKilled",
        PRINTED.decode(),
        "",
        False,
    )
    assert str(found.message).endswith(
        f"; the output is incomplete: the log ends without the runner's report; {LIVE}; {AGAIN}"
    )


def test_the_last_lines_are_waited_for_before_the_live_log_is_taken() -> None:
    assert read(lambda: PRINTED, timedelta(seconds=2)) is None


@pytest.mark.parametrize("late", [0, TAIL_LINES, 500 + 2 * 56])
def test_an_envelope_is_found_behind_which_lines_of_stderr_came_late(late: int) -> None:
    ended = replace(
        KILLED, exit_code=0, ended_by="Completed", termination_message=json.dumps(SHORT)
    )
    server = Server(NOW, lambda *_: RECORDED_LOG + b"1\n" * late)
    server.create("pod", KILLED.namespace, {"metadata": {"name": KILLED.name}})
    evidence = asyncio.run(read_evidence(server, ended, timedelta(0)))
    assert evidence
    assert evidence.envelope
    assert evidence.envelope.stdout == "hello\n"


def test_a_log_that_cannot_be_read_a_second_time_is_no_error() -> None:
    answers = iter([PRINTED])

    def once() -> bytes:
        if (answer := next(answers, None)) is None:
            raise ClusterError("the node does not answer")
        return answer

    assert read(once) == Evidence(None, "the log ends without the runner's report")


@pytest.mark.parametrize(
    ("log", "kept"),
    [
        (b"", ""),
        (b"no end", "no end"),
        (b"a\n@agentjobs:envelope 0 1/2 AAAA\n@agentjobs:end 0\nb\n", "a\nb\n"),
        (FILLER + b"a\n" + FILLER[:-9], "a\n"),
        (b"@agentjobs:filler of my own\n", "@agentjobs:filler of my own\n"),
        (b"\xff\n", "\\xff\n"),
        (b"first\n" + b"123456789\n" * (LIVE_BYTES // 10), "123456789\n" * (LIVE_BYTES // 10)),
        (
            b"first\n" + b"1234\n" * (LIVE_BYTES // 5 - 1) + b"567890\n",
            "1234\n" * (LIVE_BYTES // 5 - 2) + "567890\n",
        ),
        (b"x" * (LIVE_BYTES + 5), "x" * LIVE_BYTES),
    ],
    ids=[
        "nothing",
        "no line end",
        "what is left of an envelope",
        "filler",
        "no filler",
        "no UTF-8",
        "exactly as much",
        "whole lines",
        "one long line",
    ],
)
def test_of_a_live_log_the_last_whole_lines_that_fit_are_kept(log: bytes, kept: str) -> None:
    assert live_output(log) == kept
