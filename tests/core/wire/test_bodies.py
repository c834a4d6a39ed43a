"""Objects of the API server: one that cannot be read is what is left of it.

A list is taken apart as it comes.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.core.wire.bodies import (
    MAX_DEPTH,
    MAX_VALUES,
    UNREADABLE,
    pruned,
    read,
    read_event,
    slim,
    unreadable,
)
from agentjobs.core.wire.bounded import Malformed, loads
from tests.support.corpus.values import OBJECTS, VALUES, deep


def run_with(data: str) -> str:
    event = f'{{"id":"7","source":"/s","type":"t","data":{data}}}'
    spec = f'{{"jobName":"j","trigger":{{"type":"Event","event":{event}}}}}'
    return f'{{"metadata":{{"name":"r","namespace":"n"}},"spec":{spec}}}'


def plain_prune(value: Any, kept: int) -> Any:
    if kept < 0:
        return None
    if isinstance(value, dict):
        return {
            name: plain_prune(inner, kept - 1) if isinstance(inner, dict | list) else inner
            for name, inner in value.items()
        }
    return [
        plain_prune(inner, kept - 1) if isinstance(inner, dict | list) else inner for inner in value
    ]


@pytest.mark.slow
@given(VALUES.filter(lambda value: isinstance(value, dict | list)), st.integers(1, 5))
def test_what_is_too_deep_becomes_null_and_all_else_stays(value: Any, kept: int) -> None:
    assert json.loads(pruned(json.dumps(value).encode(), kept)) == plain_prune(value, kept - 1)


@pytest.mark.parametrize(
    ("data", "said", "left"),
    [
        (deep(300), f"is nested more than {MAX_DEPTH} levels deep", {"a": {"a": None}}),
        (deep(100_000), f"is nested more than {MAX_DEPTH} levels deep", {"a": {"a": None}}),
        ("[" + "[]," * MAX_VALUES + "[]]", f"contains more than {MAX_VALUES} values", None),
    ],
)
def test_an_unreadable_object_keeps_its_name_and_its_outermost_fields(
    data: str, said: str, left: Any
) -> None:
    body = read(run_with(data).encode())
    assert unreadable(body) == said
    assert body["metadata"] == {"name": "r", "namespace": "n"}
    assert body["spec"]["jobName"] == "j"
    assert body["spec"]["trigger"]["event"] == {
        "id": "7",
        "source": "/s",
        "type": "t",
        "data": left,
    }


def test_a_line_of_a_watch_is_read_the_same_way() -> None:
    event = read_event(f'{{"type":"ADDED","object":{run_with(deep(1200))}}}'.encode())
    assert event["type"] == "ADDED"
    assert unreadable(event["object"]) == f"is nested more than {MAX_DEPTH} levels deep"
    assert event["object"]["spec"]["jobName"] == "j"


@pytest.mark.slow
@given(OBJECTS)
def test_any_other_object_is_read_as_it_is(body: Any) -> None:
    assert read(json.dumps(body).encode()) == body
    assert read_event(json.dumps({"type": "ADDED", "object": body}).encode())["object"] == body


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"[" * 300, b'{"a', b"\xff", b'{"metadata": {"name": "' + b"x" * 100]
)
def test_what_is_no_object_at_all_is_malformed(text: bytes) -> None:
    with pytest.raises(Malformed):
        read(text)


def test_what_a_stream_keeps_is_small() -> None:
    body = json.loads(run_with('"' + "x" * 100_000 + '"'))
    body["metadata"] |= {
        "managedFields": [{}] * 9,
        "annotations": {"agentjobs.dev/skip": "x", "other": "y"},
    }
    body["status"] = {"phase": "Failed", "stdout": "o", "stderr": "e"}
    slim("agentjobruns", body)
    assert body["metadata"] == {
        "name": "r",
        "namespace": "n",
        "annotations": {"agentjobs.dev/skip": "x"},
    }
    assert body["status"] == {"phase": "Failed"}
    assert body["spec"]["trigger"]["event"] == {"id": "7", "source": "/s", "type": "t"}


@pytest.mark.slow
@given(
    VALUES.filter(lambda value: isinstance(value, dict)),
    st.sampled_from(["agentjobruns", "pods", "configmaps", "others"]),
)
def test_anything_that_a_stream_says_can_be_made_small(body: Any, plural: str) -> None:
    body.pop("metadata", None)
    assert loads(json.dumps(slim(plural, body)), max_bytes=10**6, max_depth=50) == body
    assert UNREADABLE not in body
