"""Compares two texts line by line in O(n log n) of their lines, even if written to be slow. Pure.

A patience diff: it skips what is the same at both ends, aligns the lines that occur once in each
text and keep their order, and repeats that between them, a few levels deep. Where no such lines are
left, all lines of the one text are removed and all of the other added: that may be longer than the
shortest difference, but never wrong. `difflib` takes minutes for a few hundred lines that are
chosen to be slow.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MAX_LEVELS: Final = 6
"""How many levels of aligned lines are searched. Texts by people need two or three."""
CONTEXT: Final = 3


@dataclass(frozen=True, slots=True)
class Span:
    """Old lines `old_from` to `old_to` against new `new_from` to `new_to`, without the ends."""

    old_from: int
    old_to: int
    new_from: int
    new_to: int

    @property
    def nothing(self) -> bool:
        return self.old_from == self.old_to and self.new_from == self.new_to


def unified(old: Sequence[str], new: Sequence[str], names: tuple[str, str]) -> Iterator[str]:
    """Yields the lines that `diff -u` prints, without line breaks; nothing for equal texts."""
    changed = differences(old, new)
    if not changed:
        return
    yield f"--- {names[0]}"
    yield f"+++ {names[1]}"
    for group in _grouped(changed):
        first, last = group[0], group[-1]
        before = min(CONTEXT, first.old_from)
        after = min(CONTEXT, len(old) - last.old_to)
        yield (
            f"@@ -{_range(first.old_from - before, last.old_to + after)}"
            f" +{_range(first.new_from - before, last.new_to + after)} @@"
        )
        at = first.old_from - before
        for span in group:
            yield from (f" {line}" for line in old[at : span.old_from])
            yield from (f"-{line}" for line in old[span.old_from : span.old_to])
            yield from (f"+{line}" for line in new[span.new_from : span.new_to])
            at = span.old_to
        yield from (f" {line}" for line in old[at : at + after])


def differences(old: Sequence[str], new: Sequence[str]) -> list[Span]:
    """The spans that differ, in order; what lies between them is the same."""
    found: list[Span] = []
    for span in _different(old, new, Span(0, len(old), 0, len(new)), MAX_LEVELS):
        if found and (found[-1].old_to, found[-1].new_to) == (span.old_from, span.new_from):
            found[-1] = Span(found[-1].old_from, span.old_to, found[-1].new_from, span.new_to)
        else:
            found.append(span)
    return found


def _different(old: Sequence[str], new: Sequence[str], whole: Span, levels: int) -> Iterator[Span]:
    span = _trimmed(old, new, whole)
    if span.nothing:
        return
    anchors = _anchors(old, new, span) if levels else []
    if not anchors:
        yield span
        return
    old_from, new_from = span.old_from, span.new_from
    for old_at, new_at in [*anchors, (span.old_to, span.new_to)]:
        yield from _different(old, new, Span(old_from, old_at, new_from, new_at), levels - 1)
        old_from, new_from = old_at + 1, new_at + 1


def _trimmed(old: Sequence[str], new: Sequence[str], span: Span) -> Span:
    """The span without what is the same at both ends."""
    old_from, old_to, new_from, new_to = span.old_from, span.old_to, span.new_from, span.new_to
    while old_from < old_to and new_from < new_to and old[old_from] == new[new_from]:
        old_from, new_from = old_from + 1, new_from + 1
    while old_from < old_to and new_from < new_to and old[old_to - 1] == new[new_to - 1]:
        old_to, new_to = old_to - 1, new_to - 1
    return Span(old_from, old_to, new_from, new_to)


def _anchors(old: Sequence[str], new: Sequence[str], span: Span) -> list[tuple[int, int]]:
    """Positions of lines that occur once in each text, as many as keep their order in both."""
    once = _once(old, span.old_from, span.old_to)
    other = _once(new, span.new_from, span.new_to)
    return _rising([(at, other[line]) for line, at in once.items() if line in other])


def _once(lines: Sequence[str], begin: int, end: int) -> dict[str, int]:
    counts = Counter(lines[begin:end])
    return {line: at for at, line in enumerate(lines[begin:end], start=begin) if counts[line] == 1}


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest selection of pairs whose second numbers rise; the first ones do already."""
    ends: list[int] = []
    """The smallest last number of a selection, by its length."""
    chosen: list[int] = []
    before: list[int] = []
    for index, (_, number) in enumerate(pairs):
        length = bisect_left(ends, number)
        before.append(chosen[length - 1] if length else -1)
        if length == len(ends):
            ends.append(number)
            chosen.append(index)
        else:
            ends[length], chosen[length] = number, index
    found = []
    index = chosen[-1] if chosen else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


def _grouped(changed: Sequence[Span]) -> Iterator[list[Span]]:
    """Yields groups of changes whose contexts touch."""
    group: list[Span] = []
    for span in changed:
        if group and span.old_from - group[-1].old_to > 2 * CONTEXT:
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _range(begin: int, end: int) -> str:
    """A range as `diff -u` writes it: counted from 1, an empty one named by the line before it."""
    length = end - begin
    if length == 1:
        return f"{begin + 1}"
    return f"{begin + 1 if length else begin},{length}"
