"""Two spellings of one pin are one pin: anyone who denies a package denies it however written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from agentjobs.api.package_rules import canonical, canonical_or_none

NUMBERS = st.integers(0, 12).map(str)
RELEASES = st.lists(NUMBERS, min_size=1, max_size=4).map(".".join)
OPTIONAL = [
    st.sampled_from(["", "1!", "2!"]),
    RELEASES,
    st.sampled_from(["", "a0", "b1", "rc10"]),
    st.sampled_from(["", ".post0", ".post10"]),
    st.sampled_from(["", ".dev0", ".dev10"]),
    st.sampled_from(["", "+cpu", "+cpu.1", "+0"]),
]
VERSIONS = st.tuples(*OPTIONAL).map("".join)
NAMES = st.lists(st.sampled_from(["a", "B", "0", "xY"]), min_size=1, max_size=3).flatmap(
    lambda parts: st.lists(st.sampled_from("-_."), min_size=len(parts), max_size=len(parts)).map(
        lambda marks: "".join(part + mark for part, mark in zip(parts, marks, strict=True))[:-1]
    )
)


@given(NAMES, VERSIONS)
def test_the_canonical_pin_is_that_of_the_packaging_library(name: str, version: str) -> None:
    found_name, _, found_version = canonical(f"{name}=={version}").partition("==")
    assert found_name == canonicalize_name(name)
    assert Version(found_version) == Version(version)
    assert canonical_or_none(f"{name}=={version}") == canonical(f"{name}=={version}")


@given(VERSIONS, VERSIONS)
def test_versions_that_are_equal_have_one_spelling(first: str, second: str) -> None:
    assert (canonical(f"a=={first}") == canonical(f"a=={second}")) == (
        Version(first) == Version(second)
    )


def test_trailing_zeros_of_a_release_and_nothing_else_fall_away() -> None:
    assert canonical("Zope.Interface==7.0.0") == "zope-interface==7"
    assert canonical("a==0.0") == "a==0"
    assert canonical("a==10.0rc10.post10+0.0") == "a==10rc10.post10+0.0"


def test_what_is_no_pin_has_no_canonical_form() -> None:
    odds: tuple[object, ...] = (None, 1, [], "requests", "requests>=1", "requests==1\n", "a/b==1")
    assert [canonical_or_none(odd) for odd in odds] == [None] * len(odds)
