"""Each figure on the page of limits is the one in the code, the models, the CRDs or the chart."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import yaml

from tests.support.root import ROOT

UNITS = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "s": 1, "bytes": 1, "characters": 1}


QUANTITIES = {"Mi": 2**20, "Gi": 2**30}


@cache
def schemas() -> dict[str, Any]:
    """Of each CRD by its short name."""
    specs = [yaml.safe_load(path.read_text())["spec"] for path in (ROOT / "crds").glob("*.yaml")]
    return {
        spec["names"]["shortNames"][0]: spec["versions"][0]["schema"]["openAPIV3Schema"]
        for spec in specs
    }


def limits() -> list[tuple[str, int, str]]:
    rows = re.findall(
        r"^\| (.+) \| ([\d,]+) ?(\w*) \| `(.+)` \|$",
        (ROOT / "docs/limits.md").read_text(),
        re.MULTILINE,
    )
    return [
        (what, int(number.replace(",", "")) * UNITS[unit], where)
        for what, number, unit, where in rows
    ]


def number_at(where: str) -> int:
    """The number itself: of a constant, of the API's schema, or of the chart's values."""
    source, _, path = where.partition(" ")
    if source in schemas():
        field, _, bound = path.partition(" ")
        schema = schemas()[source]
        for step in field.split("."):
            schema = schema["properties"][step]
        return int(schema[bound])
    if source == "values":
        value = yaml.safe_load((ROOT / "charts/agentjobs/values.yaml").read_text())
        for step in path.split("."):
            value = value[step]
        digits, unit = re.fullmatch(r"(\d+)(\w*)", str(value)).groups()  # type: ignore[union-attr]
        return int(digits) * QUANTITIES.get(unit, 1)
    module, _, name = where.rpartition(".")
    value = getattr(importlib.import_module(module), name)
    return int(value.total_seconds() if isinstance(value, timedelta) else value)


@pytest.mark.parametrize(
    ("what", "number", "where"), limits(), ids=[where for _, _, where in limits()]
)
def test_a_limit_is_what_the_page_says(what: str, number: int, where: str) -> None:
    assert number_at(where) == number, what


def test_every_row_of_the_limits_is_compared() -> None:
    rows = [
        row
        for row in (ROOT / "docs/limits.md").read_text().splitlines()
        if row.startswith("| ") and "---" not in row
    ]
    assert len(limits()) == len([row for row in rows if row != "| what | limit | where |"])
