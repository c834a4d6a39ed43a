"""The example's access logs, counted without the example's script.

That is done by grep and awk, a line's parts told apart by its quotes.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from functools import cache
from typing import Final

from tests.support.root import ROOT

EXAMPLE: Final = ROOT / "examples" / "weekly-web-report"
LOGS: Final = EXAMPLE / "logs"

# Nothing of the script's is used, so what its report covers is said here once more: 9 to 15
# November 2026.
_GOOD: Final = (
    r'^[0-9a-f.:]+ - - \[[0-3][0-9]/(Oct|Nov|Dec)/2026(:[0-9]{2}){3} [+-][0-9]{4}\] "[^"]*"'
    r' [0-9]{3} [0-9]+ "[^"]*" "[^"]*"$'
)
_WEEK: Final = r"^[^ ]+ - - \[(09|1[0-5])/Nov/2026"
_BY_BOT: Final = "tolower($6) ~ /bot|crawl|spider|curl|wget|python-requests|monitor/"
_FIELDS: Final = (
    'split($1, head, " "); split($2, request, " "); split($3, answer, " "); sub(/[?].*/, "",'
    " request[2]); path = request[2];"
)
_NOT_HTTP: Final = 'if (request[3] == "") path = "(not HTTP)";'

Counts = dict[str, int]


def _pipe(*commands: list[str]) -> str:
    """The last command's output; the first reads all log files."""
    data = b"".join(path.read_bytes() for path in sorted(LOGS.iterdir()))
    for command in commands:
        # LC_ALL: some lines are no UTF-8.
        data = subprocess.run(
            command,
            input=data,
            stdout=subprocess.PIPE,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            check=True,
        ).stdout
    return data.decode()


@cache
def _awk(program: str) -> str:
    """What awk prints of the week's good lines."""
    return _pipe(
        ["grep", "-aE", _GOOD],
        ["grep", "-E", _WEEK],
        ["awk", "-F", '"', f"{{ {_FIELDS} {_NOT_HTTP} {program} }}"],
    )


def _tally(lines: str) -> Counts:
    found: Counts = {}
    for line in lines.splitlines():
        found[line] = found.get(line, 0) + 1
    return found


def broken() -> int:
    return int(_pipe(["grep", "-avcE", _GOOD]))


def before_the_week() -> int:
    return int(_pipe(["grep", "-aE", _GOOD], ["grep", "-vcE", _WEEK]))


def totals() -> Counts:
    sizes = _awk("print answer[2]").split()
    people = set(_awk(f"if (!({_BY_BOT})) print head[1]").split())
    bots = _awk(f"if ({_BY_BOT}) print head[1]").split()
    return {
        "requests": len(sizes),
        "visitors": len(people),
        "bytes sent": sum(map(int, sizes)),
        "from bots": len(bots),
    }


def pages() -> Counts:
    asset = r"path !~ /[.](css|js|png|jpe?g|svg|ico|woff2?|txt|xml)$/"
    return _tally(_awk(f'if (answer[1] == "200" && {asset} && !({_BY_BOT})) print path'))


def classes() -> Counts:
    return _tally(_awk('print substr(answer[1], 1, 1) "xx"'))


def errors() -> Counts:
    return _tally(_awk('if (answer[1] >= 400) print answer[1] " " path'))


def requests_by_day() -> Counts:
    return _tally(_awk("print substr(head[4], 2, 2)"))


def visitors_by_day() -> Counts:
    seen = set(_awk(f"if (!({_BY_BOT})) print substr(head[4], 2, 2), head[1]").splitlines())
    return _tally("\n".join(line.split()[0] for line in seen))


def bytes_by_day() -> Counts:
    found: Counts = {}
    for line in _awk("print substr(head[4], 2, 2), answer[2]").splitlines():
        day, size = line.split()
        found[day] = found.get(day, 0) + int(size)
    return found


class Report:
    """The figures in the text that the example's script prints."""

    def __init__(self, text: str) -> None:
        self.title, *sections = re.split(r"\n\n(?=\S)|\n\n(?=  requests)", text.strip("\n"))
        self._sections = {
            section.splitlines()[0]: section.splitlines()[1:] for section in sections[1:]
        }
        self.bot_percent = float(re.findall(r"([\d.]+)% of the requests", sections[0])[0])
        self.totals = {
            row[0]: _number(row[1])
            for row in re.findall(r"^  (\S+(?: \S+)?) {2,}([\d,]+)", sections[0], re.MULTILINE)
        }

    def ranking(self, title: str) -> list[tuple[str, int]]:
        return [
            (name, _number(count))
            for count, name in (line.split(maxsplit=1) for line in self._sections[title])
        ]

    def by_day(self, what: str) -> Counts:
        """Requests, visitors or bytes by day of the month; in a row a figure precedes its word."""
        rows = [line.split() for line in self._sections["Day by day"]]
        return {f"{int(row[1]):02}": _number(row[row.index(what) - 1]) for row in rows}


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def top(counts: Counts, places: int = 10) -> list[tuple[str, int]]:
    """The most frequent first; of equals the alphabet's first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:places]


def differences(text: str) -> list[str]:
    """Where a report says something else than was counted here."""
    report = Report(text)
    counted = totals()
    compared: Iterable[tuple[str, object, object]] = (
        ("title", report.title, "Web report, Mon  9 Nov to Sun 15 Nov 2026"),
        ("totals", report.totals, counted),
        (
            "percentage",
            report.bot_percent,
            round(100 * counted["from bots"] / counted["requests"], 1),
        ),
        ("pages", report.ranking("Top pages, without bots"), top(pages())),
        ("classes", report.ranking("Answers by status"), top(classes())),
        ("errors", report.ranking("Errors"), top(errors())),
        ("requests by day", report.by_day("requests"), requests_by_day()),
        ("visitors by day", report.by_day("visitors"), visitors_by_day()),
        ("bytes by day", report.by_day("bytes"), bytes_by_day()),
    )
    return [
        f"{what}: reported {said}, counted {truth}"
        for what, said, truth in compared
        if said != truth
    ]
