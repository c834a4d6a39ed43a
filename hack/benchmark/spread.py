"""Figures: samples in rounds, what they amount to, and how that is printed. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

COLUMNS: Final = ("", "unit", "min", "median", "max", "p50", "p99", "n", "aim", "")
GAP: Final = "  "
MB: Final = 1e-6
"""For each byte."""


@dataclass(frozen=True)
class Aim:
    """Upper bounds, in the figure's unit; None: no aim."""

    p50: float | None = None
    p99: float | None = None

    def words(self) -> str:
        """Empty when there is none."""
        bounds = (("p50", self.p50), ("p99", self.p99))
        return ", ".join(f"{name} {number(bound)}" for name, bound in bounds if bound is not None)

    def missed(self, p50: float, p99: float) -> tuple[str, ...]:
        """Their names. A bound that is reached exactly is met."""
        seen = (("p50", self.p50, p50), ("p99", self.p99, p99))
        return tuple(name for name, bound, value in seen if bound is not None and value > bound)


@dataclass(frozen=True)
class Figure:
    """One measured quantity: its samples, round by round.

    A control says what the machine and the cluster take by themselves.
    """

    name: str
    unit: str
    rounds: tuple[tuple[float, ...], ...]
    aim: Aim = field(default_factory=Aim)
    control: bool = False


@dataclass(frozen=True)
class Spread:
    """`least`, `middle`, `most`: of the rounds' medians; p50 and p99: of all samples together."""

    least: float
    middle: float
    most: float
    p50: float
    p99: float
    count: int


def percentile(samples: Iterable[float], percent: float) -> float:
    """By nearest rank: always a sample that was seen.

    Of fewer than 100 samples the 99th percentile is the largest.

    Raises ValueError when there are no samples.
    """
    ordered = sorted(samples)
    if not ordered:
        raise ValueError("no samples")
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def spread(rounds: Sequence[Sequence[float]]) -> Spread:
    """Rounds without a sample are left out. Raises ValueError when no round has one."""
    medians = [median(samples) for samples in rounds if samples]
    everything = [sample for samples in rounds for sample in samples]
    if not everything:
        raise ValueError("no samples")
    p50, p99 = percentile(everything, 50), percentile(everything, 99)
    return Spread(min(medians), median(medians), max(medians), p50, p99, len(everything))


def differences(more: Sequence[float], less: Sequence[float]) -> tuple[float, ...]:
    """Of pairs measured in direct succession, so that what slows the machine down slows both."""
    return tuple(a - b for a, b in zip(more, less, strict=True))


def scaled(rounds: Iterable[Iterable[float]], factor: float) -> tuple[tuple[float, ...], ...]:
    """In another unit: seconds times 1000 are milliseconds."""
    return tuple(tuple(sample * factor for sample in samples) for samples in rounds)


def number(value: float) -> str:
    """Three digits that count, and no more after the point than that."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def verdict(figure: Figure, seen: Spread) -> str:
    """Empty where there is no aim."""
    if figure.aim == Aim():
        return ""
    missed = figure.aim.missed(seen.p50, seen.p99)
    return f"{' and '.join(missed)} missed" if missed else "met"


def row(figure: Figure) -> tuple[str, ...]:
    """As COLUMNS name it."""
    name = f"control: {figure.name}" if figure.control else figure.name
    try:
        seen = spread(figure.rounds)
    except ValueError:
        return (name, figure.unit, "-", "-", "-", "-", "-", "0", figure.aim.words(), "not measured")
    numbers = map(number, (seen.least, seen.middle, seen.most, seen.p50, seen.p99))
    judged = (figure.aim.words(), verdict(figure, seen))
    return (name, figure.unit, *numbers, str(seen.count), *judged)


def table(figures: Sequence[Figure]) -> str:
    """Names and aims to the left, numbers to the right."""
    rows = [COLUMNS, *map(row, figures)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(COLUMNS))]
    sides: list[Callable[[str, int], str]] = [*[str.ljust] * 2, *[str.rjust] * 6]
    sides += [str.ljust] * 2
    lines = (
        GAP.join(side(cell, width) for side, cell, width in zip(sides, cells, widths, strict=True))
        for cells in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def as_json(figure: Figure) -> dict[str, Any]:
    """Everything, the samples too."""
    return {
        "name": figure.name,
        "unit": figure.unit,
        "control": figure.control,
        "aim": {"p50": figure.aim.p50, "p99": figure.aim.p99},
        "rounds": [list(samples) for samples in figure.rounds],
    }
