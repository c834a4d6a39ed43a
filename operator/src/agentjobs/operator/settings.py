"""The operator's settings. `__main__` hands over the environment at start; nobody else reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from agentjobs.api.job import ResourceList, Resources
from agentjobs.api.rules import SIZE
from agentjobs.core.admission import Expected
from agentjobs.core.content.packages import inventory
from agentjobs.core.workload.llm import Models
from agentjobs.core.workload.sessions import SessionPolicy
from agentjobs.core.workload.settings import Budgets, PackagePolicy, RunPolicy

PREFIX = "AGENTJOBS_"
RUNNER_MARGIN_SECONDS = 60
"""The runner's own limit ends this long before the Job's deadline, so that a late run ends normally."""


class SettingsError(ValueError):
    """A setting is missing or out of bounds; the message names each and is meant for who deploys the operator."""


def _from_json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


Json = BeforeValidator(_from_json)
DEFAULT_RUN_RESOURCES = Resources(
    requests=ResourceList(cpu="50m", memory="128Mi", ephemeral_storage="256Mi"),
    limits=ResourceList(cpu="1", memory="512Mi", ephemeral_storage="1Gi"),
)


class Settings(BaseModel):
    """Each field is the environment variable AGENTJOBS_<FIELD>; structured ones are JSON. Times in seconds, sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    runner_image: str = Field(min_length=1)
    runner_image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    runner_inventory: Annotated[dict[str, str], Json] = Field(default_factory=dict)
    run_deadline_seconds: int = Field(3600, ge=70, le=3600)
    run_start_timeout_seconds: int = Field(600, ge=5, le=3600)
    run_resources: Annotated[Resources, Json] = DEFAULT_RUN_RESOURCES
    run_node_selector: Annotated[dict[str, str], Json] = Field(default_factory=dict)
    run_tolerations: Annotated[list[dict[str, Any]], Json] = Field(default_factory=list)
    run_image_pull_secrets: Annotated[list[str], Json] = Field(default_factory=list)
    run_priority_class_name: str = ""
    run_runtime_class_name: str = ""
    run_uid: int = Field(65532, ge=1)
    models: Annotated[Models, Json] = Field(default_factory=Models)
    session_size: Annotated[str, SIZE] = "1Gi"
    session_storage_class_name: str = ""
    packages_index_url: str = Field("", pattern="^(https?://[^@]+)?$")
    packages_ca_config_map: str = ""
    packages_ca_secret: str = ""
    packages_ca_key: str = Field("ca.crt", min_length=1)
    packages_credentials_secret: str = ""
    packages_cache_claim: str = ""
    packages_timeout_seconds: int = Field(300, ge=10, le=3000)
    history_namespace_bytes: int = Field(100 * 1024 * 1024, ge=1024 * 1024)
    history_cluster_bytes: int = Field(1024 * 1024 * 1024, ge=1024 * 1024)
    policies: Annotated[tuple[Expected, ...], Json] = ()
    allow_without_policies: bool = False
    require_second_person: bool = False
    workers: int = Field(8, ge=1, le=64)
    resync_seconds: int = Field(300, ge=10)
    lease_name: str = "agentjobs-operator"
    lease_namespace: str = Field(min_length=1)
    identity: str = Field(min_length=1)
    port: int = Field(8080, ge=1, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _knows_its_policies(self) -> Settings:
        if not self.policies and not self.allow_without_policies:
            raise ValueError("AGENTJOBS_POLICIES must name the admission policies, or AGENTJOBS_ALLOW_WITHOUT_POLICIES be true")
        return self

    @property
    def longest_run_seconds(self) -> int:
        """The most that a run's own timeout can be."""
        return self.run_deadline_seconds - RUNNER_MARGIN_SECONDS

    def policy(self) -> RunPolicy:
        """The part that decisions about runs need."""
        return RunPolicy(
            image=self.runner_image,
            image_pull_policy=self.runner_image_pull_policy,
            inventory=inventory(self.runner_inventory),
            deadline_seconds=self.run_deadline_seconds,
            longest_run_seconds=self.longest_run_seconds,
            start_timeout_seconds=self.run_start_timeout_seconds,
            resources=self.run_resources,
            uid=self.run_uid,
            budgets=Budgets(self.history_namespace_bytes, self.history_cluster_bytes),
            second_person=self.require_second_person,
            packages=PackagePolicy(
                index_url=self.packages_index_url,
                ca_config_map=self.packages_ca_config_map,
                ca_secret=self.packages_ca_secret,
                ca_key=self.packages_ca_key,
                credentials_secret=self.packages_credentials_secret,
                cache_claim=self.packages_cache_claim,
                timeout_seconds=self.packages_timeout_seconds,
            ),
            node_selector=self.run_node_selector,
            tolerations=tuple(self.run_tolerations),
            image_pull_secrets=tuple(self.run_image_pull_secrets),
            priority_class_name=self.run_priority_class_name,
            runtime_class_name=self.run_runtime_class_name,
            models=self.models,
            session=SessionPolicy(self.session_size, self.session_storage_class_name),
        )

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """Raises SettingsError, with a line for each variable that is wrong."""
        values = {name: environment[PREFIX + name.upper()] for name in cls.model_fields if PREFIX + name.upper() in environment}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            lines = [f"{PREFIX}{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors(include_url=False)]
            raise SettingsError("the operator cannot start:\n" + "\n".join(lines)) from None
