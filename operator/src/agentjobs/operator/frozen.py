"""Reads the frozen contents of one job: its revisions, and what is kept next to them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Literal

from agentjobs.api import names
from agentjobs.cluster.client import METADATA, Api, Json, find
from agentjobs.core import naming
from agentjobs.core.approval import revisions
from agentjobs.core.approval.decisions import verdict
from agentjobs.core.approval.in_force import valid_content
from agentjobs.core.content.digest import Content, parse_revision
from agentjobs.core.errors import UserError
from agentjobs.core.observed import Observed
from agentjobs.core.views.approvals import revision_view
from agentjobs.core.views.job import JobView, is_left, is_of
from agentjobs.core.views.metadata import labels_of
from agentjobs.core.workload import install
from agentjobs.core.workload.records import REVISION_KEY
from agentjobs.core.workload.settings import RunPolicy
from agentjobs.operator.caches.cache import Cache

log = logging.getLogger(__name__)

Whose = Literal["ours", "left", "foreign", "none"]


class FrozenContents:
    """Looks for revisions and resolutions, and decides nothing."""

    def __init__(self, cluster: Api, cache: Cache, policy: RunPolicy) -> None:
        self._cluster = cluster
        self._cache = cache
        self._policy = policy

    async def previous(self, observed: Observed) -> Content | None:
        """The content last in force, read from its revision; None where it is the spec's own."""
        job = observed.job
        digest = job.status.approval.digest if job.status.approval else None
        own = valid_content(job, observed.sources)
        if digest is None or (own and own.digest == digest):
            return None
        name, older = _names(job, digest)
        revision = await find(self._cluster, "revision", job.namespace, name)
        revision = revision or await find(self._cluster, "revision", job.namespace, older)
        if revision is None or not is_of(revision, job):
            return None
        try:
            return parse_revision(job.name, revision["data"][REVISION_KEY].encode(), digest)
        except (UserError, KeyError) as error:
            about = {"job": job.name, "namespace": job.namespace}
            log.warning("the revision in force cannot be used: %s", error, extra=about)
            return None

    async def existing(self, observed: Observed) -> Observed:
        """The same, with the revisions of approved contents that exist and are ours.

        Also with those whose kept resolution exists and is ours.
        """
        job = observed.job
        contents = (valid_content(job, observed.sources), observed.previous)
        approved = [
            content
            for content in contents
            if content and verdict(content.digest, observed.approvals) == "Approved"
        ]
        found = await asyncio.gather(
            *(self._revision_of(job, content.digest) for content in approved)
        )
        existing = frozenset(name for name, whose, _ in found if whose == "ours")
        packed = {content.digest for content in approved if install.needed(content, self._policy)}
        named = [
            revisions.frozen(replace(observed, revisions=existing), digest).name
            for digest in packed
        ]
        kept = await self._ours(job, tuple(map(naming.resolution_name, named)))
        return replace(
            observed,
            revisions=existing,
            resolutions=frozenset(name for name in named if naming.resolution_name(name) in kept),
            foreign=frozenset(name for name, whose, _ in found if whose == "foreign"),
            left_behind={name: uid for name, whose, uid in found if whose == "left"},
        )

    async def _revision_of(self, job: JobView, digest: str) -> tuple[str, Whose, str]:
        """The name of the revision that holds this content, whose it is, and its uid.

        The name is today's or the older one.
        """
        name, older = _names(job, digest)
        found = await self._metadata(job, name)
        if found and _holds(found, job, digest):
            return name, "ours", ""
        # New revisions do not get such names: those that exist were in the first list.
        known = self._cache.revisions.version((job.namespace, older))
        kept = await self._metadata(job, older) if known else None
        if kept and _holds(kept, job, digest):
            return older, "ours", ""
        if found and is_left(found, job):
            return name, "left", str(found["metadata"]["uid"])
        foreign = found is not None and labels_of(found).get(names.JOB_LABEL) != job.name
        return name, "foreign" if foreign else "none", ""

    async def _ours(self, job: JobView, wanted: tuple[str, ...]) -> frozenset[str]:
        found = await asyncio.gather(*(self._metadata(job, name) for name in wanted))
        return frozenset(
            name for name, body in zip(wanted, found, strict=True) if body and is_of(body, job)
        )

    async def _metadata(self, job: JobView, name: str) -> Json | None:
        return await find(self._cluster, "revision", job.namespace, name, METADATA)


def _names(job: JobView, digest: str) -> tuple[str, str]:
    """The name that the revision of this content gets, and the one that it had in the past."""
    return naming.revision_name(job.name, digest), naming.older_revision_name(job.name, digest)


def _holds(revision: Json, job: JobView, digest: str) -> bool:
    return is_of(revision, job) and revision_view(revision).digest == digest
