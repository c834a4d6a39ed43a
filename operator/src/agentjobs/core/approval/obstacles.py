"""Finds foreign objects that have a name which the job needs.

The job reports them, and nothing starts meanwhile.
"""

from __future__ import annotations

from agentjobs.core import naming
from agentjobs.core.approval import revisions
from agentjobs.core.observed import InForce, Observed
from agentjobs.core.workload import sessions


def foreign_claim(observed: Observed, force: InForce) -> str | None:
    """The sentence where a foreign claim has the session's name: nobody approved that session."""
    wanted = force.spec is not None and sessions.continuous(force.spec)
    if not wanted or observed.session_claim != "foreign":
        return None
    name = naming.claim_name(observed.job.name)
    return (
        f"a PersistentVolumeClaim named {name} exists and does not belong to this job; delete it,"
        " or give the job another name"
    )


def obstacle(observed: Observed, force: InForce) -> str | None:
    """The sentence on what keeps the job from its CronJob, revision or session; None: nothing."""
    cron = observed.cron_job
    if cron is None or observed.own_cron_job:
        return revisions.obstacle(observed, force) or foreign_claim(observed, force)
    return (
        f"a CronJob named {cron.name} exists and does not belong to this job; delete it, or give"
        " the job another name"
    )
