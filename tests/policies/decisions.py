"""Approvals and denials, of jobs and of packages."""

from __future__ import annotations

from typing import Final

from tests.policies.asking import creates, deletes, updates
from tests.policies.cases import Manifest, Request
from tests.support import manifests

RIGHT: Final = "may not make or withdraw this decision: it needs the verb approve on "
OPERATOR: Final = "the operator carries out what people decide and decides nothing itself"
ACCOUNT: Final = "a service account cannot decide in its own namespace"
NAME: Final = "spec.approvedBy must be you, "
NEEDED: Final = "approval needs a second person (approval.requireSecondPerson)"
PIPELINE: Final = f"{NEEDED}, and a service account is none"
SOURCE: Final = f"{NEEDED}, and nobody knows who changed the ConfigMap of "
AUTHOR: Final = f"{NEEDED}: you, "
UNKNOWN: Final = f"{NEEDED}, and nobody knows who wrote older"
MARK: Final = {"metadata": {"labels": {"x": "y"}}}


def says(job: str, decision: str = "Approved", **spec: str) -> Manifest:
    return manifests.approval("new", jobName=job, decision=decision, **spec)


def of_packages(decision: str = "Approved", **spec: str) -> Manifest:
    return manifests.package_approval("new", decision=decision, **spec)


RIGHTS: Final = {
    "approve a job": creates("bo", says("second"), spec={"approvedBy": "bo"}),
    "approve a job without the right": creates("ed", says("second"), f"ed {RIGHT}"),
    "approve with the right to start": creates("tina", says("second"), RIGHT),
    "approve with the right on that job": creates("ada", says("busy")),
    "approve with the right on another job": creates(
        "ada", says("second"), f"{RIGHT}scheduledagentjobs/second (group agentjobs.dev)"
    ),
    "approve a job with the right on packages": creates("pip", says("second"), RIGHT),
    "deny a job": creates("ana", says("second", "Denied")),
    "deny without the right": creates("ed", says("second", "Denied"), RIGHT),
    "approve packages": creates("pip", of_packages()),
    "deny packages": creates("pip", of_packages("Denied"), spec={"approvedBy": "pip"}),
    "approve packages with a right on a job": creates(
        "ada", of_packages(), f"{RIGHT}packages (group agentjobs.dev)"
    ),
    "approve as an administrator": creates("root", says("second")),
    "withdraw a decision": deletes("bo", "agentjobapprovals no"),
    "withdraw it with the right on that job": deletes("ada", "agentjobapprovals no"),
    "withdraw it without the right": deletes("tina", "agentjobapprovals no", RIGHT),
    "withdraw a decision on packages": deletes("pip", "packageapprovals no"),
    "withdraw it with a right on a job": deletes("ada", "packageapprovals no", RIGHT),
    "label a decision": updates("bo", "agentjobapprovals no", MARK),
    "label a decision without the right": updates("ed", "agentjobapprovals no", MARK, RIGHT),
}
"""Who may decide."""

NAMES: Final = {
    "approve in one's own name": creates("bo", says("second", approvedBy="bo")),
    "approve in another's name": creates("bo", says("second", approvedBy="ana"), f"{NAME}bo"),
    "approve packages in another's name": creates("bo", of_packages(approvedBy="ana"), NAME),
    "deny in another's name": creates("bo", says("second", "Denied", approvedBy="ana"), NAME),
    "the controllers approve": creates("the controllers", says("second"), RIGHT),
    "the controllers withdraw": deletes("the controllers", "agentjobapprovals no"),
    "the controllers label": updates("the controllers", "agentjobapprovals no", MARK),
    "the scheduler withdraws": deletes("the scheduler", "agentjobapprovals no"),
    "the API server withdraws": deletes("the API server", "agentjobapprovals no"),
    "the collector withdraws": deletes("the collector", "packageapprovals no"),
    "a node withdraws": deletes("a node", "agentjobapprovals no"),
    "the operator approves": creates("the operator", says("second", "Denied"), OPERATOR),
    "the operator approves packages": creates("the operator", of_packages("Denied"), OPERATOR),
    "the operator withdraws": deletes("the operator", "agentjobapprovals no", OPERATOR),
    "the operator labels": updates("the operator", "packageapprovals no", MARK, OPERATOR),
    "an account decides where it is": creates("its own account", says("second", "Denied"), ACCOUNT),
    "an account withdraws where it is": deletes("its own account", "packageapprovals no", ACCOUNT),
    "an account decides elsewhere": creates("a pipeline", says("second", "Denied")),
    "an account withdraws elsewhere": deletes("a pipeline", "packageapprovals no"),
}
"""In whose name, and what is not a person."""

SECOND_PERSON: Final = {
    "a pipeline approves": creates("a pipeline", says("second"), PIPELINE),
    "a pipeline approves packages": creates("a pipeline", of_packages(), PIPELINE),
    "a pipeline denies packages": creates("a pipeline", of_packages("Denied")),
    "an author approves": creates("ana", says("second"), f"{AUTHOR}ana, changed the content of"),
    "another author approves": creates("bo", says("noted"), f"{AUTHOR}bo, changed the content of"),
    "an author denies": creates("ana", says("second", "Denied")),
    "an author approves another job": creates("bo", says("absent")),
    "approve what nobody asked for": creates("bo", says("older"), UNKNOWN),
    "deny what nobody asked for": creates("bo", says("older", "Denied")),
    "approve what a ConfigMap says": creates("bo", says("referring"), f"{SOURCE}referring"),
    "approve an agent in a ConfigMap": creates("bo", says("instructed"), f"{SOURCE}instructed"),
    "deny what a ConfigMap says": creates("bo", says("referring", "Denied")),
}
"""Where approval.requireSecondPerson is set."""

GROUPS: Final[tuple[dict[str, Request], ...]] = (RIGHTS, NAMES, SECOND_PERSON)
