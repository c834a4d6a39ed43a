"""What could not be written because of a foreign object is remembered until its name is free."""

from __future__ import annotations

import asyncio

import pytest

from agentjobs.core.errors import NameTaken
from agentjobs.core.plan import Write
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.execute import Executor
from tests.support import manifests as written
from tests.support.lives import steps
from tests.support.lives.steps import NS


def test_a_name_that_is_free_again_is_not_called_taken_any_more() -> None:
    kube, key = steps.new_cluster(), (NS, "report")
    theirs, ours = written.run("next", "another"), written.run("next", "report")
    executor = Executor(kube.server, Cache(), lambda _: None)

    async def tried() -> None:
        kube.server.create("run", NS, theirs)
        with pytest.raises(NameTaken):
            await executor.execute(key, Write("create", "run", "next", "a start", ours))
        assert executor.taken(key) == {("run", "next")}
        kube.server.remove(("run", NS, "next"))
        await executor.execute(key, Write("create", "run", "next", "a start", ours))

    asyncio.run(tried())
    assert executor.taken(key) == frozenset()
