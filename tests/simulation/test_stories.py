"""Phase, reason, columns, conditions and rows of a job tell one story, whatever comes together."""

from __future__ import annotations

import itertools

import pytest

from tests.support.lives.contradictions import contradictions
from tests.support.lives.stories import lives

PARTS = 8


def test_all_that_is_told_of_a_job_is_one_story() -> None:
    """One combination in three hundred and one."""
    assert contradictions(itertools.islice(lives(), 0, None, 301)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_all_that_is_told_of_any_job_is_one_story(part: int) -> None:
    assert contradictions(itertools.islice(lives(), part, None, PARTS)) == {}


def test_the_combinations_are_all() -> None:
    assert sum(1 for _ in lives()) > 20_000
