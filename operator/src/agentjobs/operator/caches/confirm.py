"""Before something is refused, stopped, taken away or given up because of what the caches lack, the API server is asked.

Watch streams are late by moments at best, and a second leader acts meanwhile.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agentjobs.api import names
from agentjobs.cluster.client import Api
from agentjobs.core.approval import obstacles, revisions
from agentjobs.core.approval.decisions import verdict
from agentjobs.core.approval.in_force import in_force, is_suspended
from agentjobs.core.errors import NotFound
from agentjobs.core.observed import Observed
from agentjobs.core.runs import cases
from agentjobs.core.runs.cases import Case, begun
from agentjobs.core.schedules import accounting
from agentjobs.operator.caches.cache import Cache, Key
from agentjobs.operator.caches.fresh import pages


async def confirm_approvals(api: Api, cache: Cache, key: Key, observed: Observed) -> bool:
    """Brings the job's approvals up to date if one is missed; returns whether it asked."""
    if not _misses_an_approval(observed):
        return False
    found = await _all(api, cache, "approval", key[0], fieldSelector=f"spec.jobName={key[1]}")
    for approval in observed.approvals:
        if approval.name not in found:
            cache.approvals.drop((key[0], approval.name))
    return True


def _misses_an_approval(observed: Observed) -> bool:
    in_use = {job.digest for job in observed.batch_jobs if not job.ended and job.stop_reason is None}
    told, cron = observed.job.status.approval, observed.cron_job
    starting = cron.digest if cron and not cron.suspended else None
    if any(digest and verdict(digest, observed.approvals) != "Approved" for digest in (told and told.digest, starting, *in_use)):
        return True
    return any(run.manual and not run.adopted for run in observed.runs) and in_force(observed).content is None


async def confirm_packages(api: Api, cache: Cache, key: Key, observed: Observed) -> bool:
    """Brings the namespace's approvals of packages up to date if one is missed; returns whether it asked."""
    if not _misses_a_package(observed):
        return False
    found = await _all(api, cache, "packageapproval", key[0])
    for approval in observed.packages.approvals:
        if approval.name not in found:
            cache.package_approvals.drop((key[0], approval.name))
    return True


def _misses_a_package(observed: Observed) -> bool:
    told, force = observed.job.status.approval, in_force(observed)
    contents = (content for content in (force.current, observed.previous) if content and told and content.digest == told.digest)
    pins = {pin for content in contents for pin in content.spec.packages}
    pins.update(pin for job in observed.batch_jobs if not job.ended and job.stop_reason is None for pin in job.packages)
    if observed.packages.lacking(pins):
        return True
    return bool(force.lacking) and force.content is None and any(run.manual and not run.adopted for run in observed.runs)


async def confirm_leftovers(api: Api, cache: Cache, key: Key, observed: Observed, now: datetime) -> bool:
    """Brings the job's Jobs up to date before a revision goes that nothing seems to need; returns whether it asked."""
    if not revisions.due(observed, now):
        return False
    await _list(api, cache, "batchjob", key, f"{names.JOB_LABEL}={key[1]}")
    return True


async def confirm_runs(api: Api, cache: Cache, key: Key, observed: Observed) -> bool:
    """Brings up to date the Jobs, pods and runs that seem to be gone; returns whether it asked."""
    doubtful = [case for case in cases.cases(observed) if not case.final and not (case.run and case.run.final) and _lacks_something(case)]
    for case in doubtful:
        if case.run is None or case.earlier:
            await _look(api, cache, "run", key, case.name)
        if case.run is not None:
            await _look(api, cache, "batchjob", key, case.name)
            if case.pod is None:
                await _list(api, cache, "pod", key, f"batch.kubernetes.io/job-name={case.name},{names.JOB_LABEL}")
    cron = observed.cron_job
    withdrawn = cron is not None and cron.suspended and in_force(observed).content is None
    if withdrawn:
        await _list(api, cache, "batchjob", key, f"{names.JOB_LABEL}={key[1]}")
    return withdrawn or bool(doubtful)


def _lacks_something(case: Case) -> bool:
    run = case.run
    if run is None or case.earlier:
        return True
    if run.skip or not (run.adopted or begun(run)):
        # It waits. What is decided about it holds only for the run as it was read.
        return False
    return cases.over(case) and (case.pod is None or case.pod.ending)


async def _look(api: Api, cache: Cache, kind: str, key: Key, name: str) -> None:
    try:
        body = await api.get(kind, key[0], name)
    except NotFound:
        cache.table(kind).drop((key[0], name))
        return
    if kind == "run":
        cache.learn(kind, body)
    else:
        cache.learn_batch_job(key, body)


async def _all(api: Api, cache: Cache, kind: str, namespace: str, **selectors: str) -> set[str]:
    """The names of all that a list shows, which are remembered once it has come whole."""
    found: dict[str, tuple[int, Any]] = {}
    async for page in pages(api, cache, kind, namespace, **selectors):
        for body in page["items"] or ():
            found[body["metadata"]["name"]] = int(body["metadata"]["resourceVersion"]), cache.read(kind, body)
    for name, (version, view) in found.items():
        cache.told(kind, version)
        if view is not None:
            cache.table(kind).put_view(namespace, name, version, view)
    return set(found)


async def _list(api: Api, cache: Cache, kind: str, key: Key, selector: str) -> None:
    await _all(api, cache, kind, key[0], labelSelector=selector)


async def confirm_starts(api: Api, cache: Cache, key: Key, observed: Observed, now: datetime) -> bool:
    """Before a start is given up, or made by the operator, looks whether it has become a Job or a run; returns whether it asked."""
    paused = is_suspended(observed.job) or observed.job.status.failure_pause is not None
    force = in_force(observed)
    obstacle = obstacles.obstacle(observed, force)
    doubtful = accounting.outlook(observed, force, observed.job.status, obstacle, suspended=paused, now=now).writes
    for write in doubtful:
        await _look(api, cache, "batchjob", key, write.name)
        await _look(api, cache, "run", key, write.name)
    return bool(doubtful)
