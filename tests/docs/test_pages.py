"""Every command in a page for users is run by a test, and every manifest in one is valid."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.resources import RESOURCES
from tests.support.pages import PAGES, Block, blocks, shown_as, squeezed, with_commands
from tests.support.root import ROOT

KINDS = {resource.kind: resource.spec for resource in RESOURCES}
SHELLS = ("bash", "text", "python", "yaml", "markdown", "toml")
"""`sh`, `console` and the like would be commands that nobody runs."""


def _tests_in(file: str) -> set[str]:
    path = ROOT / file
    return (
        {
            node.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef)
        }
        if path.exists()
        else set()
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.name))
def test_each_block_of_commands_is_run_with_its_page_or_a_known_test(page: Path) -> None:
    text = page.read_text()
    found = blocks(text)
    assert sum(1 for block in found if f"```bash\n{block.commands}" in text) == text.count(
        "```bash\n"
    ), "a block that is not found is not run"
    for test, why in (block.elsewhere for block in found if block.elsewhere):
        file, _, name = test.partition("::")
        assert name in _tests_in(file), f"{page.name}: there is no test {test}"
        assert why, (
            f"{page.name}: {test} runs a block; the page has to say why it is not run with the page"
        )
    assert set(re.findall(r"^```(\w*)$", text, re.MULTILINE)) - {""} <= set(SHELLS)


def test_the_test_of_pages_runs_every_page_with_a_block_of_its_own() -> None:
    assert {"README.md"} <= {page.name for page in with_commands()}
    source = (ROOT / "tests/cluster/docs/test_pages.py").read_text()
    assert "for page in with_commands()" in source
    assert '@pytest.mark.parametrize("page", PAGES)' in source


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.name))
def test_manifests_of_ours_in_a_page_are_valid(page: Path) -> None:
    for source in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        for document in yaml.safe_load_all(source):
            _check(document)


def _check(document: Any) -> None:
    """A whole resource; or the part of a job's spec, which gets the rest."""
    model = KINDS.get(document.get("kind"))
    if model:
        model.model_validate(document["spec"])
    elif set(document) == {"spec"}:
        script = {} if "agent" in document["spec"] else {"script": {"inline": "print(1)"}}
        ScheduledAgentJobSpec.model_validate(
            {"description": "A part.", **script, **document["spec"]}
        )


def test_a_page_is_read_as_its_readers_do() -> None:
    commands = (
        "<!-- before: one -->\n```bash\ntwo\n```\n```text\nshown\n```\n\n<!-- exits 1"
        " -->\n```bash\nthree\n```\n"
    )
    text = f"{commands}\nWords.\n\n```text\nno output\n```\n"
    assert blocks(text) == [Block("one "), Block("two\n", "shown\n"), Block("three\n", code=1)]
    assert blocks("<!-- elsewhere: f.py::t; because -->\n```bash\nx\n```\n") == [
        Block("x\n", elsewhere=("f.py::t", "because"))
    ]
    with pytest.raises(AssertionError, match="commands that do not follow"):
        blocks("<!-- exits 1 -->\nWords.\n")


def test_output_is_compared_but_for_what_stands_for_anything() -> None:
    assert shown_as("NAME  AGE\na ...").fullmatch(squeezed("NAME      AGE\na         3s\n"))
    assert not shown_as("NAME  AGE\na ...").fullmatch(squeezed("NAME      AGE\nb         3s\n"))
