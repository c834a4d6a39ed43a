"""values.yaml explains every value.

The schema refuses a wrong one before anything reaches the cluster.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from hack.values import page
from tests.chart.helm import CHART, FULL_VALUES, Helm, HelmError, nested

FREE_FORM = {
    "runner.inventory",
    "models.providers",
    "run.resources",
    "run.nodeSelector",
    "operator.resources",
    "operator.nodeSelector",
}
"""Kubernetes' own structures: one comment explains the whole."""

REFUSED = [
    ("run.deadlineSeconds", 69, "/run/deadlineSeconds': minimum: got 69, want 70"),
    ("run.deadlineSeconds", 3601, "/run/deadlineSeconds': maximum: got 3,601, want 3,600"),
    ("run.deadlineSeconds", "1h", "/run/deadlineSeconds': got string, want integer"),
    ("run.startTimeoutSeconds", 4, "/run/startTimeoutSeconds': minimum: got 4, want 5"),
    ("run.deadlineseconds", 70, "/run': additional properties 'deadlineseconds' not allowed"),
    (
        "run.resources",
        {"limits": {"nvidia.com/gpu": "1"}},
        "/run/resources/limits': additional properties 'nvidia.com/gpu' not allowed",
    ),
    (
        "run.resources",
        {"limits": {"memory": 512}},
        "/run/resources/limits/memory': got number, want string",
    ),
    (
        "run.resources",
        {"limits": {"memory": "512 MB"}},
        "/run/resources/limits/memory': '512 MB' does not match pattern",
    ),
    ("run.nodeSelector", {"pool": 1}, "/run/nodeSelector/pool': got number, want string"),
    ("run.tolerations", [{"effect": "Never"}], "/run/tolerations/0/effect': value must be one of"),
    (
        "run.imagePullSecrets",
        [{"name": "registry"}],
        "/run/imagePullSecrets/0': got object, want string",
    ),
    (
        "run.priorityClassName",
        "Low Priority",
        "/run/priorityClassName': 'Low Priority' does not match pattern",
    ),
    ("approval.stamp", "yes", "/approval/stamp': got string, want boolean"),
    (
        "approval.requireSecondPerson",
        "no",
        "/approval/requireSecondPerson': got string, want boolean",
    ),
    (
        "approval.allowWithoutPolicies",
        1,
        "/approval/allowWithoutPolicies': got number, want boolean",
    ),
    ("history.namespaceBytes", 1000, "/history/namespaceBytes': minimum: got 1,000, want"),
    ("history.clusterBytes", 1000, "/history/clusterBytes': minimum: got 1,000, want"),
    ("operator.replicas", 0, "/operator/replicas': minimum: got 0, want 1"),
    ("operator.replicas", 3, "/operator/replicas': maximum: got 3, want 2"),
    ("operator.workers", 65, "/operator/workers': maximum: got 65, want 64"),
    ("operator.resyncSeconds", 9, "/operator/resyncSeconds': minimum: got 9, want 10"),
    (
        "operator.logLevel",
        "info",
        "/operator/logLevel': value must be one of 'DEBUG', 'INFO', 'WARNING', 'ERROR'",
    ),
    ("image.repository", "", "/image/repository': minLength: got 0, want 1"),
    ("image.digest", "sha256:abc", "/image/digest': 'sha256:abc' does not match pattern"),
    ("image.tag", "a tag", "/image/tag': 'a tag' does not match pattern"),
    (
        "runner.image.pullPolicy",
        "Sometimes",
        "/runner/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
    ),
    (
        "packages.indexUrl",
        "https://user:secret@packages.example.com/simple",
        "/packages/indexUrl': ",
    ),
    ("packages.ca", {"configMap": "a", "secret": "b"}, "/packages/ca"),
    ("packages.timeoutSeconds", 5, "/packages/timeoutSeconds': minimum: got 5, want 10"),
    ("crds.enabled", "yes", "/crds/enabled': got string, want boolean"),
    ("metrics.service.enabled", 1, "/metrics/service/enabled': got number, want boolean"),
    ("replicaCount", 2, "additional properties 'replicaCount' not allowed"),
]


@pytest.mark.parametrize(
    ("path", "value", "message"), REFUSED, ids=[f"{path}={value}" for path, value, _ in REFUSED]
)
def test_schema_refuses(helm: Helm, path: str, value: object, message: str) -> None:
    with pytest.raises(HelmError) as refusal:
        helm.template(nested(path, value))
    assert message in str(refusal.value)


def leaves(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        path = prefix + key
        if isinstance(value, dict) and path not in FREE_FORM:
            yield from leaves(value, f"{path}.")
        else:
            yield path


def schema_leaves(schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in schema["properties"].items():
        path = prefix + key
        if "properties" in value:
            assert value["additionalProperties"] is False, f"{path} accepts anything"
            yield from schema_leaves(value, f"{path}.")
        else:
            yield path


def test_schema_knows_exactly_the_values_of_the_values_file() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert sorted(set(schema_leaves(schema)) - {"global"}) == sorted(leaves(values))


def test_full_values_change_every_value_or_its_alternative() -> None:
    default = dict(flat(yaml.safe_load((CHART / "values.yaml").read_text())))
    full = dict(flat(yaml.safe_load(FULL_VALUES.read_text())))
    same = {path for path, value in default.items() if full.get(path, value) == value}
    # A tag and a digest exclude each other, so do a ConfigMap and a Secret, and a second person
    # needs the stamp.
    assert same == {"image.digest", "runner.image.tag", "packages.ca.secret", "approval.stamp"}


def flat(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for path in leaves(values):
        value: Any = values
        for key in path.split("."):
            value = value[key]
        yield path, value


def test_every_value_is_described_with_its_default() -> None:
    default = dict(flat(yaml.safe_load((CHART / "values.yaml").read_text())))
    rows = re.findall(r"^\| `([^`]+)` \| `(.*)` \| (.+) \|$", page(), re.MULTILINE)
    assert {path: json.loads(value) for path, value, _ in rows} == default
    assert [path for path, _, words in rows if not words.endswith(".")] == []
