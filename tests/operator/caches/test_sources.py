"""Texts from ConfigMaps are read once for each version, and a job hears of each change."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from agentjobs.cluster.client import Json
from agentjobs.core.content.sources import Reference
from agentjobs.operator.caches.sources import SourceCache, read
from agentjobs.testing.server import Server
from tests.support.sources import SCRIPT, config_map

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
JOB = ("ns", "report")
ROW = ("ns", "scripts")


class Counting(Server):
    """Counts what is read."""

    reads = 0

    async def get(
        self, kind: str, namespace: str, name: str, *, accept: str = "application/json"
    ) -> Json:
        self.reads += 1
        return await super().get(kind, namespace, name, accept=accept)


def read_now(server: Server, cache: SourceCache, *, reread: bool = False) -> Any:
    return asyncio.run(read(server, cache, "ns", [SCRIPT], reread=reread))[SCRIPT]


def version(body: Json) -> int:
    return int(body["metadata"]["resourceVersion"])


def test_a_text_is_read_once_for_each_version_and_anew_when_asked() -> None:
    server, cache = Counting(NOW), SourceCache()
    server.create("source", "ns", config_map())
    assert [read_now(server, cache) for _ in range(3)] == ["print('hello')\n"] * 3
    assert server.reads == 1
    changed = server.patch(("source", *ROW), data={"report.py": "print('new')\n"})
    assert read_now(server, cache) == "print('hello')\n", "the watch has not told it"
    assert read_now(server, cache, reread=True) == "print('new')\n"
    assert (read_now(server, cache), server.reads) == ("print('new')\n", 2)
    cache.saw(ROW, version(changed) + 1)
    assert (read_now(server, cache), server.reads) == ("print('new')\n", 3)


def test_what_is_missing_or_not_labelled_is_not_remembered() -> None:
    server, cache = Server(NOW), SourceCache()
    assert read_now(server, cache).reason == "SourceMissing"
    server.create("source", "ns", config_map(label=None))
    assert read_now(server, cache).reason == "SourceNotLabelled"
    server.patch(("source", *ROW), metadata={"labels": {"agentjobs.dev/source": "true"}})
    assert read_now(server, cache) == "print('hello')\n"
    cache.saw(ROW, server.version + 1, deleted=True)
    server.forget(("source", *ROW))
    assert read_now(server, cache).reason == "SourceMissing"


def test_memory_for_texts_is_bounded_and_what_was_used_last_stays() -> None:
    cache = SourceCache(remembered_bytes=20)
    texts = {Reference(name, "k"): name * 8 for name in "abc"}
    for reference in texts:
        cache.saw(("ns", reference.name), 1)
    for reference in list(texts)[:2]:
        cache.remember("ns", reference, 1, texts[reference])
    assert cache.remembered("ns", Reference("a", "k")) == "aaaaaaaa"
    cache.remember("ns", Reference("c", "k"), 1, texts[Reference("c", "k")])
    assert [cache.remembered("ns", reference) for reference in texts] == [
        "aaaaaaaa",
        None,
        "cccccccc",
    ]
    cache.remember("ns", Reference("a", "k"), 1, "é" * 11)
    assert [cache.remembered("ns", reference) for reference in texts] == [None, None, None]


def test_every_job_that_uses_a_config_map_hears_of_a_change_and_no_other() -> None:
    cache = SourceCache()
    cache.uses(JOB, ["scripts"])
    cache.uses(("ns", "other"), ["scripts", "more"])
    cache.uses(("elsewhere", "report"), ["scripts"])
    assert cache.saw(ROW, 5) == {JOB, ("ns", "other")}
    assert cache.saw(ROW, 5) == frozenset(), "it is known"
    assert cache.saw(ROW, 4, deleted=True) == frozenset(), (
        "another object of that name, which is gone"
    )
    cache.uses(JOB, [])
    assert cache.saw(ROW, 6, deleted=True) == {("ns", "other")}
    assert cache.saw(("ns", "stranger"), 7) == frozenset()
