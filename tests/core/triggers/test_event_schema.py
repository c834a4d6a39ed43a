"""What a dataSchema may be is checked at once, and as the metaschema of JSON Schema has it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from agentjobs.core.errors import UserError
from agentjobs.core.triggers.event_schema import KEYWORDS, MAX_DEPTH, check, problem
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


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"$ref": "https://example.com/schema"}, "'$ref' is not supported"),
        ({"properties": {"a": {"$ref": "#"}}}, "'$ref' is not supported"),
        ({"anyOf": [{"$dynamicRef": "#x"}]}, "'$dynamicRef' is not supported"),
        ({"items": {"pattern": "(a+)+$"}}, "'pattern' is not supported"),
        ({"uniqueItems": True}, "'uniqueItems' is not supported"),
        ({"type": "objekt"}, "is not a valid JSON Schema: the value at type"),
        ({"minimum": "1"}, "is not a valid JSON Schema: the value at minimum"),
        ({"const": 2**53 + 2}, "are not exact in JSON"),
        ({"description": "x" * 17_000}, "more than 16384 bytes"),
    ],
)
def test_a_schema_that_could_run_away_or_is_none_is_refused(
    schema: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError, match="triggers") as refused:
        check(schema, "spec.triggers[0].event.dataSchema")
    assert told in str(refused.value)


def test_a_schema_nested_without_end_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(MAX_DEPTH + 1):
        schema = {"not": schema}
    with pytest.raises(UserError, match="levels deep"):
        check(schema, "spec.triggers[0].event.dataSchema")


def test_data_is_checked_without_being_quoted_unless_it_is_too_much() -> None:
    schema = {
        "type": "object",
        "required": ["price"],
        "properties": {"price": {"type": "number", "minimum": 1}},
    }
    check(schema, "spec")
    assert problem(schema, {"price": 17}) is None
    told = problem(schema, {"price": "hunter2"}) or ""
    assert "properties/price/type" in told
    assert "hunter2" not in told
    assert problem(schema, {"cost": "hunter2"}) == (
        "data does not match the trigger's dataSchema at required: the property 'price' is missing"
    )
    assert "required" in (problem(schema, {}) or "")
    assert "too large to be checked" in (problem(schema, list(range(60_000))) or "")
