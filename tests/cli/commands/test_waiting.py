"""Waiting for a run and following its output over a connection that ends before the run does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from agentjobs.cli.commands import logs, run
from agentjobs.cli.errors import ApiServerError, Exit, kubectl_error
from agentjobs.cli.kube import Kube
from agentjobs.testing.envelopes import envelope
from tests.support.cli import jobs as cli_jobs
from tests.support.cli.fake_kubectl import FakeKube, Json, ran

LIMIT = 600
JOB = {
    "apiVersion": "agentjobs.dev/v1alpha1",
    "kind": "ScheduledAgentJob",
    "metadata": {"name": "pages"},
    "spec": {},
}


@dataclass(frozen=True)
class Shaky(FakeKube):
    """`record`: what becomes of a run that is asked for.

    `refusals`: to the next looks at a run. `broken`: what ends the log.
    """

    record: Json = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    broken: str = ""

    def run(self, *arguments: str, stdin: str = "") -> str:
        if self.refusals and arguments[0] == "get" and "agentjobruns/" in arguments[-1]:
            raise kubectl_error(self.refusals.pop())
        return super().run(*arguments, stdin=stdin)

    @contextmanager
    def stream(self, *arguments: str, seconds: float) -> Iterator[IO[bytes]]:
        with super().stream(*arguments, seconds=seconds) as lines:
            yield lines
        if self.broken and arguments[0] == "logs":
            raise kubectl_error(self.broken)

    def _create(self, collection: str, body: Json) -> Json:
        if collection != "agentjobruns":
            return super()._create(collection, body)
        self.objects[collection] = [self.record]
        return self.record


def going(**more: Any) -> tuple[Shaky, Json]:
    """A cluster with a run that goes on."""
    record = cli_jobs.run(
        "pages-1", "Running", startedAt="2026-11-24T11:59:50Z", podName="pages-1-x"
    )
    return Shaky(
        objects={"scheduledagentjobs": [JOB], "agentjobruns": [record]}, record=record, **more
    ), record


def ends(record: Json, phase: str = "Succeeded") -> Callable[[], None]:
    return lambda: record["status"].update(phase=phase, stdout="all of it\n")


def nothing() -> None:
    """A pause in which nothing happens."""


def event(kind: str, body: Json) -> bytes:
    return json.dumps({"type": kind, "object": body}).encode() + b"\n"


GONE = event(
    "ERROR",
    {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"},
)
EARLY = {
    "without a word": b"",
    "with an error": GONE,
    "in the middle of a line": GONE[:30],
}


def waiting(kube: FakeKube, **given: Any) -> tuple[int, bytes, str]:
    """`kubectl saj run`."""
    return ran(run.run, kube, "pages", timeout=LIMIT, **given)


def following(kube: FakeKube) -> tuple[int, bytes, str]:
    """`kubectl saj logs --follow`."""
    return ran(logs.run, kube, "pages-1", follow_=True, timeout=LIMIT)


@pytest.mark.parametrize("how", EARLY)
def test_a_watch_that_ends_early_is_begun_again(how: str) -> None:
    kube, record = going(watches=[EARLY[how]] * 3)
    kube.later.extend([nothing, nothing, ends(record)])
    code, out, _ = waiting(kube, wait=True)
    assert (code, out) == (Exit.OK, b"pages-1 succeeded: -\n")


def test_an_api_server_that_is_started_anew_does_not_end_the_wait() -> None:
    kube, record = going(
        watches=[b""],
        refusals=[
            "The connection to the server was refused",
            "Error from server (ServiceUnavailable): no",
        ],
    )
    kube.later.extend([nothing, nothing, ends(record, "Failed")])
    assert waiting(kube, wait=True)[0] == Exit.RUN_FAILED


@pytest.mark.parametrize("refusal", ["Forbidden", "NotFound"])
def test_what_waiting_does_not_mend_ends_the_wait(refusal: str) -> None:
    kube, _ = going(refusals=[f"Error from server ({refusal}): no"])
    assert (
        waiting(kube, wait=True)[0]
        == {"Forbidden": Exit.FORBIDDEN, "NotFound": Exit.NOT_FOUND}[refusal]
    )
    assert kube.clock() == 0


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("watches", [0, 5])
def test_a_wait_ends_at_its_limit_and_not_at_twice_that(follow: bool, watches: int) -> None:
    kube, _ = going(watches=[b""] * watches)
    code, _, err = waiting(kube, wait=True, follow=follow)
    assert (code, LIMIT - 2 <= kube.clock() <= LIMIT) == (Exit.TIMEOUT, True)
    assert f"AgentJobRun pages-1 did not end within {LIMIT} s" in err
    assert err.count("ended here") == follow


LIVE = b"one\ntwo\n"
WHOLE = LIVE + envelope(b"{}")


def test_output_with_the_runners_last_line_is_whole_before_the_record_is() -> None:
    kube, _ = going(log=WHOLE)
    assert following(kube) == (Exit.OK, LIVE, "")
    assert kube.clock() == 0


def test_output_of_a_run_that_was_killed_is_whole_once_the_record_is() -> None:
    kube, record = going(log=LIVE, watches=[b""])
    kube.later.append(ends(record, "Failed"))
    assert following(kube) == (Exit.OK, LIVE, "")


@pytest.mark.parametrize("broken", ["", "error: unexpected EOF"])
def test_output_that_ends_before_its_run_is_no_success(broken: str) -> None:
    kube, _ = going(log=LIVE, broken=broken)
    code, out, err = following(kube)
    assert (code, out) == (Exit.TIMEOUT, LIVE)
    assert "the output of AgentJobRun pages-1 ended here, and the run has not" in err
    assert kube.clock() <= logs.RECORDED


def test_who_may_not_read_logs_is_told_so() -> None:
    kube, _ = going(broken="Error from server (Forbidden): pods/log is forbidden")
    assert following(kube)[0] == Exit.FORBIDDEN


def test_a_run_whose_pod_is_gone_is_shown_from_its_record() -> None:
    kube, record = going(broken="Error from server (NotFound): no such pod", watches=[b""])
    kube.later.append(ends(record))
    assert following(kube) == (Exit.OK, b"all of it\n", "")


def test_a_run_that_does_not_start_is_followed_to_the_limit_and_no_further() -> None:
    kube, record = going()
    record["status"] = {"phase": "Pending"}
    code, _, err = following(kube)
    assert (code, kube.clock()) == (Exit.TIMEOUT, LIMIT)
    assert f"AgentJobRun pages-1 did not end within {LIMIT} s" in err


def test_output_that_breaks_off_does_not_end_the_wait_for_the_run() -> None:
    kube, record = going(log=LIVE, watches=[b""] * (logs.RECORDED + 5))
    kube.later.extend([*[nothing] * (logs.RECORDED + 3), ends(record)])
    code, out, err = waiting(kube, follow=True)
    assert (code, out) == (Exit.OK, LIVE)
    assert "ended here" in err
    assert "succeeded" in err


def test_a_connection_that_has_fallen_silent_is_ended_on_this_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "kubectl"
    program.write_text("#!/bin/sh\necho one\nexec sleep 250\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ApiServerError), Kube().stream("logs", seconds=0.5) as lines:
        assert list(lines) == [b"one\n"]
