"""Settings of an operator, every one of them set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, get_args

from pydantic import BaseModel

from agentjobs.operator.configuration import OperatorConfiguration
from agentjobs.testing.operators import SETTINGS

Json = dict[str, Any]


POLICY: Final = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "name": "a",
    "spec": {},
}


FULL: Final[Json] = {
    **SETTINGS,
    "runner": {
        "image": "runner:1",
        "imagePullPolicy": "Never",
        "inventory": {"requests": "2.32.3"},
    },
    "run": {
        "resources": {"requests": {"cpu": 1}, "limits": {"ephemeral-storage": "2Gi"}},
        "tolerations": [{"key": "agents", "tolerationSeconds": 60}],
        "imagePullSecrets": ["registry"],
        "nodeSelector": {"pool": "agents"},
    },
    "models": {
        "providers": {
            "house": {
                "api": "openai-completions",
                "baseUrl": "http://models.example.com/v1",
                "secret": {"name": "models", "key": "house"},
                "models": [{"id": "small", "cost": {"input": 1, "output": 2}}],
            }
        }
    },
    "session": {"size": "2Gi"},
    "packages": {"ca": {"key": "root.pem"}},
    "history": {"clusterBytes": 2**31},
    "policies": [POLICY],
    "process": {"workers": 2},
}
"""Each table that the document can hold, once."""


def changed(path: str, value: object, document: Json = SETTINGS) -> Json:
    """A copy with another value at a.b[0].c."""
    copy: Json = json.loads(json.dumps(document))
    place: Any = copy
    *steps, last = [
        int(step) if step.isdigit() else step
        for step in path.replace("[", ".").replace("]", "").split(".")
    ]
    for step in steps:
        place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
    place[last] = value
    return copy


def models(model: type[BaseModel] = OperatorConfiguration) -> Iterator[type[BaseModel]]:
    """That of the document and those within."""
    yield model
    for field in model.model_fields.values():
        for found in within(field.annotation):
            yield from models(found)


def within(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from within(argument)
