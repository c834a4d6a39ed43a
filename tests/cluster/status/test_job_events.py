"""`kubectl describe` of a job shows every step that a person looks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, new_namespace, wait_for

YEARLY: Final = {"cron": "0 0 1 1 *"}
ENDLESS: Final = "import time\nprint('begun', flush=True)\ntime.sleep(600)\n"
SUSPEND: Final = ("--type=merge", "-p", '{"spec": {"suspend": true}}')


@pytest.fixture(scope="module")
def told(agentjobs: Installed, kubectl: Kubectl) -> Iterator[str]:
    """A namespace whose jobs have gone through everything but scheduled starts."""
    jobs = [
        many.job("loud", "print('x' * 60_000)\n", schedule=YEARLY),
        many.job("late", ENDLESS, timeoutSeconds=1),
        many.job("lost", ENDLESS),
        many.job("failing", "raise SystemExit(3)\n", schedule=YEARLY, pauseAfterFailures=1),
        many.job("ticker", "print(1)\n", schedule={"cron": "* * * * *"}),
    ]
    with new_namespace(kubectl) as namespace:
        many.in_force(agentjobs, namespace, jobs)
        kubectl.apply(namespace, many.job("waiting", "print(1)\n"))
        agentjobs.digest(namespace, "waiting")
        runs = many.started(agentjobs, namespace, ["loud", "late", "lost", "failing", "waiting"])
        many.running(agentjobs, namespace, {"lost": "lost-run"})
        many.finished(
            agentjobs, namespace, {job: run for job, run in runs.items() if job != "lost"}
        )
        agentjobs.scale(0)
        try:
            pod = agentjobs.run(namespace, "lost-run")["status"]["podName"]
            kubectl("delete", "pod", "-n", namespace, pod, "--grace-period=0", "--force")
        finally:
            agentjobs.scale(1)
        agentjobs.finished(namespace, "lost-run")
        kubectl("patch", "saj", "-n", namespace, "loud", *SUSPEND)
        yield namespace


def described(kubectl: Kubectl, namespace: str, job: str) -> dict[str, str]:
    """The lines below "Events:", by reason."""
    text = kubectl("describe", "saj", "-n", namespace, job)
    lines = [line.split(maxsplit=4) for line in text.partition("\nEvents:")[2].splitlines()]
    return {words[1]: " ".join(words) for words in lines if len(words) == 5}


@pytest.mark.parametrize(
    ("job", "reason", "message"),
    [
        ("waiting", "PendingApproval", "waits for approval"),
        ("loud", "Approved", "approved"),
        ("loud", "Scheduled", "only in January"),
        ("loud", "RunTriggered", "loud-run: started on request"),
        ("loud", "RunSucceeded", "loud-run: Completed"),
        (
            "loud",
            "OutputTruncated",
            "loud-run: the output exceeded the limit; not recorded: 8801 bytes of stdout",
        ),
        ("loud", "Suspended", "spec.suspend"),
        ("ticker", "RunTriggered", "started on schedule"),
        ("late", "RunTimedOut", "late-run: Timeout"),
        ("lost", "RunFailed", "lost-run: "),
        ("lost", "OutputIncomplete", "lost-run: "),
        ("waiting", "RunSkipped", "waiting-run: NotApproved"),
        ("failing", "PausedAfterFailures", "1 runs in a row failed"),
    ],
)
def test_a_step_is_told_in_kubectl_describe(
    kubectl: Kubectl, told: str, job: str, reason: str, message: str
) -> None:
    line = wait_for(
        lambda: described(kubectl, told, job).get(reason), 90, f"{job} has an event {reason}"
    )
    assert message in str(line)


def test_a_run_that_went_well_warns_of_nothing(kubectl: Kubectl, told: str) -> None:
    lines = wait_for(
        lambda: "RunSucceeded" in (found := described(kubectl, told, "ticker")) and found,
        90,
        "ticker ran",
    )
    assert isinstance(lines, dict)
    assert {reason for reason, line in lines.items() if line.startswith("Warning")} <= {
        "PendingApproval"
    }
