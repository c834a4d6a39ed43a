"""Long texts of a job: a script, an agent's instructions.

Each stands in the job itself or in a ConfigMap.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from agentjobs.api import rules
from agentjobs.api.base import ApiModel


class ConfigMapKeyRef(ApiModel):
    """A key of a ConfigMap in the job's namespace.

    The ConfigMap must have the label `agentjobs.dev/source: "true"`.
    """

    name: Annotated[str, Field(min_length=1, max_length=253), rules.OBJECT_NAME] = Field(
        description="Name of the ConfigMap."
    )
    key: Annotated[str, rules.CONFIG_MAP_KEY] = Field(
        min_length=1, max_length=253, description="Key in its `data`."
    )


class LongText(ApiModel):
    """Has the text in the field `text_field`, or a reference to it.

    The digest is the same: a reference is replaced by what it names.
    """

    text_field: ClassVar[str]

    config_map_key_ref: ConfigMapKeyRef | None = Field(
        None,
        description=(
            "The ConfigMap that holds the text; the same limits apply. When the text changes, the"
            " job needs a new approval."
        ),
    )

    @staticmethod
    def text_problem(text: str) -> str | None:
        """What is wrong with a text here: the end of a sentence whose subject is the text."""
        return rules.source_problem(text)

    def with_text(self, text: str) -> Any:
        """The same with the text itself instead of the reference."""
        return self.model_copy(update={self.text_field: text, "config_map_key_ref": None})
