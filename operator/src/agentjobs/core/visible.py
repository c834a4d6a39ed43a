"""Text as an approver should see it: characters that hide, or that pass for others, are shown as what they are.

Shown as `<U+200B ZERO WIDTH SPACE>`, a repetition as `<U+200B ZERO WIDTH SPACE x12>`:

1. What has no glyph or moves text: control characters but line breaks and tabs, format characters (zero-width, direction, tags),
   surrogates, private and unassigned ones, separators and spaces but U+0020, variation selectors and the other characters that
   Unicode lets a program ignore, enclosing marks, and a combining mark that follows no letter.
2. A letter or digit that Unicode calls another form of ASCII ones: full-width, mathematical, ligatures. Python reads them as those.
3. In a word that mixes scripts, or that stands beside Latin letters on its line and has only letters that look Latin: its letters of
   Cyrillic, Greek, Armenian, Cherokee, Coptic, Lisu and Deseret. A word with another letter of its script is plainly not Latin.
4. Punctuation and symbols that Unicode calls another form of ASCII ones, or that look like them and have no use in running text:
   a Greek question mark, a division slash, a modifier letter apostrophe, a minus sign. Quotation marks, dashes and the ellipsis of usual
   typography stay as they are; so do full-width forms among letters of East Asia and the punctuation of other scripts, with no ASCII
   character but a space beside them.
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
_LIKE_PUNCTUATION: Final = frozenset(
    map(
        chr,
        (
            *(0x2044, 0x2215, 0x2571, 0x27CB, 0x29F8, 0x1735),  # /
            *(0x2216, 0x27CD, 0x29F5, 0x29F9),  # backslash
            *(0x16EC, 0x1803, 0x1809, 0x205A, 0x2236, 0x02D0, 0xA789, 0xA4FD),  # :
            0xA4F8,  # .
            0xA4F9,  # ,
            *(0x02B9, 0x02BB, 0x02BC, 0x02BD, 0x02BE, 0x02C8, 0x02CA, 0x02CB, 0x02F4, 0x07F4, 0x07F5),  # '
            *(0x1FBD, 0x1FBF, 0x1FFE, 0x144A, 0x16CC, 0xA78C, 0x201B, 0x2032, 0x2035),  # '
            *(0x02BA, 0x02DD, 0x02EE, 0x02F6, 0x201F, 0x2033, 0x2036),  # "
            *(0x02D7, 0x2010, 0x2011, 0x2012, 0x2043, 0x2212, 0x2796),  # -
            *(0x01C3, 0x2D51),  # !
            *(0x01C0, 0x2223, 0x2D4F, 0x07FA),  # | and _
            *(0x2768, 0x2769, 0x2772, 0x2773, 0x2774, 0x2775),  # brackets
            *(0x204E, 0x2217, 0x2052, 0x16ED, 0x2795),  # * % +
            *(0x1400, 0x2E40, 0x30A0, 0xA4FF),  # =
            *(0x02C2, 0x02C3, 0x276E, 0x276F, 0x1438, 0x1433),  # < and >
            *(0x02C4, 0x02C6, 0x02DC, 0x2053, 0x223C),  # ^ and ~
        ),
    )
)
_OF_OTHER_SCRIPTS: Final = frozenset("\u0589\u055a\u055d\u05c3\u05f3\u05f4\u060d\u066a\u066b\u066d\u06d4\u0701\u0702\u0703\u0704\u0387")
"""Punctuation of Armenian, Hebrew, Arabic, Syriac and Greek that looks like ASCII ones: usual among letters of theirs."""
_TYPOGRAPHY: Final = frozenset("\u2026")
"""Unicode calls the ellipsis three full stops; it is usual."""
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
    marks = [
        at in told or _is_hidden(character, line[at - 1] if at else "") or _passes_for_punctuation(line, at)
        for at, character in enumerate(line)
    ]
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
    if character in _LIKE_PUNCTUATION:
        return True
    return category[0] in "LN" and _is_form_of_ascii(character)


def _is_form_of_ascii(character: str) -> bool:
    return unicodedata.normalize("NFKC", character).isascii()


def _passes_for_punctuation(line: str, at: int) -> bool:
    character = line[at]
    if character.isascii() or not (character in _OF_OTHER_SCRIPTS or _is_form_of_ascii_punctuation(character)):
        return False
    around = [line[place] for place in (at - 1, at + 1) if 0 <= place < len(line)]
    if any(beside.isascii() and beside != " " for beside in around):
        return True
    return character not in _OF_OTHER_SCRIPTS and not any(map(_is_east_asian, line))


def _is_form_of_ascii_punctuation(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "PS" and category != "So" and character not in _TYPOGRAPHY and _is_form_of_ascii(character)


def _is_east_asian(character: str) -> bool:
    return unicodedata.category(character) == "Lo" and unicodedata.east_asian_width(character) == "W"


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
