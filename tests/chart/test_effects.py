"""Each value does what its comment says: for the operator's pods, and for runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from agentjobs.api.container import Resources
from agentjobs.core.content.packages import inventory
from agentjobs.core.workload.llm import Models
from agentjobs.core.workload.sessions import SessionPolicy, claim
from agentjobs.core.workload.settings import Budgets, PackagePolicy, RunPolicy
from tests.chart.helm import (
    CHART,
    FULL_VALUES,
    Document,
    Helm,
    container,
    full_values,
    nested,
    of_kind,
)
from tests.chart.settings import settings
from tests.support.workload import cron_job

EXCLUDED = {
    "image.digest": "sha256:" + "0" * 64,
    "runner.image.tag": "1.2.3",
    "packages.ca.secret": "company-ca",
    "approval.stamp": False,
}
"""Other values where full-values.yaml has the default: each excludes another value of that file."""


def single(values: Document, prefix: str = "") -> dict[str, Any]:
    """By path, down to what holds nothing more."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= (
            single(value, f"{prefix}{key}.")
            if isinstance(value, dict) and value
            else {prefix + key: value}
        )
    return found


DEFAULTS = single(yaml.safe_load((CHART / "values.yaml").read_text()))


def other_than_the_default(path: str) -> Any:
    value: Any = full_values()
    for key in path.split("."):
        value = value.get(key, {})
    return EXCLUDED.get(path, value)


@pytest.mark.parametrize("path", DEFAULTS)
def test_no_value_is_without_effect(helm: Helm, path: str) -> None:
    other = other_than_the_default(path)
    assert other != DEFAULTS[path]
    same = helm.template(nested(path, other)) == helm.template(crds=path == "crds.enabled")
    assert not same, "nothing in the chart reads it"


# The operator's pods


@pytest.fixture(scope="module")
def documents(helm: Helm) -> list[Document]:
    return helm.documents(file=FULL_VALUES)


def operator(documents: list[Document]) -> Document:
    (deployment,) = of_kind(documents, "Deployment")
    found: Document = deployment["spec"]
    return found


def test_the_operators_image_is_pulled_as_the_values_say(documents: list[Document]) -> None:
    image = full_values()["image"]
    assert container(documents)["image"] == f"{image['repository']}:{image['tag']}"
    assert container(documents)["imagePullPolicy"] == image["pullPolicy"]
    assert operator(documents)["template"]["spec"]["imagePullSecrets"] == [
        {"name": name} for name in image["pullSecrets"]
    ]


def test_the_operator_runs_where_and_with_what_the_values_say(documents: list[Document]) -> None:
    values, deployment = full_values()["operator"], operator(documents)
    spec = deployment["template"]["spec"]
    assert deployment["replicas"] == values["replicas"]
    assert container(documents)["resources"] == values["resources"]
    same = ("nodeSelector", "tolerations", "priorityClassName")
    assert {name: spec[name] for name in same} == {name: values[name] for name in same}


def test_without_values_the_cluster_decides_where_the_operator_runs(helm: Helm) -> None:
    spec = operator(helm.documents())["template"]["spec"]
    assert spec.keys().isdisjoint(
        {"nodeSelector", "tolerations", "priorityClassName", "imagePullSecrets"}
    )


@pytest.mark.parametrize(("release", "namespace"), [("123", "on"), ("on", "123")])
def test_names_that_yaml_could_take_for_something_else_stay_names(
    helm: Helm, release: str, namespace: str
) -> None:
    values = {
        "image": {"pullSecrets": ["123", "on"]},
        "operator": {"priorityClassName": release},
        "crds": {"enabled": False},
        "metrics": {"service": {"enabled": True}},
    }
    words = ("--namespace", namespace, "--kube-version", "1.36.0", "--values", "-")
    documents = [
        found
        for found in yaml.safe_load_all(
            helm("template", release, CHART, *words, stdin=json.dumps(values))
        )
        if found
    ]
    assert {found["metadata"]["labels"]["app.kubernetes.io/instance"] for found in documents} == {
        release
    }
    assert {found["metadata"].get("namespace", namespace) for found in documents} == {namespace}
    assert {
        account["namespace"] for found in documents for account in found.get("subjects", [])
    } == {namespace}
    assert operator(documents)["selector"]["matchLabels"]["app.kubernetes.io/instance"] == release
    assert operator(documents)["template"]["spec"]["imagePullSecrets"] == [
        {"name": "123"},
        {"name": "on"},
    ]
    assert operator(documents)["template"]["spec"]["priorityClassName"] == release


def test_what_a_deployment_selects_by_never_changes(documents: list[Document]) -> None:
    """The API server refuses a change of it, and so an upgrade would fail."""
    selected = {
        "app.kubernetes.io/name": "agentjobs",
        "app.kubernetes.io/instance": "agentjobs",
        "app.kubernetes.io/component": "operator",
    }
    assert operator(documents)["selector"] == {"matchLabels": selected}
    assert selected.items() <= operator(documents)["template"]["metadata"]["labels"].items()


def test_the_operators_pods_meet_the_restricted_pod_security_standard(
    documents: list[Document],
) -> None:
    pod = operator(documents)["template"]["spec"]
    security = container(documents)["securityContext"]
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["seccompProfile"]) == (
        True,
        {"type": "RuntimeDefault"},
    )
    assert (security["allowPrivilegeEscalation"], security["capabilities"]) == (
        False,
        {"drop": ["ALL"]},
    )
    assert all(volume.keys() - {"name"} <= {"configMap", "emptyDir"} for volume in pod["volumes"])


def test_the_service_for_metrics_is_there_if_asked_for_and_finds_its_port(
    helm: Helm, documents: list[Document]
) -> None:
    (service,) = of_kind(documents, "Service")
    assert service["spec"]["selector"] == operator(documents)["selector"]["matchLabels"]
    (port,) = service["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (8080, container(documents)["ports"][0]["name"])
    assert of_kind(helm.documents(), "Service") == []


# Runs


@pytest.fixture(scope="module")
def policy(documents: list[Document]) -> RunPolicy:
    return settings(documents).policy()


def test_decisions_get_what_the_values_say(policy: RunPolicy) -> None:
    values = full_values()
    run, packages, history = values["run"], values["packages"], values["history"]
    assert policy == RunPolicy(
        image=f"{values['runner']['image']['repository']}@{values['runner']['image']['digest']}",
        image_pull_policy=values["runner"]["image"]["pullPolicy"],
        inventory=inventory(values["runner"]["inventory"]),
        deadline_seconds=run["deadlineSeconds"],
        longest_run_seconds=run["deadlineSeconds"] - 60,
        start_timeout_seconds=run["startTimeoutSeconds"],
        resources=Resources.model_validate(run["resources"]),
        uid=65532,
        second_person=values["approval"]["requireSecondPerson"],
        packages=PackagePolicy(
            index_url=packages["indexUrl"],
            ca_config_map=packages["ca"]["configMap"],
            ca_key=packages["ca"]["key"],
            credentials_secret=packages["credentialsSecret"],
            cache_claim=packages["cacheClaim"],
            timeout_seconds=packages["timeoutSeconds"],
        ),
        node_selector=run["nodeSelector"],
        tolerations=tuple(run["tolerations"]),
        image_pull_secrets=tuple(run["imagePullSecrets"]),
        priority_class_name=run["priorityClassName"],
        runtime_class_name=run["runtimeClassName"],
        models=Models.model_validate(values["models"]),
        session=SessionPolicy(values["session"]["size"], values["session"]["storageClassName"]),
        budgets=Budgets(history["namespaceBytes"], history["clusterBytes"]),
    )


def test_certificates_can_come_from_a_secret_as_well(helm: Helm) -> None:
    packages = (
        settings(helm.documents({"packages": {"ca": {"secret": "company-ca"}}})).policy().packages
    )
    assert (packages.ca_config_map, packages.ca_secret, packages.ca_key) == (
        "",
        "company-ca",
        "ca.crt",
    )


def test_a_runs_pod_is_as_the_values_say(policy: RunPolicy) -> None:
    run, image = full_values()["run"], full_values()["runner"]["image"]
    template = cron_job(policy=policy)["spec"]["jobTemplate"]["spec"]
    spec = template["template"]["spec"]
    same = ("nodeSelector", "tolerations", "priorityClassName", "runtimeClassName")
    assert {name: spec[name] for name in same} == {name: run[name] for name in same}
    assert spec["imagePullSecrets"] == [{"name": name} for name in run["imagePullSecrets"]]
    (only,) = spec["containers"]
    assert (only["image"], only["imagePullPolicy"]) == (
        f"{image['repository']}@{image['digest']}",
        image["pullPolicy"],
    )
    assert only["resources"] == run["resources"]
    assert template["activeDeadlineSeconds"] == run["deadlineSeconds"]


def test_a_runs_own_time_limit_ends_it_a_minute_before_the_values_do(policy: RunPolicy) -> None:
    (only,) = cron_job(policy=policy, timeoutSeconds=3540)["spec"]["jobTemplate"]["spec"][
        "template"
    ]["spec"]["containers"]
    assert {
        "name": "AGENTJOBS_TIMEOUT_SECONDS",
        "value": str(full_values()["run"]["deadlineSeconds"] - 60),
    } in only["env"]


def test_a_sessions_volume_is_as_the_values_say(policy: RunPolicy) -> None:
    spec = claim("team", "report", {}, [], policy.session)["spec"]
    values = full_values()["session"]
    assert (spec["resources"]["requests"]["storage"], spec["storageClassName"]) == (
        values["size"],
        values["storageClassName"],
    )
