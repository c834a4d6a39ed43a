"""`kubectl saj` through the real binaries, on a real cluster."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster import many
from tests.cluster.cli.plugin import Saj, installed
from tests.cluster.cli.terminal import session
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.support import manifests
from tests.support.pages import shown_as, squeezed

GOLDEN = Path(__file__).parent / "golden"
SLOW = """\
import sys, time
print("first", flush=True)
print("beside", file=sys.stderr, flush=True)
from pathlib import Path
while not Path("/workspace/stop").exists():
    time.sleep(0.2)
"""


@pytest.fixture(scope="module")
def namespace(agentjobs: Installed, kubectl: Kubectl) -> Iterator[str]:
    with new_namespace(kubectl) as name:
        yield name


@pytest.fixture(scope="module")
def saj(kubectl: Kubectl, namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Saj:
    return installed(kubectl, namespace, tmp_path_factory.mktemp("checkout"))


def golden(name: str, text: str) -> None:
    """`...` stands for anything, as in the README."""
    expected = (GOLDEN / f"{name}.txt").read_text()
    assert shown_as(expected.strip()).fullmatch(squeezed(text)), (
        f"{name}: printed\n{text}\nand not\n{expected}"
    )


def test_a_job_goes_from_a_script_to_its_record_and_away(saj: Saj) -> None:
    saj("new", "--name", "hello", "-d", "Says hello.", "-s", "0 8 * * 1", "-z", "Europe/Bucharest")
    script = saj.folder / "jobs/hello.py"
    script.write_text(script.read_text() + 'import sys\nprint("all is well", file=sys.stderr)\n')
    digest = saj("digest", "jobs").split()[0]
    assert saj("apply") == f"hello {digest} waits for approval\n"
    wait_for(lambda: digest in saj("cards", "hello"), 30, "the card is there")
    golden("cards", saj("cards"))
    approved = saj("approve", "hello", "--digest", digest, "--reason", "https://reviews.example/1")
    assert approved.startswith(f"approved: hello {digest[:10]} by ")
    assert "already" in saj("approve", "hello", "--digest", digest)
    golden("run", saj("run", "hello", "--wait", "--name", "hello-now"))
    wait_for(lambda: "finished" in saj("list"), 30, "the list tells the run")
    golden("list", saj("list", "-o", "wide"))
    golden("history", saj("history", "hello", "-o", "wide"))
    assert saj("logs", "hello") == "hello from hello-now\n"
    assert saj("logs", "hello-now", "--stderr") == "all is well\n"
    assert saj("apply") == f"hello {digest} approved\n"
    assert saj("pause", "hello") == "hello is paused\n"
    wait_for(lambda: "paused" in saj("list"), 30, "the list tells the pause")
    assert saj("resume", "hello", "-o", "name") == "scheduledagentjob.agentjobs.dev/hello\n"
    assert "is deleted" in saj("delete", "hello", "--approvals", "--yes")
    assert saj.run("list", "-o", "name").stdout == ""


def test_approving_on_a_terminal_shows_the_card_and_what_changed_and_asks(
    agentjobs: Installed, saj: Saj, namespace: str
) -> None:
    agentjobs.in_force(namespace, "asked", "print('one')\n")
    agentjobs.kubectl.apply(namespace, many.job("asked", "print('two')\n", packages=["six==1.0"]))
    wait_for(lambda: "change waits" in saj("cards", "asked"), 30, "the change waits")
    question = f"Approve asked ({agentjobs.digest(namespace, 'asked')[:10]})? [y/N]: "
    assert saj.run("diff", "asked").returncode == 1
    command = ["kubectl", "saj", "approve", "asked"]
    answers = {"Approve these packages for this namespace? [y/N]: ": "y\n"}
    code, screen = session(command, {**answers, question: "n\n"}, saj.environment)
    assert (code, screen.count("approved: six==1.0")) == (1, 1)
    golden("approve-no", screen)
    wait_for(
        lambda: "six==1.0: approved" in saj("cards", "asked"), 30, "the card knows of the package"
    )
    code, screen = session(command, {question: "y\n"}, saj.environment)
    assert code == 0, screen
    golden("approve-yes", screen)
    wait_for(lambda: saj.run("diff", "asked").stdout == "", 30, "what was approved is what runs")


def test_approving_a_denied_text_on_a_terminal_says_what_prevents_it(
    agentjobs: Installed, saj: Saj, namespace: str
) -> None:
    agentjobs.in_force(namespace, "refused", "print('one')\n")
    agentjobs.kubectl.apply(namespace, many.job("refused", "print('two')\n"))
    wait_for(lambda: "change waits" in saj("cards", "refused"), 30, "the change waits")
    saj("deny", "refused", "--yes", "--reason", "it mails everybody")
    code, screen = session(["kubectl", "saj", "approve", "refused"], {}, saj.environment)
    assert code == 1, screen
    golden("approve-denied", screen)
    wait_for(lambda: "refused" not in saj("cards"), 30, "what was decided about does not wait")
    saj("cards", "refused")
    denial = f"refused-{agentjobs.digest(namespace, 'refused')[:16]}-denied"
    assert f"kubectl delete aja {denial} --namespace {namespace}" in screen
    agentjobs.kubectl("delete", "aja", denial, "-n", namespace)
    assert "approved: refused" in saj("approve", "refused", "--yes")
    wait_for(lambda: saj.run("diff", "refused").stdout == "", 30, "what was approved is what runs")


def test_an_agent_is_asked_for_applied_and_approved_on_a_terminal(
    agentjobs: Installed, saj: Saj, namespace: str
) -> None:
    file = saj.folder / "agents/mail-reader.md"
    file.parent.mkdir()
    file.write_text("Read `inbox.md`.\n\nSay in *three* lines what it asks of us.\n")
    questions = {
        "What is it for, in a sentence: ": "Reads the mail: all of it.\n",
        "empty for by hand only: ": "0 18 * * 1-5\n",
    }
    command = ["kubectl", "saj", "new", "agents/mail-reader.md", "--time-zone", "Europe/Bucharest"]
    code, screen = session(command, questions, saj.environment, folder=saj.folder)
    assert (code, "agents/mail-reader.md is written" in screen) == (0, True), screen
    file.write_text(file.read_text().replace("schedule:", "tools: [read]\nmax-turns: 7\nschedule:"))
    code, screen = session(
        ["kubectl", "saj", "apply", "agents"], {}, saj.environment, folder=saj.folder
    )
    digest = agentjobs.digest(namespace, "mail-reader")
    assert (code, screen) == (0, f"mail-reader {digest} waits for approval\n")
    question = f"Approve mail-reader ({digest[:10]})? [y/N]: "
    code, screen = session(
        ["kubectl", "saj", "approve", "mail-reader"], {question: "y\n"}, saj.environment
    )
    assert code == 0, screen
    golden("approve-agent", screen)
    agentjobs.wait_condition(namespace, "mail-reader", "Approved", "True")
    agent = agentjobs.job(namespace, "mail-reader")["spec"]["agent"]
    instructions = "Read `inbox.md`.\n\nSay in *three* lines what it asks of us.\n"
    assert agent == {
        "instructions": instructions,
        "startingMessage": "go",
        "tools": ["read"],
        "maxTurns": 7,
    }


def test_a_job_is_asked_for_on_a_terminal_from_nothing(saj: Saj) -> None:
    questions = {
        "Name of the job: ": "counts\n",
        "in a sentence: ": "Counts.\n",
        "empty for by hand only: ": "\n",
    }
    code, screen = session(["kubectl", "saj", "new"], questions, saj.environment, folder=saj.folder)
    assert (code, "jobs/counts.py is written" in screen) == (0, True), screen
    assert (
        saj("render", "jobs/counts.py", "-o", "name") == "scheduledagentjob.agentjobs.dev/counts\n"
    )


def test_packages_are_checked_approved_and_revoked_by_themselves(
    agentjobs: Installed, kubectl: Kubectl, tmp_path: Path
) -> None:
    with new_namespace(kubectl) as alone:
        packages_are_decided_about(agentjobs, installed(kubectl, alone, tmp_path), alone)


def packages_are_decided_about(agentjobs: Installed, saj: Saj, namespace: str) -> None:
    agentjobs.kubectl.apply(
        namespace, many.job("packed", "print(1)", packages=["idna==3.0", "attrs==1.0"])
    )
    assert saj.run("packages", "check", "idna==3.0").returncode == 1
    assert "approved: attrs==1.0, idna==3.0" in saj(
        "packages", "approve", "attrs==1.0", "idna==3.0", "--yes"
    )
    golden("packages", saj("packages", "list"))
    assert "approved" in saj("packages", "check", "idna==3.0")
    decisions = json.loads(saj("packages", "list", "-o", "json"))["items"]
    (decision,) = (
        item["metadata"]["name"] for item in decisions if "idna==3.0" in item["spec"]["packages"]
    )
    assert "is revoked" in saj("packages", "revoke", decision, "--yes")
    assert "needs approval" in saj.run("packages", "check", "idna==3.0").stdout
    assert "denied: idna==3.0" in saj(
        "packages", "deny", "idna==3.0", "--yes", "--reason", "CVE-2024-1"
    )
    assert "denied" in saj.run("packages", "check", "idna==3").stdout


def test_doctor_tells_what_is_in_force_and_who_could_get_around_it(
    kubectl: Kubectl, saj: Saj, namespace: str
) -> None:
    kubectl("create", "rolebinding", "ed", "-n", namespace, "--clusterrole=edit", "--user=ed")
    kubectl("create", "rolebinding", "adam", "-n", namespace, "--clusterrole=admin", "--user=adam")
    golden("doctor", saj.run("doctor").stdout)
    findings = json.loads(saj.run("doctor", "-o", "json").stdout)["findings"]
    assert {"verdict": "ok", "text": "the API is served"} in findings
    assert saj.run("doctor", "-o", "name").stdout.split() == [
        finding["verdict"] for finding in findings
    ]
    ed = installed(kubectl, namespace, saj.folder, "ed")
    assert "unknown" in ed.run("doctor").stdout
    assert "ed may write jobs, start runs here, not approve jobs" in ed.run("doctor").stdout


def test_the_output_is_shown_while_a_run_goes_on_and_kept_afterwards(
    agentjobs: Installed, saj: Saj, namespace: str
) -> None:
    fails = many.job("fails", "print('half')\nraise SystemExit(3)")
    many.in_force(agentjobs, namespace, [many.job("slow", SLOW), fails, many.job("endless", SLOW)])
    saj("run", "endless", "--name", "endless-run")
    followed = subprocess.Popen(
        ["kubectl", "saj", "run", "slow", "--follow", "--name", "slow-run"],
        stdout=subprocess.PIPE,
        text=True,
        env=saj.environment,
    )
    with followed:
        assert followed.stdout is not None
        assert {followed.stdout.readline(), followed.stdout.readline()} == {"first\n", "beside\n"}
        assert "first" in saj("logs", "slow")
        assert saj.refused("logs", "slow", "--stderr")[0] == 2
        code, told = saj.refused("run", "fails", "--follow")
        assert (code, "failed: the script exited with code 3" in told) == (7, True)
        agentjobs.kubectl(
            "exec", "-n", namespace, saj_pod(agentjobs, namespace), "--", "touch", "/workspace/stop"
        )
        assert followed.stdout.read() == "", "the runner's envelope is not for people"
    assert followed.returncode == 0
    assert (saj("logs", "slow-run"), saj("logs", "slow-run", "--stderr")) == ("first\n", "beside\n")
    assert saj("logs", "fails") == "half\n"
    assert saj("cancel", "endless", "--yes") == "endless-run is being cancelled\n"
    wait_for(lambda: "cancelled" in saj("history", "endless"), 60, "the run is cancelled")
    assert saj.refused("cancel", "endless-run", "--yes")[0] == 4


def saj_pod(agentjobs: Installed, namespace: str) -> str:
    return str(agentjobs.run(namespace, "slow-run")["status"]["podName"])


def test_each_refusal_has_its_exit_code_and_a_remedy(
    kubectl: Kubectl, agentjobs: Installed, saj: Saj, namespace: str
) -> None:
    agentjobs.kubectl.apply(namespace, many.job("wanted", "print(1)"))
    digest = agentjobs.digest(namespace, "wanted")
    kubectl("create", "rolebinding", "ben", "-n", namespace, "--clusterrole=view", "--user=ben")
    ben = installed(kubectl, namespace, saj.folder, "ben")
    assert "wanted" in ben("list")
    code, told = ben.refused("approve", "wanted", "--digest", digest)
    assert (code, "ben" in told) == (5, True)
    assert ben.refused("run", "wanted")[0] == 5
    assert saj.refused("cards", "absent")[0] == 4
    assert saj.refused("history", "absent")[0] == 4
    assert saj.refused("approve", "wanted", "--digest", "0" * 64)[0] == 6
    assert saj.refused("approve", "wanted")[0] == 2
    code, told = saj.refused("run", "wanted", "--wait")
    assert code == 7
    assert "skipped" in saj("history", "wanted")
    assert saj.refused("logs", "nothing")[0] == 4


def test_the_name_is_written_where_the_server_does_not_stamp_it(
    agentjobs: Installed, saj: Saj, namespace: str
) -> None:
    agentjobs.kubectl.apply(namespace, many.job("unstamped", "print(1)"))
    agentjobs.digest(namespace, "unstamped")
    with agentjobs.values_set(**{"approval.stamp": "false"}):
        told = saj("approve", "unstamped", "--yes")
    assert (
        f"by {agentjobs.kubectl('auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}')}"
        in told
    )


def test_programs_get_the_objects_and_shells_the_names(
    kubectl: Kubectl, saj: Saj, namespace: str
) -> None:
    kubectl.apply(namespace, manifests.job("listed"))
    as_json, as_yaml = (
        json.loads(saj("list", "-o", "json")),
        yaml.safe_load(saj("list", "-o", "yaml")),
    )
    assert as_json == as_yaml
    assert "listed" in [item["metadata"]["name"] for item in as_json["items"]]
    completed = subprocess.run(
        ["kubectl", "__complete", "saj", "pause", "li"],
        capture_output=True,
        text=True,
        env=saj.environment,
        check=True,
    )
    assert completed.stdout.splitlines() == ["listed", ":4"]
    assert namespace in saj("list", "--all-namespaces")
    assert saj("list", "-n", "default", "-o", "name") == ""


def test_applying_twice_changes_nothing_whatever_the_operator_wrote(
    agentjobs: Installed, saj: Saj, namespace: str
) -> None:
    agentjobs.in_force(namespace, "kept", "print(1)\n", schedule={"cron": "0 8 * * 1"}, packages=[])
    manifest = many.job("kept", "print(1)\n", schedule={"cron": "0 8 * * 1"}, packages=[])
    before = agentjobs.job(namespace, "kept")["metadata"]["resourceVersion"]
    agentjobs.kubectl.apply(namespace, manifest)
    after = agentjobs.job(namespace, "kept")
    assert after["metadata"]["resourceVersion"] == before
    shown = agentjobs.kubectl.json("get", "saj", "kept", "-n", namespace, "--show-managed-fields")[
        "metadata"
    ]["managedFields"]
    assert [
        (entry["manager"], sorted(entry["fieldsV1"]))
        for entry in shown
        if "f:spec" in entry["fieldsV1"]
    ] == [("kubectl", ["f:spec"])]
    assert [sorted(entry["fieldsV1"]) for entry in shown if entry["manager"] != "kubectl"] == [
        ["f:status"]
    ]


@pytest.mark.parametrize("program", ["script", "agent"])
def test_a_job_whose_text_is_in_a_config_map_is_applied(saj: Saj, program: str) -> None:
    """Its digest is known on the cluster only."""
    reference = {"configMapKeyRef": {"name": "texts", "key": "text"}}
    manifest = manifests.job(f"referring-{program}", **{"script": None, program: reference})
    path = saj.folder / f"{program}.yaml"
    path.write_text(yaml.safe_dump(manifest))
    assert (
        saj("apply", str(path))
        == f"referring-{program} is applied; `kubectl saj cards referring-{program}` shows what"
        " waits\n"
    )


def test_what_is_not_there_or_keeps_a_job_is_told(
    agentjobs: Installed, kubectl: Kubectl, saj: Saj, namespace: str
) -> None:
    agentjobs.in_force(
        namespace,
        "quiet",
        "import sys\nsys.exit(3)\n",
        schedule={"cron": "0 0 1 1 *"},
        pauseAfterFailures=1,
    )
    code, said = saj.refused("run", "quite")
    assert (code, "did you mean quiet?" in said) == (4, True), said
    assert (
        kubectl.json("get", "ajr", "-n", namespace, "--field-selector", "spec.jobName=quite")[
            "items"
        ]
        == []
    )
    assert saj.run("run", "quiet", "--wait", "--name", "quiet-1").returncode == 7
    logs = saj.run("logs", "quiet-1")
    assert (logs.stdout, "quiet-1 has no stdout: it printed nothing to stdout" in logs.stderr) == (
        "",
        True,
    ), logs.stderr
    wait_for(
        lambda: "failurePause" in agentjobs.job(namespace, "quiet")["status"],
        30,
        "the job is paused",
    )
    doctor = saj.run("doctor")
    assert (doctor.returncode, "quiet: 1 runs in a row failed" in doctor.stdout) == (
        1,
        True,
    ), doctor.stdout
    assert saj("resume", "quiet") == "quiet is resumed after 1 failure in a row\n"
    wait_for(
        lambda: "failurePause" not in agentjobs.job(namespace, "quiet")["status"],
        30,
        "the pause is over",
    )


def test_who_approves_is_warned_of_a_secret_that_is_not_there(
    agentjobs: Installed, saj: Saj, namespace: str
) -> None:
    token = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "absent", "key": "token"}}}
    agentjobs.kubectl.apply(
        namespace, many.job("reads", "print(1)\n", env=[token], workspace={"claimName": "nowhere"})
    )
    agentjobs.digest(namespace, "reads")
    told = saj.run("approve", "reads", "--yes").stderr
    assert "warning: reads: there is no Secret absent: runs cannot start without its token" in told
    assert "warning: reads: there is no PersistentVolumeClaim nowhere" in told
    saj("delete", "reads", "--approvals", "--yes")
