"""A value weighs what the API server stores of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.core.wire.weight import weight
from tests.support.stored import as_go_writes_it

EVENTS = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@pytest.mark.slow
@given(EVENTS)
def test_a_value_weighs_what_the_api_server_stores_of_it(value: Any) -> None:
    assert weight(value) == len(as_go_writes_it(value).encode())


@pytest.mark.parametrize(
    ("value", "bytes_stored"),
    [
        (None, 4),
        ("é", 4),
        ("<&>", 2 + 3 * 6),
        ("\u2028\u2029", 2 + 2 * 6),
        ({"a": [1, 2.5]}, len('{"a":[1,2.5]}')),
        ("\ud800", 2 + 3),
    ],
)
def test_what_go_escapes_weighs_six_bytes(value: Any, bytes_stored: int) -> None:
    assert weight(value) == bytes_stored
