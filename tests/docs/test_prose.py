"""The words and sentences of the documents are those that CONTRIBUTING asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.root import ROOT

CHART: Final = ROOT / "charts/agentjobs"
PAGES: Final = [
    *(ROOT / f"{name}.md" for name in ("README", "AGENTS", "CONTRIBUTING", "SECURITY")),
    ROOT / "examples/README.md",
    CHART / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
"""Not the records of decisions, which are not edited later."""
WRITTEN: Final = [
    *PAGES,
    ROOT / "CHANGELOG.md",
    CHART / "values.yaml",
    CHART / "templates/NOTES.txt",
]
SECTION: Final = (ROOT / "CONTRIBUTING.md").read_text().partition("## Words\n")[2]
WORDS: Final = re.findall(r"^\|.*\|\n", SECTION.partition("\n## ")[0], re.MULTILINE)
"""The rows of the table."""
UNSAID: Final = frozenset(
    {
        "was told, unless a person was told something",
        "nobody, somebody for a program or a thing",
    }
)
"""Whether these are right depends on who is meant."""
MOST_WORDS: Final = 30
LONGER: Final = frozenset(
    {
        "Some names that begin like these",  # a list of variables
    }
)
"""How the sentences begin that need more."""


def terms() -> dict[str, str]:
    """What the table says not to write, each with what it says to write."""
    rows = [row.strip("|\n ").split(" | ") for row in WORDS]
    unwanted = {cell: wanted for wanted, cell in rows[2:] if cell not in UNSAID}
    return {
        term.removeprefix("it "): wanted
        for cell, wanted in unwanted.items()
        for term in cell.split(", ")
    }


def unwanted(text: str) -> list[str]:
    """Verbs in their other forms, too: `mended` is no better than `mend`."""
    found = []
    for term, wanted in terms().items():
        forms = rf"\b{re.escape(term.removesuffix('s'))}(?:s|ed|ing)?\b"
        written = [word.lower() for word in re.findall(forms, text, re.IGNORECASE)]
        found += [word for word in written if word not in re.findall(r"\w+", wanted)]
    return found


def prose(path: Path) -> str:
    """What a reader reads as sentences: no blocks of code, no code in a line, no YAML."""
    text = path.read_text().replace("".join(WORDS), "")
    if path.suffix == ".yaml":
        return "\n".join(re.findall(r"^ *# ?(.*)$", text, re.MULTILINE))
    text = re.sub(r"\{\{.*?\}\}|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^ {4}[^\s*-].*$", "", text, flags=re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "`code`", text)


def sentences(path: Path) -> Iterator[str]:
    """Of paragraphs, items of lists and cells of tables."""
    text = re.sub(r"\]\([^)]*\)", "]", prose(path))
    text = re.sub(r"^ *\|", "\n|", text, flags=re.MULTILINE)
    text = re.sub(r"^ *(?:[-*]|\d+\.|#+) ", "\n", text, flags=re.MULTILINE)
    blocks = [block for part in re.split(r"\n\s*\n", text) for block in part.split(" | ")]
    for block in blocks:
        yield from re.split(r'(?<=[.!?])["*)]*\s+(?=["*(\[`A-Z0-9])', " ".join(block.split()))


def too_long(path: Path) -> list[str]:
    found = [
        sentence
        for sentence in sentences(path)
        if len(re.findall(r"\S*\w\S*", sentence)) > MOST_WORDS
    ]
    return [sentence for sentence in found if not sentence.startswith(tuple(LONGER))]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_no_word_is_written_that_the_glossary_replaces(path: Path) -> None:
    assert unwanted(prose(path)) == []


def test_the_glossary_is_read_row_by_row() -> None:
    assert {row.strip("|\n ").split(" | ")[-1] for row in WORDS} >= UNSAID
    assert {"anew", "beside", "is no reason", "the page tells"} <= terms().keys()
    assert unwanted("Reckoned anew, and mending it") == ["reckoned", "anew", "mending"]
    assert unwanted("besides, it was recommended; the page says so") == []


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_no_sentence_is_longer_than_it_needs_to_be(path: Path) -> None:
    assert too_long(path) == []


def test_every_exception_is_still_needed() -> None:
    texts = [sentence for path in PAGES for sentence in sentences(path)]
    assert [start for start in LONGER if not any(text.startswith(start) for text in texts)] == []
