"""Lines on a terminal: colours, folding, tables. Pure: whether to colour is an argument."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from agentjobs.present.rows import Column
from agentjobs.present.text import NOTHING, Json, Line, Tone, lines_of

GAP: Final = "   "
_CODES: Final[dict[Tone, str]] = {
    "bad": "31",
    "good": "32",
    "waiting": "33",
    "active": "36",
    "heading": "1",
    "quiet": "2",
}
"""Red, green, yellow, cyan, bold and dim."""


def painted(text: Line, tone: Tone) -> Line:
    """With ANSI codes; an empty tone has none."""
    return Line(f"\x1b[{_CODES[tone]}m{text}\x1b[0m") if tone else text


def indented(text: str) -> list[Line]:
    """The lines of a message, all but the first behind two blanks."""
    first, *rest = lines_of(text)
    return [first, *(Line(f"  {line}") for line in rest)]


class Table:
    """A table's lines, page by page: the first page decides about the widths, as in kubectl."""

    def __init__(self, columns: Sequence[Column], *, wide: bool, colour: bool) -> None:
        self.columns = [column for column in columns if wide or not column.wide]
        self.colour = colour
        self.widths: list[int] = []

    def lines(self, rows: Iterable[Json], now: datetime) -> Iterator[Line]:
        """The page's lines; the first page has the titles above it."""
        cells = [[column.value(row, now) or NOTHING for column in self.columns] for row in rows]
        if not cells:
            return
        if not self.widths:
            titles = [Line(column.title) for column in self.columns]
            self.widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
            yield self._line(titles, painting=False)
        for row in cells:
            yield self._line(row, painting=self.colour)

    def _line(self, cells: Sequence[Line], *, painting: bool) -> Line:
        parts = []
        for column, cell, width in zip(self.columns, cells, self.widths, strict=True):
            padding = " " * (width - len(cell))
            parts.append(
                (painted(cell, column.tone(cell)) if painting and column.tone else cell) + padding
            )
        return Line(GAP.join(parts).rstrip())
