"""A plan is ordered: what ends something comes first, and what depends on a failure is left out."""

from __future__ import annotations

from agentjobs.core.plan import CONTENT, Plan, Stage, Write, run_strand


def test_stops_come_first_and_nothing_is_tidied_up_before_it_is_told() -> None:
    assert list(Stage) == [
        Stage.STOP,
        Stage.RECORD,
        Stage.START,
        Stage.CREATE,
        Stage.TELL,
        Stage.KEEP,
    ]


def test_a_write_is_held_back_by_its_own_strand_and_by_what_it_needs() -> None:
    record = Write(
        "patch", "run", "now", "why", strand=run_strand("now"), needs=frozenset({CONTENT})
    )
    assert record.held_back_by({run_strand("now")})
    assert record.held_back_by({CONTENT, "other"})
    assert not record.held_back_by({run_strand("another"), ""})
    assert not record.held_back_by(set())


def test_writes_without_a_strand_do_not_hold_each_other_back() -> None:
    assert not Write("create", "event", "e", "why").held_back_by({run_strand("now")})


def test_only_what_is_written_to_a_cron_job_or_a_job_can_start_something() -> None:
    def starts(*writes: Write) -> bool:
        return Plan(writes).may_start_something

    assert starts(Write("patch", "run", "a", "why"), Write("patch", "batchjob", "a", "why"))
    assert starts(Write("create", "cronjob", "a", "why"))
    assert not starts(Write("delete", "batchjob", "a", "why"), Write("patch", "run", "a", "why"))
    assert not starts()
