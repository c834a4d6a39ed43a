"""The part of docs/reliability.md that is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from tests.cluster.faults.case import Verdict
from tests.cluster.faults.faults import KILL

BEGIN: Final = "<!-- Written by `make faults`, up to the next comment. -->"
END: Final = "<!-- The rest is written by people. -->"
NOTHING: Final = "nothing"
COLUMNS: Final = ("lost", "doubled", "unapproved", "miscounted", "left")
HEAD: Final = "| {0} | tried | lost | doubled | unapproved | miscounted | lasting difference |\n"
LINE: Final = "| --- | --- | --- | --- | --- | --- | --- |\n"


def group(fault: str) -> str:
    """Kills are told together, whatever their write."""
    return next((f"{kind} a write, each of them" for kind in KILL if fault.startswith(kind)), fault)


def counted(verdicts: Iterable[Verdict], of: Callable[[Verdict], str], title: str) -> str:
    """One line for each of what `of` says, in the order of its first verdict."""
    rows: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        rows.setdefault(of(verdict), []).append(verdict)
    text = HEAD.format(title) + LINE
    for name, found in rows.items():
        counts = [sum(bool(each.counts(kind)) for each in found) for kind in COLUMNS]
        text += f"| {name} | {' | '.join(map(str, (len(found), *counts)))} |\n"
    return text


def measured(
    verdicts: Iterable[Verdict], order: list[str], machine: str, day: str, at_once: int
) -> str:
    """Both tables.

    `order`: the faults' names; what met nothing was not tried. `at_once`: cases side by side.
    """
    flows = [each for each in verdicts if each.fault == NOTHING or each.struck]
    struck = [each for each in flows if each.fault != NOTHING]
    missed = sum(not each.struck and each.fault != NOTHING for each in verdicts)

    def place(verdict: Verdict) -> tuple[int, str]:
        known = verdict.fault in order
        return (order.index(verdict.fault) if known else -1), group(verdict.fault)

    seconds = sorted(each.seconds for each in struck)
    middle = seconds[len(seconds) // 2] if seconds else 0
    plain = [each for each in flows if each.fault == NOTHING]
    planned = sum(len(order) + len(KILL) * len(each.writes) for each in plain)
    return (
        f"Measured on {day}: {machine}.\n\n"
        f"{len(struck)} cases of {planned}, each with an operator and a namespace of its own,"
        f" {at_once} at a time, "
        f"{middle:.0f} s each (median). {missed} more met nothing,\n"
        "since the flow did not come to what was to be struck, and are not counted.\n\n"
        f"{counted(struck, lambda each: each.flow, 'flow')}\n"
        f"{counted(sorted(struck, key=place), lambda each: group(each.fault), 'fault')}"
    )


def written(page: str, part: str) -> str:
    """The page with this part in the place of its last one."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{part}\n{END}{tail}"
