"""The operator's settings: one document of the kind `OperatorConfiguration`.

`__main__` reads the file at start; nobody else does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from agentjobs.api import names
from agentjobs.api.base import ApiModel, explain
from agentjobs.api.container import ResourceList, Resources
from agentjobs.api.quantity_rules import SIZE
from agentjobs.core.admission import Expected
from agentjobs.core.content.packages import inventory
from agentjobs.core.errors import AgentjobsError
from agentjobs.core.workload.llm import Models
from agentjobs.core.workload.sessions import SessionPolicy
from agentjobs.core.workload.settings import Budgets, PackagePolicy, RunPolicy

RUNNER_MARGIN_SECONDS = 60
"""The runner's own limit ends this long before the Job's deadline: a late run ends normally."""
NAME: Final = "[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
POD_NAME: Final = "POD_NAME"
POD_NAMESPACE: Final = "POD_NAMESPACE"


class SettingsError(AgentjobsError, ValueError):
    """A setting is missing or out of bounds.

    The message names each and is meant for the person who deploys the operator.
    """


class Section(ApiModel):
    """A part of the document. A number in quotes is text, and text is not a number."""

    model_config = ConfigDict(strict=True)


Name = Annotated[str, Field(max_length=253, pattern=f"^{NAME}$")]
OptionalName = Annotated[str, Field(max_length=253, pattern=f"^({NAME})?$")]
Labels = dict[str, Annotated[str, Field(max_length=63)]]
DEFAULT_RUN_RESOURCES = Resources(
    requests=ResourceList(cpu="50m", memory="128Mi", ephemeral_storage="256Mi"),
    limits=ResourceList(cpu="1", memory="512Mi", ephemeral_storage="1Gi"),
)


class Runner(Section):
    """The image in which jobs run. `inventory`: the packages in it, name and version."""

    image: str = Field(min_length=1, max_length=1024)
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    inventory: dict[str, Annotated[str, Field(min_length=1, max_length=128)]] = Field(
        default_factory=dict
    )


class Toleration(Section):
    """As in a pod's spec."""

    key: str | None = None
    operator: Literal["Equal", "Exists", "Lt", "Gt"] | None = None
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None


class Run(Section):
    """Every run of every job. `uid` follows from the runner's image, which is built for it."""

    deadline_seconds: int = Field(3600, ge=70, le=3600)
    start_timeout_seconds: int = Field(600, ge=5, le=3600)
    resources: Resources = DEFAULT_RUN_RESOURCES
    node_selector: Labels = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = Field((), strict=False)
    image_pull_secrets: tuple[Name, ...] = Field((), strict=False)
    priority_class_name: OptionalName = ""
    runtime_class_name: OptionalName = ""
    uid: int = Field(65532, ge=1, le=2**31 - 1)

    @property
    def longest_seconds(self) -> int:
        """The most that a run's own timeout can be."""
        return self.deadline_seconds - RUNNER_MARGIN_SECONDS


class Session(Section):
    """The volume of each job with `session: Continuous`."""

    size: Annotated[str, Field(min_length=1, max_length=32), SIZE] = "1Gi"
    storage_class_name: OptionalName = ""


class Certificates(Section):
    """A PEM file in a ConfigMap or a Secret of the job's namespace."""

    config_map: OptionalName = ""
    secret: OptionalName = ""
    key: str = Field("ca.crt", min_length=1, max_length=253, pattern="^[-._a-zA-Z0-9]+$")


class Packages(Section):
    """Where packages come from."""

    index_url: str = Field("", max_length=1024, pattern="^(https?://[^@]+)?$")
    ca: Certificates = Certificates()
    credentials_secret: OptionalName = ""
    cache_claim: OptionalName = ""
    timeout_seconds: int = Field(300, ge=10, le=3000)

    def policy(self) -> PackagePolicy:
        """As decisions read it."""
        return PackagePolicy(
            index_url=self.index_url,
            ca_config_map=self.ca.config_map,
            ca_secret=self.ca.secret,
            ca_key=self.ca.key,
            credentials_secret=self.credentials_secret,
            cache_claim=self.cache_claim,
            timeout_seconds=self.timeout_seconds,
        )


class History(Section):
    """Bytes of records of finished runs."""

    namespace_bytes: int = Field(100 * 1024 * 1024, ge=1024 * 1024)
    cluster_bytes: int = Field(1024 * 1024 * 1024, ge=1024 * 1024)


class Approval(Section):
    """Who decides."""

    require_second_person: bool = False
    allow_without_policies: bool = False


class Process(Section):
    """The operator's own process."""

    workers: int = Field(8, ge=1, le=64)
    resync_seconds: int = Field(300, ge=10)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    port: int = Field(8080, ge=1, le=65535)
    lease_name: Name = "agentjobs-operator"


class OperatorConfiguration(Section):
    """Everything that the operator is set up with.

    Times in seconds, sizes in bytes. The chart's values are documented in values.yaml.
    """

    api_version: Literal["config.agentjobs.dev/v1alpha1"]
    kind: Literal["OperatorConfiguration"]
    runner: Runner
    run: Run = Run()
    models: Models = Models()
    session: Session = Session()
    packages: Packages = Packages()
    history: History = History()
    approval: Approval = Approval()
    policies: tuple[Expected, ...] = Field((), strict=False, validate_default=True)
    process: Process = Process()

    @field_validator("policies")
    @classmethod
    def _are_named(
        cls, policies: tuple[Expected, ...], known: ValidationInfo
    ) -> tuple[Expected, ...]:
        approval = known.data.get("approval")  # missing, if it is wrong itself
        if approval and not policies and not approval.allow_without_policies:
            raise ValueError(
                "must list the admission policies, unless approval.allowWithoutPolicies is true"
            )
        return policies

    def policy(self) -> RunPolicy:
        """The part that decisions about runs need."""
        return RunPolicy(
            image=self.runner.image,
            image_pull_policy=self.runner.image_pull_policy,
            inventory=inventory(self.runner.inventory),
            deadline_seconds=self.run.deadline_seconds,
            longest_run_seconds=self.run.longest_seconds,
            start_timeout_seconds=self.run.start_timeout_seconds,
            resources=self.run.resources,
            uid=self.run.uid,
            budgets=Budgets(self.history.namespace_bytes, self.history.cluster_bytes),
            second_person=self.approval.require_second_person,
            packages=self.packages.policy(),
            node_selector=self.run.node_selector,
            tolerations=tuple(each.wire() for each in self.run.tolerations),
            image_pull_secrets=self.run.image_pull_secrets,
            priority_class_name=self.run.priority_class_name,
            runtime_class_name=self.run.runtime_class_name,
            models=self.models,
            session=SessionPolicy(self.session.size, self.session.storage_class_name),
        )


@dataclass(frozen=True, slots=True)
class Pod:
    """Which process this is: its pod says so.

    The name is the holder of the lease, which is in the namespace.
    """

    name: str
    namespace: str


def configuration(document: object) -> OperatorConfiguration:
    """From the document as plain data.

    Raises SettingsError, which names every problem behind the path of its field.
    """
    if not isinstance(document, Mapping):
        raise SettingsError(
            f"must be a document with apiVersion {names.CONFIG_API_VERSION} and kind"
            f" {names.CONFIG_KIND}"
        )
    try:
        return OperatorConfiguration.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        raise SettingsError(explain(error, "")) from None


def pod(environment: Mapping[str, str]) -> Pod:
    """From the variables that the Deployment takes from the pod's own fields.

    Raises SettingsError, which names each that is missing.
    """
    missing = [variable for variable in (POD_NAME, POD_NAMESPACE) if not environment.get(variable)]
    if missing:
        raise SettingsError(
            f"{' and '.join(missing)}: must be set in the environment, from the fields of the pod"
        )
    return Pod(environment[POD_NAME], environment[POD_NAMESPACE])
