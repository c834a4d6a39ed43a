"""Phase, reason, columns, conditions and rows tell one story, whatever comes together.

All combinations are walked.
"""

from __future__ import annotations

import itertools

from tests.support.contradictions import contradictions
from tests.unit.lives_of_stories import lives


def test_all_that_is_told_of_a_job_is_one_story() -> None:
    """One life in three hundred and one; tests/model walks through all of them."""
    assert contradictions(itertools.islice(lives(), 0, None, 301)) == {}
