"""Comparing two texts ends soon, whoever wrote them, and what it says turns one into the other."""

from __future__ import annotations

import random
import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.core.content.compare import differences, unified
from tests.support.slow import slow_but

SIZE: Final = 1 << 18
"""Characters of a worst case, as many as a script may have.

What takes time with the square of that does not end within the time limit."""


def lines_of(how: str) -> tuple[list[str], list[str]]:
    """A hundred thousand lines and more, as no diff likes them."""
    dice = random.Random(how)
    some = [str(number) for number in range(150_000)]
    return {
        "turned round": (some, some[::-1]),
        "shuffled": (some, dice.sample(some, len(some))),
        "two letters": (dice.choices("ab", k=SIZE), dice.choices("ab", k=SIZE)),
        "many twice": (
            dice.choices(some[:70_000], k=150_000),
            dice.choices(some[:70_000], k=150_000),
        ),
        "few at a time": (dice.choices(some[:150], k=150_000), dice.choices(some[:150], k=150_000)),
        "every second one": ([f"{line}\nx" for line in some], [f"{line}\ny" for line in some]),
        "one long line": (["a" * SIZE], ["a" * SIZE + "b"]),
        "nothing": ([], some),
    }[how]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "how",
    slow_but(
        ("one long line",),
        [
            "turned round",
            "shuffled",
            "two letters",
            "many twice",
            "few at a time",
            "every second one",
            "one long line",
            "nothing",
        ],
    ),
)
def test_a_comparison_of_hostile_texts_ends(how: str) -> None:
    old, new = lines_of(how)
    told = list(unified(old, new, ("old", "new")))
    assert sum(line.startswith("+") for line in told) - sum(
        line.startswith("-") for line in told
    ) == len(new) - len(old)


@given(st.lists(st.sampled_from("abcdef")), st.lists(st.sampled_from("abcdef")))
def test_a_comparison_tells_how_to_make_the_one_of_the_other(
    old: list[str], new: list[str]
) -> None:
    made: list[str] = []
    at = 0
    for span in differences(old, new):
        made += old[at : span.old_from]
        assert len(made) == span.new_from
        made += new[span.new_from : span.new_to]
        at = span.old_to
    assert made + old[at:] == new
    assert bool(differences(old, new)) == (old != new)


HUNK: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@given(st.lists(st.sampled_from("abc"), max_size=40), st.lists(st.sampled_from("abc"), max_size=40))
def test_a_unified_difference_can_be_applied(old: list[str], new: list[str]) -> None:
    """As `patch` would: its heads' numbers are right, and every old line stands where they say."""
    made: list[str] = []
    at = 0
    for line in list(unified(old, new, ("old", "new")))[2:]:
        if head := HUNK.fullmatch(line):
            begin = int(head[1]) - (head[2] != "0")
            made += old[at:begin]
            at = begin
            assert len(made) == int(head[3]) - (head[4] != "0")
        elif line[0] == "+":
            made.append(line[1:])
        else:
            assert old[at] == line[1:]
            at += 1
            made += [line[1:]] if line[0] == " " else []
    assert made + old[at:] == new


def test_a_small_change_is_told_as_one() -> None:
    old = ["import os", "", "a = 1", "", "b = 2", "", "print(a)"]
    new = ["import os", "", "a = 1", "", "b = 3", "", "print(a)"]
    told = list(unified(old, new, ("old", "new")))
    assert told == [
        "--- old",
        "+++ new",
        "@@ -2,6 +2,6 @@",
        " ",
        " a = 1",
        " ",
        "-b = 2",
        "+b = 3",
        " ",
        " print(a)",
    ]
