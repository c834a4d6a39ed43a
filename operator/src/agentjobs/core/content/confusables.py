"""Shows text as an approver should see it: characters that hide, or pass for others, by name.

Shown as `<U+200B ZERO WIDTH SPACE>`, a repetition as `<U+200B ZERO WIDTH SPACE x12>`:

1. What has no glyph or moves text: control characters except line breaks and tabs, format
   characters (zero-width, direction, tags), surrogates, private and unassigned ones, separators and
   spaces except U+0020, variation selectors and the other characters that Unicode lets a program
   ignore, enclosing marks, and a combining mark that follows no letter, or that is the fifth on
   one: piles of them cover the lines above.
2. A letter or digit that Unicode calls another form of ASCII ones: full-width, mathematical,
   ligatures. Python reads them as those.
3. In a word with a Latin letter: each letter or digit that is neither ASCII, nor an ASCII letter
   with marks, nor of East Asia, nor one of the few further ones of European languages that look
   like no other. The dotless i is none of them. In a word with ASCII digits: each other digit.
   Marks of whatever script join a word and do not end it. In a word that mixes other scripts, or
   that stands next to Latin letters on its line and has only letters that look Latin: its letters
   of Cyrillic, Greek, Armenian, Cherokee, Coptic, Lisu and Deseret. A word with another letter of
   its script is plainly not Latin.
4. Punctuation and symbols that Unicode calls another form of ASCII ones, or that look like them and
   have no use in running text: a Greek question mark, a division slash, a modifier letter
   apostrophe, a minus sign. Quotation marks, dashes and the ellipsis of usual typography stay as
   they are; so do full-width forms among letters of East Asia and the punctuation of other scripts,
   with no ASCII character except a space next to them.

Takes time in proportion to the text: what is asked of a whole line or word is asked once, of its
set of characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "Me"})
_IGNORABLE: Final = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
        *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
        0x2800,  # the empty Braille cell
    )
)
"""Letters and marks without a glyph.

Except the last they are the Default_Ignorable_Code_Point ones that are not format characters."""
_KEPT: Final = frozenset("\n\t ")
_ALIKE_SCRIPTS: Final = frozenset(
    {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "DESERET"}
)
_LATIN_LOOKS: Final = frozenset(
    "авеԁһіјӏорԛсуѕԝхԍАВЕЅІЈКМНОРСТУХԚԜԌγονραικυΑΒΕΖΗΙΚΜΝΟΡΤΥΧոսցօհքՕՏՍ"
)
"""Letters of Cyrillic, Greek and Armenian that look like a Latin one in usual fonts.

Of Unicode's UTS 39, the single characters."""
_EUROPEAN: Final = frozenset("ßẞæÆœŒøØłŁđĐðÐþÞħĦŋŊŧŦəƏµ")
"""Letters of European languages, and the micro sign, that look like no other.

To Unicode they are not ASCII letters with marks."""
_LIKE_PUNCTUATION: Final = frozenset(
    map(
        chr,
        (
            *(0x2044, 0x2215, 0x2571, 0x27CB, 0x29F8, 0x1735),  # /
            *(0x2216, 0x27CD, 0x29F5, 0x29F9),  # backslash
            *(0x16EC, 0x1803, 0x1809, 0x205A, 0x2236, 0x02D0, 0xA789, 0xA4FD),  # :
            0xA4F8,  # .
            0xA4F9,  # ,
            *(0x02B9, 0x02BB, 0x02BC, 0x02BD, 0x02BE, 0x02C8, 0x02CA, 0x02CB, 0x02F4),  # '
            *(0x07F4, 0x07F5, 0x1FBD, 0x1FBF, 0x1FFE, 0x144A, 0x16CC, 0xA78C),  # '
            *(0x201B, 0x2032, 0x2035),  # '
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
_OF_OTHER_SCRIPTS: Final = frozenset(
    "\u0589\u055a\u055d\u05c3\u05f3\u05f4\u060d\u066a\u066b\u066d\u06d4\u0701\u0702\u0703\u0704\u0387"
)
"""Punctuation of Armenian, Hebrew, Arabic, Syriac and Greek that looks like ASCII ones.

It is usual among letters of these scripts."""
_TYPOGRAPHY: Final = frozenset("\u2026")
"""Unicode calls the ellipsis three full stops; it is usual."""
_WORD: Final = re.compile(r"\w+")
_PLAIN: Final = re.compile(r"[\n\t -~]*")
_ASCII_LETTER: Final = re.compile("[A-Za-z]")
MAX_MARKS: Final = 4
"""Combining marks on one letter. Languages need up to four."""
_REST: Final = 40
"""Characters that are kept for the words about what is missing."""
_SHOWN, _BY_NAME, _MARK, _SIGN = range(4)
"""What a character alone decides.

It is shown as it is, or by its name; or that depends on what is before it, or on its line."""


def visible(text: str, characters: int = 0) -> str:
    """The text with deceiving characters by name; line breaks and tabs stay.

    `characters`: the most to show, 0 for all.
    """
    if _PLAIN.fullmatch(text) and not 0 < characters < len(text):
        return text
    first = text[:characters] if characters else text
    pieces = list(_pieces(text, len(first)))
    fits = len(text) == len(first) and sum(len(shown) for shown, _ in pieces) <= characters
    if fits or not characters:
        return "".join(shown for shown, _ in pieces)
    kept, room, missing = [], characters - _REST, len(text)
    for shown, count in pieces:
        # What stands for one character each may be cut anywhere; a name is kept whole or left out.
        part = shown[: max(room, 0)] if len(shown) == count else shown
        if len(part) > room:
            break
        kept.append(part)
        room -= len(part)
        missing -= len(part) if len(shown) == count else count
        if len(part) < len(shown):
            break
    return f"{''.join(kept)}... ({missing} more characters)"


def _pieces(text: str, end: int) -> Iterator[tuple[str, int]]:
    """Yields the first `end` characters, judged as parts of their whole lines.

    Each piece is what is shown, and how many characters it stands for.
    """
    begin = 0
    while begin < end:
        stop = text.find("\n", begin)
        line = text[begin : stop if stop >= 0 else len(text)]
        if _PLAIN.fullmatch(line):
            shown = line[: end - begin]
            yield shown, len(shown)
        else:
            yield from _line(line, min(end - begin, len(line)))
        begin += len(line) + 1
        if begin <= end:
            yield "\n", 1


def _line(line: str, end: int) -> Iterator[tuple[str, int]]:
    for (character, named), group in groupby(zip(line[:end], _marked(line, end), strict=True)):
        count = len(list(group))
        yield (_named(character, count) if named else character * count), count


def _marked(line: str, end: int) -> list[bool]:
    """For each character, whether it is shown by its name."""
    kinds = {character: _kind(character) for character in set(line[:end])}
    named = [kinds[character] is _BY_NAME for character in line[:end]]
    east_asian = _SIGN in kinds.values() and any(map(_is_east_asian, set(line)))
    marks = 0
    for at, character in enumerate(line[:end]):
        kind = kinds[character]
        if kind == _MARK:
            before = line[at - 1] if at else " "
            marks = marks + 1 if unicodedata.category(before)[0] in "LM" else MAX_MARKS + 1
            named[at] = marks > MAX_MARKS
            continue
        marks = 0
        if kind == _SIGN:
            named[at] = _passes_for_punctuation(line, at, east_asian=east_asian)
    near_latin = not line.isascii() and _has_latin(line)
    # A mark inside a word is a part of it.
    line_marks = (mark for mark in set(line) if unicodedata.category(mark)[0] == "M")
    joined = line.translate({ord(mark): "_" for mark in line_marks})
    for word in _WORD.finditer(joined):
        if word.start() >= end:
            break
        deceiving = _passing_for_others(line[word.start() : word.end()], near_latin=near_latin)
        for at in range(word.start(), min(word.end(), end)) if deceiving else ():
            named[at] = named[at] or line[at] in deceiving
    return named


def _named(character: str, count: int) -> str:
    unnamed = "CONTROL" if unicodedata.category(character) == "Cc" else "WITHOUT NAME"
    name = unicodedata.name(character, unnamed)
    return f"<U+{ord(character):04X} {name}{f' x{count}' if count > 1 else ''}>"


@lru_cache(4096)
def _kind(character: str) -> int:
    if character in _KEPT:
        return _SHOWN
    if character.isascii():
        return _SHOWN if character.isprintable() else _BY_NAME
    category = unicodedata.category(character)
    if category in _HIDDEN or ord(character) in _IGNORABLE:
        return _BY_NAME
    if category == "Mn":
        return _MARK
    if character in _LIKE_PUNCTUATION or (category[0] in "LN" and _is_form_of_ascii(character)):
        return _BY_NAME
    is_sign = character in _OF_OTHER_SCRIPTS or _is_form_of_ascii_punctuation(character)
    return _SIGN if is_sign else _SHOWN


def _is_form_of_ascii(character: str) -> bool:
    return unicodedata.normalize("NFKC", character).isascii()


def _passes_for_punctuation(line: str, at: int, *, east_asian: bool) -> bool:
    """Whether a sign is read as ASCII punctuation here.

    `east_asian`: the line has letters of East Asia.
    """
    around = [line[place] for place in (at - 1, at + 1) if 0 <= place < len(line)]
    if any(other.isascii() and other != " " for other in around):
        return True
    return line[at] not in _OF_OTHER_SCRIPTS and not east_asian


def _is_form_of_ascii_punctuation(character: str) -> bool:
    category = unicodedata.category(character)
    return (
        category[0] in "PS"
        and category != "So"
        and character not in _TYPOGRAPHY
        and _is_form_of_ascii(character)
    )


def _is_east_asian(character: str) -> bool:
    return (
        unicodedata.category(character) == "Lo" and unicodedata.east_asian_width(character) == "W"
    )


def _has_latin(line: str) -> bool:
    return bool(_ASCII_LETTER.search(line)) or any(
        _script(character) == "LATIN" for character in set(line)
    )


def _passing_for_others(word: str, *, near_latin: bool) -> set[str]:
    """The characters of a word that pass, or may pass, for ASCII ones."""
    if word.isascii():
        return set()
    characters = set(word)
    scripts = {character: _script(character) for character in characters}
    if "LATIN" in scripts.values():
        return {character for character in characters if not _is_at_home_in_latin(character)}
    digits = {character for character in characters if character.isdigit()}
    foreign = {digit for digit in digits if not digit.isascii()}
    alike = {character for character, script in scripts.items() if script in _ALIKE_SCRIPTS}
    mixed = len(set(scripts.values()) - {""}) > 1
    letters = alike if mixed or (near_latin and alike <= _LATIN_LOOKS) else set()
    return letters | (foreign if digits > foreign else set())


@lru_cache(4096)
def _is_at_home_in_latin(character: str) -> bool:
    base = unicodedata.normalize("NFD", character)[0]
    return (
        base.isascii()
        or base in _EUROPEAN
        or not character.isalnum()
        or unicodedata.east_asian_width(character) == "W"
    )


@lru_cache(4096)
def _script(character: str) -> str:
    """The script of a letter, the first word of its name; empty for anything else."""
    return unicodedata.name(character, "").partition(" ")[0] if character.isalpha() else ""
