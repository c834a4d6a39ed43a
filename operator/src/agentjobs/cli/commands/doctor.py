"""`kubectl saj doctor`: whether all that approvals rest on is in force, and who could evade one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import typer

from agentjobs.api import kinds, names
from agentjobs.cli import options, screen
from agentjobs.cli.errors import ApiServerError, Exit
from agentjobs.cli.kube import JOBS, MAY_I, RUNS, Json, Kube
from agentjobs.cli.rbac import holders, ways_around
from agentjobs.cli.text import painted
from agentjobs.present import rows
from agentjobs.present.text import Line, Tone, at, joined, one_line, visible, when

Verdict = Literal["ok", "problem", "unknown", "note"]
TONES: Final[dict[Verdict, Tone]] = {
    "ok": "good",
    "problem": "bad",
    "unknown": "waiting",
    "note": "active",
}
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
LEASE_NAME: Final = "agentjobs-operator"
LATE: Final = timedelta(seconds=60)
FAULTS: Final = {
    "Ready": frozenset(
        "PolicyMissing NameTaken InvalidSpec SourceMissing SourceNotLabelled SourceInvalid"
        " ClusterRefused".split()
    ),
    "Scheduled": frozenset({"NeverDue", "Past", "PausedAfterFailures"}),
}
"""Reasons of conditions that somebody has to do something about, beside decisions that wait or were
made."""
STARTED: Final = frozenset({"Triggered", "Running", "Blocked"})
"""Phases in which `Past` is no fault: the only start has become a run, or one goes on that may be
it."""
STUCK: Final = timedelta(seconds=60)
RIGHTS: Final = {
    "write jobs": ("create", "scheduledagentjobs"),
    "start runs": ("run", "scheduledagentjobs"),
    "approve jobs": ("approve", "scheduledagentjobs"),
    "approve packages": ("approve", "packages"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer. A problem makes the exit code 1; a note is for people to judge."""

    verdict: Verdict
    text: str

    def line(self, *, colour: bool) -> Line:
        return joined(
            painted(visible(f"{self.verdict:<8}"), TONES[self.verdict] if colour else ""),
            one_line(self.text),
        )


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
                screen.put(finding.line(colour=screen.on_terminal()))
    _for_programs(found, output)
    if any(finding.verdict == "problem" for finding in found):
        raise typer.Exit(Exit.NO)


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


def lease(leases: list[Json], now: datetime) -> Iterator[Finding]:
    """Pure."""
    if not leases:
        yield Finding(
            "problem",
            f"no operator holds a lease named {LEASE_NAME}: is the chart installed, and does its"
            " pod run?",
        )
    for body in leases:
        renewed = at(body, "spec", "renewTime")
        where = f"the operator in namespace {body['metadata']['namespace']}"
        alive = bool(renewed) and now - datetime.fromisoformat(renewed) < LATE
        seen = when(renewed, now)
        yield (
            Finding("ok", f"{where} is alive")
            if alive
            else Finding("problem", f"{where} was last seen {seen}: see its log")
        )
    yield from several(
        "operators, in the namespaces", {str(body["metadata"]["namespace"]) for body in leases}
    )


def several(what: str, found: set[str]) -> Iterator[Finding]:
    """One cluster has room for one release. Pure."""
    if len(found) > 1:
        yield Finding(
            "problem",
            f"there are {len(found)} {what} {', '.join(sorted(found))}: they block each other;"
            " uninstall all but one",
        )


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


def enforced(names: set[str], deny: set[str]) -> Iterator[Finding]:
    """`deny`: the policies that a binding enforces. Pure."""
    if not names:
        yield Finding(
            "problem",
            "agentjobs has no admission policy: anyone who may create approvals can approve;"
            " upgrade the chart",
        )
    for name in sorted(names - deny):
        yield Finding(
            "problem", f"no binding enforces the admission policy {name}: upgrade the chart"
        )
    if names and names <= deny:
        yield Finding("ok", f"{len(names)} admission policies are in force")


def jobs(kube: Kube) -> Iterator[Finding]:
    """The jobs of the namespace."""
    yield from troubles(kube.all(JOBS), options.now())


def troubles(found: list[Json], now: datetime) -> Iterator[Finding]:
    """What the operator says is wrong, and what it does not come to an end with. Pure."""
    wrong = [
        (job["metadata"]["name"], condition["message"])
        for job in found
        for condition in at(job, "status", "conditions") or ()
        if condition["reason"] in FAULTS.get(condition["type"], ())
        and not (condition["reason"] == "Past" and at(job, "status", "phase") in STARTED)
    ]
    unseen = [
        job["metadata"]["name"]
        for job in found
        if at(job, "status", "observedGeneration") != at(job, "metadata", "generation")
    ]
    yield from (Finding("problem", f"{name}: {message}") for name, message in wrong)
    yield from (
        Finding("problem", f"{name}: the operator has not read its latest change yet")
        for name in unseen
    )
    going = [
        job["metadata"]["name"]
        for job in found
        if _older(at(job, "metadata", "deletionTimestamp"), now)
    ]
    yield from (
        Finding("problem", f"{name}: its deletion does not finish: see its finalizers")
        for name in going
    )
    if not wrong and not unseen and not going:
        yield Finding("ok", f"{len(found)} jobs, none of them in trouble")


def _older(text: object, now: datetime) -> bool:
    """Whether this moment lies so far back that what began then is stuck."""
    try:
        return text is not None and now - datetime.fromisoformat(str(text)) > STUCK
    except (ValueError, TypeError):
        return False


def runs(kube: Kube) -> Iterator[Finding]:
    """The runs of the namespace that go on."""
    yield from stuck(kube.all(RUNS), options.now())


def stuck(found: list[Json], now: datetime) -> Iterator[Finding]:
    """Runs whose pods do not start, and runs that nobody starts. Pure."""
    going = [run for run in found if at(run, "status", "phase") not in rows.FINAL]
    late = [
        run
        for run in going
        if not at(run, "status", "startedAt")
        and _older(at(run, "metadata", "creationTimestamp"), now)
    ]
    for run in late:
        why = at(run, "status", "message") or "the operator says nothing about it: see its log"
        yield Finding("problem", f"the run {run['metadata']['name']} has not started: {why}")
    if not late:
        yield Finding("ok", f"{len(going)} unfinished runs, all of them started")


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
