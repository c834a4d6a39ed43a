"""Phase, reason, columns, conditions and rows of a job tell one story.

That is so in every combination of what can come together in a job.
"""

from __future__ import annotations

import itertools

import pytest

from tests.support.contradictions import contradictions
from tests.unit.lives_of_stories import lives

PARTS = 8


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_all_that_is_told_of_any_job_is_one_story(part: int) -> None:
    assert contradictions(itertools.islice(lives(), part, None, PARTS)) == {}


def test_the_combinations_are_all() -> None:
    assert sum(1 for _ in lives()) > 20_000
