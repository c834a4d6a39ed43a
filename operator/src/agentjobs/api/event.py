"""What starts a job besides its schedule: events, as CloudEvents 1.0 describes them."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, JsonValue, WithJsonSchema

from agentjobs.api import rules, trigger_rules
from agentjobs.api.base import ApiModel
from agentjobs.api.names import MAX_JOB_NAME

MAX_TRIGGERS: Final = 10
MAX_ANCESTORS: Final = 10
"""Jobs of a chain before its last one."""
ANYTHING: Final[dict[str, JsonValue]] = {"x-kubernetes-preserve-unknown-fields": True}
JsonSchema = Annotated[dict[str, Any], WithJsonSchema({"type": "object", **ANYTHING})]

Name = Annotated[str, Field(min_length=1, max_length=256), rules.ONE_LINE]
Reference = Annotated[str, Field(min_length=1, max_length=512), rules.ONE_LINE]


class Event(ApiModel):
    """An event: the attributes of CloudEvents 1.0 and its data. As JSON at most 128 KiB."""

    model_config = ConfigDict(alias_generator=None)

    id: Name = Field(description="Identifies the event: source and id together are unique.")
    source: Reference = Field(description="Where the event happened: a URI or a path.")
    type: Name = Field(description="What happened, for example com.example.product.published.")
    subject: Reference | None = Field(None, description="What the event is about.")
    time: Annotated[str, Field(max_length=64), trigger_rules.TIMESTAMP] | None = Field(
        None, description="When the event happened. RFC 3339."
    )
    datacontenttype: Name | None = Field(
        None, description="The content type of `data`; application/json if it is left out."
    )
    dataschema: Reference | None = Field(
        None, description="Where the schema of `data` is described; agentjobs does not read it."
    )
    data: Any = Field(
        None, description="The event's data: any JSON value.", json_schema_extra=ANYTHING
    )


class EventTrigger(ApiModel):
    """Which events start the job."""

    type: Name = Field(description="The event's type.")
    source: Reference | None = Field(
        None, description="The event's source; any source if it is left out."
    )
    data_schema: JsonSchema | None = Field(
        None,
        description=(
            "A JSON Schema that the event's data must match; other data does not start the job. At"
            " most 16 KiB, without references and patterns."
        ),
    )

    def __hash__(self) -> int:
        """Hashes the schema, too: a dict has no hash, and caches use specs as keys."""
        return hash((self.type, self.source, json.dumps(self.data_schema, sort_keys=True)))


class AfterTrigger(ApiModel):
    """Starts the job after runs of another job, and hands it their outcome and output as event."""

    job: Annotated[str, Field(min_length=1, max_length=MAX_JOB_NAME), rules.JOB_NAME] = Field(
        description="The other job."
    )
    on: Literal["Succeeded", "Failed", "Finished"] = Field(
        "Succeeded",
        description=(
            "How the other job's run has to end; Finished stands for either way. Quote this key"
            ' in YAML: "on".'
        ),
    )


class JobTrigger(ApiModel):
    """Something that starts the job."""

    between_fields = (trigger_rules.ONE_CAUSE,)

    event: EventTrigger | None = Field(None, description="Which events start the job.")
    after: AfterTrigger | None = Field(
        None, description="Which runs of another job in the namespace start the job."
    )
