"""Every kind of object that this project reads or writes.

For each: where the API server has it, and how the operator keeps up with it.

Light to import: the command line needs addresses before it needs models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

from agentjobs.api import names

FINAL_PHASES: Final = ("Cancelled", "Failed", "Missed", "Skipped", "Succeeded", "TimedOut")
"""Of a run: its record is complete."""
ACTIVE_RUNS: Final = ",".join(f"status.phase!={phase}" for phase in FINAL_PHASES)
OWN: Final = {"labelSelector": names.JOB_LABEL}


class Kind(NamedTuple):
    """One kind.

    `watched`: the selectors of its watch, None where it has none; `relisted`: lists are compared
    with what is cached.
    """

    group: str
    version: str
    plural: str
    watched: Mapping[str, str] | None = None
    relisted: bool = False

    @property
    def resource(self) -> str:
        """Its name for kubectl, which no other group can have."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def path(self) -> str:
        """Its collection, with {} in the place of `namespaces/NAME/`; see `address`."""
        root = f"apis/{self.group}" if self.group else "api"
        return f"{root}/{self.version}/{{}}{self.plural}"


def address(path: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """Where the API server has a collection, or one of its objects.

    `path`: a kind's; `namespace`: empty for all namespaces. Nothing that is given leads elsewhere.
    """
    steps = (quote(name, safe="") if name else "", subresource)
    where = f"namespaces/{quote(namespace, safe='')}/" if namespace else ""
    return "/".join(("", path.format(where), *filter(None, steps)))


def _ours(plural: str, selectors: Mapping[str, str]) -> Kind:
    return Kind(names.GROUP, names.VERSION, plural, selectors, relisted=True)


_ADMISSION: Final = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "mutatingadmissionpolicybindings",
}


KINDS: Final[dict[str, Kind]] = {
    "job": _ours(names.JOBS, {}),
    "run": _ours(names.RUNS, {"fieldSelector": ACTIVE_RUNS}),
    "approval": _ours(names.APPROVALS, {}),
    "packageapproval": _ours(names.PACKAGE_APPROVALS, {}),
    "cronjob": Kind("batch", "v1", "cronjobs", OWN),
    "batchjob": Kind("batch", "v1", "jobs", OWN, relisted=True),
    "pod": Kind("", "v1", "pods", OWN, relisted=True),
    "source": Kind(
        "", "v1", "configmaps", {"labelSelector": f"{names.SOURCE_LABEL}=true"}, relisted=True
    ),
    "revision": Kind("", "v1", "configmaps"),
    "claim": Kind("", "v1", "persistentvolumeclaims"),
    "secret": Kind("", "v1", "secrets"),
    "event": Kind("", "v1", "events"),
    "lease": Kind("coordination.k8s.io", "v1", "leases"),
    "whoami": Kind("authentication.k8s.io", "v1", "selfsubjectreviews"),
    "may": Kind("authorization.k8s.io", "v1", "selfsubjectaccessreviews"),
    **{
        f"admissionregistration.k8s.io/{version}/{kind}": Kind(
            "admissionregistration.k8s.io", version, plural
        )
        for version in ("v1", "v1beta1")
        for kind, plural in _ADMISSION.items()
    },
}
"""By the short names that the whole project uses.

The policies that the chart lists stand under API version and kind."""
WATCHED: Final = {short: kind for short, kind in KINDS.items() if kind.watched is not None}
RELISTED: Final = {
    short: dict(kind.watched or {}) for short, kind in KINDS.items() if kind.relisted
}
"""With the selectors of their lists, which are those of their watches."""
