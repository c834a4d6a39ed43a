"""What the demo shows: steps, commands and answers."""

from __future__ import annotations

import time
from collections.abc import Mapping


class DemoError(Exception):
    """What went wrong, in a sentence, and what to look at."""

    def __init__(self, what: str, look: str) -> None:
        super().__init__(f"{what}\nLook at: {look}")


class Screen:
    """Steps with the seconds since the beginning, commands at the margin, answers indented."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._step = 0

    def _stamp(self) -> str:
        return f"[{time.monotonic() - self._started:5.1f} s]"

    def step(self, title: str) -> None:
        self._step += 1
        print(f"\n{self._stamp()} {self._step}. {title}", flush=True)

    def command(self, text: str) -> None:
        print(f"$ {text}", flush=True)

    def answer(self, text: str) -> None:
        for line in text.splitlines():
            print(f"    {line}".rstrip(), flush=True)

    def waiting(self) -> None:
        print(f"{self._stamp()} still waiting", flush=True)

    def end(self) -> None:
        print(f"\n{self._stamp()} done")


def table(rows: Mapping[str, object]) -> str:
    """What has a value, one line each; of a list one line for each entry."""
    lines = []
    for name, value in rows.items():
        entries = value if isinstance(value, list) else [value]
        for number, entry in enumerate(entries):
            if entry is not None and entry != "":
                lines.append(f"{'' if number else name:<16} {entry}")
    return "\n".join(lines)
