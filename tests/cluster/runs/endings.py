"""The ways in which a run can end, as rows of a table.

What it prints until then, what its record has to hold, and what happened.
"""

from __future__ import annotations

import json
import signal
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any, Final

from agentjobs.core.runs.outcome import AGAIN, LIVE, NOTHING, TAILS
from agentjobs.core.runs.outcome import GONE as POD_GONE
from tests.cluster.installed import Manifest
from tests.cluster.process import signals
from tests.cluster.support import Kubectl
from tests.support import manifests

HALF: Final = 25_600
LINES: Final = 400
OUT: Final = "".join(f"{number:05d} of {LINES} on stdout\n" for number in range(LINES))
ERR: Final = OUT.replace("stdout", "stderr")
PRINTS: Final = f"""\
import sys, time
for number in range({LINES}):
    print(f"{{number:05d}} of {LINES} on stdout", flush=True)
    print(f"{{number:05d}} of {LINES} on stderr", file=sys.stderr, flush=True)
"""
WAITS: Final = f"{PRINTS}time.sleep(600)\n"
LATE_CLAIM: Final = "late"
INCOMPLETE: Final = "the output is incomplete: "
Act = Callable[[Kubectl, str, str], object]
"""What happens to a run that goes on: a function of kubectl, namespace and the run's name."""


def pod_of(kubectl: Kubectl, namespace: str, run: str) -> str:
    return kubectl(
        "get",
        "pods",
        "-n",
        namespace,
        "-l",
        f"batch.kubernetes.io/job-name={run}",
        "-o",
        "jsonpath={.items[0].metadata.name}",
    )


def its_deadline_passes(kubectl: Kubectl, namespace: str, run: str) -> None:
    """As it does for a pod that starts late. The real one takes more than a minute."""
    kubectl(
        "patch",
        "job",
        "-n",
        namespace,
        run,
        "--type=merge",
        "--patch",
        '{"spec":{"activeDeadlineSeconds":1}}',
    )


def its_pod_is_deleted(kubectl: Kubectl, namespace: str, run: str) -> None:
    kubectl("delete", "pod", "-n", namespace, "--wait=false", pod_of(kubectl, namespace, run))


def its_pod_is_deleted_by_force(kubectl: Kubectl, namespace: str, run: str) -> None:
    kubectl(
        "delete",
        "pod",
        "-n",
        namespace,
        "--force",
        "--grace-period=0",
        "--wait=false",
        pod_of(kubectl, namespace, run),
    )


def its_pod_is_evicted(kubectl: Kubectl, namespace: str, run: str) -> None:
    pod = pod_of(kubectl, namespace, run)
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": namespace},
    }
    kubectl(
        "create",
        "--raw",
        f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction",
        "-f",
        "-",
        stdin=json.dumps(eviction),
    )


def its_batch_job_is_deleted(kubectl: Kubectl, namespace: str, run: str) -> None:
    """In the background, as the CronJob controller does where a scheduled start replaces a run."""
    kubectl("delete", "job", "-n", namespace, "--wait=false", run)


def its_batch_job_is_deleted_in_the_foreground(kubectl: Kubectl, namespace: str, run: str) -> None:
    kubectl("delete", "job", "-n", namespace, "--cascade=foreground", "--wait=false", run)


def its_batch_job_is_suspended(kubectl: Kubectl, namespace: str, run: str) -> None:
    kubectl(
        "patch", "job", "-n", namespace, run, "--type=merge", "--patch", '{"spec":{"suspend":true}}'
    )


def another_run_replaces_it(kubectl: Kubectl, namespace: str, run: str) -> None:
    job = run.removesuffix("-run")
    kubectl.create(namespace, manifests.run(f"{job}-next", job))


def its_runner_is_killed(kubectl: Kubectl, namespace: str, run: str) -> None:
    """From outside of its pod: within it nobody can."""
    signals(kubectl, namespace, pod_of(kubectl, namespace, run), signal.SIGKILL)


@dataclass(frozen=True)
class Row:
    """An ending, and what its record has to say.

    `lost`: why its output may be incomplete; `kept`: whether it may be whole, too.
    """

    title: str
    script: str
    phase: str
    reason: str
    act: Act | None = None
    lost: frozenset[str] = frozenset()
    kept: bool = True
    stdout: str = OUT
    stderr: str = ERR
    spec: Mapping[str, Any] = field(default_factory=dict)

    def check(self, record: Manifest) -> None:
        """All bytes up to the cap, or the true reason why not: what cannot be lost must not be."""
        assert (record["phase"], record["reason"]) == (self.phase, self.reason), brief(record)
        if record["logsComplete"]:
            assert self.kept, brief(record)
            assert INCOMPLETE not in record["message"], record["message"]
            assert record["stdout"] == self.stdout, brief(record)
            assert record["stderr"] == self.stderr, brief(record)
        else:
            assert why(record) in self.lost, brief(record)
            assert LIVE not in record["message"] or streams(record["stdout"]) == (
                self.stdout,
                self.stderr,
            ), brief(record)


def streams(live: str) -> tuple[str, str]:
    """What a live log holds of each stream, by what its lines say."""
    lines = live.splitlines(keepends=True)
    return "".join(line for line in lines if "stderr" not in line), "".join(
        line for line in lines if "stderr" in line
    )


def brief(record: Manifest) -> str:
    """A record without most of its output."""
    return str(
        {
            key: (
                f"{len(value)} characters, ... {value[-100:]!r}"
                if key in ("stdout", "stderr")
                else value
            )
            for key, value in record.items()
        }
    )


def why(record: Manifest) -> str:
    """What an incomplete record says of the reason."""
    return str(record["message"]).partition(INCOMPLETE)[2]


def limits(resource: str, amount: str) -> Manifest:
    return {"requests": {resource: amount}, "limits": {resource: amount}}


def flood(lines: int, width: int) -> dict[str, Any]:
    """A script that prints this many numbered lines of `width` bytes, and what is kept of them."""

    def line(number: int) -> str:
        return f"{number:0{width - 1}d}\n"

    count = HALF // width + 1
    head = "".join(map(line, range(count)))[:HALF]
    tail = "".join(map(line, range(lines - count, lines)))[-HALF:]
    script = f"""\
import os
for start in range(0, {lines}, 1000):
    data = b"".join(b"%0{width - 1}d\\n" % number for number in range(start, start + 1000))
    while data:
        data = data[os.write(1, data):]
"""
    return {
        "script": script,
        "stdout": f"{head}\n[agentjobs: {lines * width - 2 * HALF} bytes dropped here]\n{tail}",
        "stderr": "",
    }


GONE: Final = f"{POD_GONE}; {NOTHING}; {AGAIN}"
TAILS_ONLY: Final = f"{POD_GONE}; {TAILS}; {AGAIN}"
NO_ENVELOPE: Final = f"the log ends without the runner's report; {LIVE}; {AGAIN}"
INSTALLING: Final = "install"
ROWS: Final[Mapping[str, Row]] = {
    "success": Row("the script succeeds", PRINTS, "Succeeded", "Completed"),
    "exit-code": Row(
        "the script exits with a code", f"{PRINTS}sys.exit(7)\n", "Failed", "ScriptFailed"
    ),
    "timeout": Row(
        "its own time limit passes", WAITS, "TimedOut", "Timeout", spec={"timeoutSeconds": 8}
    ),
    "deadline": Row(
        "the Job's deadline passes, after the pod waited long for its volume",
        WAITS,
        "TimedOut",
        "DeadlineExceeded",
        its_deadline_passes,
        spec={"workspace": {"claimName": LATE_CLAIM}},
    ),
    INSTALLING: Row(
        "the Job's deadline passes while packages are installed",
        PRINTS,
        "TimedOut",
        "DeadlineExceeded",
        its_deadline_passes,
        stdout="",
        stderr="the installation was stopped",
        spec={"packages": ["slow==1.0"]},
    ),
    "deleted": Row("`kubectl delete pod`", WAITS, "Failed", "PodDeleted", its_pod_is_deleted),
    "forced": Row(
        "`kubectl delete pod --force`",
        WAITS,
        "Failed",
        "PodDeleted",
        its_pod_is_deleted_by_force,
        frozenset({GONE, TAILS_ONLY}),
    ),
    "evicted": Row("an eviction through the API", WAITS, "Failed", "Disrupted", its_pod_is_evicted),
    "replaced": Row(
        "another run by hand takes its place, under `Replace`",
        WAITS,
        "Cancelled",
        "Replaced",
        another_run_replaces_it,
        spec={"concurrencyPolicy": "Replace"},
    ),
    "background": Row(
        "the Job is deleted, as the CronJob controller does it under `Replace`",
        WAITS,
        "Failed",
        "JobDeleted",
        its_batch_job_is_deleted,
    ),
    "foreground": Row(
        "the Job is deleted in the foreground",
        WAITS,
        "Failed",
        "JobDeleted",
        its_batch_job_is_deleted_in_the_foreground,
    ),
    "suspended": Row(
        "the Job is suspended", WAITS, "Failed", "PodDeleted", its_batch_job_is_suspended
    ),
    "memory": Row(
        "the script takes too much memory",
        f"{PRINTS}hoard = bytearray(200 * 1024 * 1024)\n",
        "Failed",
        "OOMKilled",
        spec={"resources": limits("memory", "64Mi")},
    ),
    "killed": Row(
        "the runner is killed",
        WAITS,
        "Failed",
        "Error",
        its_runner_is_killed,
        frozenset({NO_ENVELOPE}),
        kept=False,
    ),
    "megabytes": Row(
        "200 MB of output", phase="Succeeded", reason="Completed", **flood(2_000_000, 100)
    ),
    "short-lines": Row(
        "2 million short lines", phase="Succeeded", reason="Completed", **flood(2_000_000, 8)
    ),
}
DOWN: Final = Row(
    "the operator is down when the script ends",
    f"{PRINTS}time.sleep(8)\n",
    "Succeeded",
    "Completed",
)


@dataclass(frozen=True)
class Told:
    """The record of one run, and how long after the end of the script it was stored."""

    record: Manifest
    seconds: float


def told(record: Manifest, seen: datetime) -> Told:
    return Told(record, (seen - datetime.fromisoformat(record["finishedAt"])).total_seconds())


def page(found: Mapping[str, Iterable[Told]], machine: str, day: str) -> str:
    """docs/log-completeness.md."""
    lines = [_line(row, tuple(found.get(name, ()))) for name, row in {**ROWS, "down": DOWN}.items()]
    return INTRODUCTION.substitute(machine=machine, day=day, lines="\n".join(lines))


def _line(row: Row, each: tuple[Told, ...]) -> str:
    whole = sum(bool(one.record["logsComplete"]) for one in each)
    reasons = ", ".join(sorted({why(one.record) for one in each if not one.record["logsComplete"]}))
    seconds = [max(one.seconds, 0) for one in each]
    spread = (
        f"{statistics.median(seconds):g} ({min(seconds):g} to {max(seconds):g})" if seconds else ""
    )
    return (
        f"| {row.title} | `{row.phase}`, `{row.reason}` | {len(each)} | {whole} |"
        f" {len(each) - whole} | {reasons} | {spread} |"
    )


INTRODUCTION: Final = Template(
    Path(__file__).with_name("pages").joinpath("completeness.md").read_text()
)
