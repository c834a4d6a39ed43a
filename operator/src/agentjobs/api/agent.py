"""An agent: instructions for a model instead of a script."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from agentjobs.api import agent_rules, rules
from agentjobs.api.rules import MAX_SCRIPT_BYTES
from agentjobs.api.texts import LongText

DEFAULT_TOOLS: Final = ("read", "write", "edit", "ls")
"""Fixed forever, as every default.

A content that leaves it out has a digest that was approved with it."""


class Agent(LongText):
    """What a model is told, and what it may do.

    All of it is part of the digest: every change needs a new approval.
    """

    between_fields = agent_rules.INSTRUCTIONS
    text_field = "instructions"

    instructions: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_SCRIPT_BYTES,
        description=(
            "What the agent has to do, in Markdown: at most 256 KiB of UTF-8. Alternatively, set"
            " configMapKeyRef."
        ),
    )
    starting_message: Annotated[str, rules.READABLE] = Field(
        "go",
        min_length=1,
        max_length=16384,
        description="The first message to the agent in every run.",
    )
    tools: Annotated[
        tuple[Annotated[str, Field(max_length=16), agent_rules.TOOL], ...], agent_rules.EACH_ONCE
    ] = Field(
        DEFAULT_TOOLS,
        max_length=8,
        description=(
            "The tools that the agent may use: read, write, edit, ls and bash. bash runs any"
            " command, and is available only if it is listed."
        ),
    )
    model: Annotated[str, Field(min_length=3, max_length=256), agent_rules.MODEL] | None = Field(
        None,
        description=(
            "The model, as provider/model by the installation's names. If it is left out, the"
            " installation's default is used, which no approval covers."
        ),
    )
    max_turns: int = Field(
        50,
        ge=1,
        le=1000,
        description="How many turns the model may take in a run. If it needs more, the run fails.",
    )
