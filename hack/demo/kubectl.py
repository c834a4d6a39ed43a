"""kubectl as the demo calls it, and the manifests that it writes."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hack.demo.screen import DemoError, Screen

ROOT = Path(__file__).resolve().parents[2]
TELL_SECONDS = 5
PLAIN = re.compile(
    r"(?!(y|n|yes|no|on|off|true|false|null)$)[A-Za-z/]([-\w./]|:(?=\w))*", re.IGNORECASE
)
"""A text that YAML takes for nothing else, so it needs no quotes."""
Object = Mapping[str, Any]


class Kubectl:
    """kubectl in the demo's namespace.

    Each command is shown; one that fails raises DemoError with kubectl's own words.
    """

    def __init__(self, screen: Screen, namespace: str) -> None:
        self.screen = screen
        self.namespace = namespace

    def __call__(self, *words: str, stdin: str = "", look: str = "", quiet: bool = False) -> str:
        """What it prints. `quiet`: it is not shown, since we show it in another form."""
        self.screen.command(self.typed(*words) + (f" <<'END'\n{stdin}END" if stdin else ""))
        output = self._run(words, stdin, look or self.typed("get", "events"))
        if not quiet:
            self.screen.answer(output)
        return output

    def typed(self, *words: str) -> str:
        return shlex.join(self._command(words))

    def _command(self, words: tuple[str, ...]) -> list[str]:
        everywhere = "--all-namespaces" in words
        return ["kubectl", *(() if everywhere else ("-n", self.namespace)), *words]

    def json(self, *words: str, look: str = "") -> Any:
        return json.loads(self(*words, "-o", "json", look=look, quiet=True))

    def apply(self, manifest: Object, look: str = "") -> None:
        self("apply", "-f", "-", stdin=yaml(manifest), look=look)

    def _run(self, words: tuple[str, ...], stdin: str, look: str) -> str:
        pipe, rest = subprocess.PIPE, stdin or None
        with subprocess.Popen(
            self._command(words), stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT
        ) as process:
            while True:
                try:
                    output, errors = process.communicate(rest, timeout=TELL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    rest = None
                    self.screen.waiting()
        if process.returncode:
            # Lines of kubectl's log, which begin like E1122, say less than its last words.
            last = [line for line in errors.splitlines() if not re.match(r"[EWI]\d{4} ", line)]
            said = " ".join(last) or f"exit code {process.returncode}"
            raise DemoError(f"`{self.typed(*words)}` failed: {said}", look)
        return output


def yaml(value: Object) -> str:
    """Block style, as people write it."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Object) -> Iterator[str]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield f"{key}:"
            yield from (f"  {line}" for line in _lines(inner))
        elif isinstance(inner, list) and inner and isinstance(inner[0], Mapping):
            yield f"{key}:"
            for item in inner:
                first, *others = _lines(item)
                yield from (f"  - {first}", *(f"    {line}" for line in others))
        else:
            # JSON is YAML, too.
            plain = isinstance(inner, str) and PLAIN.fullmatch(inner)
            yield f"{key}: {inner if plain else json.dumps(inner)}"
