"""What is approved as a unit: the content of a job and its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import rfc8785
from pydantic import ValidationError

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.content.sources import NO_SOURCES, Sources, resolved
from agentjobs.core.errors import UserError
from agentjobs.core.wire.bodies import MAX_DEPTH
from agentjobs.core.wire.bounded import loads

RECIPE: Final = 1
NOT_COVERED: Final = frozenset({"suspend", "history"})
"""Fields that change how a job is operated, not what it does."""
MAX_REVISION_BYTES: Final = 900 * 1024
"""A ConfigMap holds 1 MiB in all.

A script within its own limit exceeds this only when most of it is escaped characters."""
_REMEMBERED: Final = 16
"""Contents kept: one reconcile asks for the same one several times."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is approved as a unit: the resolved spec, its canonical bytes and their digest."""

    spec: ScheduledAgentJobSpec
    document: bytes
    digest: str


def content(name: str, spec: ScheduledAgentJobSpec, sources: Sources = NO_SOURCES) -> Content:
    """The content of a job, with its references replaced by what `sources` has for them.

    Fields at their default are left out, so that a field added later changes no digest. Raises
    UserError when a reference has no usable text, or the content would not fit into a revision.
    """
    return _content(name, resolved(spec, sources))


@lru_cache(_REMEMBERED)
def _content(name: str, spec: ScheduledAgentJobSpec) -> Content:
    covered = spec.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude=set(NOT_COVERED)
    )
    document = rfc8785.dumps({"recipe": RECIPE, "name": name, "spec": covered})
    if len(document) > MAX_REVISION_BYTES:
        raise UserError(
            f"spec: the content has {len(document)} bytes as JSON, and at most"
            f" {MAX_REVISION_BYTES} are allowed; shorten the script, the instructions or the"
            " variables"
        )
    return Content(spec, document, hashlib.sha256(document).hexdigest())


def parse_revision(name: str, document: bytes, digest: str) -> Content:
    """Reads a frozen content back.

    Raises UserError when it does not match its digest, or is not this job's.
    """
    if hashlib.sha256(document).hexdigest() != digest:
        raise UserError(f"the revision of {name} does not match its digest")
    try:
        data: dict[str, Any] = loads(document, max_bytes=MAX_REVISION_BYTES, max_depth=MAX_DEPTH)
        spec = ScheduledAgentJobSpec.model_validate(data["spec"])
    except (ValueError, KeyError, TypeError, ValidationError):
        raise UserError(f"this version of agentjobs cannot read the revision of {name}") from None
    if data.get("name") != name or data.get("recipe") != RECIPE:
        raise UserError(f"the revision does not belong to {name}")
    return Content(spec, document, digest)
