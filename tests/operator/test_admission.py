"""The guard asks the cluster for its policies no more often than it has to, and misses none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from agentjobs.cluster.client import METADATA_LIST, Json
from agentjobs.core.admission import Gap
from agentjobs.core.errors import ClusterError, NotFound, Refused
from agentjobs.operator.admission import JUST_NOW, LATELY, Guard
from agentjobs.testing.server import Server
from tests.support.policies import BINDING, EXPECTED, MISSING, WHOLE

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [{"metadata": {"name": "a"}}, {"metadata": {"name": "a"}, "spec": None}],
    ids=["too large to be read", "null"],
)
def test_a_policy_without_a_spec_is_none(body: Json) -> None:
    class Api(Server):
        async def get(
            self, kind: str, namespace: str, name: str, *, accept: str = "application/json"
        ) -> Json:
            return body

    gap = asyncio.run(Guard(Api(NOW), EXPECTED, lambda: NOW).check(JUST_NOW))
    assert gap
    assert [problem.partition(" at ")[0].rpartition(" was ")[2] for problem in gap.problems] == [
        "changed",
        "changed",
    ]


class Policies(Server):
    """An API server on which someone deletes and changes policies."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self.specs = dict(WHOLE)
        self.labelled = set(WHOLE)
        self.lists = 0
        self.got: list[tuple[str, str]] = []

    def metadata(self, key: tuple[str, str]) -> Json:
        return {"name": key[1], "resourceVersion": str(abs(hash(str(self.specs[key]))))}

    async def list(
        self, kind: str, namespace: str = "", *, accept: str = "application/json", **selectors: str
    ) -> AsyncIterator[Json]:
        assert (accept, selectors) == (
            METADATA_LIST,
            {"labelSelector": "app.kubernetes.io/part-of=agentjobs"},
        )
        self.lists += 1
        kind = kind.rpartition("/")[2]
        yield {
            "items": [
                {"metadata": self.metadata(key)}
                for key in self.specs
                if key[0] == kind and key in self.labelled
            ]
        }
        yield {"items": None, "metadata": {"resourceVersion": "1"}}

    async def get(
        self, kind: str, namespace: str, name: str, *, accept: str = "application/json"
    ) -> Json:
        key = kind.rpartition("/")[2], name
        self.got.append(key)
        if key not in self.specs:
            raise NotFound(name, 404)
        return {"metadata": self.metadata(key), "spec": self.specs[key]}


def test_the_cluster_is_asked_when_the_last_answer_is_old() -> None:
    server = Policies()
    guard = Guard(server, EXPECTED, lambda: server.now)

    async def look(after: float, age: timedelta) -> Gap | None:
        server.now += timedelta(seconds=after)
        return await guard.check(age)

    assert asyncio.run(look(0, LATELY)) is None
    server.specs.pop(BINDING)
    assert asyncio.run(look(9, LATELY)) is None
    assert (server.lists, server.got) == (2, list(WHOLE))
    first = asyncio.run(look(0, JUST_NOW))
    assert first == Gap((MISSING,), NOW + timedelta(seconds=9))
    assert asyncio.run(look(20, LATELY)) == first
    server.specs = dict(WHOLE)
    assert asyncio.run(look(20, LATELY)) is None


def test_a_policy_is_read_again_only_when_its_version_is_another_one() -> None:
    server = Policies()
    guard = Guard(server, EXPECTED, lambda: server.now)

    def again() -> Gap | None:
        server.got.clear()
        server.now += timedelta(seconds=1)
        return asyncio.run(guard.check(JUST_NOW))

    assert (again(), server.got) == (None, list(WHOLE))
    assert (again(), server.got) == (None, [])
    server.specs[BINDING] = WHOLE[BINDING] | {"validationActions": ["Audit"]}
    gap = again()
    assert gap
    assert (gap.problems, server.got) == (
        ("ValidatingAdmissionPolicyBinding a was changed at spec.validationActions[0]",),
        [BINDING],
    )
    server.specs = dict(WHOLE)
    assert (again(), server.got) == (None, [BINDING])


@pytest.mark.parametrize(
    "error",
    [NotFound("no such kind", 404), Refused("may not list", 403)],
    ids=["not served", "not allowed"],
)
def test_a_kind_that_cannot_be_listed_is_asked_for_by_name(error: ClusterError) -> None:
    class Unlisted(Policies):
        async def list(
            self,
            kind: str,
            namespace: str = "",
            *,
            accept: str = "application/json",
            **selectors: str,
        ) -> AsyncIterator[Json]:
            if kind:
                raise error
            yield {}

    server = Unlisted()
    guard = Guard(server, EXPECTED, lambda: server.now)
    assert asyncio.run(guard.check(JUST_NOW)) is None
    del server.specs[BINDING]
    server.now += timedelta(seconds=1)
    assert asyncio.run(guard.check(JUST_NOW)) == Gap((MISSING,), server.now)


def test_a_label_that_was_taken_off_is_no_gap() -> None:
    server = Policies()
    server.labelled = {BINDING}
    guard = Guard(server, EXPECTED, lambda: server.now)
    assert asyncio.run(guard.check(JUST_NOW)) is None
    server.now += timedelta(seconds=1)
    assert asyncio.run(guard.check(JUST_NOW)) is None
    assert server.got == [*WHOLE, (EXPECTED[0].kind, "a")]


def test_a_policy_of_another_name_with_the_label_stands_in_for_none() -> None:
    server = Policies()
    server.specs = {**WHOLE, (BINDING[0], "b"): WHOLE[BINDING]}
    del server.specs[BINDING]
    server.labelled = set(server.specs)
    assert asyncio.run(Guard(server, EXPECTED, lambda: server.now).check(JUST_NOW)) == Gap(
        (MISSING,), NOW
    )


def test_the_log_says_which_approvals_to_look_at(caplog: pytest.LogCaptureFixture) -> None:
    server = Policies()
    guard = Guard(server, EXPECTED, lambda: server.now)
    with caplog.at_level(logging.WARNING):
        for specs in (WHOLE, {}, WHOLE):
            server.specs = dict(specs)
            asyncio.run(guard.check(JUST_NOW))
            server.now += timedelta(minutes=1)
    lost, back = (record.getMessage() for record in caplog.records)
    assert "ValidatingAdmissionPolicy a is missing" in lost
    assert back.endswith("review the approvals that were made since 2026-11-22T08:00:00Z")


def test_where_nothing_is_expected_nothing_is_asked() -> None:
    server = Policies()
    assert asyncio.run(Guard(server, (), lambda: server.now).check(JUST_NOW)) is None
    assert (server.lists, server.got) == (0, [])
