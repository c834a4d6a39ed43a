"""`AgentJobApproval`, a person's decision on one content, and `PackageApproval`, on packages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agentjobs.api import rules
from agentjobs.api.base import ApiModel
from agentjobs.api.names import MAX_JOB_NAME
from agentjobs.api.package_rules import EACH_PACKAGE_ONCE, MAX_PACKAGES, MAX_PIN, PIN

_BY = (
    "Who decided: the name that the server knows them by. Leave it out and the server writes it;"
    " another's is refused."
)
Pin = Annotated[str, Field(min_length=1, max_length=MAX_PIN), *PIN]
Pins = Annotated[tuple[Pin, ...], EACH_PACKAGE_ONCE]


class AgentJobApprovalSpec(ApiModel):
    """Immutable. A content is approved when an Approved exists for its digest and no Denied."""

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
        description="Approved, or Denied: then this content never runs."
    )
    reason: Annotated[str, Field(max_length=1024), rules.READABLE] | None = Field(
        None, description="Why, for those who read it later."
    )
    approved_by: Annotated[str, Field(max_length=512), rules.READABLE] | None = Field(
        None, description=_BY
    )


class PackageApprovalSpec(ApiModel):
    """Immutable.

    A package is approved, in its namespace, when an Approved names exactly this version and no
    Denied does.
    """

    between_fields = (rules.APPROVAL_IS_FIXED,)

    packages: Pins = Field(
        min_length=1,
        max_length=MAX_PACKAGES,
        description='Exact versions, for example "requests==2.32.3". One decision covers them all.',
    )
    decision: Literal["Approved", "Denied"] = Field(
        description="Approved, or Denied: then no job that asks for one of them runs."
    )
    reason: Annotated[str, Field(max_length=1024), rules.READABLE] | None = Field(
        None, description="Why, for those who read it later."
    )
    approved_by: Annotated[str, Field(max_length=512), rules.READABLE] | None = Field(
        None, description=_BY
    )
