"""A list is taken apart while it arrives, wherever its pieces end, in time linear in its bytes."""

from __future__ import annotations

import json
import time
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.core.wire.bodies import (
    read,
)
from agentjobs.core.wire.bounded import Malformed
from agentjobs.core.wire.items import Items
from tests.support.corpus.values import OBJECTS, VALUES, deep
from tests.support.slow import slow_but


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
