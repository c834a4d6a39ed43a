"""A refusal by the cluster, each time in other words: the job says so, and tries again later."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from agentjobs.cluster.client import Json
from agentjobs.core.errors import ClusterError, Conflict, Incomplete, Refused
from agentjobs.core.plan import Write
from agentjobs.core.refusals import REPORT_AFTER, Refusals
from agentjobs.testing.operators import Operator
from agentjobs.testing.server import Server
from tests.support.lives import steps
from tests.support.lives.steps import NS

KEY = (NS, "report")
CREATE = Write("create", "cronjob", "report", "")
OTHER = Write("create", "revision", "report-1", "")


class Webhook:
    """Refuses every CronJob, with the number of the request in its answer."""

    def __init__(self, server: Server, error: Callable[[str], ClusterError]) -> None:
        self._server = server
        self._error = error
        self._requests = itertools.count(1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    async def write(self, namespace: str, write: Write) -> Json:
        if write.kind == "cronjob":
            raise self._error(f"denied, request {next(self._requests)}")
        return await self._server.write(namespace, write)


@pytest.mark.parametrize(("error", "times"), [(Refused, 1), (Conflict, REPORT_AFTER)])
def test_a_refusal_in_changing_words_is_reported_and_not_retried_at_once(
    error: Any, times: int
) -> None:
    async def check() -> None:
        kube = steps.new_cluster()
        operator = Operator(Webhook(kube.server, error), kube.server)
        await operator.start()
        steps.apply("report", "ok", schedule={"cron": "0 8 * * *"})(kube)
        operator.deliver()
        await operator.reconciler.reconcile(KEY)
        steps.decide("report")(kube)
        operator.deliver()
        again = []
        for _ in range(times + 3):
            with pytest.raises(Incomplete) as failed:
                await operator.reconciler.reconcile(KEY)
            again.append(failed.value.look_again)
        assert [wait == 0 for wait in again] == [*[False] * (times - 1), True, False, False, False]
        (ready,) = (
            one for one in steps.status(kube, "report")["conditions"] if one["type"] == "Ready"
        )
        assert (ready["status"], ready["reason"]) == ("False", "ClusterRefused")
        assert ready["message"].startswith(f"denied, request {times + 2}"), "that of the try before"

    asyncio.run(check())


def passes(*rounds: dict[Write, ClusterError]) -> list[bool]:
    """Of each pass whether it was news."""
    known, news = Refusals(), []
    for errors in rounds:
        done = known.begin(KEY)
        for write, error in errors.items():
            done.failed(write, error)
        news.append(known.end(KEY, done))
    return news


def test_news_is_another_refusal_or_reason_and_not_another_wording() -> None:
    assert passes({CREATE: Refused("a")}, {CREATE: Refused("b")}, {CREATE: Refused("c")}) == [
        True,
        False,
        False,
    ]
    assert passes({CREATE: Refused("a")}, {CREATE: Refused("b"), OTHER: Refused("c")}) == [
        True,
        True,
    ]
    assert passes({CREATE: Refused("a")}, {OTHER: Refused("a")}) == [True, False], (
        "the sentence stands there already"
    )
    assert passes({CREATE: Refused("a")}, {}) == [True, True]
