"""The fields of a job's status that people and tools look at, at each step of its life."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.support import KubectlError, wait_for

WAITS: Final = """\
import os, sys, time
while not os.path.exists("/tmp/go"):
    time.sleep(0.1)
sys.exit(3 if "bad" in os.environ["JOB_RUN_ID"] else 0)
"""
GO: Final = ("--", "python3", "-c", "open('/tmp/go', 'w')")
ERROR: Final = "ScriptFailed: the script exited with code 3"
NEXT_YEAR: Final = f"{datetime.now(UTC).year + 1}-01-01T00:00:00Z"
FIELDS: Final = (
    *("phase", "lastRunAt", "nextRunAt", "startedAt", "lastError"),
    *("runCount", "successCount", "failureCount", "consecutiveFailures"),
)


@dataclass(frozen=True)
class Life:
    """One job, and what happens to it."""

    agentjobs: Installed
    namespace: str
    job: str

    def status(self) -> dict[str, Any]:
        return dict(self.agentjobs.job(self.namespace, self.job).get("status", {}))

    def becomes(self, *wanted: object, seconds: float = 30) -> None:
        """Waits until the fields of its status are these."""

        def same() -> bool:
            status = self.status()
            found = tuple(status.get(field) for field in FIELDS)
            assert found == wanted, dict(zip(FIELDS, found, strict=True))
            return True

        wait_for(same, seconds, f"{self.job} is {wanted[0]}")

    def patch(self, spec: str) -> None:
        self.agentjobs.kubectl(
            "patch",
            "saj",
            "-n",
            self.namespace,
            self.job,
            "--type=merge",
            "-p",
            f'{{"spec": {spec}}}',
        )

    def begin(self, run: str) -> str:
        """Starts a run by hand; returns when it began."""
        self.agentjobs.start(self.namespace, self.job, run)
        return self.begun(run)

    def begun(self, run: str) -> str:
        many.running(self.agentjobs, self.namespace, {self.job: run}, 120)
        return str(self.agentjobs.run(self.namespace, run)["status"]["startedAt"])

    def end(self, run: str) -> str:
        """Lets a run go; returns its start by the runner, up to a second after the container's."""
        # The runner may end this process, too, before it has told that all went well.
        with suppress(KubectlError):
            self.agentjobs.kubectl("exec", "-n", self.namespace, f"job/{run}", *GO)
        return str(self.agentjobs.finished(self.namespace, run)["startedAt"])


def test_every_field_says_how_it_is_at_each_step(agentjobs: Installed, namespace: str) -> None:
    life = Life(agentjobs, namespace, "report")
    agentjobs.kubectl.apply(namespace, many.job("report", WAITS, schedule={"cron": "0 0 1 1 *"}))
    life.becomes("PendingApproval", None, None, None, None, 0, 0, 0, 0)
    agentjobs.approve(namespace, "report")
    life.becomes("Scheduled", None, NEXT_YEAR, None, None, 0, 0, 0, 0)
    started = life.begin("good-1")
    life.becomes("Running", started, NEXT_YEAR, started, None, 0, 0, 0, 0)
    first = life.end("good-1")
    life.becomes("Finished", first, NEXT_YEAR, None, None, 1, 1, 0, 0)
    started = life.begin("bad-1")
    life.becomes("Running", started, NEXT_YEAR, started, None, 1, 1, 0, 0)
    second = life.end("bad-1")
    life.becomes("Failed", second, NEXT_YEAR, None, ERROR, 2, 1, 1, 1)
    life.patch('{"suspend": true}')
    life.becomes("Paused", second, None, None, ERROR, 2, 1, 1, 1)
    started = life.begin("good-2")
    life.becomes("Running", started, None, started, ERROR, 2, 1, 1, 1)
    third = life.end("good-2")
    life.becomes("Paused", third, None, None, None, 3, 2, 1, 0)
    life.patch('{"suspend": false}')
    life.becomes("Finished", third, NEXT_YEAR, None, None, 3, 2, 1, 0)
    status = life.status()
    assert (
        status["lastRun"]["name"],
        status["lastRun"]["phase"],
        status["lastRun"]["exitCode"],
    ) == ("good-2", "Succeeded", 0)
    assert [line["name"] for line in status["recentRuns"]] == ["good-2", "bad-1", "good-1"]
    agentjobs.kubectl("delete", "aja", "-n", namespace, "--all")
    life.becomes("PendingApproval", third, None, None, None, 3, 2, 1, 0)
    agentjobs.approve(namespace, "report", "Denied")
    life.becomes("Denied", third, None, None, None, 3, 2, 1, 0)
    life.patch(
        '{"script": {"inline": null, "configMapKeyRef": {"name": "nowhere", "key": "report.py"}}}'
    )
    life.becomes("Invalid", third, None, None, None, 3, 2, 1, 0)


def test_a_single_start_is_triggered_once_it_has_fired_however_it_ends(
    agentjobs: Installed, namespace: str
) -> None:
    """`bad-` and `good` start at the same minute; a later run by hand leaves the phase as it is."""
    start = (datetime.now(UTC) + timedelta(seconds=75)).replace(second=0, microsecond=0)
    due, lives = (
        f"{start:%Y-%m-%dT%H:%M:%SZ}",
        {name: Life(agentjobs, namespace, name) for name in ("good", "bad")},
    )
    many.in_force(
        agentjobs,
        namespace,
        [many.job(name, WAITS, schedule={"once": {"runAt": due}}) for name in lives],
    )
    runs = {name: f"{name}-{int(start.timestamp()) // 60}" for name in lives}
    for life in lives.values():
        life.becomes("Scheduled", None, due, None, None, 0, 0, 0, 0)
    for name, life in lives.items():
        started = life.begun(runs[name])
        life.becomes("Running", started, None, started, None, 0, 0, 0, 0)
    ended = {name: life.end(runs[name]) for name, life in lives.items()}
    lives["good"].becomes("Triggered", ended["good"], None, None, None, 1, 1, 0, 0)
    lives["bad"].becomes("Triggered", ended["bad"], None, None, ERROR, 1, 0, 1, 1)
    again = lives["bad"].begin("good-again")
    lives["bad"].becomes("Running", again, None, again, ERROR, 1, 0, 1, 1)
    last = lives["bad"].end("good-again")
    lives["bad"].becomes("Triggered", last, None, None, None, 2, 1, 1, 0)
