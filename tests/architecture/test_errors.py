"""The tree of errors that `core/errors.py` draws is the one that the package has."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import Final

import pytest

import agentjobs
from agentjobs.core import errors

BRANCH: Final = re.compile(
    r"(?P<margin>(?:│   |    )*)[├└]── (?P<name>\w+) +(?P<who>user|cluster|us): \S.*"
)
ROOT: Final = "AgentjobsError"


def drawn(text: str) -> dict[str, str]:
    """Each error in the drawing, with the one above it. Each line of the tree has to be read."""
    lines = text.partition(f"{ROOT}\n")[2].partition("\n\n")[0].splitlines()
    above, found = {0: ROOT}, {}
    for line in lines:
        branch = BRANCH.fullmatch(line)
        assert branch, f"neither a name nor who can fix it: {line}"
        depth = len(branch["margin"]) // 4
        found[branch["name"]] = above[depth]
        above[depth + 1] = branch["name"]
    return found


def defined() -> dict[str, str]:
    """Each exception that a module of the product defines, with the one that it comes from."""
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(agentjobs.__path__, "agentjobs.")
        if not module.name.startswith("agentjobs.testing")
    ]
    assert len(modules) > 50
    return {
        name: base.__bases__[0].__name__
        for module in modules
        for name, base in inspect.getmembers(module, inspect.isclass)
        if issubclass(base, BaseException)
        and base.__module__ == module.__name__
        and base is not errors.AgentjobsError
    }


def test_every_error_of_the_package_is_drawn_below_the_one_it_comes_from() -> None:
    assert drawn(inspect.getdoc(errors) or "") == defined()


def test_the_drawing_says_of_each_error_who_can_fix_it() -> None:
    with pytest.raises(AssertionError, match="Two"):
        drawn("AgentjobsError\n├── One   user: why\n│   └── Two   nobody: why\n")
