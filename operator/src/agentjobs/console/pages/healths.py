"""What `kubectl saj doctor` checks, as a page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from agentjobs.cluster.client import Cluster
from agentjobs.console import reading
from agentjobs.console.render import now, page
from agentjobs.console.visitor import Visitor
from agentjobs.core.errors import Refused
from agentjobs.present import health
from agentjobs.present.health import Finding
from agentjobs.present.text import at

Check = Callable[[Cluster, str], AsyncIterator[Finding]]
OURS: Final = "app.kubernetes.io/name=agentjobs"
POLICY: Final = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"


async def operator(cluster: Cluster, _: str) -> AsyncIterator[Finding]:
    """The operator's lease"""
    selector = f"metadata.name={health.LEASE_NAME}"
    leases = await reading.every(cluster, "lease", "", fieldSelector=selector)
    for finding in health.lease(leases, now()):
        yield finding


async def policies(cluster: Cluster, _: str) -> AsyncIterator[Finding]:
    """The admission policies"""
    found = await reading.every(cluster, POLICY, "", labelSelector=OURS)
    bindings = await reading.every(cluster, f"{POLICY}Binding", "", labelSelector=OURS)
    names = {str(body["metadata"]["name"]) for body in found}
    deny = {
        str(at(body, "spec", "policyName"))
        for body in bindings
        if "Deny" in (at(body, "spec", "validationActions") or ())
    }
    for finding in health.enforced(names, deny):
        yield finding


async def jobs(cluster: Cluster, namespace: str) -> AsyncIterator[Finding]:
    """The jobs"""
    for finding in health.troubles(await reading.every(cluster, "job", namespace), now()):
        yield finding


async def runs(cluster: Cluster, namespace: str) -> AsyncIterator[Finding]:
    """The runs that go on"""
    for finding in health.stuck(await reading.every(cluster, "run", namespace), now()):
        yield finding


CHECKS: Final[tuple[Check, ...]] = (operator, policies, jobs, runs)


async def show(request: Request, visitor: Visitor) -> Response:
    namespace = request.query_params.get("namespace", visitor.namespace)
    found: list[tuple[str, Iterable[Finding]]] = []
    for check in CHECKS:
        title = str(check.__doc__)
        try:
            found.append((title, [one async for one in check(visitor.cluster, namespace)]))
        except Refused as refusal:
            found.append((title, [Finding("unknown", f"you may not see it: {refusal}")]))
    return page("health.html", request, visitor=visitor, found=found, tones=health.TONES)
