"""Text for people: what somebody else wrote, and times in words. Pure: `now` is an argument.

What somebody else wrote becomes a `Line` here, by the function that makes cards, and only here:
mypy ensures that nothing else is put on a screen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, NewType

from agentjobs.core.content import confusables as core

Json = Mapping[str, Any]
Tone = Literal["", "active", "good", "bad", "waiting", "quiet", "heading"]
"""What a text is to its reader; each screen has its own colours for it. Empty: nothing special."""
Line = NewType("Line", str)
"""Text that may stand on a terminal: what hides in it or passes for something else is named."""
NOTHING: Final = Line("-")

_BLANKS: Final = re.compile(r"[ \t\n]+")


_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_FINE: Final = 2
"""A time is told in one unit once it is at least twice that unit."""


def visible(text: str) -> Line:
    """Names what moves the cursor, hides text, turns its direction or passes for something else.

    A card must not lie about itself.
    """
    return Line(core.visible(text))


def joined(*parts: Line) -> Line:
    """One line of several."""
    return Line("".join(parts))


def one_line(text: object, limit: int = 0) -> Line:
    """For a cell: without line breaks, cut with an ellipsis when longer than `limit`."""
    line = visible(_BLANKS.sub(" ", str(text)).strip(" ")) if text not in (None, "") else NOTHING
    return Line(line if not limit or len(line) <= limit else f"{line[: limit - 1]}…")


def named(text: object) -> Line:
    """Who or what it is, in a cell: judged as all names are, next to the others' Latin letters."""
    return Line(one_line(f"a {text}")[2:]) if text not in (None, "") else NOTHING


def lines_of(text: str, width: int = 0) -> list[Line]:
    """Of a text of several lines, each. `width`: none is longer; 0 for no limit."""
    found = [visible(line) for line in text.removesuffix("\n").split("\n")]
    return [part for line in found for part in folded(line, width)]


def folded(line: Line, width: int) -> list[Line]:
    """Pieces of at most so many characters.

    A screen would go on at its left edge, where labels stand.
    """
    if not 0 < width < len(line):
        return [line]
    return [Line(line[begin : begin + width]) for begin in range(0, len(line), width)]


def when(text: str | None, now: datetime) -> Line:
    """A time on the wire as distance: `in 3h`, `5m ago`."""
    if not text:
        return NOTHING
    try:
        seconds = (datetime.fromisoformat(text) - now).total_seconds()
    except (ValueError, TypeError):
        return one_line(text)
    return Line(f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago")


def span(seconds: float) -> Line:
    """One unit, rounded down."""
    for size, unit in _UNITS:
        if seconds >= _FINE * size:
            return Line(f"{int(seconds // size)}{unit}")
    return Line(f"{int(seconds)}s")


def between(start: str | None, end: str | None) -> Line:
    """How long something took."""
    if not (start and end):
        return NOTHING
    try:
        return span((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
    except (ValueError, TypeError):
        return NOTHING


def at(body: Json, *path: str) -> Any:
    """What stands there, or None."""
    found: Any = body
    for step in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found
