"""Objects of the API server: one that cannot be read is what is left of it.

A list is taken apart as it comes.
"""

from __future__ import annotations

import json
import time
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.core.views.pod import pod_view
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
from agentjobs.core.wire.items import Items
from tests.support.slow import slow_but

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.fixed_dictionaries(
    {"metadata": st.fixed_dictionaries({"name": st.text()}), "spec": VALUES}
)


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


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


def taken_apart(document: bytes, sizes: list[int]) -> tuple[list[Any], Any, str]:
    items, found, place = Items(), [], 0
    for size in [*sizes, len(document)]:
        if now := items.feed(document[place : place + size]):
            assert items.before().items() <= {**json.loads(document), items.key: []}.items()
        found += now
        place += size
    found += items.finish()
    return [json.loads(item) for item in found], items.around(), items.key


@pytest.mark.slow
@given(
    st.lists(OBJECTS, max_size=4),
    st.sampled_from(["items", "rows"]),
    st.lists(st.integers(1, 60), max_size=12),
    st.booleans(),
    VALUES,
)
def test_a_list_is_taken_apart_wherever_its_pieces_end(
    objects: list[Any], key: str, sizes: list[int], last: bool, more: Any
) -> None:
    around = {"kind": "List", "metadata": {"continue": 'tok"en', "more": more}}
    document = {**around, key: objects} if last else {key: objects, **around}
    found, outside, name = taken_apart(json.dumps(document).encode(), sizes)
    assert found == objects
    assert outside == {**around, key: []}
    assert name == (key if objects else "items" if key == "items" else name)


TEXTS = st.binary(max_size=300) | st.text(alphabet='{}[]":,items\\ ', max_size=300).map(str.encode)


@given(TEXTS, st.lists(st.integers(1, 20), max_size=9))
def test_no_text_makes_taking_apart_fail_otherwise_than_as_malformed(
    text: bytes, sizes: list[int]
) -> None:
    items, place = Items(), 0
    for size in sizes:
        items.feed(text[place : place + size])
        place += size
    items.finish()
    try:
        items.around()
    except Malformed:
        return


def test_it_may_end_anywhere() -> None:
    item = '{"metadata":{"name":"a\\\\","b":"[{\\"\\\\"},"spec":{"c":[[],{}]}}'
    document = f'{{"kind":"List","items":[{item},{item}],"metadata":{{"continue":""}}}}\n'.encode()
    for place in range(len(document)):
        found, around, _ = taken_apart(document, [place])
        assert found == [json.loads(item)] * 2
        assert around == {"kind": "List", "items": [], "metadata": {"continue": ""}}


LARGE: Final = {
    "text": lambda: '{"metadata":{"a":"' + "x" * 8_000_000 + '"}}',
    "deep": lambda: '{"metadata":' + deep(400_000) + "}",
    "many": lambda: '{"metadata":{"a":{"b":{"c":[' + "[[]]," * 200_000 + "0]}}}}",
    "quotes": lambda: '{"metadata":{"a":"' + '\\"' * 2_000_000 + '"}}',
}
"""Made when they are needed: every process of a run reads this module."""


@pytest.mark.parametrize("what", slow_but(("text", "quotes"), list(LARGE)))
def test_large_objects_take_a_time_linear_in_their_bytes(what: str) -> None:
    item = LARGE[what]()
    document = f'{{"items":[{item},{item}],"metadata":{{}}}}'.encode()
    items, found = Items(), 0
    began = time.process_time()
    for place in range(0, len(document), 65536):
        for text in items.feed(document[place : place + 65536]):
            found += read(text)["metadata"] is not None
    found += len(items.finish())
    assert found == 2
    assert time.process_time() - began < 8


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


@pytest.mark.parametrize("managers", slow_but((1,), (1, 20)))
def test_a_pod_annotated_beyond_reading_still_shows_how_it_ended(managers: int) -> None:
    keys = [f"{number:04x}" for number in range(34_000)]
    share = len(keys) // managers
    fields: list[Any] = [
        {"f:metadata": {"f:annotations": {f"f:{key}": {} for key in keys[at : at + share]}}}
        for at in range(0, len(keys), share)
    ]
    ended = {
        "exitCode": 3,
        "reason": "Error",
        "startedAt": "2026-01-01T00:00:00Z",
        "finishedAt": "2026-01-01T00:01:00Z",
        "message": "{}",
    }
    told = {
        "containerStatuses": [{"name": "runner", "image": "i", "state": {"terminated": ended}}],
        "phase": "Failed",
    }
    installed = [{"name": "packages", "state": {"terminated": {"exitCode": 0, "message": "fine"}}}]
    metadata = {
        "name": "p",
        "namespace": "n",
        "uid": "u",
        "resourceVersion": "5",
        "labels": {"agentjobs.dev/job": "report"},
    }
    bloated = {
        "annotations": dict.fromkeys(keys, ""),
        "managedFields": [{"manager": f"m{n}", "fieldsV1": each} for n, each in enumerate(fields)],
    }
    body = read(
        json.dumps(
            {"metadata": metadata | bloated, "status": told | {"initContainerStatuses": installed}}
        ).encode()
    )
    assert unreadable(body)
    pod = pod_view(body)
    assert (pod.exit_code, pod.started, pod.finished, pod.ended_by) == (
        3,
        ended["startedAt"],
        ended["finishedAt"],
        "Error",
    )
    assert (pod.termination_message, pod.install_exit, pod.install_message) == ("{}", 0, "fine")
