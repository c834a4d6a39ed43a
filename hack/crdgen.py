"""The CRDs, made from the models: `python hack/crdgen.py --out crds/`; `--check` only compares.

Pydantic's JSON Schema becomes a structural schema as Kubernetes defines it (KEP-1979): one tree
without references, nulls and titles. The same models always give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from agentjobs.api import names
from agentjobs.api.resources import RESOURCES, Column, Resource
from agentjobs.api.rule import VALIDATIONS

Schema = dict[str, Any]

INT_OR_STRING: Final = "x-kubernetes-int-or-string"
_DROPPED: Final = frozenset({"title", "$defs"})
_KEPT: Final = (
    *"description type anyOf enum default format".split(),
    *"minimum maximum minLength maxLength minItems maxItems".split(),
    *("required", "properties", "items", INT_OR_STRING, "x-kubernetes-preserve-unknown-fields"),
    *("x-kubernetes-list-type", "x-kubernetes-list-map-keys", VALIDATIONS),
)
"""What may stand in a node, in the order in which it is written."""
_HEADER: Final = (
    "# Generated from operator/src/agentjobs/api by `make crds`. Edits here are lost.\n"
)
_METADATA_NAME: Final = {"type": "string", "maxLength": 253}
_ONE_LINE: Final = 10_000
"""Sentences and expressions stay on one line, so that they can be searched for."""


def crd(resource: Resource) -> Schema:
    """The CustomResourceDefinition as data."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
                "shortNames": [resource.short],
                "categories": ["agentjobs"],
            },
            "versions": [_version(resource)],
        },
    }


def _version(resource: Resource) -> Schema:
    version = {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(column) for column in resource.columns],
        "selectableFields": [{"jsonPath": path} for path in resource.selectable],
        "schema": {"openAPIV3Schema": _root(resource)},
    }
    return version if resource.status is None else {**version, "subresources": {"status": {}}}


def _column(column: Column) -> Schema:
    shown = {
        "name": column.name,
        "type": column.type,
        "description": column.description,
        "jsonPath": column.path,
    }
    return {**shown, "priority": 1} if column.wide else shown


def _root(resource: Resource) -> Schema:
    properties: Schema = {
        "apiVersion": {"description": f"{names.API_VERSION}.", "type": "string"},
        "kind": {"description": f"{resource.kind}.", "type": "string"},
        # The bounds are Kubernetes' own. Without both, the rules below are costed as if a name had
        # megabytes.
        "metadata": {
            "type": "object",
            "properties": {"name": dict(_METADATA_NAME), "generateName": dict(_METADATA_NAME)},
        },
        "spec": structural(resource.spec.model_json_schema(by_alias=True)),
    }
    if resource.status is not None:
        status = structural(resource.status.model_json_schema(by_alias=True))
        if resource.always_has_status:
            status = _ordered({**status, "default": resource.status().wire()})
        properties["status"] = status
    rules = [rule.wire() for rule in resource.rules]
    return {
        "description": resource.description,
        "type": "object",
        "required": ["spec"],
        "properties": properties,
        **({VALIDATIONS: rules} if rules else {}),
    }


def structural(schema: Schema) -> Schema:
    """The structural form of a model's JSON Schema.

    Raises ValueError for anything that it does not know: nothing is lost silently.
    """
    return _node(schema, schema.get("$defs", {}))


def _node(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    node = _flat(schema, definitions)
    unknown = node.keys() - set(_KEPT)
    if unknown:
        raise ValueError(f"no structural form for {sorted(unknown)} in {schema}")
    if "description" in node:  # of a docstring, whose lines are those of the source
        node["description"] = " ".join(node["description"].split())
    if "properties" in node:
        node["properties"] = {
            name: _node(child, definitions) for name, child in node["properties"].items()
        }
    if "items" in node:
        node["items"] = _node(node["items"], definitions)
        node.setdefault("x-kubernetes-list-type", "atomic")
    if node.get("type") == "integer":
        node["format"] = "int64"
    if INT_OR_STRING in node:
        node["anyOf"] = [{"type": "integer"}, {"type": node.pop("type")}]
        node.pop("minLength")
    return _ordered(_with_default(node))


def _flat(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """One node without `$ref`, null alternatives and `const`.

    What stands next to a reference overrides it; rules add up.
    """
    node = {key: value for key, value in schema.items() if key not in _DROPPED}
    # The API server knows no other fields than those of the schema anyway.
    if node.get("additionalProperties") is False:
        del node["additionalProperties"]
    inner: Schema = {}
    if "$ref" in node:
        inner = _flat(definitions[node.pop("$ref").removeprefix("#/$defs/")], definitions)
    elif "anyOf" in node:
        (only,) = (choice for choice in node.pop("anyOf") if choice != {"type": "null"})
        inner = _flat(only, definitions)
    if "const" in node:
        node["enum"] = [node.pop("const")]
    rules = [*inner.get(VALIDATIONS, []), *node.get(VALIDATIONS, [])]
    return {**inner, **node, VALIDATIONS: rules} if rules else {**inner, **node}


def _with_default(node: Schema) -> Schema:
    """The node without an empty default, which would only clutter all `kubectl get -o yaml`."""
    default = _pruned(node.pop("default", None))
    return node if default in (None, [], {}) else {**node, "default": default}


def _pruned(value: Any) -> Any:
    """The value without nulls and empty parts."""
    if not isinstance(value, dict):
        return value
    pruned = {name: _pruned(child) for name, child in value.items()}
    return {name: child for name, child in pruned.items() if child not in (None, [], {})}


def _ordered(node: Schema) -> Schema:
    return {key: node[key] for key in _KEPT if key in node}


class _Dumper(yaml.SafeDumper):
    """Lists indented below their key, no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def render(resource: Resource) -> str:
    """The CRD as it stands in the file."""
    return _HEADER + yaml.dump(
        crd(resource), Dumper=_Dumper, sort_keys=False, width=_ONE_LINE, allow_unicode=False
    )


def files() -> dict[str, str]:
    """Each CRD under its file's name."""
    return {f"{names.GROUP}_{resource.plural}.yaml": render(resource) for resource in RESOURCES}


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 1 when `--check` found a difference."""
    parser = argparse.ArgumentParser(
        prog="hack/crdgen.py", description="Write the CRDs from the models."
    )
    parser.add_argument(
        "--out", type=Path, default=Path("crds"), help="folder of the CRDs (default: crds)"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail when a file differs from the models",
    )
    options = parser.parse_args(arguments)
    wanted = files()
    differing = [name for name, text in wanted.items() if not _holds(options.out / name, text)]
    if options.check:
        if differing:
            what = f"not what the models say: {', '.join(differing)}"
            sys.stderr.write(f"{what}; run `make crds` and commit the result\n")
        return 1 if differing else 0
    options.out.mkdir(parents=True, exist_ok=True)
    for name in differing:
        (options.out / name).write_text(wanted[name], encoding="utf-8")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
