"""Writes the example's access logs: `python3 make_logs.py DIRECTORY`. The same files on every machine.

Made up from end to end: addresses are those reserved for documentation (RFC 5737, RFC 3849), the site is example.com.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")

SEED = 20261116
FIRST_DAY = datetime(2026, 11, 8, tzinfo=timezone(timedelta(hours=2)))
SITE = "https://www.example.com"
# One number for each day, Sunday to Sunday: how many people come.
PEOPLE = (14, 32, 34, 37, 39, 29, 15, 13)
# And how likely they come, by hour of the day.
HOURS = (1, 1, 0, 0, 0, 1, 2, 5, 9, 11, 12, 11, 9, 10, 11, 11, 10, 8, 7, 7, 8, 7, 4, 2)
OUTAGE = (FIRST_DAY + timedelta(days=4, hours=13), FIRST_DAY + timedelta(days=4, hours=16))

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X)"
BROWSERS = (
    (f"{WINDOWS}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", 9),
    (f"{WINDOWS}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", 4),
    (f"{WINDOWS}; rv:145.0) Gecko/20100101 Firefox/145.0", 3),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", 3),
    (f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15", 4),
    (f"{MAC} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", 3),
    (f"{IPHONE} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1", 8),
    ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36", 8),
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BINGBOT = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
AHREFSBOT = "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)"
GPTBOT = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.3; +https://openai.com/gptbot)"
UPTIME = "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"

# Path, size of its answer in bytes, how popular it is.
PAGES = (
    ("/", 18_214, 30),
    ("/pricing", 11_902, 14),
    ("/docs/", 9_477, 10),
    ("/docs/getting-started", 21_630, 12),
    ("/docs/backups", 17_345, 6),
    ("/docs/upgrade-to-4", 24_011, 5),
    ("/blog/", 13_208, 6),
    ("/blog/2026/11/what-we-learned-from-a-full-disk", 27_590, 16),
    ("/blog/2026/09/release-4-2", 15_873, 4),
    ("/about", 7_041, 4),
    ("/contact", 6_220, 4),
    ("/downloads/agent-4.2.1.tar.gz", 2_418_733, 2),
)
ASSETS = (("/assets/site.4f1c9a.css", 31_877), ("/assets/site.b07e22.js", 88_402), ("/assets/logo.svg", 4_112), ("/favicon.ico", 1_406))
GONE = ("/docs/install", "/blog/feed", "/old-pricing", "/careers")
PROBES = ("/wp-login.php", "/.env", "/phpmyadmin/", "/.git/config", "/xmlrpc.php", "/wp-admin/setup-config.php")
REFERRERS = (
    ("-", 10),
    ("https://www.google.com/", 12),
    ("https://news.ycombinator.com/", 5),
    ("https://duckduckgo.com/", 3),
    ("https://www.bing.com/", 2),
)
SEARCHES = ("backup+schedule", "restore", "upgrade%204", "s3", "d%C3%A9ploiement", "exit+code+137")
TLS_TO_PLAIN_PORT = r"\x16\x03\x01\x00\xEE\x01\x00\x00\xEA\x03\x03"


class Dice:
    """Only `random()` gives the same numbers for a seed in every version of Python."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, limit: int) -> int:
        return int(self._random.random() * limit)

    def chance(self, percent: float) -> bool:
        return self._random.random() * 100 < percent

    def one(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def weighted(self, choices: Sequence[tuple[T, int]]) -> T:
        rest = self.below(sum(weight for _, weight in choices))
        for choice, weight in choices:
            rest -= weight
            if rest < 0:
                return choice
        raise ValueError("a weight is negative")


class Client(NamedTuple):
    address: str
    agent: str


class Entry(NamedTuple):
    at: datetime
    client: Client
    request: str
    status: int
    size: int
    referrer: str = "-"

    def line(self) -> bytes:
        head = f'{self.client.address} - - [{self.at:%d/%b/%Y:%H:%M:%S %z}] "{self.request}"'
        return f'{head} {self.status} {self.size} "{self.referrer}" "{self.client.agent}"'.encode()


def address(dice: Dice) -> str:
    if dice.chance(18):
        return f"2001:db8:{dice.below(4096):x}:{dice.below(65536):x}::{dice.below(65535) + 1:x}"
    return f"{dice.one(('192.0.2', '198.51.100', '203.0.113'))}.{dice.below(254) + 1}"


def moment(dice: Dice, day: datetime) -> datetime:
    hour = dice.weighted(tuple(enumerate(HOURS)))
    return day + timedelta(hours=hour, seconds=dice.below(3600))


def page(dice: Dice, at: datetime, client: Client, path: str, size: int, referrer: str) -> Entry:
    """A page of the site; during the outage its application answers now and then."""
    if OUTAGE[0] <= at < OUTAGE[1] and dice.chance(60):
        return Entry(at, client, f"GET {path} HTTP/2.0", 502, 552, referrer)
    return Entry(at, client, f"GET {path} HTTP/2.0", 200, size + dice.below(400), referrer)


def visit(dice: Dice, client: Client, at: datetime) -> Iterator[Entry]:
    """What one person does in one sitting."""
    referrer = dice.weighted(REFERRERS)
    pages = tuple(((path, size), weight) for path, size, weight in PAGES)
    cached = dice.chance(35)
    for number in range(1 + dice.below(5)):
        path, size = dice.weighted(pages)
        yield page(dice, at, client, path, size, referrer)
        if number == 0:
            for asset, asset_size in ASSETS:
                status, sent = (304, 0) if cached else (200, asset_size)
                yield Entry(at + timedelta(seconds=1), client, f"GET {asset} HTTP/2.0", status, sent, SITE + path)
        referrer = SITE + path
        at += timedelta(seconds=8 + dice.below(150))
    yield from _ending(dice, client, at, referrer)


def _ending(dice: Dice, client: Client, at: datetime, referrer: str) -> Iterator[Entry]:
    if dice.chance(16):
        failed = dice.chance(22)
        status, size = (500, 1_093) if failed else (200, 5_300 + dice.below(9_000))
        yield Entry(at, client, f"GET /search?q={dice.one(SEARCHES)} HTTP/2.0", status, size, referrer)
    if dice.chance(10):
        yield Entry(at + timedelta(seconds=5), client, f"GET {dice.one(GONE)} HTTP/2.0", 404, 3_310, referrer)
    if dice.chance(7):
        yield Entry(at + timedelta(seconds=40), client, "POST /contact HTTP/2.0", 303, 0, f"{SITE}/contact")
    if dice.chance(9):
        yield Entry(at + timedelta(seconds=9), client, "GET /docs HTTP/2.0", 301, 162, referrer)


def crawlers(dice: Dice, day: datetime) -> Iterator[Entry]:
    google, bing = Client("203.0.113.66", GOOGLEBOT), Client("203.0.113.157", BINGBOT)
    yield Entry(day + timedelta(hours=3, seconds=dice.below(3600)), google, "GET /robots.txt HTTP/1.1", 200, 118)
    yield Entry(day + timedelta(hours=4, seconds=dice.below(3600)), bing, "GET /sitemap.xml HTTP/2.0", 200, 2_904)
    for client, count in ((google, 9), (bing, 6), (Client("2001:db8:a1::7", AHREFSBOT), 5), (Client("198.51.100.201", GPTBOT), 7)):
        for _ in range(count):
            path, size, _ = dice.one(PAGES[:-1])
            yield page(dice, day + timedelta(seconds=dice.below(86_400)), client, path, size, "-")


def machines(dice: Dice, day: datetime) -> Iterator[Entry]:
    """Monitoring, scripts, and those who look for a way in."""
    for hour in range(24):
        at = day + timedelta(hours=hour, minutes=7, seconds=hour % 3)
        down = OUTAGE[0] <= at < OUTAGE[1]
        yield Entry(at, Client("192.0.2.10", UPTIME), "HEAD / HTTP/1.1", 502 if down else 200, 0)
    yield Entry(day + timedelta(hours=2, minutes=30), Client("198.51.100.23", "curl/8.14.1"), "GET /docs/backups HTTP/1.1", 200, 17_345)
    visitor = Client(address(dice), "python-requests/2.32.3" if dice.chance(50) else "Mozilla/5.0")
    at = moment(dice, day)
    for number in range(2 + dice.below(5)):
        yield Entry(at + timedelta(seconds=number), visitor, f"GET {dice.one(PROBES)} HTTP/1.1", 404, 3_310)
    if dice.chance(60):
        yield Entry(moment(dice, day), Client(address(dice), "-"), TLS_TO_PLAIN_PORT, 400, 157)


def broken(dice: Dice, good: bytes) -> bytes:
    """As a full disk, two writers of one file, or a stray program leave a line behind."""
    kind = dice.below(4)
    if kind == 0:
        return good[: 40 + dice.below(60)]
    if kind == 1:
        return good[:70] + good
    if kind == 2:
        return good.replace(b"/Nov/", b"/Smarch/")
    return b"\xff\xfe" + good


def day_of_lines(dice: Dice, day: datetime, people: int) -> list[bytes]:
    entries = [*crawlers(dice, day), *machines(dice, day)]
    for _ in range(people):
        client = Client(address(dice), dice.weighted(BROWSERS))
        entries += visit(dice, client, moment(dice, day))
    end = day + timedelta(days=1)
    lines = [entry.line() for entry in sorted(entries, key=lambda entry: entry.at) if entry.at < end]
    for _ in range(dice.below(3)):
        position = dice.below(len(lines))
        lines[position] = broken(dice, lines[position])
    return lines


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    dice = Dice(SEED)
    for number, people in enumerate(PEOPLE):
        day = FIRST_DAY + timedelta(days=number)
        lines = day_of_lines(dice, day, people)
        (folder / f"access-{day:%Y-%m-%d}.log").write_bytes(b"\n".join(lines) + b"\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
