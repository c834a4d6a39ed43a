"""`AgentJobApproval`, a person's decision on one content, and `PackageApproval`, on packages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agentjobs.api import rules
from agentjobs.api.base import ApiModel
from agentjobs.api.names import MAX_JOB_NAME
from agentjobs.api.package_rules import EACH_PACKAGE_ONCE, MAX_PACKAGES, MAX_PIN, PIN

_BY = (
    "Who decided: the user name that the API server knows. If you leave it out, the server fills it"
    " in; another person's name is refused."
)
Pin = Annotated[str, Field(min_length=1, max_length=MAX_PIN), *PIN]
Pins = Annotated[tuple[Pin, ...], EACH_PACKAGE_ONCE]


class AgentJobApprovalSpec(ApiModel):
    """Cannot be changed.

    Content is approved if a decision on its digest is Approved and none is Denied.
    """

    between_fields = (rules.APPROVAL_IS_FIXED,)

    job_name: Annotated[str, rules.JOB_NAME] = Field(
        min_length=1,
        max_length=MAX_JOB_NAME,
        description="The ScheduledAgentJob, in the same namespace.",
    )
    digest: Annotated[str, rules.DIGEST] = Field(
        max_length=64, description="The digest on the job's card: status.card.digest."
    )
    decision: Literal["Approved", "Denied"] = Field(
        description="Approved or Denied. Denied content never runs."
    )
    reason: Annotated[str, Field(max_length=1024), rules.READABLE] | None = Field(
        None, description="The reason for the decision."
    )
    approved_by: Annotated[str, Field(max_length=512), rules.READABLE] | None = Field(
        None, description=_BY
    )


class PackageApprovalSpec(ApiModel):
    """Cannot be changed.

    A package is approved, in its namespace, if a decision on exactly this version is Approved and
    none is Denied.
    """

    between_fields = (rules.APPROVAL_IS_FIXED,)

    packages: Pins = Field(
        min_length=1,
        max_length=MAX_PACKAGES,
        description='Exact versions, for example "requests==2.32.3". One decision covers them all.',
    )
    decision: Literal["Approved", "Denied"] = Field(
        description="Approved or Denied. A job that asks for a denied package does not run."
    )
    reason: Annotated[str, Field(max_length=1024), rules.READABLE] | None = Field(
        None, description="The reason for the decision."
    )
    approved_by: Annotated[str, Field(max_length=512), rules.READABLE] | None = Field(
        None, description=_BY
    )
