"""Jobs and runs as the API server tells them, for tests of the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

NOW: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DIGESTS: Final = {
    name: f"{number}" * 64
    for number, name in enumerate(("pages", "mail", "links", "web", "audit", "fresh"))
}

Json = dict[str, Any]


def job(name: str, *, spec: Json | None = None, **status: Any) -> Json:
    """With a card, as soon as it has any status."""
    card = {
        "digest": DIGESTS[name],
        "name": name,
        "description": f"What {name} is for.",
        "schedule": "At 08:00, only on Monday (Europe/Bucharest)",
        "session": "Ephemeral",
        "timeoutSeconds": 3540,
    }
    return {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "ScheduledAgentJob",
        "metadata": {"name": name, "namespace": "team", "generation": 1},
        "spec": {
            "description": f"What {name} is for.",
            "script": {"inline": "print('hello')\n"},
            **(spec or {}),
        },
        **(
            {
                "status": {
                    "observedGeneration": 1,
                    **status,
                    "card": {**card, **status.get("card", {})},
                }
            }
            if status
            else {}
        ),
    }


def run(name: str, phase: str, trigger: str = "Schedule", **status: Any) -> Json:
    """One record."""
    return {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "AgentJobRun",
        "metadata": {
            "name": name,
            "namespace": "team",
            "creationTimestamp": "2026-11-24T10:00:00Z",
        },
        "spec": {"jobName": "pages", "trigger": {"type": trigger, "by": "ana@example.com"}},
        "status": {"phase": phase, **status},
    }


JOBS: Final = [
    job(
        "pages",
        phase="Finished",
        approval={"state": "Approved", "digest": DIGESTS["pages"]},
        lastRunAt="2026-11-23T06:00:00Z",
        nextRunAt="2026-11-30T08:00:00+02:00",
        runCount=7,
        failureCount=1,
    ),
    job(
        "mail",
        phase="PendingApproval",
        approval={"state": "Pending"},
        card={"packages": ["requests==2.32.3: needs approval"]},
    ),
    job(
        "links",
        phase="Failed",
        approval={"state": "Changed", "digest": "f" * 64},
        lastRunAt="2026-11-24T11:58:30Z",
        lastError=(
            "ScriptFailed: the script exited with code 3\nafter \x1b[31m a long while in which"
            " nothing at all went well"
        ),
        runCount=1,
        failureCount=1,
        card={
            "nextStarts": ["2026-11-30T08:00:00+02:00", "2026-12-07T08:00:00+02:00"],
            "secrets": ["crm/token"],
            "newField": "later",
        },
    ),
    job(
        "web",
        phase="Running",
        approval={"state": "Approved"},
        startedAt="2026-11-24T11:59:20Z",
        lastRunAt="2026-11-24T11:59:20Z",
    ),
    job("audit", phase="Paused", approval={"state": "Approved"}, runCount=12),
    job("fresh"),
]
RUNS: Final = [
    run(
        "pages-29412345",
        "Succeeded",
        reason="Completed",
        exitCode=0,
        startedAt="2026-11-23T06:00:00Z",
        finishedAt="2026-11-23T06:03:10Z",
    ),
    run(
        "pages-xk2v9",
        "TimedOut",
        "Manual",
        reason="Timeout",
        exitCode=124,
        startedAt="2026-11-24T10:00:05Z",
        finishedAt="2026-11-24T10:59:05Z",
    ),
    run("pages-29412346", "Skipped", reason="Overlap", message="pages-xk2v9 had not finished"),
    run("pages-now", "Running", "Manual", startedAt="2026-11-24T11:59:50Z"),
]
