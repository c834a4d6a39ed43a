"""A difference in colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from agentjobs.cli.text import painted
from agentjobs.present.text import Line, Tone, folded, joined, visible

_TONES: Final[tuple[tuple[str, Tone], ...]] = (
    ("+++", "heading"),
    ("---", "heading"),
    ("@@", "active"),
    ("+", "good"),
    ("-", "bad"),
)


def coloured(
    lines: Iterable[Line], *, colour: bool, width: int = 0, margin: str = ""
) -> Iterator[Line]:
    """Added lines green, removed ones red.

    `width` of the screen; what is longer goes on below, behind the same sign.
    """
    for line in lines:
        shade: Tone = (
            next((tone for start, tone in _TONES if line.startswith(start)), "") if colour else ""
        )
        first, *rest = folded(line, width - len(margin) if width else 0)
        yield joined(visible(margin), painted(first, shade))
        for part in rest:
            yield joined(visible(margin), painted(part, shade))
