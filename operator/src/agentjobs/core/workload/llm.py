"""The installation's models, and which of them a job uses.

Nothing here is in a digest, and nothing here holds a key.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from agentjobs.api.base import ApiModel
from agentjobs.api.container import SecretKeyRef
from agentjobs.api.job import ScheduledAgentJobSpec

MODEL_VARIABLE: Final = "AGENTJOBS_MODEL"
MODELS_VARIABLE: Final = "AGENTJOBS_MODELS"
KEY_VARIABLE: Final = "AGENTJOBS_MODEL_KEY"
_NAME: Final = r"^[a-zA-Z0-9][-._a-zA-Z0-9]*$"


class Cost(ApiModel):
    """Dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float = Field(0, ge=0)
    cache_write: float = Field(0, ge=0)


class Model(ApiModel):
    """A model of a provider. Without a cost that of its runs is not recorded."""

    id: str = Field(min_length=1, max_length=200)
    context_window: int = Field(128_000, ge=1000)
    max_tokens: int = Field(16_384, ge=1)
    reasoning: bool = False
    cost: Cost | None = None
    compat: dict[str, Any] | None = None
    """Handed on to pi: what differs from the API that the provider claims to speak."""


class Provider(ApiModel):
    """An endpoint.

    Its key: from a Secret that the job's namespace holds, or from a variable that the job names;
    neither: it needs none.
    """

    api: Literal["openai-completions", "anthropic-messages"]
    base_url: str = Field(pattern=r"^https?://")
    secret: SecretKeyRef | None = None
    env: Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    models: tuple[Model, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.secret and self.env:
            raise ValueError("set at most one of secret and env")
        return self


class Models(ApiModel):
    """All providers by name.

    `default` is provider/model, for scripts that call pi and for agents that name none; empty:
    there is none.
    """

    model_config = ConfigDict(protected_namespaces=())

    default: str = ""
    providers: dict[Annotated[str, Field(pattern=_NAME)], Provider] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _default_exists(self) -> Self:
        if self.default and self.default not in self.names:
            raise ValueError(
                f"default: there is no model {self.default}; the models are:"
                f" {', '.join(self.names) or 'none'}"
            )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """All models, as provider/model."""
        return tuple(
            f"{name}/{model.id}"
            for name, provider in self.providers.items()
            for model in provider.models
        )

    def of(self, spec: ScheduledAgentJobSpec) -> str:
        """The provider/model that a job uses; empty: none."""
        return (spec.agent.model if spec.agent else None) or self.default

    def key_of(self, spec: ScheduledAgentJobSpec) -> SecretKeyRef | None:
        """The Secret that a job's runs get because of its model."""
        provider = self.providers.get(self.of(spec).partition("/")[0])
        return provider.secret if provider else None

    def variable_of(self, spec: ScheduledAgentJobSpec) -> str | None:
        """The variable that has to hold the key of a job's model, where the job is to name it."""
        provider = self.providers.get(self.of(spec).partition("/")[0])
        return provider.env if provider else None

    def words(self, spec: ScheduledAgentJobSpec) -> str | None:
        """The model in words, for the card; None: the job cannot call a model."""
        if spec.agent and spec.agent.model:
            return spec.agent.model
        used = "the installation's default"
        if not spec.agent:
            used += ", if the script calls pi"
        return f"{self.default} ({used})" if self.default else None

    def environment(self, spec: ScheduledAgentJobSpec) -> list[dict[str, Any]]:
        """The variables of a run's container.

        A missing Secret does not stop a script that never calls a model: only the call fails.
        """
        if not self.providers:
            return []
        providers = {name: provider.wire() for name, provider in self.providers.items()}
        known = json.dumps(providers, sort_keys=True)
        variables: list[dict[str, Any]] = [{"name": MODELS_VARIABLE, "value": known}]
        if model := self.of(spec):
            variables.append({"name": MODEL_VARIABLE, "value": model})
        if key := self.key_of(spec):
            reference = {"name": key.name, "key": key.key, "optional": True}
            variables.append({"name": KEY_VARIABLE, "valueFrom": {"secretKeyRef": reference}})
        return variables
