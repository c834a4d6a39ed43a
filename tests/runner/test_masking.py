"""Values of Secrets are nowhere in what a run leaves behind, in whatever form they were printed."""

from __future__ import annotations

import base64
import json
import random
from typing import Final
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs_runner.mask import MIN_BYTES, Mask, patterns
from tests.runner.container import Host

SECRET: Final = 'hunter2 /+%ü\\"&key=='
KEY: Final = (
    "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nq83vEjRWeJCrze8SNFZ4kKvN7xI0\n-----END"
    " KEY-----\n"
)
TOKEN: Final = "github_pat_" + "".join(
    random.Random(7).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789", k=82)
)


def masked(values: list[str], *chunks: bytes) -> bytes:
    mask = Mask(patterns([value.encode() for value in values]))
    return b"".join([*map(mask.feed, chunks), mask.end()])


def in_base64(before: int) -> str:
    """The characters that do not depend on what stands around the secret."""
    one, other = (
        base64.b64encode(around * before + SECRET.encode() + around * 3).decode()
        for around in (b"\x00", b"\xff")
    )
    return "".join(a for a, b in zip(one, other, strict=True) if a == b != "=")


FORMS: Final = {
    "as it is": SECRET,
    "base64": in_base64(0),
    "base64 behind one byte": in_base64(1),
    "base64 behind two bytes": in_base64(2),
    "base64 for URLs": in_base64(0).translate(str.maketrans("+/", "-_")),
    "quoted": quote(SECRET),
    "quoted strictly": quote(SECRET, safe=""),
    "quoted for a form": quote_plus(SECRET),
    "in JSON": json.dumps(SECRET, ensure_ascii=False)[1:-1],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_hidden(form: str) -> None:
    assert masked([SECRET], b"before ", form.encode(), b" after\n") == b"before *** after\n"


def test_basic_authentication_does_not_show_it() -> None:
    for user in ("", "a", "ab", "abc", "abcd"):
        header = base64.b64encode(f"{user}:{TOKEN}".encode())
        assert len(masked([TOKEN], header).replace(b"***", b"")) < len(header) - len(TOKEN)


def test_a_long_one_is_hidden_in_base64_of_wrapped_lines_too() -> None:
    wrapped = base64.encodebytes(TOKEN.encode())
    assert (
        masked([TOKEN], wrapped) in (b"***\n", b"***=\n", b"***==\n")
        or len(masked([TOKEN], wrapped)) < 8
    )


def test_a_key_of_many_lines_is_hidden_as_a_whole_and_line_by_line() -> None:
    assert masked([KEY], KEY.encode()) == b"***"
    indented = "".join(f"    {line}\n" for line in KEY.splitlines())
    assert masked([KEY], indented.encode()) == b"    ***\n" * 4


def test_values_too_short_to_be_secret_stay() -> None:
    assert masked(["x" * (MIN_BYTES - 1)], b"xxxxxxxx") == b"xxxxxxxx"
    assert masked(["x" * MIN_BYTES], b"a xxxx b") == b"a *** b"


def test_secrets_that_overlap_are_hidden_together() -> None:
    assert masked(["abcdef", "defghi"], b"1 abcdefghi 2") == b"1 *** 2"
    assert masked(["abcdef", "defghi"], b"1 abcdef", b"gh", b"i 2") == b"1 *** 2"
    assert masked(["abcdef", "defghi"], b"1 abcdef", b"gx 2") == b"1 ***gx 2"


ALPHABET: Final = st.text("ab", min_size=MIN_BYTES, max_size=7)


@given(st.lists(ALPHABET, min_size=1, max_size=3), st.lists(st.text("abc", max_size=9), max_size=6))
def test_where_output_is_cut_makes_no_difference(values: list[str], chunks: list[str]) -> None:
    whole = masked(values, "".join(chunks).encode())
    assert masked(values, *(chunk.encode() for chunk in chunks)) == whole
    assert not any(value.encode() in whole for value in values)


@given(st.binary(min_size=MIN_BYTES, max_size=40), st.binary(max_size=20), st.binary(max_size=20))
def test_no_base64_of_anything_around_a_secret_keeps_it(
    value: bytes, before: bytes, after: bytes
) -> None:
    mask = Mask(patterns([value]))
    coded = base64.b64encode(before + value + after)
    certain = (len(value) - 2) * 8 // 6  # so many characters at least belong to the value alone
    assert len((mask.feed(coded) + mask.end()).replace(b"***", b"")) <= len(coded) - certain


@given(st.lists(st.binary(max_size=30), max_size=5))
def test_what_has_no_secret_in_it_stays_as_it_is(chunks: list[bytes]) -> None:
    assert masked(["not in there at all"], *chunks) == b"".join(chunks)


PRINTS: Final = """\
import base64, os, sys, time, urllib.parse
secret = os.environ["TOKEN"]
print("plain", os.environ["PLAIN"])
print(secret, base64.b64encode(secret.encode()).decode(), urllib.parse.quote(secret, safe=""))
for character in "cut: " + secret + "\\n":
    sys.stdout.write(character)
    sys.stdout.flush()
sys.stderr.write(secret)
print("AGENTJOBS_SECRET_VARIABLES" in os.environ)
sys.exit(3)
"""


def test_a_run_leaves_no_secret_in_its_log_its_record_or_its_last_word(host: Host) -> None:
    ended = host.run(PRINTS, TOKEN=TOKEN, PLAIN="shown", AGENTJOBS_SECRET_VARIABLES="TOKEN,ABSENT")
    envelope = ended.envelope
    lines = envelope.stdout.splitlines()
    assert (lines[0], lines[1].split()[0], lines[1].split()[2], lines[2:]) == (
        "plain shown",
        "***",
        "***",
        ["cut: ***", "False"],
    )
    assert len(lines[1].split()[1]) < 8
    assert (envelope.stderr, ended.stderr, envelope.exit_code) == ("***", b"***\n", 3)
    assert ended.live_stdout.decode() == envelope.stdout
    assert TOKEN not in ended.termination
    assert TOKEN.encode() not in ended.stdout


def test_masks_come_before_the_cap(host: Host) -> None:
    """A secret that straddles the place where output is cut would else be kept in part."""
    script = "import os\nfor _ in range(20000): os.write(1, (os.environ['TOKEN'] + ' ').encode())"
    envelope = host.run(script, TOKEN=TOKEN, AGENTJOBS_SECRET_VARIABLES="TOKEN").envelope
    assert set(
        envelope.stdout.replace(
            f"[agentjobs: {envelope.stdout_dropped_bytes} bytes dropped here]", ""
        )
    ) <= set("* \n")
    assert envelope.stdout_dropped_bytes == 20000 * 4 - 51200


@pytest.mark.slow
def test_output_held_back_for_masking_is_not_lost_when_the_script_is_ended(host: Host) -> None:
    script = f"import time\nprint('{TOKEN[:20]}', end='', flush=True)\ntime.sleep(600)"
    ended = host.run(
        script, TOKEN=TOKEN, AGENTJOBS_SECRET_VARIABLES="TOKEN", AGENTJOBS_TIMEOUT_SECONDS="1"
    )
    assert (ended.envelope.outcome, ended.envelope.stdout) == ("TimedOut", TOKEN[:20])
