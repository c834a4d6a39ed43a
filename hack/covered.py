"""Which lines and branches the tests have reached, by folder of the product: `make coverage`.

It reads the JSON report of coverage.py, which has one entry for each file.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, Final

PACKAGE: Final = PurePath("operator/src")
FIGURES: Final = ("num_statements", "covered_lines", "num_branches", "covered_branches")
ROW: Final = "{:<32} {:>7} {:>8} {:>9} {:>8}"


def by_folder(report: dict[str, Any]) -> dict[str, Counter[str]]:
    """The figures of each folder's own files, without those of the folders in it."""
    found: dict[str, Counter[str]] = {}
    for path, file in report["files"].items():
        folder = str(PurePath(path).parent.relative_to(PACKAGE))
        summary = {name: file["summary"][name] for name in FIGURES}
        found.setdefault(folder, Counter()).update(summary)
    return dict(sorted(found.items()))


def table(report: dict[str, Any]) -> Iterator[str]:
    """The lines of a table, with the sum of all folders at its end."""
    folders = by_folder(report)
    yield ROW.format("folder", "lines", "reached", "branches", "reached")
    for folder, figures in folders.items():
        yield _row(folder, figures)
    yield _row("all", sum(folders.values(), Counter()))


def _row(name: str, figures: Counter[str]) -> str:
    lines, covered, branches, taken = (figures[figure] for figure in FIGURES)
    return ROW.format(name, lines, _share(covered, lines), branches, _share(taken, branches))


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def main(arguments: list[str]) -> None:
    """Prints the table of a report in a file."""
    (file,) = arguments
    for line in table(json.loads(Path(file).read_text())):
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
