"""Each finished run takes little memory, and a list of what is already known takes hardly any."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agentjobs.cluster.client import Json
from agentjobs.core.runs.retention import size
from agentjobs.operator.caches import relist
from agentjobs.operator.caches.cache import Cache
from agentjobs.testing.server import RUN_COLUMNS

RECORDS = 4000
PAGE = 100
MAX_BYTES = 700
"""Of one record, as tracemalloc counts them: docs/performance.md says it of 10,000."""


def row(number: int, version: int) -> Json:
    job = f"weekly-report-{number % 20}"
    metadata = {
        "namespace": f"team-{number % 4}",
        "name": f"{job}-{29_000_000 + number}",
        "uid": f"{number:08x}-1111-2222-3333-444444444444",
        "resourceVersion": str(version),
        "creationTimestamp": "2026-11-22T08:00:00Z",
        "ownerReferences": [
            {"controller": True, "uid": f"{number % 20:08x}-5555-6666-7777-888888888888"}
        ],
    }
    cells = [
        job,
        "Succeeded",
        f"2026-11-22T08:{number // 60 % 60:02}:{number % 60:02}Z",
        1000 + number,
        3000 + number,
    ]
    return {"cells": cells, "object": {"metadata": metadata}}


class Api:
    """Answers each list with texts of its own, as a socket does."""

    def __init__(self) -> None:
        self.versions = [1000 + number for number in range(RECORDS)]
        self.gone = -1

    async def list(self, *_: str, **__: str) -> AsyncIterator[Json]:
        for first in range(0, RECORDS, PAGE):
            rows = [
                row(number, self.versions[number])
                for number in range(first, first + PAGE)
                if number != self.gone
            ]
            page: Json = json.loads(
                json.dumps(
                    {"columnDefinitions": [{"name": name} for name in RUN_COLUMNS], "rows": rows}
                )
            )
            rows.clear()
            yield page


def listed(api: Any, cache: Cache) -> tuple[int, int]:
    """What is kept of a list, and the most that it took meanwhile, both in bytes."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    asyncio.run(relist._finished(api, cache))
    peak = tracemalloc.get_traced_memory()[1]
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - before, peak - before


@pytest.mark.slow
def test_a_record_takes_little_and_a_list_of_known_ones_hardly_anything() -> None:
    api: Any = Api()
    cache = Cache()
    tracemalloc.start()
    try:
        (kept, first), (more, second) = listed(api, cache), listed(api, cache)
    finally:
        tracemalloc.stop()
    print(f"{kept / RECORDS:.0f} bytes a record, peak {first}; again {more}, peak {second}")
    assert kept / RECORDS < MAX_BYTES
    assert (more < kept / 20, second < kept / 2) == (True, True)


def test_a_changed_record_is_taken_again_and_a_deleted_one_is_forgotten() -> None:
    api: Any = Api()
    cache = Cache()
    asyncio.run(relist._finished(api, cache))
    kept = {key: cache.finished.get(key) for key in cache.finished}
    assert len(kept) == RECORDS
    api.versions[7] += 10_000
    asyncio.run(relist._finished(api, cache))
    changed = [key for key in cache.finished if cache.finished.get(key) is not kept[key]]
    assert changed == [("team-3", "weekly-report-7-29000007")]
    assert cache.finished.version(changed[0]) == 11_007
    api.gone = 8
    asyncio.run(relist._finished(api, cache))
    assert kept.keys() - set(cache.finished) == {("team-0", "weekly-report-8-29000008")}
    assert sum(cache.stored_bytes.values()) == sum(size(run) for run in cache.finished.all())
