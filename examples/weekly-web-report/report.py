"""The last seven days of a web server's access logs, as a report for people.

Reads logs/* below the working directory, in the Combined Log Format of nginx and Apache. The seven days end with the day
of the newest line, so that a late run reports the same week. Days are those of the web server's own time zone.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

LOGS = Path("logs")
DAYS = 7
TOP = 10
TEXT = r'((?:[^"\\]|\\.)*)'
LINE = re.compile(rf'([\w.:-]+) \S+ \S+ \[([^\]]+)\] "{TEXT}" (\d{{3}}) (\d+|-) "{TEXT}" "{TEXT}"')
BOT = re.compile(r"bot|crawl|spider|curl|wget|python-requests|monitor", re.IGNORECASE)
ASSET = re.compile(r"\.(css|js|png|jpe?g|svg|ico|woff2?|txt|xml)$")


class Request(NamedTuple):
    day: date
    address: str
    path: str
    status: int
    size: int
    bot: bool


def parse(line: str) -> Request | None:
    """None for a line that is broken."""
    match = LINE.fullmatch(line)
    if match is None:
        return None
    address, time, request, status, size, _, agent = match.groups()
    try:
        day = datetime.strptime(time, "%d/%b/%Y:%H:%M:%S %z").date()
    except ValueError:
        return None
    # What is no HTTP, such as TLS spoken to a plain port, has no path.
    words = request.split(" ")
    path = words[1].partition("?")[0] if len(words) == 3 else "(not HTTP)"
    return Request(day, address, path, int(status), 0 if size == "-" else int(size), bool(BOT.search(agent)))


def read(files: Iterable[Path]) -> tuple[list[Request], list[str]]:
    """The requests of all files, and where the broken lines are."""
    requests, broken = [], []
    for file in files:
        with file.open(encoding="utf-8", errors="backslashreplace", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                request = parse(line.removesuffix("\n"))
                if request:
                    requests.append(request)
                else:
                    broken.append(f"{file.name}:{number}")
    return requests, broken


def named(day: date) -> str:
    return f"{day:%a} {day.day:2} {day:%b}"


def summary(requests: list[Request]) -> Iterator[str]:
    bots = sum(request.bot for request in requests)
    yield f"  requests    {len(requests):12,}"
    yield f"  visitors    {visitors(requests):12,}   addresses, without bots"
    yield f"  bytes sent  {sum(request.size for request in requests):12,}"
    yield f"  from bots   {bots:12,}   {bots / len(requests):.1%} of the requests"


def visitors(requests: Iterable[Request]) -> int:
    return len({request.address for request in requests if not request.bot})


def ranking(counts: Counter[str]) -> Iterator[str]:
    """The most frequent first; of equals the alphabet's first."""
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:TOP]:
        yield f"  {count:6,}  {name}"


def daily(requests: list[Request], days: list[date]) -> Iterator[str]:
    by_day = {day: [request for request in requests if request.day == day] for day in days}
    most = max(map(len, by_day.values()))
    for day, of_day in by_day.items():
        size = sum(request.size for request in of_day)
        bar = "#" * round(24 * len(of_day) / most)
        yield f"  {named(day)} {len(of_day):6,} requests {visitors(of_day):5,} visitors {size:12,} bytes  {bar}".rstrip()


def report(requests: list[Request], days: list[date]) -> Iterator[str]:
    yield f"Web report, {named(days[0])} to {named(days[-1])} {days[-1].year}"
    yield ""
    yield from summary(requests)
    pages = Counter(r.path for r in requests if r.status == 200 and not r.bot and not ASSET.search(r.path))
    errors = Counter(f"{r.status} {r.path}" for r in requests if r.status >= 400)
    classes = Counter(f"{r.status // 100}xx" for r in requests)
    for title, counts in (("Top pages, without bots", pages), ("Answers by status", classes), ("Errors", errors)):
        yield from ("", title, *ranking(counts))
    yield from ("", "Day by day", *daily(requests, days))


def main() -> None:
    files = sorted(path for path in LOGS.glob("*") if path.is_file())
    if not files:
        sys.exit(f"there are no files in {LOGS.resolve()}: put the web server's access logs there")
    requests, broken = read(files)
    if broken:
        shown = ", ".join(broken[:3]) + (", ..." if len(broken) > 3 else "")
        print(f"skipped {len(broken)} broken lines: {shown}", file=sys.stderr)
    if not requests:
        sys.exit(f"none of the {len(broken)} lines in {LOGS.resolve()} is in the Combined Log Format")
    last = max(request.day for request in requests)
    days = [last - timedelta(days=back) for back in reversed(range(DAYS))]
    week = [request for request in requests if request.day in days]
    print(f"left out {len(requests) - len(week)} requests from before {named(days[0])}", file=sys.stderr)
    print("\n".join(report(week, days)))


if __name__ == "__main__":
    main()
