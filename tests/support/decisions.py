"""Jobs as the operator observes them, and what it decides about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from agentjobs.api.job_status import Condition, ScheduledAgentJobStatus
from agentjobs.core import naming
from agentjobs.core.approval.in_force import current_content
from agentjobs.core.observed import Observed
from agentjobs.core.plan import Plan
from agentjobs.core.timestamps import to_wire
from agentjobs.core.views.approvals import ApprovalView
from agentjobs.core.views.cronjob import CronJobView, cron_job_view
from agentjobs.core.views.job import job_view
from tests.support import manifests as written
from tests.support.workload import POLICY, timed

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


WEEKLY = {"cron": "0 8 * * 1", "timeZone": "Europe/Bucharest"}


def observed(status: dict[str, Any] | None = None, **spec: Any) -> Observed:
    body = written.job("report", **({"schedule": WEEKLY} | spec))
    body["metadata"] |= {"namespace": "ns", "uid": "uid", "resourceVersion": "7", "generation": 3}
    return Observed(job_view(body | {"status": status or {}}))


def approved(seen: Observed, decision: str = "Approved", digest: str | None = None) -> Observed:
    digest = digest or current_content(seen.job).digest
    approval = ApprovalView(
        f"a{len(seen.approvals)}",
        "report",
        digest,
        "Approved" if decision == "Approved" else "Denied",
        "ana",
        "2026-11-22T07:00:00Z",
    )
    return replace(seen, approvals=(*seen.approvals, approval))


def cron_job(seen: Observed, **changes: Any) -> CronJobView:
    body = timed(seen.job, current_content(seen.job), POLICY)
    body["metadata"] |= {"uid": "cron", "resourceVersion": "9"}
    return replace(cron_job_view(body), **changes)


def settled(seen: Observed) -> Observed:
    """Approved, with everything in place."""
    content = current_content(seen.job)
    return replace(
        approved(seen),
        cron_job=cron_job(seen),
        revisions=frozenset({naming.revision_name("report", content.digest)}),
    )


def status(plan: Plan) -> dict[str, Any]:
    return next(dict(write.body or {})["status"] for write in plan.writes if write.kind == "job")


def told(plan: Plan, kind: str) -> Condition:
    return Condition.model_validate(
        next(c for c in status(plan)["conditions"] if c["type"] == kind)
    )


def asked(plan: Plan) -> list[tuple[str, str]]:
    return [(write.verb, write.kind) for write in plan.writes if write.kind not in ("job", "event")]


HOUR = timedelta(hours=1)


HOURLY = {"cron": "0 * * * *", "timeZone": "Etc/UTC"}


def known(seen: Observed, **status: Any) -> Observed:
    """In force since yesterday."""
    approval = {
        "state": "Approved",
        "digest": current_content(seen.job).digest,
        "at": to_wire(NOW - 24 * HOUR),
    }
    return replace(
        seen,
        job=replace(
            seen.job,
            status=ScheduledAgentJobStatus.model_validate({"approval": approval, **status}),
        ),
    )
