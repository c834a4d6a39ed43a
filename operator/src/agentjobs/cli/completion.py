"""`kubectl_complete-saj`: what could follow on the command line.

kubectl runs it with the words so far, the last one unfinished.

The answer is cobra's: one candidate a line, a tab and a description if there is one, and `:4` at
the end, which means no file names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agentjobs.cli import screen
from agentjobs.cli.errors import CliError
from agentjobs.cli.kube import JOBS, PACKAGE_APPROVALS, RUNS, Kube

NO_FILES: Final = ":4"
FILES: Final = ":0"
OUTPUTS: Final = ("table", "wide", "json", "yaml", "name")
OF_JOBS: Final = frozenset(
    "approve cancel cards delete deny diff history logs pause resume run".split()
)
OF_FILES: Final = frozenset("apply digest new render".split())
SHORT: Final = "-n"
"""The option whose value may stand right behind it: -nteam."""
BEFORE: Final = {
    "--namespace": "Namespace; the context's own if left out",
    "--all-namespaces": "Look in all namespaces",
    "--context": "Context of the kubeconfig",
    "--kubeconfig": "Path of the kubeconfig",
    "--version": "Print the version",
    "--help": "Show this message and exit",
}
"""Options that may stand before a command."""
WITH_VALUE: Final = {
    "-n": "namespace",
    "--namespace": "namespace",
    "--context": "context",
    "--kubeconfig": "kubeconfig",
}

Names = Callable[[Kube, str], Sequence[str]]


def candidates(words: Sequence[str], commands: Mapping[str, str], names: Names) -> list[str]:
    """The answer's lines.

    `commands`: each with its help. Pure but for `names`, which asks the cluster for names of a
    collection.
    """
    *before, last = words or [""]
    options, plain = chosen(before)
    if before and before[-1] in ("-o", "--output"):
        return [*(name for name in OUTPUTS if name.startswith(last)), NO_FILES]
    if before and before[-1] in WITH_VALUE:
        return [FILES if before[-1] == "--kubeconfig" else NO_FILES]
    if not plain and last.startswith("-"):
        return [
            *(f"{option}\t{text}" for option, text in BEFORE.items() if option.startswith(last)),
            NO_FILES,
        ]
    if not plain:
        return [
            *(f"{name}\t{text}" for name, text in commands.items() if name.startswith(last)),
            NO_FILES,
        ]
    if plain[0] in OF_FILES:
        return [FILES]
    collections = [JOBS] if plain[0] in OF_JOBS else []
    collections += [RUNS] if plain[0] in ("logs", "cancel") else []
    collections = (
        [PACKAGE_APPROVALS] if plain[0] == "packages" and plain[-1] == "revoke" else collections
    )
    found = [name for collection in collections for name in names(Kube(**options), collection)]
    return [*(name for name in found if name.startswith(last) and name not in plain), NO_FILES]


def chosen(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Which cluster and namespace the words so far name, and the words that are no options."""
    fields, plain, waiting = {}, [], ""
    for word in words:
        option, given, value = word.partition("=")
        if waiting:
            fields[waiting] = word
            waiting = ""
        elif option in WITH_VALUE and given:
            fields[WITH_VALUE[option]] = value
        elif option in WITH_VALUE:
            waiting = WITH_VALUE[option]
        elif word.startswith(SHORT):
            fields[WITH_VALUE[SHORT]] = word.removeprefix(SHORT)
        elif not word.startswith("-"):
            plain.append(word)
    return {
        {"namespace": "chosen"}.get(field, field): value for field, value in fields.items()
    }, plain


def _names(kube: Kube, collection: str) -> list[str]:
    names = [str(item["metadata"]["name"]) for item in kube.all(collection)]
    return [name for name in names if name.isascii() and name.isprintable()]


def main() -> None:
    """For the console script; a failure completes nothing."""
    from agentjobs.cli.main import helps

    try:
        lines = candidates(sys.argv[1:], helps(), _names)
    except CliError:
        lines = [NO_FILES]
    screen.raw("".join(f"{line}\n" for line in lines).encode())
