"""The chart's admission policies answer each request of the corpus as they should.

Nothing runs here but the expressions; `tests/cluster/access/test_policies_agree.py` makes the same
requests to a real API server.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.policies import evaluator
from tests.policies.cases import holds
from tests.policies.corpus import CORPUS, PARTS

POLICIES: Final = evaluator.policies("full")
REFUSING: Final = {
    (policy.name, number) for policy in POLICIES for number in range(len(policy.validations))
}


@pytest.mark.parametrize("what", CORPUS)
def test_a_request_is_answered_as_it_should_be(what: str) -> None:
    request = CORPUS[what]
    told = {verdict.message for verdict in evaluator.verdicts(request, POLICIES)} - {""}
    if request.refused:
        assert told, "it went through"
        assert [message for message in told if request.refused not in message] == []
    else:
        assert told == set()


STAMPED: Final = {what: request for what, request in CORPUS.items() if request.becomes}


@pytest.mark.parametrize("what", STAMPED)
def test_the_server_writes_who_asked(what: str) -> None:
    request = STAMPED[what]
    assert holds(evaluator.completed(request, POLICIES), request.becomes)


def test_every_validation_refuses_something_and_lets_something_pass() -> None:
    found = [
        verdict for request in CORPUS.values() for verdict in evaluator.verdicts(request, POLICIES)
    ]
    assert {(v.policy, v.number) for v in found if v.message} == REFUSING
    assert {(v.policy, v.number) for v in found if not v.message} == REFUSING


def test_no_request_is_lost_to_another_of_its_name() -> None:
    assert len(CORPUS) == sum(len(group) for groups in PARTS.values() for group in groups)


def test_without_a_second_person_the_other_policies_are_the_same() -> None:
    """So that it is enough to try those of the fuller set."""
    fuller = {policy.name: policy for policy in POLICIES}
    for policy in evaluator.policies("default"):
        texts = [validation["expression"] for validation in policy.validations]
        more = [validation["expression"] for validation in fuller[policy.name].validations]
        assert texts == more[: len(texts)]
        assert {**policy.spec, "validations": 0} == {**fuller[policy.name].spec, "validations": 0}


def test_what_the_api_server_takes_for_an_error_is_one() -> None:
    """A field that is not there; and a variable cannot hold an optional value."""
    for expression in ("request.nothing == 1", "request.?nothing", "request.?there"):
        with pytest.raises(evaluator.Failed):
            evaluator.evaluate(expression, {"request": {"there": 1}})
