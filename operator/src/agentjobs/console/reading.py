"""What pages read, as the person who asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agentjobs.api.kinds import KINDS
from agentjobs.cluster.client import TABLE, Cluster, Json
from agentjobs.core.content.sources import Reference, Unusable, references, text_of
from agentjobs.core.errors import ClusterError, NotFound, Refused
from agentjobs.core.plan import Write
from agentjobs.present.contents import InvalidContent, content_of, frozen, model_of
from agentjobs.present.rows import newest_first
from agentjobs.present.shown import Shown, revision_names

JOB_CELLS: Final = {
    "Phase": ("phase",),
    "Approval": ("approval", "state"),
    "Schedule": ("schedule",),
    "Next": ("nextRunAt",),
    "Last Run": ("lastRunAt",),
    "Runs": ("runCount",),
    "Failed": ("failureCount",),
    "Reason": ("reason",),
    "Waiting": ("waiting",),
    "Digest": ("card", "digest"),
    "Last Error": ("lastError",),
}
"""Columns of the CRD that are fields of a job's status."""
AT_ONCE: Final = 10
"""Requests side by side for one page."""


async def jobs(cluster: Cluster, namespace: str) -> tuple[list[Json], str]:
    """All jobs, of one namespace or of all, with the fields that a list shows, and its version.

    They come as a Table, which is a tenth of the jobs themselves. Raises ClusterError.
    """
    found: list[Json] = []
    version = ""
    async for page in cluster.list("job", namespace, accept=TABLE):
        columns = [str(column.get("name")) for column in page.get("columnDefinitions") or ()]
        found += [job_of_row(columns, row) for row in page.get("rows") or ()]
        version = str((page.get("metadata") or {}).get("resourceVersion") or version)
    return found, version


def job_of_row(columns: Sequence[str], row: Mapping[str, Any]) -> Json:
    cells = dict(zip(columns, row.get("cells") or (), strict=False))
    status: Json = {}
    for column, path in JOB_CELLS.items():
        if cells.get(column) not in (None, "", "<none>"):
            status.setdefault(path[0], {} if len(path) > 1 else cells[column])
            if len(path) > 1:
                status[path[0]][path[1]] = cells[column]
    if cells.get("Decision"):
        status["conditions"] = [{"type": "Approved", "reason": cells["Decision"]}]
    metadata = (row.get("object") or {}).get("metadata") or {}
    return {
        "metadata": metadata,
        "spec": {"description": cells.get("Description") or ""},
        "status": status,
    }


async def whole(cluster: Cluster, found: Iterable[Mapping[str, Any]]) -> list[Json]:
    """The jobs themselves, for the few that a page shows; those that are gone are left out."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(job: Mapping[str, Any]) -> Json | None:
        async with slots:
            try:
                metadata = job["metadata"]
                return await cluster.get("job", metadata["namespace"], metadata["name"])
            except NotFound:
                return None
            except ClusterError:
                return dict(job)

    return [job for job in await asyncio.gather(*map(one, found)) if job]


@dataclass(frozen=True)
class Reading:
    """A job with the content that would be decided about, and the one in force.

    `problem`: why it has no content; then nothing can be decided. `before` is None where nothing is
    in force, or where its text may not be read.
    """

    job: Json
    shown: Shown | None
    before: Shown | None
    problem: str = ""


async def job(cluster: Cluster, namespace: str, name: str) -> Reading:
    """A job as it is now, with the ConfigMaps that it refers to. Raises ClusterError."""
    found = await cluster.get("job", namespace, name)
    before = await _in_force(cluster, found)
    try:
        model = model_of(found["spec"])
        texts = {one: await _text(cluster, namespace, one) for one in references(model)}
        return Reading(found, content_of(name, model, texts.__getitem__), before)
    except InvalidContent as problem:
        return Reading(found, None, before, str(problem))


async def _text(cluster: Cluster, namespace: str, reference: Reference) -> str | Unusable:
    try:
        return text_of(await cluster.get("source", namespace, reference.name), reference)
    except NotFound:
        return text_of(None, reference)


async def _in_force(cluster: Cluster, found: Json) -> Shown | None:
    metadata = found["metadata"]
    for name in revision_names(found):
        try:
            revision = await cluster.get("revision", metadata["namespace"], name)
        except (NotFound, Refused):
            continue
        if shown := frozen(metadata["name"], revision, str(found["status"]["approval"]["digest"])):
            return shown
    return None


async def may(cluster: Cluster, namespace: str, verb: str, kind: str, name: str = "") -> bool:
    """Whether the API server would let the person do that. Raises ClusterError."""
    place = KINDS[kind]
    wanted = {
        "namespace": namespace,
        "verb": verb,
        "group": place.group,
        "resource": place.plural,
        "name": name,
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": wanted},
    }
    answer = await cluster.write("", Write("create", "may", "", "ask what one may do", body))
    return bool((answer.get("status") or {}).get("allowed"))


RUN_CELLS: Final = {
    "Phase": "phase",
    "Reason": "reason",
    "Exit Code": "exitCode",
    "Started": "startedAt",
    "Finished": "finishedAt",
    "Message": "message",
}
"""Columns of the CRD that are fields of a run's status."""


async def runs(cluster: Cluster, namespace: str, of_job: str = "") -> list[Json]:
    """Runs without their output, newest first. Raises ClusterError."""
    selectors = {"fieldSelector": f"spec.jobName={of_job}"} if of_job else {}
    found = [
        _run(columns, row)
        async for page in cluster.list("run", namespace, accept=TABLE, **selectors)
        if (columns := [str(column.get("name")) for column in page["columnDefinitions"] or ()])
        for row in page["rows"]
    ]
    return newest_first(found)


def _run(columns: Sequence[str], row: Mapping[str, Any]) -> Json:
    cells = dict(zip(columns, row.get("cells") or (), strict=False))
    status = {
        field: cells[column]
        for column, field in RUN_CELLS.items()
        if cells.get(column) not in (None, "", "<none>")
    }
    return {
        "metadata": (row.get("object") or {}).get("metadata") or {},
        "spec": {"jobName": cells.get("Job"), "trigger": {"type": cells.get("Trigger")}},
        "status": status,
    }


async def every(cluster: Cluster, kind: str, namespace: str, **selectors: str) -> list[Json]:
    """All objects of a kind, whole. Raises ClusterError."""
    pages = cluster.list(kind, namespace, **selectors)
    return [body async for page in pages for body in page.get("items") or ()]
