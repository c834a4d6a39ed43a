"""The caches: the newest state wins, and what is gone is gone."""

from __future__ import annotations

from typing import Any

from agentjobs.core.runs.retention import RECORD_BYTES
from agentjobs.core.views.run import FinishedRun
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.caches.finished import finished_rows
from agentjobs.operator.caches.streams import PATIENCE_SECONDS, Streams
from tests.support import manifests

KEY = ("ns", "report")


def run(
    name: str, version: int, phase: str = "", job: str = "report", **status: Any
) -> dict[str, Any]:
    body = manifests.run(name, job)
    body["metadata"] |= {
        "namespace": "ns",
        "uid": f"uid-{name}",
        "resourceVersion": str(version),
        "creationTimestamp": "2026-11-22T08:00:00Z",
    }
    return body | {"status": {"phase": phase, **status}}


def test_an_older_state_never_replaces_a_newer_one() -> None:
    cache = Cache()
    cache.learn("run", run("a", 9, "Running"))
    cache.learn("run", run("a", 7, "Pending"))
    assert [view.phase for view in cache.runs.of(KEY)] == ["Running"]


def test_versions_are_compared_as_numbers() -> None:
    cache = Cache()
    cache.learn("run", run("a", 99, "Pending"))
    cache.learn("run", run("a", 100, "Running"))
    assert [view.phase for view in cache.runs.of(KEY)] == ["Running"]


def test_a_finished_run_moves_to_its_line_and_its_bytes_are_counted_once() -> None:
    cache = Cache()
    cache.learn("run", run("a", 1, "Running"))
    for version in (2, 3):
        cache.learn(
            "run",
            run("a", version, "Succeeded", outputBytes=100, finishedAt="2026-11-22T08:01:00Z"),
        )
    assert cache.runs.of(KEY) == ()
    assert [line.name for line in cache.finished.of(KEY)] == ["a"]
    assert cache.stored_bytes["ns"] == 100 + RECORD_BYTES
    cache.forget_finished(("ns", "a"))
    cache.forget_finished(("ns", "a"))
    assert (cache.finished.of(KEY), cache.stored_bytes["ns"]) == ((), 0)


def test_an_object_that_changes_its_job_is_found_under_the_new_one_only() -> None:
    cache = Cache()
    cache.learn("run", run("a", 1))
    cache.learn("run", run("a", 2, job="other"))
    assert cache.runs.of(KEY) == ()
    assert len(cache.runs.of(("ns", "other"))) == 1


def test_dropping_tells_whose_it_was_and_dropping_twice_nothing() -> None:
    cache = Cache()
    cache.learn("run", run("a", 1))
    assert cache.runs.drop(("ns", "a")) == KEY
    assert cache.runs.drop(("ns", "a")) is None


def test_the_rows_of_a_table_are_read_by_the_columns_names() -> None:
    metadata = {
        "namespace": "ns",
        "name": "a",
        "uid": "u",
        "resourceVersion": "12",
        "creationTimestamp": "2026-11-22T08:00:00Z",
    }
    table = {
        "columnDefinitions": [
            {"name": name} for name in ("Name", "Output Bytes", "Finished", "Phase", "Job")
        ],
        "rows": [
            {
                "cells": ["a", 7, "2026-11-22T08:01:00Z", "Failed", "report"],
                "object": {"metadata": metadata},
            },
            {
                "cells": ["b", None, None, "Skipped", "report"],
                "object": {"metadata": metadata | {"name": "b"}},
            },
        ],
    }
    first, second = finished_rows(table, Cache().finished)
    assert first == (FinishedRun("ns", "a", "u", "report", "Failed", "2026-11-22T08:01:00Z", 7), 12)
    assert (second[0].finished, second[0].output_bytes) == ("2026-11-22T08:00:00Z", 0)


def test_a_stream_is_stale_if_it_is_late_with_what_a_list_showed() -> None:
    streams = Streams()
    streams.saw("run", 5)
    streams.listed("run", 5, now=0)
    assert streams.stale(1e9) == ()
    streams.listed("run", 6, now=100)
    assert streams.stale(100 + PATIENCE_SECONDS) == ()
    assert streams.stale(101 + PATIENCE_SECONDS) == ("run",)
    streams.listed("run", 7, now=1000)
    assert streams.stale(101 + PATIENCE_SECONDS) == ("run",)
    streams.saw("run", 7)
    assert streams.stale(1e9) == ()


def pod(version: int, phase: str, installer: str = "terminated") -> dict[str, Any]:
    """A pod of the run `a` whose script has not begun."""
    labels = {"agentjobs.dev/job": "report", "batch.kubernetes.io/job-name": "a"}
    state: dict[str, Any] = {"running": {"startedAt": "2026-11-22T08:00:00Z"}}
    if installer == "terminated":
        state = {"terminated": {"exitCode": 143, "message": "stopped", "reason": "Error"}}
    metadata = {
        "namespace": "ns",
        "name": "a-x7k2p",
        "uid": "uid-pod",
        "resourceVersion": str(version),
        "labels": labels,
    }
    return {
        "metadata": metadata,
        "status": {"phase": phase, "initContainerStatuses": [{"name": "packages", "state": state}]},
    }


def test_how_a_deleted_pod_ended_is_kept_while_its_run_has_no_record() -> None:
    """Its deletion may be told before anybody has looked at the end."""
    cache = Cache()
    cache.learn("run", run("a", 1, "Pending"))
    cache.learn("pod", pod(2, "Pending", "running"))
    assert cache.gone("pod", pod(3, "Failed")) == KEY
    assert [(view.ended, view.started, view.install_message) for view in cache.pods.of(KEY)] == [
        (True, None, "stopped")
    ]


def test_a_pod_gone_before_its_end_or_after_its_record_is_forgotten() -> None:
    cache = Cache()
    cache.learn("run", run("a", 1, "Pending"))
    cache.learn("pod", pod(2, "Pending", "running"))
    assert cache.gone("pod", pod(3, "Pending", "running")) == KEY
    assert cache.pods.of(KEY) == ()
    cache.learn("run", run("a", 4, "Failed"))
    cache.learn("pod", pod(5, "Failed"))
    assert cache.gone("pod", pod(6, "Failed")) == KEY
    assert cache.pods.of(KEY) == ()
