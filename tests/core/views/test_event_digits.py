"""What distinguishes one event from another: digits of its source and its id, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentjobs.core.views.event_digits import DIGITS, digits


@given(st.text(max_size=20), st.text(max_size=20), st.integers(0, 9))
def test_the_digits_fit_into_a_name(source: str, event_id: str, number: int) -> None:
    found = digits(source, event_id, number)
    assert len(found) == DIGITS
    assert set(found) <= set("0123456789abcdef")


def test_they_are_those_that_sha256sum_prints() -> None:
    assert digits("/cms", "4711") == "676d0e412"
    assert digits("/cms", "4711", 0) == "676d0e412"


def test_where_a_name_is_taken_a_number_gives_others() -> None:
    assert len({digits("/cms", "4711", number) for number in range(5)}) == 5


def test_source_and_id_are_not_mixed_up() -> None:
    assert digits("/c", "ms4711") != digits("/cms", "4711")
