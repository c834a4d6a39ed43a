"""What the operator's installation sets for all runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agentjobs.api.container import Resources
from agentjobs.core.workload.llm import Models
from agentjobs.core.workload.sessions import SessionPolicy


@dataclass(frozen=True, slots=True)
class PackagePolicy:
    """Where packages come from.

    Secrets, ConfigMaps and claims are names in the job's namespace; empty: there is none.
    """

    index_url: str = ""
    """Empty: uv's default, the Python Package Index."""
    ca_config_map: str = ""
    ca_secret: str = ""
    ca_key: str = "ca.crt"
    credentials_secret: str = ""
    cache_claim: str = ""
    timeout_seconds: int = 300


@dataclass(frozen=True, slots=True)
class Budgets:
    """The most bytes that records of finished runs may take."""

    namespace: int = 100 * 1024 * 1024
    cluster: int = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RunPolicy:
    """The chart's values for all runs. Times in seconds, sizes in bytes."""

    image: str
    image_pull_policy: str
    deadline_seconds: int
    longest_run_seconds: int
    start_timeout_seconds: int
    resources: Resources
    uid: int
    second_person: bool = False
    inventory: frozenset[str] = frozenset()
    """Packages of the image as canonical pins; they need no approval."""
    packages: PackagePolicy = field(default_factory=PackagePolicy)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    image_pull_secrets: tuple[str, ...] = ()
    priority_class_name: str = ""
    runtime_class_name: str = ""
    models: Models = field(default_factory=Models)
    session: SessionPolicy = field(default_factory=SessionPolicy)
    budgets: Budgets = field(default_factory=Budgets)
