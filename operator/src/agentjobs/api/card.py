"""What an approver is shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agentjobs.api.base import StatusModel
from agentjobs.api.event import MAX_TRIGGERS
from agentjobs.api.package_rules import MAX_PACKAGES

CardLine = Annotated[str, Field(max_length=512)]


class Card(StatusModel):
    """What an approver is shown: the content of the spec as it is now."""

    digest: str = Field(max_length=64, description="The digest to approve.")
    name: str = Field(max_length=253, description="Name of the job.")
    description: str = Field(
        max_length=4096,
        description="What the job is for; hidden and deceptive characters are shown by name.",
    )
    schedule: str = Field(max_length=512, description="The schedule in words, with its time zone.")
    next_starts: tuple[CardLine, ...] = Field(
        (), max_length=3, description="The next three starts. RFC 3339, in the job's time zone."
    )
    triggers: tuple[CardLine, ...] = Field(
        (),
        max_length=MAX_TRIGGERS,
        description="What starts the job besides its schedule, in words.",
    )
    session: str = Field(
        max_length=32, description="Whether a conversation goes on from run to run."
    )
    packages: tuple[CardLine, ...] = Field(
        (),
        max_length=MAX_PACKAGES,
        description=(
            "Packages, each with one of: in the runner image, approved, denied, needs approval."
        ),
    )
    variables: tuple[CardLine, ...] = Field(
        (), max_length=100, description="Names of the environment variables."
    )
    secrets: tuple[CardLine, ...] = Field(
        (), max_length=100, description="Secrets that the script can read, as name/key."
    )
    claims: tuple[CardLine, ...] = Field(
        (), max_length=10, description="PersistentVolumeClaims that runs can write to."
    )
    tools: tuple[CardLine, ...] = Field(
        (), max_length=10, description="Tools that the agent may use; bash runs any command."
    )
    model: str | None = Field(
        None, max_length=512, description="The model that runs use, as provider/model."
    )
    timeout_seconds: int = Field(description="The time limit of a run, in seconds.")
    changes: tuple[CardLine, ...] = Field(
        (),
        max_length=121,
        description=(
            "What waits for approval. Of the first content: all that other fields of the card do"
            " not show, including the script or the instructions. Of later content: what differs"
            " from the content in force, long texts as a diff. If lines are left out, the last one"
            " says so. Empty once the content is in force."
        ),
    )
    warnings: tuple[CardLine, ...] = Field(
        (),
        max_length=10,
        description=(
            "What keeps the job from doing what it says, such as a start in the past or a model"
            " that the installation lacks."
        ),
    )
