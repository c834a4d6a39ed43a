"""What people are shown of a script is what Python runs: no first line makes it read other text.

Python is asked itself, in three ways: `tokenize.detect_encoding`, `compile` of the bytes, and its
reader of files.
"""

from __future__ import annotations

import ast
import ctypes
import io
import tokenize
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.script import Script
from agentjobs.api.script_rules import declares_other_encoding, script_problem
from agentjobs.core.content.sources import Reference, resolved
from agentjobs.core.errors import UserError
from agentjobs_runner.report import RefusedError
from agentjobs_runner.source import BYTE_ORDER_MARK, declaration, file_of
from tests.support import manifests

ATTACK = "#!/usr/bin/env python3\n# encoding: utf-7\nprint('shown')\n#+AAo-print('hidden')\n"
SEEN = "\nseen = '+AGE-'\n"
"""In UTF-7 this is the letter a: what a script finds in it tells how it was read."""

NAMES = st.sampled_from(
    "utf-7 utf_7 utf8 utf-8 UTF-8 Utf_8 utf-8-sig utf-8-unix utf_8_x utf8-unix utf-80 utf-8. utf"
    " latin-1 iso-8859-1 iso-latin-1-x cp1252 ascii unicode_escape raw_unicode_escape utf-16 utf-32"
    " rot13 hex idna punycode gb18030 shift_jis mbcs x . - _ 8".split()
)
PIECES = st.one_of(
    NAMES,
    st.sampled_from(
        [
            "#",
            "coding",
            "coding:",
            "coding=",
            "encoding: ",
            "-*- coding: ",
            " -*-",
            "vim: set fileencoding=",
            " ",
            "\t",
            "\f",
            "\n",
            "\r\n",
            "\r",
            "\\\n",
            "x = 1",
            "''",
            '"""',
            ";",
            ":",
            "=",
            "\ufeff",
            "\u00a0",
            "\u2028",
            "\x85",
            "\v",
            "\x1a",
            "\x00",
            "é",
            "\uff41",
        ]
    ),
    st.text(max_size=3),
)
HEADS = st.lists(PIECES, max_size=9).map("".join)
LINES = st.builds(
    lambda first, mark, blank, before, sign, name, after: (
        f"{first}{mark}{blank}#{before}coding{sign}{name}{after}"
    ),
    st.sampled_from(
        [
            "",
            "\n",
            "\r\n",
            "#!/bin/python\n",
            " \t\f\n",
            "# x\n",
            "x = 1\n",
            "\\\n",
            "\n\n",
            "'''\n",
            "# coding: utf-8\n",
            "\x0b\n",
        ]
    ),
    st.sampled_from(["", "", "\ufeff"]),
    st.sampled_from(["", " ", "\t \f", "\v", "\u00a0"]),
    st.sampled_from(["", " ", " -*- ", "en", "coding", "coding:", "coding: utf-8 ", "coding=\t"]),
    st.sampled_from([":", "=", ": ", "=\t", " :", ":=", ""]),
    NAMES,
    st.sampled_from(["", " -*-", ".", "é", " coding: utf-8"]),
)
TEXTS = st.one_of(HEADS, LINES)


def detected(source: bytes) -> str:
    """Python's word; empty where it would refuse the text."""
    try:
        return tokenize.detect_encoding(io.BytesIO(source).readline)[0]
    except SyntaxError:
        return ""


def compiled(source: str | bytes) -> str:
    """What Python makes of it; of one that it refuses nothing remains."""
    try:
        return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ""


def read_from_file(path: Path, source: bytes) -> object:
    """`seen` after Python has run a file by the reader of `python3 FILE`; None where it refused."""
    path.write_bytes(source)
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    run = ctypes.pythonapi.PyRun_FileExFlags
    run.restype, run.argtypes = (
        ctypes.py_object,
        [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_int,
            *[ctypes.py_object] * 2,
            ctypes.c_int,
            ctypes.c_void_p,
        ],
    )
    names: dict[str, object] = {}
    try:
        run(libc.fopen(bytes(path), b"rb"), bytes(path), 257, names, names, 1, None)
    except (SyntaxError, ValueError, NameError, TypeError):
        return None
    return names.get("seen")


def as_file(text: str) -> bytes | None:
    try:
        return file_of(text)
    except RefusedError as refusal:
        return None if refusal.reason == "EncodingRefused" else refusal.message.encode()


@pytest.mark.slow
@given(TEXTS)
@example(ATTACK)
@settings(max_examples=400, deadline=None)
def test_both_sides_refuse_the_same(head: str) -> None:
    found = declaration(head.encode())
    assert declares_other_encoding(head) == (as_file(head) is None), found


@pytest.mark.slow
@given(TEXTS)
@example(ATTACK)
@example("# coding: utf-7 coding: utf-8\n")
@example("\ufeff# coding: utf-7\n")
@settings(max_examples=400, deadline=None)
def test_what_is_accepted_is_compiled_from_its_bytes_as_from_its_text(head: str) -> None:
    text = head + SEEN
    if script_problem(text):
        return
    source = as_file(text)
    assert source is not None
    assert compiled(source) == compiled(source.decode().removeprefix("\ufeff"))
    assert compiled(source) in (compiled(text.encode()), compiled(text), "")
    assert detected(source).replace("utf8", "utf-8") in ("utf-8", "utf-8-sig")


@pytest.mark.slow
@given(head=TEXTS)
@example(head=ATTACK)
@settings(max_examples=400, deadline=None)
def test_no_file_of_the_runner_is_read_in_another_encoding(
    tmp_path_factory: pytest.TempPathFactory, head: str
) -> None:
    """Also of texts that the operator would refuse."""
    source = as_file(head + SEEN)
    if source is not None:
        assert read_from_file(tmp_path_factory.getbasetemp() / "script.py", source) in (
            None,
            "+AGE-",
        )


@pytest.mark.slow
@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_only_what_python_would_read_otherwise_is_refused(head: str) -> None:
    if "\r" not in head and declares_other_encoding(head):  # detect_encoding knows no lone \r
        assert detected(head.encode()).replace("utf8", "utf-8") not in (
            "utf-8",
            "utf-8-sig",
        ), "Python would have read UTF-8"


def test_the_attack_is_one(tmp_path: Path) -> None:
    """Else the properties above would hold whatever we did."""
    assert "hidden" in compiled(ATTACK.encode())
    assert read_from_file(tmp_path / "script.py", ("# encoding: utf-7" + SEEN).encode()) == "a"


def test_a_text_that_only_looks_like_a_declaration_runs_as_it_is_shown(tmp_path: Path) -> None:
    """After a line of code it does not count; a Python that disagrees reads UTF-8 or nothing."""
    looks = "import os\n# coding: utf-7" + SEEN
    assert file_of(looks) == BYTE_ORDER_MARK + looks.encode()
    assert read_from_file(tmp_path / "script.py", file_of(looks)) == "+AGE-"
    assert file_of("# coding: utf8\npass\n") == b"# coding: utf8\npass\n"


def test_inline_and_config_map_scripts_are_refused_with_a_sentence() -> None:
    with pytest.raises(
        ValidationError, match="inline declares an encoding other than UTF-8 in its first two lines"
    ):
        Script(inline=ATTACK)
    reference = Reference("scripts", "report.py")
    spec = ScheduledAgentJobSpec.model_validate(
        manifests.job(script={"configMapKeyRef": reference._asdict()})["spec"]
    )
    with pytest.raises(
        UserError, match="of the ConfigMap scripts declares an encoding other than UTF-8"
    ):
        resolved(spec, {reference: ATTACK})
    with pytest.raises(UserError, match="contains half a character"):
        resolved(spec, {reference: "print('\ud800')"})


def test_instructions_of_an_agent_are_no_python() -> None:
    spec = ScheduledAgentJobSpec.model_validate(
        manifests.agent_job(agent={"instructions": "# encoding: utf-7\n"})["spec"]
    )
    assert spec.agent
