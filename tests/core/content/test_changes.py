"""What a card says of a change: complete as far as it goes, honest on characters and omissions."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.content.changes import MAX_LINE, MAX_LINES, changes
from agentjobs.core.content.confusables import visible
from agentjobs.core.content.digest import Content, content
from tests.support import manifests

LONG = "".join(f"line {number}\n" for number in range(40))


def of(**spec: Any) -> Content:
    return content("report", ScheduledAgentJobSpec.model_validate(manifests.job(**spec)["spec"]))


def script(text: str) -> Content:
    return of(script={"inline": text})


def test_each_field_that_differs_has_a_line_with_both_values() -> None:
    before = of(timeoutSeconds=60, env=[{"name": "A", "value": "x"}, {"name": "B", "value": "y"}])
    after = of(
        workspace={"claimName": "reports"},
        env=[{"name": "A", "value": "z"}, {"name": "B", "value": "y"}],
    )
    assert changes(before, after) == (
        'env[A].value: "x" -> "z"',
        "timeoutSeconds: 60 -> (none)",
        'workspace.claimName: (none) -> "reports"',
    )
    assert changes(before, before) == ()


def test_the_order_of_variables_is_part_of_the_content() -> None:
    first, second = {"name": "A", "value": "x"}, {"name": "B", "value": "y"}
    assert changes(of(env=[first, second]), of(env=[second, first])) == (
        'env (order): ["A", "B"] -> ["B", "A"]',
    )


def test_a_first_content_shows_everything_that_the_card_does_not() -> None:
    env = [{"name": "A", "value": "x"}]
    first = of(
        script={"inline": "import os\nif os:\n    print('\u200b')\n"},
        env=env,
        pauseAfterFailures=3,
        timeoutSeconds=60,
    )
    assert changes(None, first) == (
        'env (order): ["A"]',
        'env[A].value: "x"',
        "pauseAfterFailures: 3",
        "script.inline:",
        "+import os",
        "+if os:",
        "+    print('<U+200B ZERO WIDTH SPACE>')",
    )
    assert len(changes(None, script("a\n" * 10_000))) == MAX_LINES + 1


def test_a_script_is_a_unified_diff_with_three_lines_around() -> None:
    told = changes(script(LONG), script(LONG.replace("line 20\n", "line twenty\n")))
    assert told[:2] == ("--- script.inline", "+++ script.inline")
    assert told[3:] == (
        " line 17",
        " line 18",
        " line 19",
        "-line 20",
        "+line twenty",
        " line 21",
        " line 22",
        " line 23",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\n", "a\nb"),
        ("a\n", "a\na\n"),
        ("a\nb\n", "b\na\n"),
        ("x\n", LONG),
        (LONG, "line 0\n"),
        ("one", "two\n"),
    ],
)
def test_every_change_of_a_script_is_told(before: str, after: str) -> None:
    told = changes(script(before), script(after))
    shown = [
        line for line in told if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))
    ]
    assert shown


def test_a_diff_is_bounded_and_says_what_is_left_out() -> None:
    told = changes(
        script("x\n"), script("".join(f"{number}\n" for number in range(10_000)) + "y" * 2000)
    )
    assert len(told) == MAX_LINES + 1
    assert told[0] == "script.inline: line 1: 2 lines -> 10001 lines"
    assert "lines are not shown" in told[-1]
    assert max(map(len, changes(script("x"), script("y" * 200_000)))) <= MAX_LINE


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("a\u200b\u200bb", "a<U+200B ZERO WIDTH SPACE x2>b"),
        ("a\u202eb", "a<U+202E RIGHT-TO-LEFT OVERRIDE>b"),
        ("\x1b[2K", "<U+001B CONTROL>[2K"),
        ("a\u00a0b", "a<U+00A0 NO-BREAK SPACE>b"),
        ("x\ufe0f", "x<U+FE0F VARIATION SELECTOR-16>"),
        ("\u3164", "<U+3164 HANGUL FILLER>"),
        ("\uff45val(x)", "<U+FF45 FULLWIDTH LATIN SMALL LETTER E>val(x)"),
        ("p\u0430ypal", "p<U+0430 CYRILLIC SMALL LETTER A>ypal"),
        (
            "from os import \u0440\u043e\u0441",
            (
                "from os import <U+0440 CYRILLIC SMALL LETTER ER><U+043E CYRILLIC SMALL LETTER"
                " O><U+0441 CYRILLIC SMALL LETTER ES>"
            ),
        ),
        ("\u041e\u0442\u0447\u0451\u0442 Backlinks", "\u041e\u0442\u0447\u0451\u0442 Backlinks"),
        (
            "Raport s\u0103pt\u0103m\u00e2nal \u2013 \u201eok\u201d \u2713",
            "Raport s\u0103pt\u0103m\u00e2nal \u2013 \u201eok\u201d \u2713",
        ),
        ("https:\u2215\u2215a", "https:<U+2215 DIVISION SLASH x2>a"),
        ("bank\uff0ecom", "bank<U+FF0E FULLWIDTH FULL STOP>com"),
        ("run()\u037e", "run()<U+037E GREEK QUESTION MARK>"),
        (
            "\u02bcx\u02bc",
            "<U+02BC MODIFIER LETTER APOSTROPHE>x<U+02BC MODIFIER LETTER APOSTROPHE>",
        ),
        ("a \u2212 b\u2024c", "a <U+2212 MINUS SIGN> b<U+2024 ONE DOT LEADER>c"),
        (
            "l\u2019\u00e9t\u00e9 \u2014 \u00ab\u00a0ok",
            "l\u2019\u00e9t\u00e9 \u2014 \u00ab<U+00A0 NO-BREAK SPACE>ok",
        ),
        (
            "\u05e6\u05d4\u05f4\u05dc a\u05f4b",
            "\u05e6\u05d4\u05f4\u05dc a<U+05F4 HEBREW PUNCTUATION GERSHAYIM>b",
        ),
        ("wait\u2026 agentjobs\u2122", "wait\u2026 agentjobs\u2122"),
        ("\u5b8c\u4e86\uff01\uff08\u4f8b\uff09", "\u5b8c\u4e86\uff01\uff08\u4f8b\uff09"),
        ("\u5b8c\u4e86 x\uff1bpass", "\u5b8c\u4e86 x<U+FF1B FULLWIDTH SEMICOLON>pass"),
        ("\u9031\u6b21\u30ec\u30dd\u30fc\u30c8", "\u9031\u6b21\u30ec\u30dd\u30fc\u30c8"),
    ],
)
def test_hidden_and_deceptive_characters_are_shown_as_what_they_are(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_card_names_what_hides_in_a_change() -> None:
    (line,) = changes(of(description="Reports."), of(description="Repor\u200bts."))
    assert line == 'description: "Reports." -> "Repor<U+200B ZERO WIDTH SPACE>ts."'
