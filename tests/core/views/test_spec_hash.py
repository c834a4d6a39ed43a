"""What the API server makes of a spec is the same spec."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.core.views.spec_hash import spec_hash

STORED = """\
0.5=500m 1000m=1 1.50=1500m 0.0001=1m 02=02 0.1m=1m 100.5m=101m 0m=0 1.2345=1235m
1024Mi=1Gi 1048576Ki=1Gi 2000000000=2G 1.5Gi=1536Mi
1000k=1M 1.5k=1500 0.1Ki=102400m 1.1Gi=1181116006400m 1000G=1T 1024Gi=1Ti 0.0001Ki=103m
"""
"""As written, and as Kubernetes 1.36 stores it."""


def spec(quantity: str, **other: Any) -> dict[str, Any]:
    return {
        "containers": [
            {"resources": {"requests": {"cpu": quantity}, "limits": {"memory": quantity}}}
        ],
        **other,
    }


@pytest.mark.parametrize(("written", "stored"), [pair.split("=") for pair in STORED.split()])
def test_a_quantity_in_the_servers_own_words_is_no_drift(written: str, stored: str) -> None:
    assert spec_hash(spec(written)) == spec_hash(spec(stored))


def test_the_order_of_keys_is_no_drift() -> None:
    assert spec_hash({"a": 1, "b": 2}) == spec_hash({"b": 2, "a": 1})


@pytest.mark.parametrize(
    "other",
    [
        spec("2"),
        spec("1", suspend=True),
        spec("1e3"),
        {"containers": [{"env": [{"value": "1000m"}]}]},
    ],
)
def test_anything_else_is(other: dict[str, Any]) -> None:
    assert spec_hash(other) != spec_hash(spec("1"))


def test_only_resources_are_amounts() -> None:
    assert spec_hash({"args": ["1000m"]}) != spec_hash({"args": ["1"]})
