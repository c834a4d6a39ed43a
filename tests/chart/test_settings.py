"""Chart values become the operator's settings, whole and unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from agentjobs.core.workload.llm import Models
from agentjobs.operator.settings import PREFIX, Settings
from tests.chart.helm import CHART, FULL_VALUES, NAMESPACE, Document, Helm, container, of_kind

FROM_THE_POD = {"metadata.name": "agentjobs-7d4b-x", "metadata.namespace": NAMESPACE}
"""What the kubelet puts in."""
NOT_VALUES = {"run_uid"}
"""Follows from the runner's image, which is built for this uid."""
SETTING_OF_VALUE = {
    "run.deadlineSeconds": "run_deadline_seconds",
    "run.startTimeoutSeconds": "run_start_timeout_seconds",
    "run.nodeSelector": "run_node_selector",
    "run.tolerations": "run_tolerations",
    "run.imagePullSecrets": "run_image_pull_secrets",
    "run.priorityClassName": "run_priority_class_name",
    "run.runtimeClassName": "run_runtime_class_name",
    "runner.image.pullPolicy": "runner_image_pull_policy",
    "runner.inventory": "runner_inventory",
    "approval.requireSecondPerson": "require_second_person",
    "approval.allowWithoutPolicies": "allow_without_policies",
    "session.size": "session_size",
    "session.storageClassName": "session_storage_class_name",
    "packages.indexUrl": "packages_index_url",
    "packages.ca.configMap": "packages_ca_config_map",
    "packages.ca.key": "packages_ca_key",
    "packages.credentialsSecret": "packages_credentials_secret",
    "packages.cacheClaim": "packages_cache_claim",
    "packages.timeoutSeconds": "packages_timeout_seconds",
    "history.namespaceBytes": "history_namespace_bytes",
    "history.clusterBytes": "history_cluster_bytes",
    "operator.workers": "workers",
    "operator.resyncSeconds": "resync_seconds",
    "operator.logLevel": "log_level",
}


def environment(documents: list[Document]) -> dict[str, str]:
    entries = container(documents)["env"]
    names = [entry["name"] for entry in entries]
    assert len(names) == len(set(names)), "a variable is set twice"
    return {entry["name"]: entry["value"] if "value" in entry else from_elsewhere(documents, entry["valueFrom"]) for entry in entries}


def from_elsewhere(documents: list[Document], source: Document) -> str:
    if "fieldRef" in source:
        return FROM_THE_POD[source["fieldRef"]["fieldPath"]]
    reference = source["configMapKeyRef"]
    (data,) = [found["data"] for found in of_kind(documents, "ConfigMap") if found["metadata"]["name"] == reference["name"]]
    return str(data[reference["key"]])


def at(values: Document, path: str) -> Any:
    for key in path.split("."):
        values = values[key]
    return values


def test_every_setting_and_nothing_else_is_in_the_environment(helm: Helm) -> None:
    expected = {PREFIX + name.upper() for name in set(Settings.model_fields) - NOT_VALUES}
    assert set(environment(helm.documents())) == expected


def test_default_values_are_the_settings_defaults(helm: Helm) -> None:
    settings = Settings.from_env(environment(helm.documents()))
    shipped = json.loads((CHART / "files" / "inventory.json").read_text())
    ours = {"runner_image": settings.runner_image, "runner_inventory": shipped, "policies": settings.policies}
    required = {**ours, "lease_namespace": NAMESPACE, "identity": FROM_THE_POD["metadata.name"]}
    assert settings == Settings.model_validate(required)


@pytest.mark.parametrize(("path", "setting"), SETTING_OF_VALUE.items())
def test_values_arrive_unchanged(helm: Helm, path: str, setting: str) -> None:
    values = yaml.safe_load(FULL_VALUES.read_text())
    settings = Settings.from_env(environment(helm.documents(file=FULL_VALUES)))
    assert getattr(settings, setting) == at(values, path)


def test_resources_of_runs_arrive_unchanged(helm: Helm) -> None:
    settings = Settings.from_env(environment(helm.documents(file=FULL_VALUES)))
    assert settings.run_resources.wire() == yaml.safe_load(FULL_VALUES.read_text())["run"]["resources"]


def test_models_arrive_unchanged(helm: Helm) -> None:
    values = yaml.safe_load(FULL_VALUES.read_text())["models"]
    settings = Settings.from_env(environment(helm.documents(file=FULL_VALUES)))
    assert settings.models == Models.model_validate(values)
    assert settings.models.names == ("anthropic/claude", "house/small", "house/large")


def test_a_digest_wins_over_a_tag(helm: Helm) -> None:
    digest = "sha256:" + "0" * 64
    image = {"repository": "registry.example.com/a", "tag": "1", "digest": digest}
    documents = helm.documents({"image": image, "runner": {"image": image}})
    assert container(documents)["image"] == f"registry.example.com/a@{digest}"
    assert environment(documents)["AGENTJOBS_RUNNER_IMAGE"] == f"registry.example.com/a@{digest}"


def test_without_a_tag_the_image_is_that_of_the_charts_version(helm: Helm) -> None:
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    assert container(helm.documents())["image"].endswith(f":{version}")


@pytest.mark.parametrize(("path", "setting"), SETTING_OF_VALUE.items())
def test_schema_has_the_settings_bounds(path: str, setting: str) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    for key in path.split("."):
        schema = schema["properties"][key]
    bounds = Settings.model_json_schema()["properties"][setting]
    for bound in ("minimum", "maximum"):
        assert schema.get(bound) == bounds.get(bound)


def test_the_operator_expects_exactly_the_policies_of_the_chart(helm: Helm) -> None:
    documents = helm.documents()
    ours = [found for found in documents if found["apiVersion"].startswith("admissionregistration.k8s.io/")]
    expected = {(one.api_version, one.kind, one.name): one.spec for one in Settings.from_env(environment(documents)).policies}
    assert expected == {(found["apiVersion"], found["kind"], found["metadata"]["name"]): found["spec"] for found in ours}
    assert len(ours) == 14
