"""Waiting for a condition on a cluster."""

from __future__ import annotations

import pytest

from tests.cluster.support import KubectlError, wait_for


def test_waiting_returns_the_first_answer_that_counts() -> None:
    answers = iter(["", "", "Succeeded", "too late"])
    assert wait_for(lambda: next(answers), 5, "the run ends") == "Succeeded"


def test_a_failed_command_counts_as_not_yet() -> None:
    tries = iter([False, True])

    def condition() -> str:
        if not next(tries):
            raise KubectlError(("get", "ajr"), "not found")
        return "there"

    assert wait_for(condition, 5, "the run appears") == "there"


def test_a_wait_in_vain_says_what_it_saw_last() -> None:
    with pytest.raises(AssertionError, match=r"^the list fills: not within 0 s; seen last: \[\]$"):
        wait_for(list, 0, "the list fills")


def test_a_wait_in_vain_says_what_the_command_said_last() -> None:
    def condition() -> str:
        raise KubectlError(("get", "ajr"), "Error from server (NotFound)")

    with pytest.raises(
        AssertionError, match=r"seen last: kubectl get ajr\nError from server \(NotFound\)"
    ):
        wait_for(condition, 0, "the run appears")


def test_an_error_that_is_no_answer_is_not_waited_out() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: 1 // 0, 5, "never")
