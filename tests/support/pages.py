"""The pages for users, and the commands in them: what a test runs, and what each is to print.

A block in `bash` is run; a block in `text` right behind it is what it prints. Comments, which
readers do not see, say more:

    <!-- before: COMMANDS -->                         run first: what readers bring along
    <!-- exits N -->                                  the exit code of the next block's last command
    <!-- elsewhere: FILE::TEST; why -->               that test runs the next block, not its page
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.root import ROOT

PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NEXT: Final = "----- next block -----"
PARTS: Final = re.compile(
    r"^```(?P<language>\w+)\n(?P<body>.*?)^```$|^<!--"
    r" (?P<word>before|exits|elsewhere):?\s(?P<said>.*?)-->$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """Commands, what they print if the page shows it, and the exit code of the last one.

    `elsewhere`: the test that runs them, and why.
    """

    commands: str
    shown: str | None = None
    code: int = 0
    elsewhere: tuple[str, str] | None = None

    @property
    def script(self) -> str:
        """For `bash -e`."""
        return (
            self.commands
            if not self.code
            else f"set +e\n{self.commands}\ncode=$?; set -e; test $code -eq {self.code}\n"
        )


def blocks(text: str) -> list[Block]:
    """All commands of a page, in their order.

    Output is only what follows its commands with nothing but blank lines between.
    """
    found: list[Block] = []
    said: dict[str, str] = {}
    end = -1
    for part in PARTS.finditer(text):
        language, word = part["language"], part["word"]
        if word == "before":
            found.append(Block(part["said"]))
        elif word:
            said[word] = part["said"].strip()
        elif language == "bash":
            test, _, why = said.pop("elsewhere", "").partition("; ")
            found.append(
                Block(part["body"], None, int(said.pop("exits", 0)), (test, why) if test else None)
            )
            end = part.end()
        elif language == "text" and end >= 0 and not text[end : part.start()].strip():
            found[-1] = Block(found[-1].commands, part["body"], found[-1].code, found[-1].elsewhere)
    assert not said, f"a comment about commands that do not follow: {said}"
    return found


def shown_as(expected: str) -> re.Pattern[str]:
    """`...` stands for anything, also for whole lines. Columns may be wider than in the page."""
    lines = [[re.escape(word) for word in line.split()] for line in expected.splitlines()]
    pattern = "\n".join(" ".join(words) for words in lines)
    return re.compile(pattern.replace(re.escape("..."), ".*?"), re.DOTALL)


def squeezed(text: str) -> str:
    """Without what does not matter: widths of columns, blank ends."""
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def with_commands() -> list[Path]:
    """Pages of which at least one block is run as it stands there."""
    return [
        page for page in PAGES if any(not block.elsewhere for block in blocks(page.read_text()))
    ]
