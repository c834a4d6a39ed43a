"""What people try, and how a manifest or a patch of theirs is written down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from tests.cluster.installed import Manifest
from tests.cluster.support import RESTRICTED
from tests.support import manifests

DEBUGGER: Final = {"name": "e", "image": "localhost/evil:1", "securityContext": RESTRICTED}
OWNED: Final = "what carries the label agentjobs.dev/job belongs to the operator"
NO_VERB: Final = (
    "may not make or withdraw this decision: it needs the verb approve on"
    " scheduledagentjobs/pending (group agentjobs.dev)"
)
STATUS: Final = "is what the operator saw; nobody else writes it"


@dataclass(frozen=True)
class Attempt:
    what: str
    user: str
    words: tuple[str, ...]
    told: str
    """Part of what the user is told."""
    manifest: Manifest | None = None


def approves(what: str, user: str, told: str, **spec: Any) -> Attempt:
    manifest = manifests.approval("try", **{"jobName": "pending", "digest": "{pending}", **spec})
    return Attempt(what, user, ("create", "-f", "-"), told, manifest)


def packages(what: str, user: str, told: str, **spec: Any) -> Attempt:
    return Attempt(
        what, user, ("create", "-f", "-"), told, manifests.package_approval("try", **spec)
    )


def starts(
    what: str,
    user: str,
    told: str,
    name: str = "try",
    job: str = "busy",
    annotations: Any = None,
    **trigger: Any,
) -> Attempt:
    manifest = manifests.run(name, job, **({"trigger": trigger} if trigger else {}))
    manifest["metadata"] |= annotations or {}
    return Attempt(what, user, ("create", "-f", "-"), told, manifest)


def patches(what: str, user: str, thing: str, patch: Manifest, told: str, *options: str) -> Attempt:
    return Attempt(
        what,
        user,
        ("patch", *thing.split(), "--type=merge", *options, "--patch", json.dumps(patch)),
        told,
    )


def pod_spec(**fields: Any) -> Manifest:
    container = {"name": "runner", "image": "localhost/evil:1", "securityContext": RESTRICTED}
    return {"restartPolicy": "Never", "containers": [container], **fields}


def labelled(kind: str, version: str, name: str, **fields: Any) -> Manifest:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "labels": {"agentjobs.dev/job": "busy"}},
        **fields,
    }
