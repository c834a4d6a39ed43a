"""What the documents say of the code is true of the code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from agentjobs.api.job import History, ScheduledAgentJobSpec
from agentjobs.api.resources import RESOURCES
from agentjobs.api.run import AgentJobRunSpec, AgentJobRunStatus
from agentjobs.core.content.digest import content
from agentjobs_runner import capture, envelope
from tests.support.pages import blocks
from tests.support.root import ROOT
from tests.support.web_logs import EXAMPLE

OPERATOR = ROOT / "operator/src/agentjobs"
RUNNER = ROOT / "runner-image/src/agentjobs_runner"
PI = ROOT / "runner-image/src/agentjobs_pi"
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
RECORD = (ROOT / "docs/run-record.md").read_text()
DOCUMENTS = [
    ROOT / "README.md",
    *(
        ROOT / f"{name}.md"
        for name in ("AGENTS", "CHANGELOG", "CODE_OF_CONDUCT", "CONTRIBUTING", "SECURITY")
    ),
    ROOT / "examples/README.md",
    ROOT / "charts/agentjobs/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]

WITH_REASONS = [
    *(
        OPERATOR / "core" / f"{name}.py"
        for name in ("approval/in_force", "content/sources", "decide", "errors", "runs/following")
    ),
    *(
        OPERATOR / "core" / f"{name}.py"
        for name in (
            "runs/outcome",
            "runs/starting",
            "runs/writes",
            "status/answer",
            "status/conditions",
        )
    ),
    *(OPERATOR / "core" / f"{name}.py" for name in ("triggers/chains", "triggers/events")),
    OPERATOR / "operator/reconcile.py",
    *(
        RUNNER / f"{name}.py"
        for name in (
            "agents",
            "imports",
            "install",
            "late",
            "report",
            "resolve",
            "revision",
            "run",
            "source",
        )
    ),
    *(PI / f"{name}.py" for name in ("agent", "models", "verdict")),
]
NO_REASONS = frozenset(
    "Succeeded Failed TimedOut Skipped Missed Cancelled Pending Running "  # phases of runs
    # phases of jobs, and of conditions whether they hold
    "Invalid Finished Paused Triggered True False "
    "ContainerCreating PodInitializing "  # a pod's words for a wait that is nobody's fault
    "IndentationError TabError "  # what Python calls some syntax errors
    "Stalled Reconciling "  # conditions that have the reason of Ready
    "PackagesInstalled "  # the installer's word for success
    "Allow Forbid After "  # what a concurrencyPolicy and the type of a trigger say
    "Exited Refused SIG".split()  # outcomes in the envelope
)


def constants(path: Path) -> set[str]:
    """Words in CamelCase."""
    found = {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
    }
    return {
        text
        for text in found
        if isinstance(text, str) and re.fullmatch(r"[A-Z][a-zA-Z]*[a-z][a-zA-Z]*|SIG", text)
    }


def documented(title: str) -> set[str]:
    """The constants in a section's table."""
    section = RECORD.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return {
        name
        for row in section.splitlines()
        if row.startswith("|")
        for name in re.findall(r"`([A-Z]\w+)`", row)
    }


def test_every_reason_is_explained() -> None:
    explained = documented("Reasons of runs") | documented("Reasons of a job's conditions")
    for path in WITH_REASONS:
        assert constants(path) - explained - NO_REASONS == set(), (
            f"{path.name} has a reason that docs/run-record.md does not explain"
        )


def test_every_explained_reason_exists() -> None:
    existing = set().union(*map(constants, WITH_REASONS))
    assert (
        documented("Reasons of runs") | documented("Reasons of a job's conditions")
    ) - existing == set()


def test_every_field_of_a_record_is_explained() -> None:
    fields = {
        name
        for model in (AgentJobRunSpec, AgentJobRunStatus)
        for name in model.model_json_schema(by_alias=True)["properties"]
    }
    assert {
        name for name in fields if f"`{name}`" not in RECORD and f"`{name}." not in RECORD
    } == set()


def test_the_limits_are_those_of_the_runner() -> None:
    assert f"**{capture.HEAD_BYTES + capture.TAIL_BYTES:,} bytes**" in RECORD
    assert f"the last **{capture.TAIL_BYTES:,}**" in RECORD
    assert f"each at most {envelope.MAX_LINE_BYTES:,} bytes" in RECORD
    assert f"the last {envelope.MAX_TAIL_BYTES:,} bytes" in RECORD


@pytest.mark.parametrize("package", [OPERATOR, RUNNER, PI], ids=lambda path: str(path.name))
def test_the_architecture_names_every_module(package: Path) -> None:
    modules = [
        path.relative_to(package)
        for path in package.rglob("*.py")
        if not path.name.startswith("__init__")
    ]
    modules = [
        path for path in modules if path.parts[0] != "testing" and path.name != "__main__.py"
    ]
    parts = {path.parts[0].removesuffix(".py") for path in modules} | {
        path.stem for path in modules
    }
    assert {name for name in parts if f"`{name}`" not in ARCHITECTURE} == set()


def test_the_digest_can_be_computed_as_the_architecture_says() -> None:
    (lines,) = re.findall(r"^```python\n(.*?)^```$", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    command = [sys.executable, "-c", lines, str(EXAMPLE / "job.yaml")]
    computed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    job = yaml.safe_load((EXAMPLE / "job.yaml").read_text())
    assert (
        computed
        == content(
            job["metadata"]["name"], ScheduledAgentJobSpec.model_validate(job["spec"])
        ).digest
    )


def test_the_readme_names_kinds_and_short_names_as_they_are() -> None:
    for resource in RESOURCES:
        assert f"| `{resource.kind}` | `{resource.short}` |" in README


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_make_targets_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    links = [
        link.partition("#")[0]
        for link in re.findall(r"\]\(([^)]+)\)", text)
        if not link.startswith(("http", "#"))
    ]
    assert [link for link in links if not (document.parent / link).exists()] == []
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {
        target for target in re.findall(r"`make ([a-z-]+)", text) if target not in targets
    } == set()


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs/decisions"
    titles = {
        path.name: path.read_text().splitlines()[0].removeprefix("# ")
        for path in folder.glob("0*.md")
    }
    listed = {
        name: title
        for title, name in re.findall(
            r"^- \[(.*)\]\((.*)\)$", (folder / "README.md").read_text(), re.MULTILINE
        )
    }
    assert listed == titles


def test_documented_defaults_are_those_of_the_chart_and_the_models() -> None:
    values = yaml.safe_load((ROOT / "charts/agentjobs/values.yaml").read_text())
    architecture, record = (" ".join(text.split()) for text in (ARCHITECTURE, RECORD))
    assert (
        f"after `run.startTimeoutSeconds` ({values['run']['startTimeoutSeconds']})" in architecture
    )
    assert (
        f"Every {values['operator']['resyncSeconds']} s (`operator.resyncSeconds`)" in architecture
    )
    assert (
        f"`history.namespaceBytes`, {values['history']['namespaceBytes'] // 2**20} MiB by default"
        in record
    )
    assert (
        f"`history.clusterBytes`, {values['history']['clusterBytes'] // 2**30} GiB by default"
        in record
    )
    kept = History()
    assert (
        f"newest {kept.successful} succeeded, {kept.failed} failed and {kept.failed} skipped runs"
        in record
    )


FINE = frozenset("Completed Approved Scheduled Ready PackagesApproved NoPackages Replace".split())
"""What nobody has to mend, and a value of a field that the table names."""


def test_every_reason_has_its_remedy() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text()
    reasons = documented("Reasons of runs") | documented("Reasons of a job's conditions")
    assert {reason for reason in reasons - FINE if f"`{reason}`" not in text} == set()


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_into_a_page_lead_to_one_of_its_titles(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", document.read_text())
    broken = [
        (page, anchor)
        for page, anchor in links
        if anchor not in anchors(document.parent / page if page else document)
    ]
    assert broken == []


WHERE_TO_LOOK = CONTRIBUTING.partition("## Where to look\n")[2].partition("\n## ")[0]
ANSWERS = re.findall(r"^\| .+\? \| \[(.+)\]\((.+)\) \| `(\w+)` \|$", WHERE_TO_LOOK, re.MULTILINE)


def test_every_question_of_a_newcomer_has_one_file_that_answers_it() -> None:
    rows = [row for row in WHERE_TO_LOOK.splitlines() if row.startswith("| ") and "---" not in row]
    assert len(ANSWERS) == len(rows) - 1
    assert len({path for path, _, _ in ANSWERS}) == len(ANSWERS) == 10
    assert [path for path, link, _ in ANSWERS if ROOT / link != OPERATOR / path] == []


def test_every_file_to_look_into_exists_and_defines_what_to_start_at() -> None:
    missing = [
        path
        for path in re.findall(r"[`\[](core/[\w/]+\.py)[`\]]", WHERE_TO_LOOK)
        if not (OPERATOR / path).is_file()
    ]
    assert missing == []
    for path, _, name in ANSWERS:
        defined = {
            node.name
            for node in ast.parse((OPERATOR / path).read_text()).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        assert name in defined, f"{path} does not define {name}"


def test_every_page_is_reached_from_the_start_page() -> None:
    start = (ROOT / "docs/README.md").read_text()
    assert [
        page.name
        for page in (ROOT / "docs").glob("*.md")
        if page.name != "README.md" and f"]({page.name})" not in start
    ] == []


FIRST_STEPS = [block.commands for block in blocks(README.partition("kubectl saj new")[0])]


def test_what_the_first_steps_call_is_installed_by_the_first_of_them() -> None:
    commands = [
        command.strip()
        for block in FIRST_STEPS
        for line in block.splitlines()
        for command in line.split("&&")
    ]
    assert commands[0] == "apt-get update"
    installed = {
        word
        for command in commands
        if command.startswith("apt-get install")
        for word in command.split()
    }
    assert {command.split()[0] for command in commands} - {"cd", "eval", "export"} <= installed


def test_no_block_of_the_first_steps_holds_two_ways_to_do_one_thing() -> None:
    assert [
        block for block in FIRST_STEPS if len(re.findall(r"\binstall \.$", block, re.MULTILINE)) > 1
    ] == []


ELSEWHERE = frozenset(
    {
        # the API server's
        "There can be a delay between when CustomResourceDefinitions are created",
        'unknown field "spec.triggers[0].after.true"',
        "etcdserver: mvcc: database space exceeded",
        "logsComplete: false",  # fields, as YAML shows them
        "outputTrimmed: true",
        "... calls of pi failed",  # made of two texts; tests/runner/test_agents.py has it
    }
)


def sentences() -> str:
    """Every text in the sources of the product, with a blank where a value is put in."""
    files = [path for folder in (OPERATOR, RUNNER, PI) for path in folder.rglob("*.py")]
    texts = [
        path.read_text()
        for path in (ROOT / "charts/agentjobs/templates").rglob("*")
        if path.is_file()
    ]
    for node in (node for path in files for node in ast.walk(ast.parse(path.read_text()))):
        if isinstance(node, ast.JoinedStr):
            texts.append(
                "".join(
                    str(part.value) if isinstance(part, ast.Constant) else " "
                    for part in node.values
                )
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
    return "\n".join(texts)


def test_messages_quoted_in_troubleshooting_are_the_products() -> None:
    rows = [
        line
        for line in (ROOT / "docs/troubleshooting.md").read_text().splitlines()
        if line.startswith("| ")
    ]
    quoted = {
        text
        for row in rows
        for text in re.findall(r"`([^`]+)`", row.split(" | ")[0])
        if " " in text
    } - ELSEWHERE
    assert len(quoted) > 8
    known = sentences()
    parts = {text: re.split(r"\.\.\.|\b[A-Z]+\b|\d+|^error: ", text) for text in quoted}
    assert {
        text for text, some in parts.items() if any(part.strip() not in known for part in some)
    } == set()
