"""A decision about a package reaches the jobs that use it, and no others."""

from __future__ import annotations

from agentjobs.operator.caches.uses import Uses


def test_a_decision_finds_the_jobs_of_its_namespace_that_use_a_package_now() -> None:
    uses = Uses()
    uses.set(("a", "one"), ["six==1.17", "flask==3"])
    uses.set(("a", "two"), ["six==1.17"])
    uses.set(("b", "one"), ["six==1.17"])
    assert uses.of("a", ["six==1.17", "other==1"]) == {("a", "one"), ("a", "two")}
    uses.set(("a", "one"), ["flask==3"])
    assert uses.of("a", ["six==1.17"]) == {("a", "two")}
    uses.set(("a", "one"), ())
    uses.set(("a", "two"), ())
    assert uses.of("a", ["six==1.17", "flask==3"]) == set()
    assert uses.of("b", ["six==1.17"]) == {("b", "one")}
