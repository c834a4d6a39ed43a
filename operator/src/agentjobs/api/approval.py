"""`AgentJobApproval`: a person's decision about one content."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agentjobs.api import rules
from agentjobs.api.base import ApiModel
from agentjobs.api.names import MAX_JOB_NAME


class AgentJobApprovalSpec(ApiModel):
    """Immutable. A content is approved when an Approved exists for its digest and no Denied."""

    between_fields = (rules.APPROVAL_IS_FIXED,)

    job_name: Annotated[str, rules.JOB_NAME] = Field(
        min_length=1, max_length=MAX_JOB_NAME, description="The ScheduledAgentJob, in the same namespace."
    )
    digest: Annotated[str, rules.DIGEST] = Field(max_length=64, description="The digest on the job's card: status.card.digest.")
    decision: Literal["Approved", "Denied"] = Field(description="Approved, or Denied: then this content never runs.")
    reason: Annotated[str, Field(max_length=1024), rules.READABLE] | None = Field(None, description="Why, for those who read it later.")
    approved_by: Annotated[str, Field(max_length=512), rules.READABLE] | None = Field(
        None, description="Who decided, as they name themselves."
    )
