"""What a dataSchema may be is checked at once, and as the metaschema of JSON Schema has it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from agentjobs.core.errors import UserError
from agentjobs.core.triggers.event_schema import KEYWORDS, check
from agentjobs.testing.effort import calls

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-5, 5)
    | st.sampled_from(["string", "object", "", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "type", "items", "enum"]), inner, max_size=3)
    ),
    max_leaves=6,
)
LETTERS = st.text(max_size=2)
NAMES = st.sampled_from(sorted(KEYWORDS - {"$schema", "format"}))
SCHEMAS = st.recursive(
    st.dictionaries(NAMES, VALUES, max_size=3),
    lambda inner: st.dictionaries(
        NAMES,
        inner
        | st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=2), inner, max_size=2),
        max_size=3,
    ),
    max_leaves=6,
)


def by_the_metaschema(schema: Any) -> bool:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        return False
    return True


def said(schema: Any) -> str:
    try:
        check(schema, "spec.triggers[0].event.dataSchema")
    except UserError as error:
        return str(error)
    return ""


@pytest.mark.slow
@settings(max_examples=400)
@given(SCHEMAS)
def test_a_schema_is_taken_exactly_when_the_metaschema_takes_it(schema: Any) -> None:
    told = said(schema)
    if "is not supported" not in told:
        assert ("is not a valid JSON Schema: " not in told) == by_the_metaschema(schema), told


def test_a_schema_is_checked_in_proportion_to_its_size() -> None:
    def effort(properties: int) -> int:
        each = {"type": "string", "minLength": 1}
        schema = {"properties": {f"p{number}": each for number in range(properties)}}
        return calls(lambda: check(schema, "spec"))

    assert effort(330) < 2.1 * effort(165) < 40_000
