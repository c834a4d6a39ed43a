"""The fields of a job's status that people and tools look at, at each step of its life."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, KubectlError, wait_for

WAITS: Final = """\
import os, sys, time
while not os.path.exists("/tmp/go"):
    time.sleep(0.1)
sys.exit(3 if "bad" in os.environ["JOB_RUN_ID"] else 0)
"""
GO: Final = ("--", "python3", "-c", "open('/tmp/go', 'w')")
NEXT_YEAR: Final = f"{datetime.now(UTC).year + 1}-01-01T00:00:00Z"
FIELDS: Final = (
    *("phase", "lastRunAt", "nextRunAt", "startedAt", "lastError"),
    *("runCount", "successCount", "failureCount", "consecutiveFailures"),
)


def test_every_field_says_how_it_is_at_each_step(agentjobs: Installed, kubectl: Kubectl, namespace: str) -> None:
    def state() -> tuple[Any, ...]:
        status = agentjobs.job(namespace, "report").get("status", {})
        return tuple(status.get(field) for field in FIELDS)

    def becomes(*wanted: object) -> None:
        def same() -> bool:
            found = state()
            assert found == wanted, dict(zip(FIELDS, found, strict=True))
            return True

        wait_for(same, 30, f"the job is {wanted[0]}")

    def set_suspend(value: str) -> None:
        kubectl("patch", "saj", "-n", namespace, "report", "--type=merge", "-p", f'{{"spec": {{"suspend": {value}}}}}')

    def begin(run: str) -> str:
        agentjobs.start(namespace, "report", run)
        many.running(agentjobs, namespace, {"report": run})
        return str(agentjobs.run(namespace, run)["status"]["startedAt"])

    def end(run: str) -> str:
        with suppress(KubectlError):  # the runner may end this process, too, before it has told that all went well
            kubectl("exec", "-n", namespace, f"job/{run}", *GO)
        return str(agentjobs.finished(namespace, run)["startedAt"])

    kubectl.apply(namespace, many.job("report", WAITS, schedule={"cron": "0 0 1 1 *"}))
    becomes("PendingApproval", None, None, None, None, 0, 0, 0, 0)
    agentjobs.approve(namespace, "report")
    becomes("Scheduled", None, NEXT_YEAR, None, None, 0, 0, 0, 0)
    started = begin("good-1")
    becomes("Running", started, NEXT_YEAR, started, None, 0, 0, 0, 0)
    first = end("good-1")
    becomes("Finished", first, NEXT_YEAR, None, None, 1, 1, 0, 0)
    started = begin("bad-1")
    becomes("Running", started, NEXT_YEAR, started, None, 1, 1, 0, 0)
    second = end("bad-1")
    error = "ScriptFailed: the script exited with code 3"
    becomes("Failed", second, NEXT_YEAR, None, error, 2, 1, 1, 1)
    set_suspend("true")
    becomes("Paused", second, None, None, error, 2, 1, 1, 1)
    started = begin("good-2")
    becomes("Running", started, None, started, error, 2, 1, 1, 1)
    third = end("good-2")
    becomes("Paused", third, None, None, None, 3, 2, 1, 0)
    set_suspend("false")
    becomes("Finished", third, NEXT_YEAR, None, None, 3, 2, 1, 0)
    status = agentjobs.job(namespace, "report")["status"]
    assert (status["lastRun"]["name"], status["lastRun"]["phase"], status["lastRun"]["exitCode"]) == ("good-2", "Succeeded", 0)
    assert [line["name"] for line in status["recentRuns"]] == ["good-2", "bad-1", "good-1"]
