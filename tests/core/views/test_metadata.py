"""What every view reads of an object, whoever wrote it: a missing part is an empty one."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.core.views.metadata import (
    annotations_of,
    condition_of,
    controller_uid,
    is_orphaning,
    labels_of,
)


@pytest.mark.parametrize("metadata", [{}, {"labels": None, "annotations": None}])
def test_an_object_without_marks_has_none(metadata: dict[str, Any]) -> None:
    body = {"metadata": metadata}
    assert (dict(labels_of(body)), dict(annotations_of(body)), controller_uid(body)) == (
        {},
        {},
        None,
    )


def test_of_several_owners_the_controller_counts() -> None:
    owners = [{"uid": "a"}, {"uid": "b", "controller": False}, {"uid": "c", "controller": True}]
    assert controller_uid({"metadata": {"ownerReferences": owners}}) == "c"
    assert controller_uid({"metadata": {"ownerReferences": owners[:2]}}) is None


@pytest.mark.parametrize(
    ("metadata", "orphaning"),
    [
        ({"deletionTimestamp": "2026-11-22T08:00:00Z", "finalizers": ["orphan"]}, True),
        ({"deletionTimestamp": "2026-11-22T08:00:00Z", "finalizers": ["theirs"]}, False),
        ({"deletionTimestamp": "2026-11-22T08:00:00Z", "finalizers": None}, False),
        ({"finalizers": ["orphan"]}, False),
    ],
)
def test_only_a_deleted_object_can_be_orphaning_what_it_owns(
    metadata: dict[str, Any], orphaning: bool
) -> None:
    assert is_orphaning({"metadata": metadata}) is orphaning


@pytest.mark.parametrize("status", [None, {}, {"conditions": None}, {"conditions": []}])
def test_an_object_that_says_nothing_has_no_condition(status: Any) -> None:
    assert condition_of({"metadata": {}, "status": status}, "Failed") == {}


def test_a_condition_counts_where_it_is_true() -> None:
    failed = {"type": "Failed", "status": "False", "reason": "x"}
    assert condition_of({"status": {"conditions": [failed]}}, "Failed") == {}
    true = failed | {"status": "True"}
    assert condition_of({"status": {"conditions": [failed, true]}}, "Failed") == true
