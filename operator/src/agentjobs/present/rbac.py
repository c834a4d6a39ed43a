"""Who may do what in a namespace, read from roles and bindings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentjobs.present.text import Json, at


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a rule may allow."""

    verb: str
    group: str
    resource: str


WAYS_AROUND: Final[Mapping[str, tuple[Act, ...]]] = {
    "start pods without a job": (
        Act("create", "", "pods"),
        Act("create", "batch", "jobs"),
        Act("create", "batch", "cronjobs"),
        Act("create", "apps", "deployments"),
        Act("create", "apps", "statefulsets"),
        Act("create", "apps", "daemonsets"),
        Act("create", "apps", "replicasets"),
        Act("create", "", "replicationcontrollers"),
    ),
    "get into the pod of a run": (Act("create", "", "pods/exec"), Act("create", "", "pods/attach")),
    "act as the namespace's service accounts": (
        Act("create", "", "serviceaccounts/token"),
        Act("impersonate", "", "serviceaccounts"),
    ),
    "give themselves rights": (
        Act("escalate", "rbac.authorization.k8s.io", "roles"),
        Act("bind", "rbac.authorization.k8s.io", "roles"),
        Act("bind", "rbac.authorization.k8s.io", "clusterroles"),
    ),
    "change what the operator made": (Act("bypass", "agentjobs.dev", "scheduledagentjobs"),),
}
APPROVES: Final = (
    Act("approve", "agentjobs.dev", "scheduledagentjobs"),
    Act("create", "agentjobs.dev", "agentjobapprovals"),
)
WRITES: Final = (
    Act("create", "agentjobs.dev", "scheduledagentjobs"),
    Act("update", "agentjobs.dev", "scheduledagentjobs"),
    Act("patch", "agentjobs.dev", "scheduledagentjobs"),
)
BOTH: Final = "write a job and approve it alone"


def allows(rule: Json, act: Act) -> bool:
    """Whether a rule of a role does, for some object at least."""
    kind, _, part = act.resource.partition("/")
    resources = {"*", act.resource, *((f"*/{part}",) if part else ())}
    return (
        bool({"*", act.verb} & set(rule.get("verbs") or ()))
        and bool({"*", act.group} & set(rule.get("apiGroups") or ()))
        and bool(resources & set(rule.get("resources") or ()))
        and bool(kind)
    )


def holders(
    bindings: Iterable[Json], roles: Mapping[tuple[str, str], Json]
) -> dict[str, list[Json]]:
    """Each person, group or account with the rules that bindings give it.

    `roles`: by kind and name.
    """
    found: dict[str, list[Json]] = {}
    for binding in bindings:
        role = roles.get((binding["roleRef"]["kind"], binding["roleRef"]["name"]), {})
        for subject in binding.get("subjects") or ():
            found.setdefault(_name(subject, binding), []).extend(role.get("rules") or ())
    return found


def _name(subject: Json, binding: Json) -> str:
    if subject["kind"] == "ServiceAccount":
        namespace = subject.get("namespace") or at(binding, "metadata", "namespace")
        return f"service account {namespace}/{subject['name']}"
    return f"{subject['kind'].lower()} {subject['name']}"


def ways_around(found: Mapping[str, Sequence[Json]]) -> Iterator[tuple[str, list[str]]]:
    """What can be done past an approval, and who can. Kubernetes' own components are left out."""
    people = {name: rules for name, rules in found.items() if not _own(name)}
    for way, acts in WAYS_AROUND.items():
        yield (
            way,
            sorted(name for name, rules in people.items() if any(_may(rules, act) for act in acts)),
        )
    both = [
        name
        for name, rules in people.items()
        if all(_may(rules, act) for act in APPROVES) and any(_may(rules, act) for act in WRITES)
    ]
    yield BOTH, sorted(both)


def _may(rules: Iterable[Json], act: Act) -> bool:
    return any(allows(rule, act) for rule in rules)


def _own(name: str) -> bool:
    kind, _, rest = name.partition(" ")
    return (
        kind in ("user", "group") and rest.startswith("system:") and rest != "system:masters"
    ) or name.startswith("service account kube-system/")
