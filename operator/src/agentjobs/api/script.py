"""A script: what a job runs, where it has no agent."""

from __future__ import annotations

from pydantic import Field

from agentjobs.api import script_rules
from agentjobs.api.rules import MAX_SCRIPT_BYTES
from agentjobs.api.texts import LongText


class Script(LongText):
    """A Python program, inline or in a ConfigMap.

    Its text is part of the digest: a changed script needs a new approval.
    """

    between_fields = script_rules.SCRIPT
    text_field = "inline"

    inline: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_SCRIPT_BYTES,
        description=(
            "The program's text: at most 256 KiB of UTF-8. Alternatively, set configMapKeyRef."
        ),
    )

    @staticmethod
    def text_problem(text: str) -> str | None:
        return script_rules.script_problem(text)
