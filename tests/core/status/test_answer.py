"""The job's status, and the patch that writes it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agentjobs.api.job_status import ScheduledAgentJobStatus
from agentjobs.core.decide import decide
from agentjobs.core.plan import Stage
from agentjobs.core.status.answer import merge_patch, only_time_passed, status_write
from agentjobs.testing.server import merge
from tests.support.decisions import NOW, observed, settled, status
from tests.support.workload import POLICY


def test_a_merge_patch_removes_what_is_gone_at_any_depth() -> None:
    before = {"a": 1, "b": {"x": 1, "y": 2}, "c": [1], "d": {"z": 1}}
    after = {"b": {"x": 1, "y": 3}, "c": [2], "d": {"z": 1}, "e": {}}
    assert merge_patch(before, after) == {"a": None, "b": {"y": 3}, "c": [2], "e": {}}
    assert merge_patch(after, after) == {}


MAPS = st.recursive(
    st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), MAPS, max_size=4)


@given(OBJECTS, OBJECTS)
def test_a_patch_makes_of_what_was_read_what_is_wanted(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert merge(before, merge_patch(before, after)) == after


def test_an_answer_is_written_where_it_is_new_and_on_top_of_what_was_read() -> None:
    job = observed().job
    assert list(status_write(job, job.status, (Stage.TELL, "answer"))) == []
    news = job.status.model_copy(update={"phase": "Paused"})
    (write,) = status_write(job, news, (Stage.TELL, "answer"))
    assert write.body == {"metadata": {"resourceVersion": "7"}, "status": {"phase": "Paused"}}
    assert (write.stage, write.strand, write.subresource) == (Stage.TELL, "answer", "status")


def test_only_which_starts_come_next_is_no_news() -> None:
    answered = status(decide(settled(observed()), POLICY, NOW))
    before = ScheduledAgentJobStatus.model_validate(answered)
    card = before.card
    assert card
    later = before.model_copy(
        update={
            "next_run_at": "2026-11-30T06:00:00Z",
            "card": card.model_copy(update={"next_starts": ("2026-11-30T08:00:00+02:00",)}),
        }
    )
    assert only_time_passed(before, later)
    assert not only_time_passed(before, later.model_copy(update={"phase": "Paused"}))
    other = card.model_copy(update={"digest": "f" * 64})
    assert not only_time_passed(before, later.model_copy(update={"card": other}))
