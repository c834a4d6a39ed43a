"""`kubectl saj doctor`: whether all that approvals rest on is in force, and who could evade one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Final

import typer

from agentjobs.api import kinds, names
from agentjobs.cli import options, screen
from agentjobs.cli.errors import ApiServerError, Exit
from agentjobs.cli.kube import JOBS, MAY_I, RUNS, Kube
from agentjobs.cli.text import painted
from agentjobs.present.health import (
    LEASE_NAME,
    TONES,
    Finding,
    enforced,
    lease,
    several,
    stuck,
    troubles,
)
from agentjobs.present.rbac import holders, ways_around
from agentjobs.present.text import Line, at, joined, one_line, visible

KINDS: Final = tuple(
    sorted(kind.plural for kind in kinds.KINDS.values() if kind.group == names.GROUP)
)
LEASES: Final = kinds.KINDS["lease"].path
POLICIES: Final = kinds.KINDS["admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"].path
BINDINGS: Final = kinds.KINDS[
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding"
].path
RBAC: Final = "apis/rbac.authorization.k8s.io/v1/{}"
OURS: Final = "app.kubernetes.io/name=agentjobs"
INSTANCE: Final = "app.kubernetes.io/instance"
RIGHTS: Final = {
    "write jobs": ("create", "scheduledagentjobs"),
    "start runs": ("run", "scheduledagentjobs"),
    "approve jobs": ("approve", "scheduledagentjobs"),
    "approve packages": ("approve", "packages"),
}


@options.on_cluster
def run(
    kube: Kube,
    output: options.Format = options.Output.TABLE,
) -> None:
    """Check what approvals rest on, what you may do here, and who could get around an approval.

    Exit code 1 when something is wrong.
    """
    found: list[Finding] = []
    for check in (served, operator, policies, jobs, runs, rights, around):
        for finding in _tried(check, kube):
            found.append(finding)
            if output in (options.Output.TABLE, options.Output.WIDE):
                screen.put(_line(finding, colour=screen.on_terminal()))
    _for_programs(found, output)
    if any(finding.verdict == "problem" for finding in found):
        raise typer.Exit(Exit.NO)


def _line(finding: Finding, *, colour: bool) -> Line:
    verdict = painted(visible(f"{finding.verdict:<8}"), TONES[finding.verdict] if colour else "")
    return joined(verdict, one_line(finding.text))


def _for_programs(found: list[Finding], output: options.Output) -> None:
    """A finding has no name: its verdict stands in the place of one."""
    if output is options.Output.NAME:
        for finding in found:
            screen.say(finding.verdict)
    elif output in (options.Output.JSON, options.Output.YAML):
        options.dump({"findings": [asdict(finding) for finding in found]}, output)


def _tried(check: Callable[[Kube], Iterator[Finding]], kube: Kube) -> Iterator[Finding]:
    """What the user may not see is unknown, not wrong."""
    try:
        yield from check(kube)
    except ApiServerError as refusal:
        if refusal.code is not Exit.FORBIDDEN:
            raise
        yield Finding(
            "unknown", f"{(check.__doc__ or '').rstrip('.')}: you may not see it: {refusal.message}"
        )


def served(kube: Kube) -> Iterator[Finding]:
    """The API of agentjobs."""
    try:
        found = kube.read("/apis/agentjobs.dev/v1alpha1")
    except ApiServerError as refusal:
        if refusal.code is not Exit.NOT_FOUND:
            raise
        yield Finding(
            "problem",
            "the cluster does not know agentjobs: an administrator has to install the chart",
        )
        return
    missing = sorted(set(KINDS) - {resource["name"] for resource in found["resources"]})
    yield (
        Finding("problem", f"missing: {', '.join(missing)}; upgrade the chart")
        if missing
        else Finding("ok", "the API is served")
    )


def operator(kube: Kube) -> Iterator[Finding]:
    """The operator's lease."""
    leases = kube.all(LEASES, "", fieldSelector=f"metadata.name={LEASE_NAME}")
    yield from lease(leases, options.now())


def policies(kube: Kube) -> Iterator[Finding]:
    """The admission policies."""
    found = kube.all(POLICIES, "", labelSelector=OURS)
    names = {body["metadata"]["name"] for body in found}
    yield from several(
        "releases of the chart,",
        {str(at(body, "metadata", "labels", INSTANCE)) for body in found} - {"None"},
    )
    deny = {
        at(body, "spec", "policyName")
        for body in kube.all(BINDINGS, "", labelSelector=OURS)
        if "Deny" in (at(body, "spec", "validationActions") or ())
    }
    yield from enforced(names, deny)


def jobs(kube: Kube) -> Iterator[Finding]:
    """The jobs of the namespace."""
    yield from troubles(kube.all(JOBS), options.now())


def runs(kube: Kube) -> Iterator[Finding]:
    """The runs of the namespace that go on."""
    yield from stuck(kube.all(RUNS), options.now())


def rights(kube: Kube) -> Iterator[Finding]:
    """Your own rights."""
    may: list[str] = []
    may_not: list[str] = []
    for what, (verb, resource) in RIGHTS.items():
        attributes = {
            "namespace": kube.namespace,
            "verb": verb,
            "group": "agentjobs.dev",
            "resource": resource,
        }
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        allowed = at(kube.review(MAY_I, body), "status", "allowed")
        (may if allowed else may_not).append(what)
    yield Finding(
        "note",
        f"{kube.whoami()} may {', '.join(may) or 'do nothing'} here"
        + (f", not {', '.join(may_not)}" if may_not else ""),
    )


def around(kube: Kube) -> Iterator[Finding]:
    """Who could get around an approval."""
    bindings = [*kube.all(RBAC + "clusterrolebindings", ""), *kube.all(RBAC + "rolebindings")]
    roles = {
        ("ClusterRole", role["metadata"]["name"]): role
        for role in kube.all(RBAC + "clusterroles", "")
    }
    roles |= {("Role", role["metadata"]["name"]): role for role in kube.all(RBAC + "roles")}
    for way, who in ways_around(holders(bindings, roles)):
        if who:
            yield Finding("note", f"can {way}: {', '.join(who)}")
