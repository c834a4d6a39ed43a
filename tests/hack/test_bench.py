"""hack/bench.py: what is said of samples, and what is read out of the audit log and the metrics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agentjobs.testing.real_cluster.client import ClusterProblem
from agentjobs.testing.real_cluster.machine import Machine
from agentjobs.testing.real_cluster.operator_pod import vitals
from hack.benchmark import audit, spread
from hack.benchmark.spread import Aim, Figure

OPERATOR = "system:serviceaccount:agentjobs-system:agentjobs"


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 3), (99, 5), (100, 5), (20, 1), (21, 2), (0, 1)]
)
def test_a_percentile_is_a_sample_that_was_seen(percent: float, expected: float) -> None:
    assert spread.percentile([5, 1, 4, 2, 3], percent) == expected


def test_the_99th_percentile_of_100_samples_leaves_one_out() -> None:
    assert spread.percentile(range(1, 101), 99) == 99
    assert spread.percentile(range(1, 100), 99) == 99


def test_nothing_has_no_percentile_and_no_spread() -> None:
    with pytest.raises(ValueError, match="no samples"):
        spread.percentile([], 50)
    with pytest.raises(ValueError, match="no samples"):
        spread.spread([[], []])


def test_min_median_and_max_are_of_rounds_and_percentiles_of_samples() -> None:
    seen = spread.spread([[1, 2, 100], [3, 3, 3], [4, 5, 6]])
    assert (seen.least, seen.middle, seen.most) == (2, 3, 5)
    assert (seen.p50, seen.p99, seen.count) == (3, 100, 9)


def test_a_round_without_a_sample_is_left_out() -> None:
    assert spread.spread([[], [7.0]]).least == 7


def test_differences_are_taken_within_pairs() -> None:
    assert spread.differences([10, 25], [1, 5]) == (9, 20)
    with pytest.raises(ValueError, match="shorter"):
        spread.differences([1, 2], [1])


def test_samples_change_their_unit_round_by_round() -> None:
    assert spread.scaled([[0.5, 1.0], [2.0]], 1000) == ((500, 1000), (2000,))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7, "7"),
        (0.046, "0.05"),
        (9.97, "9.97"),
        (45.23, "45.2"),
        (442.4, "442"),
        (-3.456, "-3.46"),
        (1000, "1000"),
    ],
)
def test_a_number_has_three_digits_that_count(value: float, text: str) -> None:
    assert spread.number(value) == text


def test_an_aim_that_is_reached_exactly_is_met() -> None:
    aim = Aim(p50=60, p99=300)
    assert (aim.missed(60, 300), aim.missed(61, 300), aim.missed(61, 301)) == (
        (),
        ("p50",),
        ("p50", "p99"),
    )
    assert Aim().missed(10**9, 10**9) == ()


def test_the_table_says_beside_each_figure_whether_its_aim_is_met() -> None:
    figures = [
        Figure("fast", "ms", ((1, 2), (3,)), Aim(p50=5, p99=10)),
        Figure("slow", "ms", ((8, 9), (7,)), Aim(p50=5, p99=10)),
        Figure("what the machine takes", "ms", ((0.5,),), control=True),
        Figure("lost", "ms", ()),
    ]
    heading, *lines = spread.table(figures).splitlines()
    assert heading.split() == ["unit", "min", "median", "max", "p50", "p99", "n", "aim"]
    assert [line.split("  ")[0] for line in lines] == [
        "fast",
        "slow",
        "control: what the machine takes",
        "lost",
    ]
    assert [line.split()[-1] for line in lines] == ["met", "missed", "1", "measured"]
    assert lines[1].endswith("p50 5, p99 10  p50 missed")
    assert len({line.index(" ms ") for line in lines}) == 1


def test_json_holds_every_sample() -> None:
    found = json.loads(json.dumps(spread.as_json(Figure("a", "ms", ((1.5, 2), ()), Aim(p99=3)))))
    assert found == {
        "name": "a",
        "unit": "ms",
        "control": False,
        "aim": {"p50": None, "p99": 3},
        "rounds": [[1.5, 2], []],
    }


def line(
    verb: str,
    resource: str,
    name: str = "",
    *,
    user: str = OPERATOR,
    subresource: str = "",
    code: int = 200,
) -> dict[str, Any]:
    reference = {"resource": resource, "namespace": "bench", "name": name} | (
        {"subresource": subresource} if subresource else {}
    )
    return {
        "stage": "ResponseComplete",
        "verb": verb,
        "user": {"username": user},
        "objectRef": reference,
        "responseStatus": {"code": code},
    }


def requests(*lines: dict[str, Any]) -> list[audit.Request]:
    return [found for found in map(audit.request, lines) if found]


def test_watches_and_the_beginnings_of_answers_are_not_counted() -> None:
    assert audit.request(line("watch", "jobs")) is None
    assert (
        audit.request(line("get", "pods", subresource="log") | {"stage": "ResponseStarted"}) is None
    )


def test_reads_are_told_from_writes_and_events_and_leases_from_the_rest() -> None:
    read, write, event, lease = requests(
        line("get", "jobs", "a"),
        line("patch", "scheduledagentjobs", "a", subresource="status"),
        line("create", "events", "a.1"),
        line("update", "leases"),
    )
    assert [seen.write for seen in (read, write, event, lease)] == [False, True, True, True]
    assert [seen.apart for seen in (read, write, event, lease)] == [False, False, True, True]
    assert write.what == "patch scheduledagentjobs/status"


def test_writes_to_a_run_its_job_and_its_jobs_events_count_for_that_run() -> None:
    seen = requests(
        line("create", "agentjobruns", "a-29922284"),
        line("patch", "scheduledagentjobs", "a", subresource="status"),
        line("patch", "scheduledagentjobs", "a", subresource="status"),
        line("create", "events", "a.8b57d4ec7e228ec0"),
        line("delete", "jobs", "a-29922284"),
        line("create", "jobs", "b-run", code=409),
        line("get", "jobs", "b-run"),
        line("create", "configmaps", "somebody-elses"),
    )
    counted = audit.per_run(seen, {"a-29922284": "a", "b-run": "b"})
    assert counted["a-29922284"] == {
        "create agentjobruns": 1,
        "patch scheduledagentjobs/status": 2,
        "create events": 1,
        "delete jobs": 1,
    }
    assert counted["b-run"] == {"create jobs (refused)": 1}


def test_the_log_is_read_from_where_it_ended_and_by_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    file.write_text(json.dumps(line("get", "jobs", "before")) + "\n")
    log = audit.Log(file)
    with file.open("a") as more:
        more.write(
            json.dumps(line("get", "jobs", "first"))
            + "\n"
            + json.dumps(line("get", "jobs", "second"))[:50]
        )
    assert log.read() == 1
    with file.open("a") as more:
        more.write(json.dumps(line("get", "jobs", "second"))[50:] + "\n")
    assert log.read() == 2
    assert [seen.name for seen in log.requests] == ["first", "second"]


def test_a_log_that_was_rotated_is_not_read_on(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    file.write_text("x" * 100)
    log = audit.Log(file)
    file.write_text("")
    with pytest.raises(ClusterProblem, match="rotated"):
        log.read()


def test_the_metrics_tell_of_the_process_what_is_measured() -> None:
    text = """\
# HELP agentjobs_reconciles_total Reconciles, by result.
agentjobs_reconciles_total{result="ok"} 7.0
agentjobs_reconciles_total{result="retried"} 2.0
agentjobs_api_requests_total 40.0
agentjobs_queue_length 1.0
agentjobs_leading 1.0
process_start_time_seconds 1.79533631755e+09
process_cpu_seconds_total 1.5
process_resident_memory_bytes 7e+07
"""
    found = vitals(text)
    assert (found.reconciles, found.requests, found.queue, found.leading) == (9, 40, 1, True)
    assert (found.started, found.cpu, found.rss) == (1795336317.55, 1.5, 70_000_000)
    assert (
        vitals("\n".join(row for row in text.splitlines() if "reconciles" not in row)).reconciles
        == 0
    )


@pytest.mark.parametrize(
    ("load", "warned"), [(0.1, False), (0.59, False), (0.6, True), (8.0, True)]
)
def test_a_busy_machine_is_warned_about(load: float, warned: bool) -> None:
    machine = Machine(cores=2, cpu="x", memory_gib=8, kernel="6", python="3.11", load=load)
    assert bool(machine.warning()) is warned
    assert f"{load:.2f}" in machine.words()
