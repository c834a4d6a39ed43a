"""What an installation does not set is what its documents say, and is set in one place only."""

from __future__ import annotations

from agentjobs.core.workload.settings import Budgets, PackagePolicy
from agentjobs.operator.configuration import configuration
from agentjobs.testing.operators import SETTINGS

POLICY = configuration(SETTINGS).policy()


def test_an_operator_with_the_least_settings_has_the_defaults_of_the_core() -> None:
    """The two would part unnoticed: one is the chart's, the other what tests of decisions use."""
    assert (POLICY.budgets, POLICY.packages) == (Budgets(), PackagePolicy())
    assert (POLICY.second_person, POLICY.inventory) == (False, frozenset())
    assert (POLICY.priority_class_name, POLICY.runtime_class_name) == ("", "")


def test_no_namespace_may_fill_the_cluster() -> None:
    assert Budgets().namespace * 2 <= Budgets().cluster


def test_the_runners_own_limit_comes_before_that_of_its_job() -> None:
    assert POLICY.longest_run_seconds < POLICY.deadline_seconds
    assert POLICY.start_timeout_seconds < POLICY.deadline_seconds
