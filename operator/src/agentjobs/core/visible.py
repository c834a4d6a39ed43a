"""Text as an approver should see it: characters that hide, or that pass for others, are shown as what they are.

Shown as `<U+200B ZERO WIDTH SPACE>`, a repetition as `<U+200B ZERO WIDTH SPACE x12>`:

1. What has no glyph or moves text: control characters but line breaks and tabs, format characters (zero-width, direction, tags),
   surrogates, private and unassigned ones, separators and spaces but U+0020, variation selectors and the other characters that
   Unicode lets a program ignore, enclosing marks, and a combining mark that follows no letter.
2. A letter or digit that Unicode calls another form of ASCII ones: full-width, mathematical, ligatures. Python reads them as those.
3. In a word that mixes scripts, or that stands beside Latin letters on its line and has only letters that look Latin: its letters of
   Cyrillic, Greek, Armenian, Cherokee, Coptic, Lisu and Deseret. A word with another letter of its script is plainly not Latin.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "Me"})
_IGNORABLE: Final = frozenset(
    [
        0x034F,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        0x2800,
        0x3164,
        0xFFA0,
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    ]
)
"""Letters and marks without a glyph: of Default_Ignorable_Code_Point those that are not format characters; and the empty Braille cell."""
_KEPT: Final = frozenset("\n\t ")
_ALIKE_SCRIPTS: Final = frozenset({"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "DESERET"})
_LATIN_LOOKS: Final = frozenset("авеԁһіјӏорԛсуѕԝхԍАВЕЅІЈКМНОРСТУХԚԜԌγονραικυΑΒΕΖΗΙΚΜΝΟΡΤΥΧոսցօհքՕՏՍ")
"""Letters of Cyrillic, Greek and Armenian that look like a Latin one in usual fonts (Unicode's UTS 39, single characters)."""
_WORD: Final = re.compile(r"\w+")


def visible(text: str) -> str:
    """Line breaks and tabs stay as they are."""
    if text.isascii() and text.isprintable():
        return text
    return "\n".join(map(_line, text.split("\n")))


def cut(text: str, characters: int) -> str:
    """At most so many; says how many are missing."""
    return text if len(text) <= characters else f"{text[: characters - 40]}... ({len(text) - characters + 40} more characters)"


def _line(line: str) -> str:
    told = {at for word in _WORD.finditer(line) for at in _passing_for_latin(line, word)}
    marks = [at in told or _is_hidden(character, line[at - 1] if at else "") for at, character in enumerate(line)]
    shown = groupby(zip(line, marks, strict=True))
    return "".join(_named(character, len(list(same))) if mark else character * len(list(same)) for (character, mark), same in shown)


def _named(character: str, count: int) -> str:
    name = unicodedata.name(character, "CONTROL" if unicodedata.category(character) == "Cc" else "WITHOUT NAME")
    return f"<U+{ord(character):04X} {name}{f' x{count}' if count > 1 else ''}>"


def _is_hidden(character: str, before: str) -> bool:
    if character in _KEPT:
        return False
    if character.isascii():
        return not character.isprintable()
    category = unicodedata.category(character)
    if category in _HIDDEN or ord(character) in _IGNORABLE:
        return True
    if category == "Mn":
        return not (before and unicodedata.category(before)[0] in "LM")
    return category[0] in "LN" and unicodedata.normalize("NFKC", character).isascii()


def _passing_for_latin(line: str, word: re.Match[str]) -> list[int]:
    if word[0].isascii():
        return []
    scripts = {script for character in word[0] if (script := _script(character))}
    alike = [at for at in range(word.start(), word.end()) if _script(line[at]) in _ALIKE_SCRIPTS]
    if len(scripts) > 1:
        return alike
    beside_latin = any(_script(character) == "LATIN" for character in line)
    return alike if beside_latin and all(line[at] in _LATIN_LOOKS for at in alike) else []


@lru_cache(4096)
def _script(character: str) -> str:
    """The script of a letter, as its name begins; empty for digits and all else."""
    return unicodedata.name(character, "").partition(" ")[0] if character.isalpha() else ""
