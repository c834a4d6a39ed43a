"""Which content may run: the digest of a content, and what the approvals say of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import rfc8785
from pydantic import ValidationError

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.bodies import MAX_DEPTH
from agentjobs.core.bounded import loads
from agentjobs.core.errors import UserError
from agentjobs.core.sources import NO_SOURCES, Sources, resolved

RECIPE: Final = 1
NOT_COVERED: Final = frozenset({"suspend", "history"})
"""Fields that change how a job is operated, not what it does."""
MAX_REVISION_BYTES: Final = 900 * 1024
"""A ConfigMap holds 1 MiB in all. A script within its own limit exceeds this only when most of it is escaped characters."""
_REMEMBERED: Final = 16
"""Contents kept: one reconcile asks for the same one several times."""

Verdict = Literal["Approved", "Denied", "Pending"]


@dataclass(frozen=True, slots=True)
class Content:
    """What is approved as one: the resolved spec, its canonical bytes and their digest."""

    spec: ScheduledAgentJobSpec
    document: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An AgentJobApproval, in short. `at` is its creation, RFC 3339."""

    name: str
    job_name: str
    digest: str
    decision: Literal["Approved", "Denied"]
    by: str | None
    at: str


@dataclass(frozen=True, slots=True)
class RevisionView:
    """A ConfigMap that holds, or says that it holds, the content of this digest."""

    name: str
    job: str
    uid: str
    owner_uid: str | None
    digest: str


def content(name: str, spec: ScheduledAgentJobSpec, sources: Sources = NO_SOURCES) -> Content:
    """The content of a job, whose references are replaced by what `sources` has for them.

    Fields at their default are left out, so that a field added later changes no digest. Raises UserError when a reference stands for
    no usable text, or the content would not fit into a revision.
    """
    return _content(name, resolved(spec, sources))


@lru_cache(_REMEMBERED)
def _content(name: str, spec: ScheduledAgentJobSpec) -> Content:
    covered = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=set(NOT_COVERED))
    document = rfc8785.dumps({"recipe": RECIPE, "name": name, "spec": covered})
    if len(document) > MAX_REVISION_BYTES:
        raise UserError(f"spec: the content is {len(document)} bytes as JSON, at most {MAX_REVISION_BYTES} can be kept; shorten the script")
    return Content(spec, document, hashlib.sha256(document).hexdigest())


def parse_revision(name: str, document: bytes, digest: str) -> Content:
    """A frozen content, read back. Raises UserError when it is not what its digest says, or not this job's."""
    if hashlib.sha256(document).hexdigest() != digest:
        raise UserError(f"the revision of {name} does not match its digest")
    try:
        data: dict[str, Any] = loads(document, max_bytes=MAX_REVISION_BYTES, max_depth=MAX_DEPTH)
        spec = ScheduledAgentJobSpec.model_validate(data["spec"])
    except (ValueError, KeyError, TypeError, ValidationError):
        raise UserError(f"the revision of {name} cannot be read by this version") from None
    if data.get("name") != name or data.get("recipe") != RECIPE:
        raise UserError(f"the revision is not one of {name}")
    return Content(spec, document, digest)


def verdict(digest: str, approvals: Iterable[ApprovalView]) -> Verdict:
    """Approved when an Approved exists and no Denied. Time plays no part: objects made together share a timestamp."""
    decisions = {approval.decision for approval in approvals if approval.digest == digest}
    if "Denied" in decisions:
        return "Denied"
    return "Approved" if "Approved" in decisions else "Pending"


def in_force(current: str | None, previous: str | None, approvals: tuple[ApprovalView, ...]) -> str | None:
    """The digest that runs: the spec's own if approved, else the one last in force while its approval stands."""
    for digest in (current, previous):
        if digest and verdict(digest, approvals) == "Approved":
            return digest
    return None


def decided_by(digest: str, decision: Verdict, approvals: Iterable[ApprovalView]) -> ApprovalView | None:
    """The first approval object that says so."""
    found = [approval for approval in approvals if approval.digest == digest and approval.decision == decision]
    return min(found, key=lambda approval: (approval.at, approval.name), default=None)
