"""Chart values become the operator's settings, one document, whole and unchanged."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import yaml

from agentjobs.operator import config_text
from agentjobs.operator.configuration import Pod, configuration, pod
from tests.chart.helm import (
    CHART,
    FULL_VALUES,
    NAMESPACE,
    Document,
    Helm,
    container,
    full_values,
    of_kind,
)
from tests.chart.settings import settings, text

FROM_THE_POD = {"metadata.name": "agentjobs-7d4b-x", "metadata.namespace": NAMESPACE}
"""What the kubelet puts in."""
SECTIONS = ("run", "models", "session", "packages", "history")
"""Values that are handed over as they are."""
OF_THE_OPERATOR = ("workers", "resyncSeconds", "logLevel")


def test_the_operator_gets_nothing_else_than_who_it_is(helm: Helm) -> None:
    entries = container(helm.documents(file=FULL_VALUES))["env"]
    environment = {
        entry["name"]: FROM_THE_POD[entry["valueFrom"]["fieldRef"]["fieldPath"]]
        for entry in entries
    }
    assert (pod(environment), len(entries)) == (Pod(*FROM_THE_POD.values()), 2)


def test_default_values_are_the_settings_defaults(helm: Helm) -> None:
    found = settings(helm.documents())
    shipped = json.loads((CHART / "files" / "inventory.json").read_text())
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    least = {
        "apiVersion": found.api_version,
        "kind": found.kind,
        "policies": [one.wire() for one in found.policies],
    }
    assert found == configuration(
        least | {"runner": {"image": f"localhost/agentjobs-runner:{version}", "inventory": shipped}}
    )


@pytest.mark.parametrize("section", SECTIONS)
def test_sections_arrive_unchanged(helm: Helm, section: str) -> None:
    written: Any = config_text.document(text(helm.documents(file=FULL_VALUES)).encode())
    values = full_values()[section]
    values.get("ca", {}).setdefault("secret", "")
    assert written[section] == values


def test_other_values_arrive_unchanged(helm: Helm) -> None:
    written: Any = config_text.document(text(helm.documents(file=FULL_VALUES)).encode())
    values = full_values()
    assert written["approval"] == values["approval"]
    assert written["process"] == {name: values["operator"][name] for name in OF_THE_OPERATOR}
    image = values["runner"]["image"]
    assert written["runner"] == {
        "image": f"{image['repository']}@{image['digest']}",
        "imagePullPolicy": image["pullPolicy"],
        "inventory": values["runner"]["inventory"],
    }
    assert set(written) == {
        "apiVersion",
        "kind",
        "runner",
        *SECTIONS,
        "approval",
        "process",
        "policies",
    }


def test_what_the_values_do_not_have_is_the_same_in_code_and_chart(helm: Helm) -> None:
    documents = helm.documents()
    process = settings(documents).process
    assert container(documents)["ports"] == [{"name": "http", "containerPort": process.port}]
    (role,) = of_kind(documents, "Role")
    assert [rule["resourceNames"] for rule in role["rules"] if "resourceNames" in rule] == [
        [process.lease_name]
    ]


def test_a_change_of_the_settings_restarts_the_pods(helm: Helm) -> None:
    def checksum(**values: object) -> str:
        (deployment,) = of_kind(helm.documents(values), "Deployment")
        return str(deployment["spec"]["template"]["metadata"]["annotations"]["checksum/config"])

    assert checksum() == checksum(metrics={"service": {"enabled": True}})
    assert (
        len(
            {
                checksum(),
                checksum(operator={"workers": 9}),
                checksum(approval={"requireSecondPerson": True}),
            }
        )
        == 3
    )


def test_a_digest_wins_over_a_tag(helm: Helm) -> None:
    digest = "sha256:" + "0" * 64
    image = {"repository": "registry.example.com/a", "tag": "1", "digest": digest}
    documents = helm.documents({"image": image, "runner": {"image": image}})
    assert container(documents)["image"] == f"registry.example.com/a@{digest}"
    assert settings(documents).runner.image == f"registry.example.com/a@{digest}"


def test_without_a_tag_the_image_is_that_of_the_charts_version(helm: Helm) -> None:
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    assert container(helm.documents())["image"].endswith(f":{version}")


def test_the_operator_expects_exactly_the_policies_of_the_chart(helm: Helm) -> None:
    documents = helm.documents()
    ours = [
        found
        for found in documents
        if found["apiVersion"].startswith("admissionregistration.k8s.io/")
    ]
    expected = {
        (one.api_version, one.kind, one.name): one.spec for one in settings(documents).policies
    }
    assert expected == {
        (found["apiVersion"], found["kind"], found["metadata"]["name"]): found["spec"]
        for found in ours
    }
    assert len(ours) == 14


# Values that YAML could take for something else, and the ends of each range

HARD_WORDS = [
    "on",
    "no",
    "~",
    "null",
    "true",
    "1e3",
    "0x10",
    "010",
    "1_000",
    "2026-01-01",
    "10-00",
    "1.0",
    "007",
    "n",
    "off",
]
CHOICES: dict[str, list[Any]] = {
    "run.deadlineSeconds": [70, 3600],
    "run.startTimeoutSeconds": [5, 3600],
    "run.resources.limits.cpu": ["1", "0.5", "500m"],
    "run.resources.limits.memory": ["536870912", "512Mi", "1.5Gi"],
    "run.nodeSelector": [{}, *({word: word} for word in HARD_WORDS), {"a": ""}],
    "run.tolerations": [
        [],
        [{"operator": "Exists"}],
        [{"key": "on", "value": "1e3", "tolerationSeconds": 2**31}],
        [{}],
    ],
    "run.imagePullSecrets": [[], ["on", "1e3"], ["0"]],
    "run.priorityClassName": [
        "",
        *(word for word in HARD_WORDS if word[0] not in "~1" or word.isalnum()),
    ],
    "run.runtimeClassName": ["", "no"],
    "runner.inventory": [
        {},
        {"on": "1.0"},
        {"a": "2026.1", "b": "1e3", "c": "3.10"},
        {"a": "=", "b": "<<", "c": "#", "d": "- x"},
    ],
    "runner.image.tag": ["", "1.0", "1e3", "on", "2026-01-01"],
    "runner.image.pullPolicy": ["Always", "IfNotPresent", "Never"],
    "approval.stamp": [True, False],
    "approval.allowWithoutPolicies": [True, False],
    "models.default": [""],
    "models.providers": [
        {},
        {
            "on": {
                "api": "anthropic-messages",
                "baseUrl": "http://x",
                "env": "KEY",
                "models": [{"id": "1e3"}, {"id": "on", "reasoning": True}],
            }
        },
        {
            "0": {
                "api": "openai-completions",
                "baseUrl": "https://x:1",
                "models": [
                    {
                        "id": "ä: 'x' # \"y\" \\ \t\u2028",
                        "contextWindow": 2**40,
                        "cost": {"input": 1e-7, "output": 0.1, "cacheRead": 1e22, "cacheWrite": 0},
                        "compat": {
                            "a": [1, 2.5, None, "no", {"b": 1e-9}],
                            "c": False,
                            "d": "multi\nline\n",
                        },
                    }
                ],
            }
        },
    ],
    "session.size": ["1", "1.5Gi", "10Ti"],
    "session.storageClassName": ["", "007", "no"],
    "packages.indexUrl": ["", "http://x", "https://x.example.com/simple?a=b#c"],
    "packages.ca.configMap": ["", "on"],
    "packages.ca.key": ["1", "ca.crt", "-", "_"],
    "packages.timeoutSeconds": [10, 3000],
    "history.namespaceBytes": [1048576, 10**9, 2**53],
    "history.clusterBytes": [1048576, 10**12],
    "operator.workers": [1, 64],
    "operator.resyncSeconds": [10, 10**7],
    "operator.logLevel": ["DEBUG", "INFO", "WARNING", "ERROR"],
}


def chosen(dice: random.Random) -> tuple[dict[str, Any], Document]:
    """Some values, by path and as Helm takes them."""
    paths = {path: dice.choice(choices) for path, choices in CHOICES.items() if dice.random() < 0.8}
    values: Document = {}
    for path, value in paths.items():
        *steps, last = path.split(".")
        place = values
        for step in steps:
            place = place.setdefault(step, {})
        place[last] = value
    return paths, values


@pytest.mark.parametrize("seed", range(16))
def test_whatever_the_values_are_the_operator_reads_them(helm: Helm, seed: int) -> None:
    paths, values = chosen(random.Random(seed))
    documents = helm.documents(values)
    settings(documents)
    written: Any = config_text.document(text(documents).encode())
    for path, value in paths.items():
        section, _, rest = path.partition(".")
        if (path in ("approval.stamp", "runner.inventory") and not value) or path.startswith(
            "runner.image."
        ):
            continue
        place: Any = written[{"operator": "process"}.get(section, section)]
        if path == "approval.stamp":
            assert "stamp" not in place
            continue
        for step in rest.split("."):
            place = place[step]
        assert place == value, path
        assert type(place) is type(value), path


def test_null_in_the_values_is_the_settings_default(helm: Helm) -> None:
    values = {
        "run": {"priorityClassName": None, "tolerations": None},
        "history": None,
        "packages": {"ca": {"key": None}},
    }
    assert settings(helm.documents(values)) == settings(helm.documents())
