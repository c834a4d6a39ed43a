"""Every hostile thing that can be stored, before an operator in memory.

Nothing is raised, nothing takes long, everybody else is served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentjobs.core.wire.bodies import MAX_DEPTH, read
from agentjobs.testing.effort import counted
from agentjobs.testing.operators import Operator
from agentjobs.testing.server import Server
from tests.support import manifests
from tests.support.corpus import hostile
from tests.support.corpus.events import event_run
from tests.support.slow import SLOW, slow_but

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOST = 2_000_000
"""Calls of functions in one step of an operator with a bad object and a good one."""


def cases(corpus: Iterable[tuple[str, dict[str, Any]]], *quick: str) -> list[Any]:
    """All that is in a part of the corpus; slow but for some."""
    found = list(corpus)
    assert {what for what, _ in found} >= set(quick)
    return [
        pytest.param(what, manifest, marks=() if what in quick else (SLOW,))
        for what, manifest in found
    ]


def as_read(manifest: dict[str, Any]) -> dict[str, Any]:
    """The object as the client would tell it."""
    return read(hostile.text(manifest).encode())


async def served(server: Server) -> int:
    """Runs an operator until nothing is due; returns the calls of functions in its longest step."""
    operator, longest = Operator(server, server), 0
    await operator.start()
    for _ in range(100):
        with counted() as calls:
            busy = await operator.work()
        longest = max(longest, calls.count)
        if not busy and not operator.deliver():
            return longest
    raise AssertionError("there is always something to do")


def with_good_job(*bad: tuple[str, dict[str, Any]]) -> Server:
    server = Server(NOW)
    for kind, body in bad:
        server.create(kind, "team", body)
    server.create("job", "team", manifests.job("good"))
    return server


def good_is_served(server: Server) -> None:
    status = server.objects["job", "team", "good"]["status"]
    assert status["phase"] == "PendingApproval"
    assert status["card"]["digest"]


@pytest.mark.parametrize(
    ("what", "manifest"),
    cases(hostile.jobs("bad"), "script: emoji", "dataSchema: deep", "dataSchema: circle"),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_job_is_answered(what: str, manifest: dict[str, Any]) -> None:
    server = with_good_job(("job", as_read(manifest)))
    assert asyncio.run(served(server)) < MOST
    good_is_served(server)
    status = server.objects["job", "team", "bad"]["status"]
    ready = next(condition for condition in status["conditions"] if condition["type"] == "Ready")
    if "deep" in what or what.removeprefix("dataSchema: ") == "many" or what == "dataSchema: lists":
        assert status["phase"] == "Invalid"
        assert ready["reason"] == "InvalidSpec"


@pytest.mark.parametrize(
    ("what", "manifest"),
    cases(hostile.config_maps("texts"), "ConfigMap: combining", "ConfigMap: other coding"),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_text_is_answered(what: str, manifest: dict[str, Any]) -> None:
    job = manifests.job("bad", script={"configMapKeyRef": {"name": "texts", "key": "k"}})
    server = with_good_job(("source", as_read(manifest)), ("job", job))
    assert asyncio.run(served(server)) < MOST
    good_is_served(server)


@pytest.mark.parametrize(
    ("what", "manifest"),
    cases(hostile.runs("bad", "good"), "event data: deep", "a squatted name"),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_run_is_answered(what: str, manifest: dict[str, Any]) -> None:
    server = with_good_job(("run", as_read(manifest)))
    assert asyncio.run(served(server)) < MOST
    good_is_served(server)


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
KEYWORDS = st.sampled_from(
    "type const enum items properties not if then else anyOf allOf oneOf prefixItems required"
    " minimum multipleOf minLength $ref".split()
)
SCHEMA = st.recursive(
    st.dictionaries(KEYWORDS, ANY, max_size=3),
    lambda inner: st.dictionaries(KEYWORDS, inner | st.lists(inner, max_size=3), max_size=3),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(SCHEMA, ANY)
def test_any_schema_and_any_data_are_answered(schema: Any, data: Any) -> None:
    job = manifests.job(
        "bad", triggers=[{"event": {"type": "com.example.published", "dataSchema": schema}}]
    )
    run = event_run("bad-e1", "bad", data=data)
    server = with_good_job(("job", as_read(job)), ("run", as_read(run)))
    asyncio.run(served(server))
    good_is_served(server)


@pytest.mark.parametrize("levels", range(MAX_DEPTH - 12, MAX_DEPTH + 3))
@pytest.mark.parametrize("keyword", slow_but(("items",), ("const", "items", "not", "properties")))
def test_a_schema_at_the_very_limit_is_answered(levels: int, keyword: str) -> None:
    inner: Any = {}
    for _ in range(levels):
        inner = {keyword: inner}
    job = manifests.job("bad", triggers=[{"event": {"type": "t", "dataSchema": inner}}])
    server = with_good_job(("job", as_read(job)))
    asyncio.run(served(server))
    good_is_served(server)
