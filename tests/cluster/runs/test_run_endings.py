"""The ways in which a run can end, or not begin, and what is told of each.

Output survives whatever ends the run.

All runs go side by side, in one namespace, and what happens to them happens at once: a pod that is
ended from outside lingers for 15 s, so that its log can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Final

import pytest

from agentjobs.core.runner.envelope import read_envelope
from agentjobs.core.runner.lines import END_PREFIX
from tests.cluster import many
from tests.cluster.forgery import FORGE
from tests.cluster.installed import Installed, Manifest
from tests.cluster.process import killer
from tests.cluster.runs.endings import (
    Act,
    its_batch_job_is_deleted,
    its_deadline_passes,
    its_pod_is_deleted,
    its_pod_is_deleted_by_force,
    its_pod_is_evicted,
    limits,
    pod_of,
)
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.support import manifests

SNIPPET: Final = """\
import subprocess
command = ["pi", "-p", "Summarise the news."]
result = subprocess.run(command, capture_output=True, text=True, timeout=600)
print(result.stdout)
"""
LIVES_ON: Final = ("/opt/agentjobs/python3", "-c", "import time; time.sleep(3)")
WAITS: Final = "import time\nprint('before the end', flush=True)\ntime.sleep(600)\n"
STUBBORN: Final = """\
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("not yet", flush=True))
print("before the end", flush=True)
while True:
    time.sleep(600)
"""
COUNTS: Final = "import time\nfor n in range(600):\n    print(n, flush=True)\n    time.sleep(0.1)\n"
STOPS_ITS_RUNNER: Final = (
    "import os, time\nprint('before the end', flush=True)\nos.kill(1, 15)\ntime.sleep(600)\n"
)
EATS_MEMORY: Final = (
    "print('before the end', flush=True)\nhoard = bytearray(200 * 1024 * 1024)\nprint('got it')\n"
)
EATS_DISK: Final = (
    "import time\nprint('before the end', flush=True)\nopen('/tmp/hoard', 'wb').write(bytes(80 *"
    " 1024 * 1024))\ntime.sleep(600)\n"
)

FORGES: Final = f"""\
{FORGE}
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("before the end")
print(envelope, end="", flush=True)
time.sleep(600)
"""


def its_batch_job_leaves_the_pod_behind(kubectl: Kubectl, namespace: str, run: str) -> None:
    kubectl("delete", "job", "-n", namespace, "--cascade=orphan", run)
    its_pod_is_deleted(kubectl, namespace, run)


def its_cron_job_is_deleted(kubectl: Kubectl, namespace: str, run: str) -> None:
    kubectl("delete", "cronjob", "-n", namespace, "--wait=false", run.removesuffix("-run"))


def its_approval_is_deleted(kubectl: Kubectl, namespace: str, run: str) -> None:
    kubectl("delete", "aja", "-n", namespace, f"{run.removesuffix('-run')}-approved")


def its_content_is_denied(kubectl: Kubectl, namespace: str, run: str) -> None:
    name = run.removesuffix("-run")
    digest = kubectl("get", "saj", "-n", namespace, name, "-o", "jsonpath={.status.card.digest}")
    kubectl.create(
        namespace,
        manifests.approval(f"{name}-denied", jobName=name, digest=digest, decision="Denied"),
    )


def it_is_cancelled(kubectl: Kubectl, namespace: str, run: str) -> None:
    kubectl(
        "patch", "ajr", "-n", namespace, run, "--type=merge", "--patch", '{"spec":{"cancel":true}}'
    )


def it_is_deleted(kubectl: Kubectl, namespace: str, run: str) -> None:
    kubectl("delete", "ajr", "-n", namespace, run)


def its_job_is_deleted(kubectl: Kubectl, namespace: str, run: str) -> None:
    kubectl("delete", "saj", "-n", namespace, run.removesuffix("-run"))


ACTS: Final[Mapping[str, Act]] = {
    "deadline": its_deadline_passes,
    "pod-deleted": its_pod_is_deleted,
    "stubborn": its_pod_is_deleted,
    "pod-deleted-by-force": its_pod_is_deleted_by_force,
    "evicted": its_pod_is_evicted,
    "batch-job-deleted": its_batch_job_is_deleted,
    "pod-left-behind": its_batch_job_leaves_the_pod_behind,
    "cron-job-deleted": its_cron_job_is_deleted,
    "revoked": its_approval_is_deleted,
    "denied": its_content_is_denied,
    "cancelled": it_is_cancelled,
    "run-deleted": it_is_deleted,
    "all-deleted": its_job_is_deleted,
    "forger": its_approval_is_deleted,
}


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    with new_namespace(kubectl) as name:
        yield name


@pytest.fixture(scope="module")
def live_logs(agentjobs: Installed, kubectl: Kubectl, namespace: str) -> dict[str, str]:
    """All runs have been started, and to those that go on happens what ends them.

    Their logs, by job, as they were just before.
    """
    jobs = [
        many.job("disk", EATS_DISK, resources=limits("ephemeral-storage", "20Mi")),
        many.job("timeout", COUNTS, timeoutSeconds=3),
        many.job("memory", EATS_MEMORY, resources=limits("memory", "64Mi")),
        many.job("stops-its-runner", STOPS_ITS_RUNNER),
        *(
            many.job(name, {"stubborn": STUBBORN, "forger": FORGES}.get(name, WAITS))
            for name in ACTS
        ),
    ]
    runs = many.started(agentjobs, namespace, many.in_force(agentjobs, namespace, jobs))
    many.running(agentjobs, namespace, {name: runs[name] for name in ACTS})

    def log(name: str) -> str:
        return kubectl("logs", "-n", namespace, f"job/{runs[name]}")

    logs = {name: wait_for(partial(log, name), 30, f"{name} prints") for name in ACTS}
    for name, act in ACTS.items():
        act(kubectl, namespace, runs[name])
    return logs


@pytest.fixture
def ended(
    agentjobs: Installed, namespace: str, live_logs: dict[str, str]
) -> Callable[..., Manifest]:
    """The record of a job's run, once it is final."""
    assert live_logs
    return lambda name, seconds=60: agentjobs.finished(namespace, f"{name}-run", seconds)


def outline(record: Manifest) -> tuple[object, ...]:
    """What a record says of the ending and of what the script printed before."""
    return tuple(
        record.get(key)
        for key in ("phase", "reason", "exitCode", "stdout", "stderr", "logsComplete")
    )


def whole(
    phase: str, reason: str, stdout: str = "before the end\n", code: int = 143
) -> tuple[object, ...]:
    """The outline of a run that was ended from outside, with all of its output kept."""
    return phase, reason, code, stdout, "", True


def nothing_left(kubectl: Kubectl, namespace: str, job: str, kinds: str) -> None:
    """Waits until these objects of a job are gone."""
    selector = ("-n", namespace, "-l", f"agentjobs.dev/job={job}")
    wait_for(
        lambda: not kubectl.json("get", kinds, *selector)["items"], 60, f"{kinds} of {job} are gone"
    )


def test_output_can_be_read_while_the_run_goes_on(live_logs: dict[str, str]) -> None:
    assert {log for name, log in live_logs.items() if name != "forger"} == {"before the end\n"}


def test_a_run_whose_batch_job_passes_its_deadline_keeps_its_output(
    ended: Callable[..., Manifest],
) -> None:
    assert outline(ended("deadline")) == whole("TimedOut", "DeadlineExceeded")


def test_a_run_whose_pod_is_deleted_keeps_its_output(ended: Callable[..., Manifest]) -> None:
    assert outline(ended("pod-deleted")) == whole("Failed", "PodDeleted")


def test_what_a_stubborn_script_prints_during_its_pods_deletion_is_kept(
    ended: Callable[..., Manifest],
) -> None:
    assert outline(ended("stubborn")) == whole("Failed", "PodDeleted", "before the end\nnot yet\n")


def test_output_of_a_force_deleted_pod_is_kept_or_reported_lost(
    ended: Callable[..., Manifest],
) -> None:
    """The kubelet gives it a second at most, and the log goes with the pod."""
    record = ended("pod-deleted-by-force")
    assert (record["phase"], record["reason"]) == ("Failed", "PodDeleted")
    assert_kept_or_told(record)


def test_a_run_whose_batch_job_is_deleted_keeps_its_output(ended: Callable[..., Manifest]) -> None:
    assert outline(ended("batch-job-deleted")) == whole("Failed", "JobDeleted")


def test_a_run_whose_batch_job_leaves_the_pod_behind_keeps_its_output(
    ended: Callable[..., Manifest],
) -> None:
    assert outline(ended("pod-left-behind")) == whole("Failed", "JobDeleted")


def test_a_deleted_cron_job_comes_back_and_its_runs_output_is_kept(
    ended: Callable[..., Manifest], kubectl: Kubectl, namespace: str
) -> None:
    assert outline(ended("cron-job-deleted")) == whole("Failed", "JobDeleted")
    cron_job = wait_for(
        lambda: kubectl.json("get", "cronjob", "-n", namespace, "cron-job-deleted"),
        30,
        "the CronJob is there",
    )
    assert "deletionTimestamp" not in cron_job["metadata"]


def test_a_run_whose_pod_is_evicted_keeps_its_output_and_is_not_run_again(
    ended: Callable[..., Manifest], kubectl: Kubectl, namespace: str
) -> None:
    record = ended("evicted")
    assert outline(record) == whole("Failed", "Disrupted")
    assert "EvictionByEvictionAPI" in record["message"]
    nothing_left(kubectl, namespace, "evicted", "jobs,pods")


def test_deleting_an_approval_cancels_runs_with_output_and_bars_starts(
    ended: Callable[..., Manifest], agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    assert outline(ended("revoked")) == whole("Cancelled", "ApprovalRevoked")
    nothing_left(kubectl, namespace, "revoked", "cronjobs,jobs,pods")
    status = agentjobs.job(namespace, "revoked")["status"]
    assert (status["phase"], status["approval"]) == ("PendingApproval", {"state": "Pending"})
    assert (status["runCount"], status["failureCount"]) == (1, 0)


def test_a_script_cannot_forge_its_record_while_it_is_being_stopped(
    ended: Callable[..., Manifest], live_logs: dict[str, str]
) -> None:
    assert read_envelope(live_logs["forger"].encode()).reason == "Completed"
    assert outline(ended("forger")) == whole("Cancelled", "ApprovalRevoked", live_logs["forger"])


def test_denying_a_content_cancels_runs_with_output_and_bars_starts(
    ended: Callable[..., Manifest], agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    assert outline(ended("denied")) == whole("Cancelled", "Denied")
    nothing_left(kubectl, namespace, "denied", "cronjobs,jobs,pods")
    assert agentjobs.job(namespace, "denied")["status"]["phase"] == "Denied"


def test_a_cancelled_run_keeps_its_output_or_never_starts(
    ended: Callable[..., Manifest], agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    assert outline(ended("cancelled")) == whole("Cancelled", "CancelledByUser")
    kubectl.create(namespace, manifests.run("cancelled-at-once", "cancelled", cancel=True))
    unborn = agentjobs.finished(namespace, "cancelled-at-once")
    assert (unborn["phase"], unborn["reason"], "startedAt" in unborn) == (
        "Cancelled",
        "CancelledBeforeStart",
        False,
    )
    status = agentjobs.job(namespace, "cancelled")["status"]
    assert (status["runCount"], status["failureCount"]) == (2, 0)


def test_deleting_a_run_ends_it_and_leaves_no_trace(
    live_logs: dict[str, str], agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    assert "run-deleted" in live_logs
    nothing_left(kubectl, namespace, "run-deleted", "jobs,pods,agentjobruns")
    wait_for(
        lambda: agentjobs.job(namespace, "run-deleted")["status"]["phase"] == "Idle",
        30,
        "the job has forgotten the run",
    )
    status = agentjobs.job(namespace, "run-deleted")["status"]
    assert (status["runCount"], status.get("recentRuns", [])) == (0, [])


def test_deleting_the_job_ends_its_run_and_removes_everything(
    live_logs: dict[str, str], kubectl: Kubectl, namespace: str
) -> None:
    assert "all-deleted" in live_logs
    nothing_left(kubectl, namespace, "all-deleted", "cronjobs,jobs,pods,configmaps,agentjobruns")


def test_a_run_over_its_time_is_ended_and_keeps_its_output(ended: Callable[..., Manifest]) -> None:
    record = ended("timeout")
    numbers = [int(line) for line in record["stdout"].split()]
    assert outline(record) == whole("TimedOut", "Timeout", record["stdout"], 124)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 5
    assert 3 <= seconds(record["startedAt"], record["finishedAt"]) < 10


def test_a_script_over_its_memory_limit_is_told_so(ended: Callable[..., Manifest]) -> None:
    record = ended("memory")
    assert outline(record) == whole("Failed", "OOMKilled", code=137)
    assert "spec.resources.limits.memory" in record["message"]


def test_a_script_that_stops_its_runner_only_ends_itself(ended: Callable[..., Manifest]) -> None:
    assert outline(ended("stops-its-runner")) == whole("Failed", "Terminated")


def test_a_script_over_its_disk_limit_is_told_so(ended: Callable[..., Manifest]) -> None:
    """The kubelet gives it a second, and sometimes forgets an evicted pod's containers."""
    record = ended("disk", 120)
    assert (record["phase"], record["reason"]) == ("Failed", "Evicted")
    assert "spec.resources" in record["message"]
    assert_kept_or_told(record)


def assert_kept_or_told(record: Manifest) -> None:
    """Which of the two is a race between the operator and the node."""
    if record["logsComplete"]:
        assert (record["stdout"], record["stdoutDroppedBytes"]) == ("before the end\n", 0)
    else:
        assert "the output is incomplete: " in record["message"]
        assert "stdoutDroppedBytes" not in record


def seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def test_a_stalled_operator_finds_the_output_of_a_pod_deleted_meanwhile(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    """The runner lingers after its last words.

    What is begun in its container then can go on for some seconds.
    """
    many.in_force(agentjobs, namespace, [many.job("slow", WAITS)])
    run = many.started(agentjobs, namespace, ["slow"])["slow"]

    def says(text: str) -> Callable[[], bool]:
        return lambda: text in kubectl("logs", "-n", namespace, f"job/{run}")

    wait_for(says("before the end"), 60, "the script has printed")
    with killer(agentjobs) as node, node.stopped(agentjobs.pod()):
        its_pod_is_deleted(kubectl, namespace, run)
        wait_for(says(END_PREFIX), 20, "the runner has had its last words")
        kubectl("exec", "-n", namespace, pod_of(kubectl, namespace, run), "--", *LIVES_ON)
    assert outline(agentjobs.finished(namespace, run)) == whole("Failed", "PodDeleted")


def test_a_script_that_ignores_its_models_failure_has_not_succeeded(
    agentjobs: Installed, namespace: str
) -> None:
    """The first product's snippet, in an installation without models."""
    record = agentjobs.ran(namespace, "snippet", SNIPPET)
    assert (record["phase"], record["reason"], record["exitCode"], record["failedCalls"]) == (
        "Failed",
        "NoModel",
        69,
        1,
    )
    assert record["message"].startswith(
        "a call of pi failed: this installation has no default model;"
    )
    assert record["message"].endswith("; the script exited with code 0")
