"""Text for people: columns, colours, times in words. Pure: `now` is an argument, and whether to colour, too."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

Json = Mapping[str, Any]

NOTHING: Final = "-"
GAP: Final = "   "
_COLOURS: Final = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_FINE: Final = 2
"""A time is told in one unit once it is at least twice that unit."""


@dataclass(frozen=True, slots=True)
class Column:
    """`value` gets the row and `now`. `colour` gets the value's text; a wide column shows with `-o wide` only."""

    title: str
    value: Callable[[Json, datetime], str]
    wide: bool = False
    colour: Callable[[str], str] | None = None


def painted(text: str, colour: str) -> str:
    """With ANSI codes; an empty colour is none."""
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if colour else text


def visible(text: str) -> str:
    """What would move the cursor, hide text or turn its direction is shown as an escape: a card must not lie about itself."""
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"):
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"


def one_line(text: object, limit: int = 0) -> str:
    """For a cell: without line breaks, cut with an ellipsis when longer than `limit`."""
    line = " ".join(visible(str(text)).split()) if text not in (None, "") else NOTHING
    return line if not limit or len(line) <= limit else f"{line[: limit - 1]}…"


class Table:
    """Lines of a table whose pages come one after the other: the first page decides about the widths, as kubectl does."""

    def __init__(self, columns: Sequence[Column], *, wide: bool, colour: bool) -> None:
        self.columns = [column for column in columns if wide or not column.wide]
        self.colour = colour
        self.widths: list[int] = []

    def lines(self, rows: Iterable[Json], now: datetime) -> Iterator[str]:
        """The page's lines; the first page has the titles above it."""
        cells = [[column.value(row, now) or NOTHING for column in self.columns] for row in rows]
        if not cells:
            return
        if not self.widths:
            titles = [column.title for column in self.columns]
            self.widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
            yield self._line(titles, painting=False)
        for row in cells:
            yield self._line(row, painting=self.colour)

    def _line(self, cells: Sequence[str], *, painting: bool) -> str:
        parts = []
        for column, cell, width in zip(self.columns, cells, self.widths, strict=True):
            padding = " " * (width - len(cell))
            parts.append((painted(cell, column.colour(cell)) if painting and column.colour else cell) + padding)
        return GAP.join(parts).rstrip()


def when(text: str | None, now: datetime) -> str:
    """A time on the wire as distance: `in 3h`, `5m ago`."""
    if not text:
        return NOTHING
    try:
        seconds = (datetime.fromisoformat(text) - now).total_seconds()
    except (ValueError, TypeError):
        return one_line(text)
    return f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"


def span(seconds: float) -> str:
    """One unit, rounded down."""
    for size, unit in _UNITS:
        if seconds >= _FINE * size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def between(start: str | None, end: str | None) -> str:
    """How long something took."""
    if not (start and end):
        return NOTHING
    return span((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def at(body: Json, *path: str) -> Any:
    """What stands there, or None."""
    found: Any = body
    for step in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found
