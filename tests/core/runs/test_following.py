"""An envelope that is read while its container still runs may be the script's.

That is so as long as the script can be alive.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from agentjobs.core.runner.envelope import Envelope
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runs.following import _not_over
from tests.support.endings import EXITED, FAILED_POD, LOST, NOW, RUNNING_POD, TERMINATED, TIMED_OUT


@pytest.mark.parametrize("envelope", [EXITED, TIMED_OUT], ids=["success", "its own limit"])
def test_one_that_says_more_than_stopped_waits_until_the_script_is_dead(envelope: Envelope) -> None:
    evidence = replace(LOST, envelope=envelope)
    assert _not_over(RUNNING_POD, evidence, NOW)
    told = replace(RUNNING_POD, told_to_end=NOW)
    assert _not_over(told, evidence, NOW + timedelta(seconds=7))
    assert not _not_over(told, evidence, NOW + timedelta(seconds=8))


def test_one_that_says_that_the_script_was_stopped_counts_at_once() -> None:
    assert not _not_over(replace(RUNNING_POD, told_to_end=NOW), Evidence(TERMINATED), NOW)


def test_after_the_container_has_ended_any_counts() -> None:
    assert not _not_over(FAILED_POD, Evidence(EXITED), NOW)
    assert not _not_over(FAILED_POD, LOST, NOW)


def test_without_one_the_log_is_read_again() -> None:
    assert _not_over(replace(RUNNING_POD, told_to_end=NOW - timedelta(hours=1)), LOST, NOW)
