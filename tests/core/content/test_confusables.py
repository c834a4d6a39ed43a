"""Whoever wrote it, what is shown takes time proportional to its length, and no cut is silent."""

from __future__ import annotations

import sys
import unicodedata
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.core.content.confusables import visible
from tests.support.slow import slow_but

SIZE: Final = 1 << 18
"""Characters of a worst case, as many as a script may have.

What takes time with the square of that does not end within the time limit."""
LETTERS: Final = (
    "ab\u0430\u0440\u03b1\u5b8c\u05d0\u0301\u200b\u202e\u00a0\u2215\uff45\uff1b\u0589 \t\n.;<x"
)
WORST: Final = {
    "full-width letters": "\uff45",
    "full-width stops and blanks": "\uff0e ",
    "punctuation of other scripts": "\u05f4 ",
    "one word of Cyrillic": "\u0440",
    "words of two scripts": "\u0440 \u03c1 ",
    "words beside Latin": "\u0440\u043e\u0441 a ",
    "words that mix": "p\u0430 ",
    "hidden ones in turns": "\u200b\u200c",
    "the same hidden one": "\u200b",
    "marks on nothing": "\u0301",
    "marks on letters": "a\u0301",
    "Chinese": "".join(map(chr, range(0x4E00, 0x9FFF))),
    "all planes": "".join(
        chr(code) for code in range(0x21, 0x30000) if not 0xD800 <= code < 0xE000
    ),
    "surrogates": "\ud800\udc00",
    "short lines": "\u200b\n",
    "escapes": "\x1b[2K\r",
    "ASCII": "print(1); ",
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", slow_but(("ASCII",), list(WORST)))
def test_a_text_takes_time_in_proportion_to_its_length(case: str) -> None:
    text = ("a \uff0e" + WORST[case] * (SIZE // len(WORST[case]) + 1))[:SIZE]
    assert "\x1b" not in visible(text)
    assert len(visible(text, 500)) <= 500


@given(st.text(st.sampled_from(LETTERS), max_size=60), st.integers(50, 80))
def test_what_is_cut_is_the_beginning_and_says_how_much_is_missing(
    text: str, characters: int
) -> None:
    """Judged in the whole text: a letter that passes for a Latin one further on is named here."""
    shown = visible(text, characters)
    if shown == visible(text):
        return
    kept, _, missing = shown.rpartition("... (")
    count = int(missing.removesuffix(" more characters)"))
    assert len(shown) <= characters
    assert 0 < count <= len(text)
    assert visible(text).startswith(kept)


def test_a_name_is_never_cut_in_half() -> None:
    assert (
        visible("\u200b\u200c" * 300, 100)
        == "<U+200B ZERO WIDTH SPACE><U+200C ZERO WIDTH NON-JOINER>... (598 more characters)"
    )
    assert visible("x" * 300, 100) == "x" * 60 + "... (240 more characters)"
    assert visible("x" * 100, 100) == "x" * 100


EUROPEAN: Final = "ßẞæÆœŒøØłŁđĐðÐþÞħĦŋŊŧŦəƏµ"


def is_plain(character: str) -> bool:
    """A Latin letter with marks, a European one that looks like no other, or one of East Asia."""
    base = unicodedata.normalize("NFD", character)[0]
    return (
        (base.isascii() and base.isalpha())
        or base in EUROPEAN
        or unicodedata.east_asian_width(character) == "W"
    )


@pytest.mark.slow
@pytest.mark.parametrize("around", ["a{}", "{}a", "A1{}_", "p\u0301{}", "p\u09c7{}", "\u00e9{}"])
def test_in_a_word_with_latin_letters_every_other_letter_or_digit_is_named(around: str) -> None:
    letters = [chr(code) for code in range(128, sys.maxunicode + 1) if chr(code).isalnum()]
    assert len(letters) > 130_000
    lines = visible("\n".join(map(around.format, letters))).split("\n")
    unmarked = {
        letter for letter, line in zip(letters, lines, strict=True) if line == around.format(letter)
    }
    assert [f"{ord(letter):04X}" for letter in unmarked if not is_plain(letter)] == []
    assert unmarked >= set(EUROPEAN)


def test_in_a_number_every_other_digit_is_named() -> None:
    digits = [chr(code) for code in range(128, sys.maxunicode + 1) if chr(code).isdigit()]
    lines = visible("\n".join(f"1{digit}" for digit in digits)).split("\n")
    assert [line for line in lines if not line.startswith("1<U+")] == []


@pytest.mark.parametrize(
    "text",
    [
        "Straße, rødgrød på bære, łódź, đak, það, ħobz, čáhppesguŋŋa, məktəb",
        "Tiếng Việt được, și țară, smörgås, cœur, 5 µs",
        "API\u9031\u6b21\u30ec\u30dd\u30fc\u30c8v2, \ub9ac\ud3ec\ud2b8API",
        (
            "\u0441\u0435\u0440\u0432\u0438\u0441 2024\u0433, \u0935\u093f\u0915\u093e\u0938,"
            " \u0662\u0660\u0662\u0664"
        ),
    ],
)
def test_honest_words_stay_readable(text: str) -> None:
    assert visible(text) == text


def test_what_passes_for_one_letter_of_a_word_is_named() -> None:
    """The dotless i of Turkish, too: its words cannot be told from those that pass for others."""
    assert visible("\u0131mport") == "<U+0131 LATIN SMALL LETTER DOTLESS I>mport"
    assert (
        visible("pr\u0d20xy \u1d0fs")
        == "pr<U+0D20 MALAYALAM LETTER TTHA>xy <U+1D0F LATIN LETTER SMALL CAPITAL O>s"
    )
    assert (
        visible("\ua731\u1d00")
        == "<U+A731 LATIN LETTER SMALL CAPITAL S><U+1D00 LATIN LETTER SMALL CAPITAL A>"
    )
    assert visible("port 8\u09e6") == "port 8<U+09E6 BENGALI DIGIT ZERO>"


def test_a_pile_of_marks_is_told_and_those_of_a_language_are_not() -> None:
    assert visible("e\u0301\u0302a\u0323\u0306") == "e\u0301\u0302a\u0323\u0306"
    assert (
        visible("a" + "\u0301" * 40) == "a" + "\u0301" * 4 + "<U+0301 COMBINING ACUTE ACCENT x36>"
    )
