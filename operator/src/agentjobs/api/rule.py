"""A rule of the resources is written once.

It has CEL for the API server, a check for Python, and one sentence that says what to do.

Python checks again because an object may get past its CRD: an older CRD, or one that changed after
the object was stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

VALIDATIONS: Final = "x-kubernetes-validations"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that must hold.

    It is an annotation of a field (`Annotated[str, RULE]`), or an entry of
    `ApiModel.between_fields`.

    `cel` sees the value as `self`. Without `holds` only the API server checks; a comment at the
    rule says why. The message follows the field's path and a colon, so it does not repeat them.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool] | None = None

    def problem(self, value: object) -> str | None:
        """The sentence when the value breaks the rule, else None."""
        return None if self.holds is None or self.holds(value) else self.message

    def check(self, value: T) -> T:
        """The value itself. Raises ValueError with the sentence."""
        if problem := self.problem(value):
            raise ValueError(problem)
        return value

    def wire(self) -> dict[str, str]:
        """The rule as it is written in a CRD."""
        return {"rule": self.cel, "message": self.message}

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        found = handler(schema)
        return {**found, VALIDATIONS: [*found.get(VALIDATIONS, []), self.wire()]}


def matching(pattern: str, message: str, subject: str = "self") -> Rule:
    r"""A rule that the whole value matches.

    Of backslash escapes only \u0000 means the same in a CEL literal, RE2 and Python's `re`: use no
    other.
    """
    compiled = re.compile(pattern)
    return Rule(
        f"{subject}.matches('^({pattern})$')",
        message,
        lambda value: compiled.fullmatch(value) is not None,
    )


def without(pattern: str, message: str, subject: str = "self") -> Rule:
    """A rule that no part of the value matches; for escapes see `matching`."""
    compiled = re.compile(pattern)
    return Rule(
        f"!{subject}.matches('{pattern}')", message, lambda value: compiled.search(value) is None
    )
