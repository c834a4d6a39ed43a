"""Which cases `make faults` tries, and what it writes of them."""

from __future__ import annotations

from argparse import Namespace

import pytest

from tests.cluster.faults import faults, page
from tests.cluster.faults.__main__ import of_flow, wanted
from tests.cluster.faults.case import Verdict
from tests.support.root import ROOT


@pytest.mark.parametrize(
    ("only", "name", "said"),
    [
        (None, "manual/409", True),
        (["manual"], "manual/409", True),
        (["manual/409"], "manual/409", True),
        (["manual/409"], "manual/500", False),
        (["/409"], "cancel/409", True),
        (["manual/killed"], "manual/killed after write 3", True),
        (["cancel", "manual/500"], "manual/500", True),
        (["manual"], "cancel/409", False),
    ],
)
def test_only_names_flows_faults_or_both(only: list[str] | None, name: str, said: bool) -> None:
    assert wanted(name, only) is said


def test_every_write_of_a_flow_is_struck_before_and_after() -> None:
    names = [case.fault for case in of_flow("manual", 3, Namespace(bounded=0, seed=0, only=None))]
    assert names[:6] == [
        f"killed {when} write {n}" for n in (1, 2, 3) for when in ("before", "after")
    ]
    assert names[6:] == list(faults.FAULTS)


def test_a_bounded_set_follows_from_its_seed() -> None:
    def cases(seed: int) -> list[str]:
        return [
            case.name for case in of_flow("manual", 9, Namespace(bounded=4, seed=seed, only=None))
        ]

    assert cases(1) == cases(1) != cases(2)
    assert [name.startswith("manual/killed") for name in cases(1)] == [True, True, False, False]


def test_the_page_counts_what_was_struck_and_what_came_of_it() -> None:
    lost = [{"kind": "lost", "what": "a"}, {"kind": "lost", "what": "b"}]
    verdicts = [
        Verdict("manual", "nothing", seconds=3, writes=["a write", "another"]),
        Verdict("manual", "killed before write 1", 1, seconds=5),
        Verdict("manual", "killed before write 2", 1, seconds=5, breaches=lost),
        Verdict("manual", "killed before write 3", 0, seconds=5),
        Verdict("cancel", "409", 4, seconds=9),
    ]
    part = page.measured(verdicts, list(faults.FAULTS), "a machine", "2026-11-27", 4)
    assert f"3 cases of {len(faults.FAULTS) + 4}," in part
    assert "1 more met nothing" in part
    assert "| manual | 2 | 1 | 0 | 0 | 0 | 0 |" in part
    assert "| killed before a write, each of them | 2 | 1 | 0 | 0 | 0 | 0 |" in part
    assert "| 409 | 1 | 0 | 0 | 0 | 0 | 0 |" in part


def test_what_people_wrote_of_the_page_stays() -> None:
    before = (ROOT / "docs/reliability.md").read_text()
    once = page.written(before, "FIRST")
    assert "FIRST" in once
    assert page.written(once, "SECOND") == once.replace("FIRST", "SECOND")
