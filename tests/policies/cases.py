"""Requests to the API server as data: who asks for what, and what the policies say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

Manifest = dict[str, Any]
Operation = Literal["CREATE", "UPDATE", "DELETE"]

GROUPS: Final = {
    "agentjobs.dev": "agentjobruns agentjobapprovals packageapprovals scheduledagentjobs".split(),
    "": "pods configmaps persistentvolumeclaims podtemplates replicationcontrollers".split(),
    "batch": ["cronjobs", "jobs"],
    "apps": "deployments replicasets statefulsets daemonsets".split(),
}
"""The kinds that policies are about, by their API group."""
ACCOUNT: Final = "system:serviceaccount:agentjobs-system:agentjobs"
EVERYTHING: Final = (
    "run scheduledagentjobs",
    "approve scheduledagentjobs",
    "approve packages",
)


@dataclass(frozen=True)
class Person:
    """Somebody with every plain verb on every kind. `may` adds our own verbs: on every object of a
    resource, as in `approve packages`, or on one, as in `run scheduledagentjobs/second`.
    `{namespace}` in a name stands for the namespace of the requests.
    """

    username: str
    may: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


PEOPLE: Final = {
    "ana": Person("ana", EVERYTHING),
    "bo": Person("bo", EVERYTHING),
    "ada": Person("ada", ("approve scheduledagentjobs/busy",)),
    "tina": Person("tina", ("run scheduledagentjobs/second",)),
    "pip": Person("pip", ("approve packages",)),
    "ed": Person("ed"),
    "its own account": Person("system:serviceaccount:{namespace}:default", EVERYTHING),
    "a pipeline": Person("system:serviceaccount:elsewhere:default", EVERYTHING),
    "the operator": Person(ACCOUNT, EVERYTHING),
    "the controllers": Person("system:kube-controller-manager"),
    "the scheduler": Person("system:kube-scheduler"),
    "the API server": Person("system:apiserver"),
    "the collector": Person("system:serviceaccount:kube-system:generic-garbage-collector"),
    "a node": Person("a-node", groups=("system:nodes",)),
    "root": Person("root", groups=("system:masters",)),
    "a deputy": Person("deputy", ("bypass scheduledagentjobs",)),
}
"""`root` may do everything, as an administrator of the cluster does."""


@dataclass(frozen=True)
class Request:
    """`resource` may have a subresource, as in `pods/status`. `body` is the new object, or the one
    that an update or a deletion is about; `patch` is a merge patch.
    """

    operation: Operation
    who: str
    resource: str
    body: Manifest
    patch: Manifest = field(default_factory=dict)
    refused: str = ""
    """Part of what a policy says; empty where none refuses."""
    becomes: Manifest = field(default_factory=dict)
    """Part of the object as the policies complete it; None is a field that is not there."""

    @property
    def plural(self) -> str:
        return self.resource.partition("/")[0]

    @property
    def subresource(self) -> str:
        return self.resource.partition("/")[2]

    @property
    def group(self) -> str:
        return next(group for group, plurals in GROUPS.items() if self.plural in plurals)


def merged(body: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(body) if isinstance(body, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def holds(body: Any, part: Any) -> bool:
    """The part is there as it is, and what is None in it is not there."""
    if isinstance(part, dict):
        return all(holds((body or {}).get(key), value) for key, value in part.items())
    return bool(body == part)
