"""Errors say what failed, and by whom it can be fixed: their kind decides about a second try."""

from __future__ import annotations

from agentjobs.core.errors import ClusterError, Conflict, Incomplete, Refused, Unlisted


def test_of_several_failures_a_refusal_comes_first_and_others_are_counted() -> None:
    gone, refused = ClusterError("no answer"), Refused("quota exceeded", 403)
    error = Incomplete([gone, refused, gone], 5.0)
    assert (str(error), error.status) == ("quota exceeded; and 2 more", 403)
    assert (error.errors, error.look_again) == ((gone, refused, gone), 5.0)
    assert str(Incomplete([gone], None)) == "no answer"


def test_a_failed_list_is_told_with_its_kind() -> None:
    error = Unlisted(
        {"pod": Conflict("changed", 409), "run": ClusterError("no answer")}, {("a", "b")}
    )
    assert str(error) == "pod: changed; run: no answer"
    assert error.keys == {("a", "b")}
