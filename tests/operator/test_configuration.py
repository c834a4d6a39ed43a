"""The operator's settings are one document, and are explained when they are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from pydantic import BaseModel

from agentjobs.api import names
from agentjobs.core.workload.llm import Models
from agentjobs.operator.configuration import Pod, SettingsError, configuration, pod
from agentjobs.testing.operators import SETTINGS
from tests.support.settings import FULL, POLICY, Json, changed, models

DEFAULTS: Final[Json] = {
    "run": {
        "deadlineSeconds": 3600,
        "startTimeoutSeconds": 600,
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi", "ephemeral-storage": "256Mi"},
            "limits": {"cpu": "1", "memory": "512Mi", "ephemeral-storage": "1Gi"},
        },
        "nodeSelector": {},
        "tolerations": [],
        "imagePullSecrets": [],
        "priorityClassName": "",
        "runtimeClassName": "",
        "uid": 65532,
    },
    "models": {"default": "", "providers": {}},
    "session": {"size": "1Gi", "storageClassName": ""},
    "packages": {
        "indexUrl": "",
        "ca": {"configMap": "", "secret": "", "key": "ca.crt"},
        "credentialsSecret": "",
        "cacheClaim": "",
        "timeoutSeconds": 300,
    },
    "history": {"namespaceBytes": 104857600, "clusterBytes": 1073741824},
    "policies": [],
    "process": {
        "workers": 8,
        "resyncSeconds": 300,
        "logLevel": "INFO",
        "port": 8080,
        "leaseName": "agentjobs-operator",
    },
}


def problem(document: object) -> str:
    with pytest.raises(SettingsError) as refusal:
        configuration(document)
    return str(refusal.value)


def tables(value: object, path: str = "") -> Iterator[tuple[str, Json]]:
    """Those that are models; in others any key is a name that the user chose."""
    if isinstance(value, dict):
        if path.rpartition(".")[2] not in {"inventory", "nodeSelector", "providers", "spec"}:
            yield path, value
        for key, entry in value.items():
            yield from tables(entry, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from tables(entry, f"{path}[{number}]")


OWN: Final = sorted(
    {model for model in models() if model.__module__.endswith(".configuration")},
    key=lambda model: model.__name__,
)


def test_the_defaults_are_those_that_the_documentation_names() -> None:
    found = configuration(SETTINGS)
    written = found.wire()
    assert {name: written[name] for name in DEFAULTS} == DEFAULTS
    assert found.runner.wire() == {
        "image": "runner:1",
        "imagePullPolicy": "IfNotPresent",
        "inventory": {},
    }
    assert (found.approval.require_second_person, found.run.longest_seconds) == (False, 3540)


def test_what_was_read_is_what_was_written() -> None:
    assert configuration(configuration(FULL).wire()) == configuration(FULL)


def test_decisions_get_what_the_document_says() -> None:
    policy = configuration(FULL).policy()
    assert policy.resources.wire() == {
        "requests": {"cpu": "1"},
        "limits": {"ephemeral-storage": "2Gi"},
    }
    assert policy.tolerations == ({"key": "agents", "tolerationSeconds": 60},)
    assert (policy.image_pull_policy, policy.inventory) == (
        "Never",
        frozenset({"requests==2.32.3"}),
    )
    assert (policy.session.size, policy.packages.ca_key, policy.budgets.cluster) == (
        "2Gi",
        "root.pem",
        2**31,
    )
    assert policy.models == Models.model_validate(FULL["models"])


@pytest.mark.parametrize(
    "path", [path for path, _ in tables(FULL)], ids=lambda path: path or "document"
)
def test_an_unknown_key_is_named_at_every_level(path: str) -> None:
    wrong = f"{path}.unheardOf" if path else "unheardOf"
    assert f"{wrong}: is not a field that this version of agentjobs knows" in problem(
        changed(wrong, 1, FULL)
    ).split("; ")


def test_every_model_of_the_document_is_among_those_levels() -> None:
    for model in models():
        known = {field.alias or name for name, field in model.model_fields.items()}
        assert any(table and set(table) <= known for _, table in tables(FULL)), (
            f"FULL has no {model.__name__}"
        )


def test_names_are_written_in_one_way() -> None:
    assert "run.deadline_seconds: is not a field" in problem(changed("run.deadline_seconds", 100))


@pytest.mark.parametrize("model", OWN, ids=lambda model: model.__name__)
def test_every_field_has_bounds(model: type[BaseModel]) -> None:
    # The API server's to judge.
    free = {("Toleration", name) for name in ("key", "value", "tolerationSeconds")}
    free |= {("Session", "size")}
    for name, schema in model.model_json_schema()["properties"].items():
        if (model.__name__, name) not in free:
            assert bounded(schema), f"{model.__name__}.{name} can be anything: {schema}"


def bounded(schema: Json) -> bool:
    if "anyOf" in schema:
        return all(map(bounded, schema["anyOf"]))
    if schema.get("type") == "integer":
        return "minimum" in schema
    if schema.get("type") == "string":
        return bool(schema.keys() & {"enum", "const", "maxLength"})
    if schema.get("type") == "array":
        return bounded(schema["items"])
    if schema.get("type") == "object":
        return bounded(schema["additionalProperties"])
    return "$ref" in schema or schema.get("type") in ("boolean", "null")


WRONG: Final = [
    ("run.deadlineSeconds", 69, "run.deadlineSeconds: should be greater than or equal to 70"),
    ("run.deadlineSeconds", 3601, "run.deadlineSeconds: should be less than or equal to 3600"),
    ("run.deadlineSeconds", "70", "run.deadlineSeconds: should be a valid integer"),
    ("run.deadlineSeconds", 70.5, "run.deadlineSeconds: should be a valid integer"),
    ("run.deadlineSeconds", True, "run.deadlineSeconds: should be a valid integer"),
    ("run.startTimeoutSeconds", 4, "run.startTimeoutSeconds: should be greater than or equal to 5"),
    ("run.uid", 0, "run.uid: should be greater than or equal to 1"),
    (
        "run.resources",
        {"limits": {"memory": "512 MB"}},
        "run.resources.limits.memory: must be a size such as 256Mi or 1Gi",
    ),
    (
        "run.tolerations",
        [{"effect": "Never"}],
        "run.tolerations[0].effect: should be 'NoSchedule', 'PreferNoSchedule' or 'NoExecute'",
    ),
    (
        "run.imagePullSecrets",
        [{"name": "a"}],
        "run.imagePullSecrets[0]: should be a string; put it in quotes",
    ),
    ("run.priorityClassName", "Low Priority", "run.priorityClassName: should match pattern"),
    ("run", None, "run: should be a mapping of fields"),
    ("runner.image", "", "runner.image: should have at least 1 character"),
    (
        "runner.inventory",
        {"requests": 2.32},
        "runner.inventory.requests: should be a string; put it in quotes",
    ),
    (
        "models.default",
        "house/small",
        "models: default: there is no model house/small; the models are: none",
    ),
    (
        "packages.indexUrl",
        "https://user:secret@example.com",
        "packages.indexUrl: should match pattern",
    ),
    (
        "history.clusterBytes",
        1000,
        "history.clusterBytes: should be greater than or equal to 1048576",
    ),
    (
        "approval.allowWithoutPolicies",
        "yes",
        "approval.allowWithoutPolicies: should be a valid boolean",
    ),
    ("process.workers", 65, "process.workers: should be less than or equal to 64"),
    (
        "process.logLevel",
        "LOUD",
        "process.logLevel: should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'",
    ),
    ("process.resyncSeconds", 9, "process.resyncSeconds: should be greater than or equal to 10"),
    ("apiVersion", "v1", "apiVersion: should be 'config.agentjobs.dev/v1alpha1'"),
    ("kind", "ConfigMap", "kind: should be 'OperatorConfiguration'"),
]


@pytest.mark.parametrize(
    ("path", "value", "message"), WRONG, ids=[f"{path}={value}" for path, value, _ in WRONG]
)
def test_a_wrong_setting_is_named_with_its_path(path: str, value: object, message: str) -> None:
    assert problem(changed(path, value)).startswith(message)


def test_several_problems_are_one_message() -> None:
    document = {
        **changed("run.deadlineSeconds", 1),
        "kind": "x",
        "process": {"workers": 0, "port": 0},
    }
    assert [part.partition(":")[0] for part in problem(document).split("; ")] == [
        "kind",
        "run.deadlineSeconds",
        "process.workers",
        "process.port",
    ]


def test_no_value_is_repeated() -> None:
    assert "hunter2" not in problem(
        changed("packages.indexUrl", "https://user:hunter2@example.com")
    )


@pytest.mark.parametrize("document", [None, [], "text", 1])
def test_what_is_not_a_document_is_refused(document: object) -> None:
    assert (
        problem(document)
        == f"must be a document with apiVersion {names.CONFIG_API_VERSION} and kind"
        f" {names.CONFIG_KIND}"
    )


def test_an_empty_document_is_answered_with_what_it_needs() -> None:
    assert problem({}).startswith(
        "apiVersion: is required; kind: is required; runner: is required; policies: "
    )


def test_an_operator_without_policies_has_to_be_wanted() -> None:
    wanted = (
        "policies: must list the admission policies, unless approval.allowWithoutPolicies is true"
    )
    assert problem(changed("approval.allowWithoutPolicies", value=False)) == wanted
    assert [
        one.name
        for one in configuration({**SETTINGS, "approval": {}, "policies": [POLICY]}).policies
    ] == ["a"]


def test_the_pod_says_who_the_process_is() -> None:
    assert pod({"POD_NAME": "a", "POD_NAMESPACE": "system"}) == Pod("a", "system")
    with pytest.raises(
        SettingsError, match="^POD_NAME and POD_NAMESPACE: must be set in the environment"
    ):
        pod({"POD_NAME": ""})


# The text


# The program


# Operators outside of a pod
