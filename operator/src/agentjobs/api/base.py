"""What all API types share: the base of the models, and how a problem with one is explained."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from agentjobs.api.rule import VALIDATIONS, Rule

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MAX_SENTENCE: Final = 2000
_MAX_PATH: Final = 200
_PLAIN: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a field that this version of agentjobs knows",
    "model_type": "should be a mapping of fields",
    "model_attributes_type": "should be a mapping of fields",
    "tuple_type": "should be a list",
    "string_type": "should be a string; put it in quotes",
}


def _add_rules(schema: dict[str, Any], model: type[ApiModel]) -> None:
    if model.between_fields:
        schema[VALIDATIONS] = [rule.wire() for rule in model.between_fields]


class ApiModel(BaseModel):
    """A part of a resource: snake_case here, camelCase on the wire, immutable.

    Unknown fields are refused. A field that this version does not know could not be covered by the
    digest, so an operator that is older than its CRDs must not act on it.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        json_schema_extra=_add_rules,
    )
    between_fields: ClassVar[tuple[Rule, ...]] = ()
    """What must hold between the fields."""

    @model_validator(mode="after")
    def _keep_the_rules(self) -> Self:
        for rule in self.between_fields:
            rule.check(self)
        return self

    def wire(self) -> dict[str, Any]:
        """The JSON form as it stands in the API: camelCase, unset and null fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class StatusModel(ApiModel):
    """A part of a status.

    Unknown fields are ignored: an older operator may read what a newer one wrote.
    """

    model_config = ConfigDict(extra="ignore")


def list_map(key: str) -> dict[str, Any]:
    """The schema of a list keyed for server-side apply; the API server refuses a repeated key."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


def explain(error: ValidationError, root: str = "spec") -> str:
    """The problems, joined by "; ", each after its field's path in YAML; at most 2,000 characters.

    Values are never repeated: a script or a variable may hold a secret, and the sentence goes to
    conditions, events and logs.
    """
    problems = [
        f"{_path(root, detail['loc'])}: {_message(detail)}"
        for detail in error.errors(include_url=False, include_input=False)
    ]
    # Each problem has at least a path, a colon and a word, so no more of them could be shown.
    shown = problems[: MAX_SENTENCE // 4]
    while len(text := _joined(shown, len(problems) - len(shown))) > MAX_SENTENCE:
        shown = shown[:-1]
    return text


def _joined(shown: list[str], left_out: int) -> str:
    return "; ".join([*shown, f"and {left_out} more"] if left_out else shown)


def _path(root: str, location: tuple[int | str, ...]) -> str:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    path = "".join(
        character if character.isprintable() else "?"
        for character in (root + steps).removeprefix(".")
    )
    return path if len(path) <= _MAX_PATH else f"{path[: _MAX_PATH - 1]}…"


def _message(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    message = _PLAIN.get(detail["type"], detail["msg"])
    return re.sub(r"^(Input|String|Tuple) should", "should", message)
