"""JSON that others wrote is measured before it is parsed."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.core.wire.bounded import Malformed, depth, loads

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)
LIMITS: dict[str, int] = {"max_bytes": 1_000_000, "max_depth": 60}


def nesting(value: Any) -> int:
    """The plain, recursive way."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(nesting, value), default=0) if isinstance(value, list) else 0


@given(JSON, st.booleans())
def test_what_json_writes_is_read_as_it_is_and_its_depth_is_known(
    value: Any, ascii_only: bool
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert depth(text.encode()) == nesting(value)
    assert loads(text, **LIMITS) == loads(text.encode(), **LIMITS) == value


@given(st.text(alphabet='[]{}",:\\u0d8eE+-.1 \n\ud800é') | st.binary())
def test_any_text_is_read_as_json_reads_it_or_is_malformed(text: str | bytes) -> None:
    with suppress(Malformed):
        assert loads(text, **LIMITS) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[" * 900_000, "is nested more than 60 levels deep"),
        (b'{"a":' * 61 + b"1" + b"}" * 61, "is nested more than 60 levels deep"),
        (b'"' + b'\\"' * 450_000, "is not JSON: Unterminated string"),
        (b"9" * 900_000, "contains a number with more than 100 digits"),
        (b"-1." + b"9" * 900_000, "contains a number with more than 100 digits"),
        (b" " * 1_000_001, "has more than 1000000 bytes"),
        ("é" * 999_999, "has 1999998 bytes, and at most 1000000 are allowed"),
        (b'["\\ud800"]', "contains text that is not Unicode"),
        ('["\ud800"]', "contains text that is not Unicode"),
        (b"\xff", "contains text that is not Unicode"),
        (b"NaN", "is not JSON: NaN is not a JSON number"),
        (b"[-Infinity]", "is not JSON: -Infinity is not a JSON number"),
        (b"", "is not JSON: Expecting value at byte 0"),
    ],
)
def test_the_worst_is_refused_at_once(text: bytes | str, said: str) -> None:
    began = time.process_time()
    with pytest.raises(Malformed, match=said):
        loads(text, **LIMITS)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "text", [b'["[[[[{{{{", "\\"[", "\\\\"]', b'"' + b"[" * 1000 + b'"', b"[" * 60 + b"]" * 60]
)
def test_brackets_in_strings_are_no_levels_and_the_limit_itself_is_allowed(text: bytes) -> None:
    assert loads(text, **LIMITS) == json.loads(text)


def test_a_number_of_the_longest_kind_is_read() -> None:
    assert loads("9" * 100, **LIMITS) == int("9" * 100)
