"""The CRDs in crds/ are those of the models, and keep what a CRD of ours promises."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import Field

from agentjobs.api.base import ApiModel
from agentjobs.api.resources import JOB, RESOURCES, RUN, Resource
from agentjobs.api.rule import VALIDATIONS
from hack import crdgen
from tests.support.root import ROOT

CRDS = ROOT / "crds"
Node = tuple[str, dict[str, Any]]

OF_KUBERNETES = (".apiVersion", ".kind", ".metadata")


def nodes(path: str, schema: dict[str, Any]) -> Iterator[Node]:
    """Every node of a schema with its path, those that Kubernetes defines left out."""
    if path.startswith(OF_KUBERNETES):
        return
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(f"{path}.{name}", child)
    if "items" in schema:
        yield from nodes(f"{path}[]", schema["items"])


@cache
def root(resource: Resource) -> dict[str, Any]:
    schema: dict[str, Any] = crdgen.crd(resource)["spec"]["versions"][0]["schema"][
        "openAPIV3Schema"
    ]
    return schema


EACH_RESOURCE = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.short)


def test_the_files_are_what_the_models_say() -> None:
    assert {path.name: path.read_text() for path in CRDS.iterdir()} == crdgen.files()


def test_generating_writes_what_check_accepts(tmp_path: Path) -> None:
    assert crdgen.main(["--out", str(tmp_path / "new")]) == 0
    assert crdgen.main(["--out", str(tmp_path / "new"), "--check"]) == 0


def test_check_names_the_file_that_differs_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crdgen.main(["--out", str(tmp_path)])
    edited = tmp_path / "agentjobs.dev_agentjobruns.yaml"
    edited.write_text("edited")
    assert crdgen.main(["--out", str(tmp_path), "--check"]) == 1
    assert "agentjobs.dev_agentjobruns.yaml; run `make crds`" in capsys.readouterr().err
    assert edited.read_text() == "edited"


def test_the_yaml_says_what_the_data_says() -> None:
    assert [yaml.safe_load(crdgen.render(resource)) for resource in RESOURCES] == [
        crdgen.crd(resource) for resource in RESOURCES
    ]


def path_is_free(node: dict[str, Any]) -> bool:
    """The data of an event is any JSON; the operator bounds it, which the API server cannot."""
    return bool(node.get("x-kubernetes-preserve-unknown-fields"))


def unbounded(node: dict[str, Any]) -> bool:
    match node.get("type"):
        case "string":
            return "maxLength" not in node and "enum" not in node
        case "array":
            return "maxItems" not in node or "x-kubernetes-list-type" not in node
        case "integer":
            return bool(node["format"] != "int64")
        case None:
            if path_is_free(node):
                return False
            return "maxLength" not in node or "x-kubernetes-int-or-string" not in node
        case _:
            return False


@EACH_RESOURCE
def test_every_text_list_and_number_is_bounded(resource: Resource) -> None:
    assert [path for path, node in nodes("", root(resource)) if unbounded(node)] == []


@EACH_RESOURCE
def test_the_schema_is_structural(resource: Resource) -> None:
    foreign = {"$ref", "title", "nullable", "additionalProperties", "pattern", "const"}
    assert [path for path, node in nodes("", root(resource)) if node.keys() & foreign] == []


@EACH_RESOURCE
def test_every_field_has_a_description_that_is_a_sentence(resource: Resource) -> None:
    fields = [(path, node) for path, node in nodes("", root(resource)) if not path.endswith("[]")]
    assert [path for path, node in fields if not node.get("description", "").endswith(".")] == []


@EACH_RESOURCE
def test_every_rule_comes_with_a_sentence_on_one_line(resource: Resource) -> None:
    rules = [rule for _, node in nodes("", root(resource)) for rule in node.get(VALIDATIONS, ())]
    assert rules
    assert [
        rule
        for rule in rules
        if len(rule["message"]) < 20 or "\n" in rule["message"] + rule["rule"]
    ] == []


@EACH_RESOURCE
def test_no_rule_stands_twice_at_one_place(resource: Resource) -> None:
    """The API server's list of rules is a map by expression: it would refuse the whole CRD."""
    for _, node in nodes("", root(resource)):
        expressions = [rule["rule"] for rule in node.get(VALIDATIONS, ())]
        assert len(set(expressions)) == len(expressions)


def test_the_lists_that_people_merge_are_maps() -> None:
    keys = {
        path: node["x-kubernetes-list-map-keys"]
        for path, node in nodes("", root(JOB))
        if "x-kubernetes-list-map-keys" in node
    }
    assert keys == {".spec.env": ["name"], ".status.conditions": ["type"]}


def test_a_run_without_a_status_is_pending() -> None:
    assert root(RUN)["properties"]["status"]["default"] == {"phase": "Pending"}


def test_the_columns_that_the_operator_reads_have_these_names_and_paths() -> None:
    columns = {column.name: column.path for column in RUN.columns}
    assert {
        name: columns[name] for name in ("Job", "Phase", "Finished", "Output Bytes", "Stored Bytes")
    } == {
        "Job": ".spec.jobName",
        "Phase": ".status.phase",
        "Finished": ".status.finishedAt",
        "Output Bytes": ".status.outputBytes",
        "Stored Bytes": ".status.storedBytes",
    }


@EACH_RESOURCE
def test_columns_and_selectors_point_at_fields_that_exist(resource: Resource) -> None:
    paths = {path for path, _ in nodes("", root(resource))} | {".metadata.creationTimestamp"}
    assert {column.path for column in resource.columns} | set(resource.selectable) <= paths


def test_a_column_never_calls_a_time_to_come_invalid() -> None:
    dates = {
        column.name
        for resource in RESOURCES
        for column in resource.columns
        if column.type == "date"
    }
    assert dates == {"Age"}


class OddNumber(ApiModel):
    """A bound that has no structural form yet."""

    field: float = Field(multiple_of=0.5)


class OddMap(ApiModel):
    """A map, which has none yet either."""

    field: dict[str, str]


@pytest.mark.parametrize(
    ("model", "lost"), [(OddNumber, "multipleOf"), (OddMap, "additionalProperties")]
)
def test_what_has_no_structural_form_is_refused_and_not_lost(
    model: type[ApiModel], lost: str
) -> None:
    with pytest.raises(ValueError, match=lost):
        crdgen.structural(model.model_json_schema(by_alias=True))
