"""Which events start a job, and that checking them cannot go on for ever."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.api.event import Event
from agentjobs.core.errors import UserError
from agentjobs.core.triggers.event_schema import MAX_DEPTH, check, problem
from agentjobs.core.views.event import MAX_EVENT_BYTES, digits, encoded, size_problem


def event(**attributes: Any) -> Event:
    return Event.model_validate({"id": "4711", "source": "/cms", "type": "t", **attributes})


def test_the_name_comes_from_source_and_id_alone_as_sha256sum_would_say_it() -> None:
    assert digits(event()) == "676d0e412"
    assert digits(event(type="other", data=1)) == digits(event())
    assert (
        len({digits(event()), digits(event(id="4712")), digits(event(source="/c", id="ms4711"))})
        == 3
    )


def test_an_event_of_128_kib_fits_and_one_byte_more_does_not() -> None:
    room = MAX_EVENT_BYTES - len(encoded(event(data="")).encode())
    assert size_problem(event(data="x" * room)) is None
    assert "at most 131072" in (size_problem(event(data="x" * (room + 1))) or "")
    assert "at most 131072" in (size_problem(event(data="é" * (room // 2 + 1))) or "")


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
