"""The text of the settings is read as the chart writes it, or a sentence says what is wrong."""

from __future__ import annotations

import json
from typing import Final

import pytest

from agentjobs.operator import config_text
from agentjobs.operator.configuration import SettingsError

READ: Final = {
    "a: 1e-07\nb: 1e3\nc: 2.5\nd: 10": {"a": 1e-07, "b": 1000.0, "c": 2.5, "d": 10},
    "a: 2026-01-01\nb: 1.2.3\nc: '10'\nd: =": {
        "a": "2026-01-01",
        "b": "1.2.3",
        "c": "10",
        "d": "=",
    },
    '{"a": [1, true, null, "\\u00e4"]}': {"a": [1, True, None, "ä"]},
    "": None,
}


@pytest.mark.parametrize("text", READ)
def test_yaml_is_read_as_the_chart_writes_it(text: str) -> None:
    found = config_text.document(text.encode())
    assert found == READ[text]
    assert json.dumps(found) == json.dumps(READ[text])  # 1 is not True, and not 1.0


UNREADABLE: Final = {
    b"a: &x 1\nb: *x": (
        "line 2: the YAML cannot be read: aliases are not supported; write the value out"
    ),
    b"a: {b: 1}\nc: 2\na: 3": ("line 3: the YAML cannot be read: the key a occurs twice"),
    b"a: 1\nb: [": "line 2: the YAML cannot be read: ",
    b"a: 1\n---\nb: 1": ("line 2: the YAML cannot be read: but found another document"),
    b"[" * 51 + b"]" * 51: (
        "line 1: the YAML cannot be read: the document is nested more than 50 levels deep"
    ),
    b"a: !!bool x": "the YAML cannot be read",
    b"a: !!timestamp x": "the YAML cannot be read",
    b"a: !!python/object/apply:os.abort []": (
        "line 1: the YAML cannot be read: could not determine a constructor"
    ),
    b"? [a]\n: 1": "line 1: the YAML cannot be read: a key must be text",
    b"a: " + b"9" * 5000: "the YAML cannot be read: ",
    b"a: \xff": "the text is not allowed in YAML: ",
    b"a: \x01": "the text is not allowed in YAML: ",
    b"#" * (config_text.MAX_BYTES + 1): f"the file has more than {config_text.MAX_BYTES} bytes",
}


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: repr(text[:24]))
def test_what_cannot_be_read_is_a_sentence(text: bytes) -> None:
    with pytest.raises(SettingsError) as refusal:
        config_text.document(text)
    assert str(refusal.value).startswith(UNREADABLE[text])
    assert "\n" not in str(refusal.value)
