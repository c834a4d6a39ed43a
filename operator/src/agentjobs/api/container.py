"""What a run finds around its program: variables, processor and memory, the workspace."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field

from agentjobs.api import quantity_rules, rules, variable_rules
from agentjobs.api.base import ApiModel

ObjectName = Annotated[str, Field(min_length=1, max_length=253), rules.OBJECT_NAME]


class SecretKeyRef(ApiModel):
    """A key of a Secret in the job's namespace. Its content is not part of the digest."""

    name: ObjectName = Field(description="Name of the Secret.")
    key: Annotated[str, rules.SECRET_KEY] = Field(
        min_length=1, max_length=253, description="Key in the Secret."
    )


class EnvVarSource(ApiModel):
    """Where a variable's value comes from."""

    secret_key_ref: SecretKeyRef = Field(description="A key of a Secret in the job's namespace.")


class EnvVar(ApiModel):
    """One environment variable of the script: a value or a reference, not both."""

    between_fields = (variable_rules.ONE_SOURCE, variable_rules.SEARCH_PATH_IS_SHOWN)

    name: Annotated[str, variable_rules.VARIABLE, variable_rules.NOT_RESERVED] = Field(
        min_length=1, max_length=128, description="Name of the variable."
    )
    value: Annotated[str, Field(max_length=32768)] | None = Field(
        None, description="The value as text. Do not put secrets here: use valueFrom."
    )
    value_from: EnvVarSource | None = Field(None, description="Take the value from a Secret.")


def _text(value: object) -> object:
    """`cpu: 1` means `cpu: "1"`, and has the same digest."""
    return str(value) if type(value) is int else value


_QUANTITY = Field(
    min_length=1, max_length=32, json_schema_extra={"x-kubernetes-int-or-string": True}
)
Cpu = Annotated[str, BeforeValidator(_text), _QUANTITY, quantity_rules.CPU]
Size = Annotated[str, BeforeValidator(_text), _QUANTITY, quantity_rules.SIZE]


class ResourceList(ApiModel):
    """Kubernetes quantities, for example `500m` and `256Mi`."""

    model_config = ConfigDict(alias_generator=None)

    cpu: Cpu | None = Field(None, description="CPU, for example 500m.")
    memory: Size | None = Field(None, description="Memory, for example 256Mi.")
    ephemeral_storage: Size | None = Field(
        None,
        alias="ephemeral-storage",
        description="Disk for /tmp, the home directory and logs, for example 1Gi.",
    )


class Resources(ApiModel):
    """Requests and limits of a run; fields that are left out get the operator's defaults."""

    between_fields = quantity_rules.RESOURCES

    requests: ResourceList = Field(ResourceList(), description="What the scheduler reserves.")
    limits: ResourceList = Field(ResourceList(), description="What a run may use at most.")


class Workspace(ApiModel):
    """The volume behind `/workspace`, the working directory.

    Without a volume, `/workspace` is empty at the start of every run.
    """

    claim_name: ObjectName = Field(description="A PersistentVolumeClaim in the job's namespace.")
