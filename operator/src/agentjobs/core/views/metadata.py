"""What every view reads from an object's metadata and conditions. Unknown fields are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Body = Mapping[str, Any]


def is_orphaning(body: Body) -> bool:
    """Whether garbage collection is removing a deleted object as owner from everything it has.

    Nothing must get that owner again.
    """
    metadata = body["metadata"]
    return "deletionTimestamp" in metadata and "orphan" in (metadata.get("finalizers") or ())


def controller_uid(body: Body) -> str | None:
    """The uid of the owner that is marked as controller."""
    owners = body["metadata"].get("ownerReferences", ())
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def labels_of(body: Body) -> Mapping[str, str]:
    """The labels of an object, if any."""
    return body["metadata"].get("labels") or {}


def annotations_of(body: Body) -> Mapping[str, str]:
    """The annotations of an object, if any."""
    return body["metadata"].get("annotations") or {}


def condition_of(body: Body, kind: str) -> Mapping[str, str]:
    """The condition of this type where it is true, else an empty mapping."""
    conditions = (body.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == kind and c["status"] == "True"), {})
