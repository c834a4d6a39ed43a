"""The examples run as they are, against stand-ins, from `apply` to what the services were sent."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cluster import many
from tests.cluster.cli.plugin import Saj, installed
from tests.cluster.installed import Installed, Manifest
from tests.cluster.model_pod import ModelPod
from tests.cluster.source_pod import SourcePod
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.support.root import ROOT
from tests.support.servers import services
from tests.support.servers.model_server import said

JOBS, AGENTS = ROOT / "examples/jobs", ROOT / "examples/agents"
ELSEWHERE: Final = {
    "weekly-site-audit": {"SITE": "{url}/site", "GITHUB_API_URL": "{url}/github"},
    "monthly-traffic-report": {"PLAUSIBLE_URL": "{url}/plausible", "SLACK_API_URL": "{url}/slack/"},
    "monthly-backlink-summary": {"AHREFS_URL": "{url}/ahrefs", "AIRTABLE_URL": "{url}/airtable"},
    "fortnightly-mentions": {"MENTIONS_URL": "{url}/mentions", "NOTION_URL": "{url}/notion"},
    "biweekly-competitor-report": {
        "FEEDS": "{url}/feeds/one.xml {url}/feeds/two.xml {url}/feeds/gone.xml",
        "SLACK_API_URL": "{url}/slack/",
    },
    "newsletter-draft": {"NEWSLETTER_URL": "{url}/buttondown"},
}
"""Where each job finds the stand-ins: variables that it reads, and nothing else of it is
changed."""
CLAIM: Final = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
CLAIMS: Final = [
    {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": CLAIM}
    for name in ("competitor-reports", "mail")
]
LETTERS: Final = {"ana.txt": "Ana asks for the offer by Friday.", "ben.txt": "Ben says thank you."}
BRINGS: Final = f"""\
import pathlib
pathlib.Path("inbox").mkdir()
for name, text in {LETTERS}.items():
    pathlib.Path("inbox", name).write_text(text)
"""
UPDATE: Final = {
    "specversion": "1.0",
    "type": "com.example.product.published",
    "source": "/cms",
    "id": "4711",
    "data": {
        "name": "Example",
        "version": "2.0",
        "changes": ["Reports open twice as fast.", "Größere Schrift"],
    },
}


@pytest.fixture(scope="module")
def model(kubectl: Kubectl, agentjobs: Installed) -> Iterator[ModelPod]:
    """An installation whose models are the test's own."""
    with new_namespace(kubectl) as namespace:
        pod = ModelPod(agentjobs, namespace)
        pod.start()
        with agentjobs.values_set(**pod.values() | {"models.default": "test/obeys"}):
            yield pod


@pytest.fixture(scope="module")
def stand_ins(model: ModelPod) -> SourcePod:
    """The services, and a Secret with the token of each."""
    pod = SourcePod(
        model.agentjobs, model.namespace, "services", Path(services.__file__), "/received"
    )
    names = ("slack", "plausible", "ahrefs", "airtable", "github", "notion", "buttondown")
    model.agentjobs.kubectl.create(model.namespace, *(_secret(name) for name in names), *CLAIMS)
    pod.start()
    return pod


def _secret(service: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": service},
        "stringData": {"token": services.token(service)},
    }


@pytest.fixture(scope="module")
def saj(kubectl: Kubectl, model: ModelPod, tmp_path_factory: pytest.TempPathFactory) -> Saj:
    return installed(kubectl, model.namespace, tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def runs(agentjobs: Installed, saj: Saj, stand_ins: SourcePod) -> dict[str, Manifest]:
    """One run of each job, side by side; its status by job."""
    namespace, url = stand_ins.namespace, stand_ins.url
    for name, variables in ELSEWHERE.items():
        (body,) = json.loads(
            saj("render", str(JOBS / f"{name.replace('-', '_')}.py"), "-o", "json")
        )["items"]
        elsewhere = [
            {"name": variable, "value": value.format(url=url)}
            for variable, value in variables.items()
        ]
        body["spec"]["env"] = [
            *(given for given in body["spec"]["env"] if given["name"] not in variables),
            *elsewhere,
        ]
        (saj.folder / f"{name}.json").write_text(json.dumps(body))
    in_force(agentjobs, saj, namespace, {name: f"{name}.json" for name in ELSEWHERE})
    by_hand = {name: f"{name}-run" for name in ELSEWHERE if name != "newsletter-draft"}
    for name, run in by_hand.items():
        saj("run", name, "--name", run)
    by_event = (
        saj("run", "newsletter-draft", "--event", "-", "-o", "name", stdin=json.dumps(UPDATE))
        .strip()
        .partition("/")[2]
    )
    found = many.finished(agentjobs, namespace, {**by_hand, "newsletter-draft": by_event}, 240)
    return {name: run["status"] for name, run in found.items()}


def in_force(agentjobs: Installed, saj: Saj, namespace: str, files: Mapping[str, str]) -> None:
    """Apply these files, and approve their jobs."""
    saj("apply", *files.values())
    for name in files:
        agentjobs.digest(namespace, name)
    saj("approve", *files, "--yes")
    for name in files:
        agentjobs.wait_condition(namespace, name, "Ready", "True")


@pytest.fixture(scope="module")
def sent(runs: dict[str, Manifest], stand_ins: SourcePod) -> dict[str, list[dict[str, Any]]]:
    """What each service was sent: path and body, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in stand_ins.told():
        found.setdefault(each["service"], []).append(each)
    return found


@pytest.mark.parametrize("job", ELSEWHERE)
def test_the_script_of_the_file_runs_and_succeeds(
    agentjobs: Installed, stand_ins: SourcePod, runs: dict[str, Manifest], job: str
) -> None:
    assert (runs[job]["phase"], runs[job].get("stderr", "")) == ("Succeeded", ""), runs[job]
    text = (JOBS / f"{job.replace('-', '_')}.py").read_text()
    assert agentjobs.job(stand_ins.namespace, job)["spec"]["script"]["inline"] == text


def test_the_site_audit_proposes_its_report_as_a_pull_request(
    runs: dict[str, Manifest], sent: dict[str, list[dict[str, Any]]]
) -> None:
    branch, file, pull = (each["body"] for each in sent["github"])
    assert (branch["ref"], file["branch"]) == (f"refs/heads/{pull['head']}", pull["head"])
    report = b64decode(file["content"]).decode()
    assert pull["body"] == report
    assert [line for line in report.splitlines() if line.startswith("- ")] == [
        "- has 1 images without a text for those who cannot see them",
        f"- links to {report.partition('links to ')[2].partition(': ')[0]}: status 404",
    ]
    assert runs["weekly-site-audit"]["stdout"].endswith(
        "1 with problems: https://github.example/pull/1\n"
    )


def test_the_traffic_report_tells_the_channel_both_months(
    sent: dict[str, list[dict[str, Any]]],
) -> None:
    (message,) = [each["body"] for each in sent["slack"] if each["body"]["channel"] == "#traffic"]
    assert "1,200 visitors (+20%)\n3,000 pageviews (-25%)" in message["text"]
    assert "• event:page A: 600 (+100%)" in message["text"]


def test_the_backlink_summary_writes_a_row_for_each_domain_that_changed(
    sent: dict[str, list[dict[str, Any]]],
) -> None:
    (upsert,) = (each["body"] for each in sent["airtable"])
    assert upsert["performUpsert"] == {"fieldsToMergeOn": ["Month", "Domain"]}
    month = services.last_month(1)[:7]
    assert [record["fields"] for record in upsert["records"]] == [
        {"Month": month, "Domain": "known.example", "Rating": 71.0, "New": 1, "Lost": 0},
        {"Month": month, "Domain": "lost.example", "Rating": 40.0, "New": 0, "Lost": 1},
    ]


def test_a_mention_comes_into_the_tracker_once_however_often_the_job_runs(
    agentjobs: Installed, saj: Saj, stand_ins: SourcePod, sent: dict[str, list[dict[str, Any]]]
) -> None:
    addresses = [each["body"]["properties"]["Address"]["url"] for each in sent["notion"]]
    assert addresses == [f"https://news.ycombinator.com/item?id={number}" for number in (2, 1)]
    saj("run", "fortnightly-mentions", "--wait", "--name", "again")
    assert (
        agentjobs.run(stand_ins.namespace, "again")["status"]["stdout"]
        == "2 mentions of Example in 14 days, 0 of them new in the tracker\n"
    )
    assert len([each for each in stand_ins.told() if each["service"] == "notion"]) == 2


def test_the_competitor_report_has_news_and_names_unreadable_pages(
    sent: dict[str, list[dict[str, Any]]],
) -> None:
    (message,) = [each["body"] for each in sent["slack"] if each["body"]["channel"] == "#market"]
    lines = message["markdown_text"].splitlines()
    assert [line.partition(" [")[2] for line in lines if line.startswith("- ")] == [
        "A & B](https://one.example/new)",
        "Hello](https://two.example/1)",
    ]
    assert [line for line in lines if "could not be read: status 404" in line]


def test_an_event_makes_one_draft_of_what_the_model_wrote(
    saj: Saj, stand_ins: SourcePod, model: ModelPod, sent: dict[str, list[dict[str, Any]]]
) -> None:
    (draft,) = (each["body"] for each in sent["buttondown"])
    assert (draft["subject"], draft["status"]) == ("Example 2.0 is here", "draft")
    assert draft["body"].startswith("answer 1 to: Write a newsletter")
    assert '"Größere Schrift"' in draft["body"]
    assert "has its run already" in saj(
        "run", "newsletter-draft", "--event", "-", stdin=json.dumps(UPDATE)
    )
    wrong = {**UPDATE, "id": "4712", "data": {"name": "Example"}}
    code, told = saj.refused(
        "run", "newsletter-draft", "--wait", "--event", "-", stdin=json.dumps(wrong)
    )
    assert code == 7, told
    assert len([each for each in stand_ins.told() if each["service"] == "buttondown"]) == 1


def test_the_digest_of_the_mail_is_made_of_what_its_reader_has_noted(
    agentjobs: Installed, kubectl: Kubectl, saj: Saj, stand_ins: SourcePod, model: ModelPod
) -> None:
    """Two agents in a chain with one workspace.

    The model does what the files say; that it says something useful, no test can tell.
    """
    namespace = stand_ins.namespace
    many.ran(agentjobs, namespace, [many.job("brings", BRINGS, workspace={"claimName": "mail"})])
    in_force(
        agentjobs,
        saj,
        namespace,
        {
            name: str(AGENTS / f"{name.replace('-', '_')}.md")
            for name in ("email-reader", "mail-digest")
        },
    )
    assert "succeeded" in saj("run", "email-reader", "--wait", "--name", "monday")

    def following() -> Manifest:
        (run,) = (
            run
            for run in kubectl.json("get", "ajr", "-n", namespace)["items"]
            if run["spec"]["jobName"] == "mail-digest"
        )
        assert run["status"].get("finishedAt")
        return dict(run)

    run = wait_for(following, 90, "the digest has followed")
    notes = "\n".join(LETTERS.values())
    assert (run["status"]["phase"], run["spec"]["trigger"]["upstreamRun"]) == (
        "Succeeded",
        "monday",
    ), run["status"]
    assert f"[assistant] I have read: {notes}" in run["status"]["stdout"]
    asked = [
        messages
        for messages in model.received("obeys")
        if "# The digest of the mail" in said(messages, "system")[0]
    ]
    assert said(asked[-1], "tool")[0].strip() == notes, (
        "what the second asks the model with is what the first has written"
    )
