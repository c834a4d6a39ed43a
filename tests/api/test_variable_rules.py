"""The variables a job may not set: one list for API server, Python, documents and calls of pi."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.api.container import EnvVar
from agentjobs.api.variable_rules import EXCEPT, NOT_RESERVED, RESERVED, VARIABLE, is_reserved
from tests.support.corpus.scripts import PLAIN_NAMES, RESERVED_NAMES
from tests.support.root import ROOT
from tests.support.slow import slow_but

PAGE = ROOT / "docs/writing-jobs.md"
NAMES = st.one_of(
    st.sampled_from([*RESERVED_NAMES, *PLAIN_NAMES]),
    st.builds(
        "{}{}".format,
        st.sampled_from([*RESERVED_NAMES, *PLAIN_NAMES, ""]),
        st.from_regex("[A-Z_0-9]{0,3}", fullmatch=True),
    ),
    st.from_regex(r"\A[A-Z_][A-Z0-9_]{0,9}\Z"),
)


@given(NAMES)
def test_the_api_server_and_python_refuse_the_same_names(name: str) -> None:
    """CEL's `matches` searches; its patterns here mean the same in RE2 and in `re`."""
    patterns = re.findall(r"matches\('(.*?)'\)", NOT_RESERVED.cel)
    reserved, excepted = (re.search(pattern, name) is not None for pattern in patterns)
    assert (reserved and not excepted) == is_reserved(name)


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_what_people_set_for_their_own_programs_may_be_set(name: str) -> None:
    assert EnvVar(name=name, value="x").name == name


def test_the_page_for_authors_has_the_list() -> None:
    section = PAGE.read_text().partition("## Variables")[2].partition("\n## ")[0]
    for group in RESERVED:
        assert (
            f"| {', '.join(f'`{name}`' for name in group.shown.split(', '))} | {group.why} |"
            in section
        )
    assert all(f"`{name}`" in section for name in EXCEPT)


def test_every_entry_is_a_name_that_a_variable_could_have() -> None:
    assert [name for name in RESERVED_NAMES if VARIABLE.problem(name)] == []


def imports_antigravity(folder: Path, name: str, value: str) -> bool:
    """Whether Python, before its script, imports the module that starts a browser.

    Importing it starts a command of a variable's.
    """
    told = folder / "told"
    variables = {"BROWSER": f"touch {told} #%s", name: value}
    command = [sys.executable, "-c", "import sysconfig; sysconfig.get_config_vars()"]
    subprocess.run(command, cwd=folder, env=variables, check=False, timeout=30)
    return told.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("PYTHONWARNINGS", "all:0:antigravity.x:0:0"), ("_PYTHON_SYSCONFIGDATA_NAME", "antigravity")],
)
def test_what_makes_python_import_a_module_is_reserved(
    tmp_path: Path, name: str, value: str
) -> None:
    assert imports_antigravity(tmp_path, name, value)
    assert is_reserved(name)
    assert is_reserved("BROWSER")


@pytest.mark.parametrize(
    "value",
    slow_but(["antigravity"], ["all:0:antigravity.x:0:0", "antigravity", "antigravity.x", "1"]),
)
@pytest.mark.parametrize("name", [name for name in EXCEPT if name.startswith("PYTHON")])
def test_what_may_be_set_of_pythons_own_imports_none(tmp_path: Path, name: str, value: str) -> None:
    assert not imports_antigravity(tmp_path, name, value)
