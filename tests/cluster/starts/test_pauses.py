"""A job that keeps failing pauses, and comes back when somebody says so or when it has worked."""

from __future__ import annotations

import json
from typing import Final

from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, wait_for

FAILS_UNLESS_GOOD: Final = (
    "import os, sys\nsys.exit(0 if 'good' in os.environ['JOB_RUN_ID'] else 3)\n"
)


def test_a_job_that_keeps_failing_pauses_until_resumed_or_successful(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    def state() -> tuple[object, ...]:
        status = agentjobs.job(namespace, "report")["status"]
        cron = kubectl.json("get", "cronjob", "-n", namespace, "report")
        return (
            status["phase"],
            status.get("consecutiveFailures", 0),
            "failurePause" in status,
            cron["spec"]["suspend"],
        )

    def becomes(phase: str, failures: int, paused: bool) -> None:
        wait_for(lambda: state() == (phase, failures, paused, paused), 30, f"the job is {phase}")

    def run(name: str) -> str:
        return str(
            agentjobs.finished(namespace, agentjobs.start(namespace, "report", name))["phase"]
        )

    agentjobs.in_force(
        namespace, "report", FAILS_UNLESS_GOOD, schedule={"cron": "0 0 1 1 *"}, pauseAfterFailures=2
    )
    assert [run("bad-1"), run("bad-2")] == ["Failed", "Failed"]
    becomes("Paused", 2, paused=True)
    assert agentjobs.job(namespace, "report")["spec"]["suspend"] is False, (
        "the spec is its author's"
    )
    condition = agentjobs.wait_condition(namespace, "report", "Scheduled", "False")
    assert (condition["reason"], "2 runs in a row failed" in condition["message"]) == (
        "PausedAfterFailures",
        True,
    )
    events = kubectl.json(
        "get", "events", "-n", namespace, "--field-selector", "reason=PausedAfterFailures"
    )["items"]
    assert [event["involvedObject"]["name"] for event in events] == ["report"]
    for suspend in (True, False):
        kubectl(
            "patch",
            "saj",
            "-n",
            namespace,
            "report",
            "--type=merge",
            "--patch",
            json.dumps({"spec": {"suspend": suspend}}),
        )
    becomes("Failed", 0, paused=False)
    assert [run("bad-3"), run("bad-4")] == ["Failed", "Failed"]
    becomes("Paused", 2, paused=True)
    assert run("good") == "Succeeded"
    becomes("Finished", 0, paused=False)
