"""How the corpus says what is asked for."""

from __future__ import annotations

from typing import Final

from tests.policies.cases import GROUPS, Manifest, Request
from tests.policies.existing import EXISTING

KINDS: Final = {
    "AgentJobRun": "agentjobruns",
    "AgentJobApproval": "agentjobapprovals",
    "PackageApproval": "packageapprovals",
    "ScheduledAgentJob": "scheduledagentjobs",
}


def _plural(kind: str) -> str:
    plurals = [plural for group in GROUPS.values() for plural in group]
    return KINDS.get(kind) or next(name for name in plurals if name == f"{kind.lower()}s")


def creates(who: str, body: Manifest, refused: str = "", **becomes: Manifest) -> Request:
    """`becomes` has parts of the object as the policies complete it, such as `spec`."""
    return Request("CREATE", who, _plural(body["kind"]), body, {}, refused, becomes)


def updates(
    who: str, thing: str, patch: Manifest, refused: str = "", **becomes: Manifest
) -> Request:
    """`thing` is a resource and the name of one that exists: `pods/status busy`."""
    resource, name = thing.split()
    body = EXISTING[resource.partition("/")[0]][name]
    return Request("UPDATE", who, resource, body, patch, refused, becomes)


def deletes(who: str, thing: str, refused: str = "") -> Request:
    resource, name = thing.split()
    return Request("DELETE", who, resource, EXISTING[resource][name], refused=refused)
