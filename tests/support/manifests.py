"""Resources as people write them: good ones, and bad ones with what they are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.support.corpus import events as event_manifests
from tests.support.corpus import schedules as schedule_manifests
from tests.support.corpus import scripts as script_manifests

Manifest = dict[str, Any]

DIGEST: Final = "0123456789abcdef" * 4
API_VERSION: Final = "agentjobs.dev/v1alpha1"
ONLY_SERVER: Final = ""
"""The Python models leave this to somebody else: time zones to `core.schedule`, changes to the API
server."""


def job(name: str = "report", **spec: Any) -> Manifest:
    """The smallest ScheduledAgentJob, with these fields of its spec on top; None leaves one out."""
    full = {
        "description": "Writes the weekly report.",
        "script": {"inline": "print('hello')\n"},
        **spec,
    }
    return _object(
        "ScheduledAgentJob",
        name,
        {field: value for field, value in full.items() if value is not None},
    )


def agent_job(name: str = "report", agent: Manifest | None = None, **spec: Any) -> Manifest:
    """The smallest one with an agent in the script's place, and these agent fields on top."""
    return job(
        name, script=None, agent={"instructions": "# Write the report\n"} | (agent or {}), **spec
    )


def run(name: str = "report-by-hand", job_name: str = "report", **spec: Any) -> Manifest:
    return _object("AgentJobRun", name, {"jobName": job_name, **spec})


def approval(name: str = "report-yes", **spec: Any) -> Manifest:
    return _object(
        "AgentJobApproval",
        name,
        {"jobName": "report", "digest": DIGEST, "decision": "Approved", **spec},
    )


def package_approval(name: str = "batch", **spec: Any) -> Manifest:
    return _object(
        "PackageApproval", name, {"packages": ["requests==2.32.3"], "decision": "Approved", **spec}
    )


def scheduled(job_name: str, minutes: int, scheduled_at: str) -> Manifest:
    """The record of a scheduled start, as the operator writes it."""
    return run(
        f"{job_name}-{minutes}", job_name, trigger={"type": "Schedule", "scheduledAt": scheduled_at}
    )


def _object(kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _cron(expression: str) -> Manifest:
    return job(schedule={"cron": expression})


def _zone(name: str) -> Manifest:
    return job(schedule={"cron": "0 8 * * 1", "timeZone": name})


def _variable(**fields: Any) -> Manifest:
    return job(env=[{"name": "A", **fields}])


def _pins(*pins: Any) -> Manifest:
    return job(packages=list(pins))


def _source(**changes: Any) -> Manifest:
    return job(script={"configMapKeyRef": {"name": "scripts", "key": "report.py", **changes}})


def _resources(requests: Manifest, limits: Manifest) -> Manifest:
    return job(resources={"requests": requests, "limits": limits})


@dataclass(frozen=True)
class Refused:
    """A manifest and parts of what the API server, and where they differ the models, say of it."""

    what: str
    manifest: Manifest
    server: str
    python: str | None = None

    @property
    def in_python(self) -> str:
        return self.server if self.python is None else self.python


NEEDS_FIVE_FIELDS = (
    'must have five fields: minute hour day-of-month month day-of-week, for example "0 8 * * 1"'
)
FIVE_FIELDS = 'spec.schedule.cron: Invalid value: "{}": ' + NEEDS_FIVE_FIELDS
SERVER_NAME = (
    'metadata.name may have at most 52 characters: lowercase letters, digits and "-" (no dots)'
)

REFUSED_CRONS: Final = (
    *(
        Refused(
            f"cron {expression!r}",
            _cron(expression),
            FIVE_FIELDS.format(expression),
            NEEDS_FIVE_FIELDS,
        )
        for expression in ("0 8 * *", "0 0 8 * * 1", "8:00", "every monday")
    ),
    Refused("cron as a macro", _cron("@daily"), "must not be a macro such as @daily"),
    Refused("cron as an interval", _cron("@every 5m"), "must not be a macro such as @daily"),
    Refused(
        "cron with TZ",
        _cron("TZ=Europe/Berlin 0 8 * * 1"),
        "must not name a time zone: set schedule.timeZone",
    ),
    Refused(
        "cron with CRON_TZ",
        _cron("CRON_TZ=Europe/Berlin 0 8 * * 1"),
        "must not name a time zone: set schedule.timeZone",
    ),
    Refused("cron with ?", _cron("0 8 ? * 1"), 'must not contain "?": write "*" instead'),
    Refused("minute 60", _cron("60 8 * * *"), "the first field, the minute, takes 0 to 59"),
    Refused("a step of 0", _cron("*/0 * * * *"), "steps from 1 to 59"),
    Refused("an empty list item", _cron("0,,30 * * * *"), "the first field, the minute"),
    Refused("hour 24", _cron("0 24 * * *"), "the second field, the hour, takes 0 to 23"),
    Refused("day 0", _cron("0 8 0 * *"), "the third field, the day of the month, takes 1 to 31"),
    Refused("the last day", _cron("0 8 L * *"), "no L or W"),
    Refused(
        "month 13", _cron("0 8 1 13 *"), "the fourth field, the month, takes 1 to 12 or JAN to DEC"
    ),
    Refused(
        "month by its full name",
        _cron("0 8 1 JANUARY *"),
        "the fourth field, the month, takes 1 to 12 or JAN to DEC",
    ),
    Refused("Sunday as 7", _cron("0 8 * * 7"), "Sunday is 0, not 7"),
    Refused("the second Monday", _cron("0 8 * * MON#2"), "no L or #"),
    Refused("a range backwards", _cron("0 18-8 * * *"), "a range must go upwards"),
    Refused(
        "a weekend over Sunday",
        _cron("0 8 * * fri-MON"),
        'for Friday to Monday, write "FRI,SAT,SUN,MON"',
    ),
)

REFUSED_SCHEDULES: Final = tuple(
    Refused(text, job(schedule=part), text) for text, part in schedule_manifests.REFUSED
)

REFUSED_ZONES: Final = (
    Refused(
        "no such zone",
        _zone("Europe/Bukarest"),
        "must be an IANA time zone name that Kubernetes knows",
        ONLY_SERVER,
    ),
    Refused(
        "a zone in lower case",
        _zone("europe/bucharest"),
        "must be an IANA time zone name that Kubernetes knows",
        ONLY_SERVER,
    ),
    *(
        Refused(
            f"zone {name!r}",
            _zone(name),
            "must be an IANA time zone name such as Europe/Bucharest or Etc/UTC, not an offset",
            ONLY_SERVER,
        )
        for name in (
            "+02:00",
            "02:00",
            "Local",
            "../Europe/Berlin",
            "posix/Europe/Berlin",
            "localtime",
            "Europe Berlin",
        )
    ),
)

REFUSED_JOBS: Final = (
    Refused(
        "a memory for two",
        job(session="Continuous", concurrencyPolicy="Allow"),
        "session Continuous needs concurrencyPolicy Forbid",
    ),
    Refused("a name of 53 characters", job("a" * 53), SERVER_NAME),
    Refused("a name with a dot", job("daily.report"), SERVER_NAME),
    Refused(
        "no description",
        job(description=None),
        "spec.description: Required value",
        "spec.description: is required",
    ),
    Refused(
        "an empty description",
        job(description=""),
        "at least 1 char",
        "should have at least 1 character",
    ),
    Refused(
        "a long description",
        job(description="x" * 1025),
        "spec.description: Too long",
        "should have at most 1024 characters",
    ),
    Refused(
        "a description that hides itself",
        job(description="Tidies up.\x1b[2K"),
        "which hide text from readers: remove them",
    ),
    Refused("neither script nor agent", job(script=None), "set exactly one of script and agent"),
    Refused(
        "script and agent",
        job(agent={"instructions": "x"}),
        "set exactly one of script and agent",
    ),
    Refused(
        "an empty script",
        job(script={"inline": ""}),
        "at least 1 char",
        "should have at least 1 character",
    ),
    Refused(
        "a script too long",
        job(script={"inline": "#" * 262_145}),
        "spec.script.inline: Too long",
        "should have at most 262144 characters",
    ),
    Refused(
        "a script with too many bytes",
        job(script={"inline": "é" * 131_073}),
        "inline may have at most 262144 bytes (256 KiB) of UTF-8",
    ),
    Refused(
        "a script that reads otherwise than it runs",
        job(script={"inline": "ok = 1 #\u202e x"}),
        "text direction characters",
    ),
    *(Refused(what, job(**spec), told) for what, spec, told in script_manifests.REFUSED),
    Refused(
        "a script with a lone carriage return",
        job(script={"inline": "evil()\rnice()"}),
        "write them as escapes such as \\x1b",
    ),
    *(
        Refused(
            f"a script {what}",
            job(script=script),
            "spec.script: Invalid value: set exactly one",
            "spec.script: set exactly one of",
        )
        for what, script in {
            "nowhere": {},
            "in two places": {"inline": "pass", "configMapKeyRef": {"name": "a", "key": "b"}},
        }.items()
    ),
    Refused(
        "a ConfigMap that cannot be",
        _source(name="Scripts"),
        "must be the name of an object in this namespace",
    ),
    Refused("a key that no ConfigMap has", _source(key="a/b"), "must be a key of the ConfigMap"),
    Refused(
        "a misspelt field",
        job(timeoutSecond=5),
        "timeoutSecond",
        "spec.timeoutSecond: is not a field that this version",
    ),
    Refused(
        "a session of its own kind",
        job(session="Forever"),
        'supported values: "Ephemeral"',
        "should be 'Ephemeral'",
    ),
    Refused(
        "no instructions",
        job(script=None, agent={}),
        "set exactly one of instructions and configMapKeyRef",
    ),
    Refused(
        "instructions with too many bytes",
        agent_job(agent={"instructions": "é" * 131_073}),
        "instructions may have at most 262144",
    ),
    Refused(
        "instructions that hide themselves",
        agent_job(agent={"instructions": "Be nice.\x1b[2K"}),
        "write them as escapes such as \\x1b",
    ),
    Refused(
        "a starting message that hides itself",
        agent_job(agent={"startingMessage": "go\u202e"}),
        "which hide text from readers",
    ),
    Refused(
        "an unknown tool",
        agent_job(agent={"tools": ["read", "shell"]}),
        "is not a tool that agents can have; choose from: read, write, edit",
    ),
    Refused(
        "a tool twice",
        agent_job(agent={"tools": ["read", "read"]}),
        "each tool may occur only once",
    ),
    Refused(
        "a model without its provider",
        agent_job(agent={"model": "gpt-5"}),
        "must be provider/model, as the installation names them",
    ),
    Refused("no turns", agent_job(agent={"maxTurns": 0}), "should be greater than or equal to 1"),
    Refused(
        "a starting deadline that is too short",
        job(schedule={"cron": "0 8 * * 1", "startingDeadlineSeconds": 9}),
        "should be greater than or equal to 10",
    ),
    Refused("no time at all", job(timeoutSeconds=0), "should be greater than or equal to 1"),
    Refused("more than an hour", job(timeoutSeconds=3541), "should be less than or equal to 3540"),
    Refused(
        "a pause before any failure",
        job(pauseAfterFailures=-1),
        "should be greater than or equal to 0",
    ),
    Refused("no history", job(history={"successful": 0}), "should be greater than or equal to 1"),
    Refused(
        "a claim that cannot be",
        job(workspace={"claimName": "My_Claim"}),
        "must be the name of an object in this namespace",
    ),
)

REFUSED_VARIABLES: Final = (
    Refused(
        "value and valueFrom",
        _variable(value="x", valueFrom={"secretKeyRef": {"name": "s", "key": "k"}}),
        "exactly one of value and valueFrom",
    ),
    Refused(
        "neither value nor valueFrom",
        _variable(),
        "spec.env[0]: Invalid value: set exactly one",
        "spec.env[0]: set exactly one of value",
    ),
    Refused(
        "one name twice",
        job(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]),
        '[name="A"]',
        "spec.env: each name may occur only once",
    ),
    Refused(
        "a variable with a dash",
        job(env=[{"name": "MY-VAR", "value": "x"}]),
        "must be the name of a variable",
    ),
    Refused(
        "a Secret that cannot be",
        _variable(valueFrom={"secretKeyRef": {"name": "S", "key": "k"}}),
        "must be the name of an object",
    ),
    Refused(
        "a key that cannot be",
        _variable(valueFrom={"secretKeyRef": {"name": "s", "key": "a b"}}),
        "must be a key of the Secret",
    ),
    Refused(
        "a reference without its key",
        _variable(valueFrom={"secretKeyRef": {"name": "s"}}),
        "key: Required value",
        "key: is required",
    ),
)

REFUSED_RESOURCES: Final = (
    Refused(
        "a request over its limit",
        _resources({"cpu": 2}, {"cpu": "1500m"}),
        "requests.cpu must not be more than limits.cpu",
    ),
    Refused(
        "a memory request over its limit",
        _resources({"memory": "1Gi"}, {"memory": "1G"}),
        "requests.memory must not be more than",
    ),
    Refused(
        "a disk request over its limit",
        _resources({"ephemeral-storage": "2Gi"}, {"ephemeral-storage": "1Gi"}),
        "requests.ephemeral-storage must not be more than limits.ephemeral-storage",
    ),
    *(
        Refused(
            f"no limit of {name}",
            _resources({}, {name: zero}),
            f"limits.{name} of 0 would mean no limit",
        )
        for name, zero in (("cpu", "0m"), ("memory", 0), ("ephemeral-storage", "0.0Gi"))
    ),
    Refused(
        "millibytes", _resources({}, {"memory": "128m"}), "must be a size such as 256Mi or 1Gi"
    ),
    Refused(
        "a negative size", _resources({}, {"memory": -1}), "must be a size such as 256Mi or 1Gi"
    ),
    Refused(
        "kilocores",
        _resources({}, {"cpu": "1k"}),
        "must be an amount of CPU such as 500m, 2",
    ),
    Refused(
        "a fraction without quotes",
        _resources({}, {"cpu": 0.5}),
        "must be of type integer,string",
        "should be a string; put it in quotes",
    ),
    Refused(
        "a resource that is not offered",
        _resources({}, {"nvidia.com/gpu": 1}),
        "gpu",
        "is not a field that this version",
    ),
)

EXACT: Final = "must name one exact version, without spaces: NAME==VERSION"
NORMAL: Final = "must be NAME==VERSION: a name of letters and digits with single"
REFUSED_PACKAGES: Final = (
    *(
        Refused(f"the package {pin!r}", _pins("six==1.17.0", pin), f"must not {word}")
        for pin, word in (
            (
                "https://files.example.com/evil-1.0-py3-none-any.whl",
                "be a URL, a file or",
            ),
            ("evil @ https://files.example.com/evil.whl", "be a URL, a file or"),
            ("./evil==1.0", "be a URL, a file or"),
            ("requests==2.32.3 --hash=sha256:00", "be a URL, a file or"),
            ("requests[socks]==2.32.3", "have extras"),
            ("requests==2.32.3;python_version>'3'", "have conditions"),
        )
    ),
    *(
        Refused(f"the package {pin!r}", _pins(pin), EXACT)
        for pin in (
            "requests",
            "requests>=2.32.3",
            "requests~=2.32",
            "requests==2.*",
            "requests===2.32.3",
            "requests == 2.32.3",
            "==1",
            "a==",
            "requests==2.32.3,<3",
            "-r other.txt",
        )
    ),
    *(
        Refused(f"the package {pin!r}", _pins(pin), NORMAL)
        for pin in (
            "requests==v2.32.3",
            "requests==2.032",
            "requests==2.32-1",
            "-requests==1",
            "my__package==1",
            "requests==2.0rc01",
            "requests==1!",
            "requests==1\n",
            "r\u00e9quests==1",
            "requests==0!1",
        )
    ),
    Refused("an empty package", _pins(""), "at least 1 char", "should have at least 1 character"),
    Refused(
        "a long package", _pins("a" * 126 + "==1"), "Too long", "should have at most 128 characters"
    ),
    Refused(
        "a package that is a number",
        _pins(1),
        "expected string",
        "should be a string; put it in quotes",
    ),
    Refused(
        "two versions of a package",
        _pins("my.Package==1.0", "my-package==2.0"),
        "spec.packages: Invalid value: each package may occur",
        "spec.packages: each package may occur only once",
    ),
    Refused(
        "51 packages",
        _pins(*(f"p{n}==1" for n in range(51))),
        "must have at most 50 items",
        "should have at most 50 items",
    ),
)

REFUSED_RUNS: Final = (
    Refused("a run's name with a dot", run("a.b"), "metadata.name may have at most 63 characters"),
    Refused(
        "a run's name of 64 characters",
        run("a" * 64),
        "metadata.name may have at most 63 characters",
    ),
    Refused(
        "a run on the name of a start",
        run("report-29412345"),
        'which end in "-" and eight or more digits, are reserved for scheduled starts',
    ),
    Refused(
        "a run of nothing", run(job_name=""), "at least 1 char", "should have at least 1 character"
    ),
    Refused("a run of no job", run(job_name="My.Job"), "must be the name of a ScheduledAgentJob"),
    Refused(
        "an unknown trigger",
        run(trigger={"type": "Cron"}),
        "Unsupported value",
        "should be 'Schedule', 'Manual', 'Event' or 'After'",
    ),
    *(Refused(*bad) for bad in event_manifests.REFUSED),
    Refused(
        "a start without its time",
        run(trigger={"type": "Schedule"}),
        "type Schedule needs scheduledAt",
    ),
    Refused(
        "a start at a time that is none",
        scheduled("report", 29412345, "2025-12-03 05:45"),
        "must be an RFC 3339 time",
    ),
    Refused(
        "a start by another name",
        scheduled("report", 29412345, "2026-01-01T00:00:00Z"),
        "minutes from 1970 to spec.trigger.scheduledAt",
    ),
)

REFUSED_APPROVALS: Final = (
    Refused(
        "a digest cut short",
        approval(digest="0123456789"),
        "must be the 64 hex digits on the job's card",
    ),
    Refused(
        "a digest in capitals",
        approval(digest="A" * 64),
        "must be the 64 hex digits on the job's card",
    ),
    Refused(
        "an undecided approval",
        approval(decision="Maybe"),
        'supported values: "Approved", "Denied"',
        "should be 'Approved' or 'Denied'",
    ),
    Refused(
        "an approval of no job", approval(jobName="a.b"), "must be the name of a ScheduledAgentJob"
    ),
    Refused(
        "a long reason",
        approval(reason="x" * 1025),
        "spec.reason: Too long",
        "should have at most 1024 characters",
    ),
    Refused(
        "a reason that hides itself", approval(reason="\u202e"), "which hide text from readers"
    ),
)

REFUSED_PACKAGE_APPROVALS: Final = (
    Refused(
        "an approval of no package",
        package_approval(packages=[]),
        "should have at least 1 items",
        "should have at least 1 item",
    ),
    Refused(
        "an approval of a range",
        package_approval(packages=["six==1.17.0", "requests>=2"]),
        "spec.packages[1]: Invalid value",
        EXACT,
    ),
    Refused(
        "an approval of a package by two names",
        package_approval(packages=["My_pkg==1", "my.pkg==1"]),
        "each package may occur only once",
    ),
    Refused(
        "an undecided approval of packages",
        package_approval(decision="Maybe"),
        'supported values: "Approved", "Denied"',
        "should be 'Approved' or 'Denied'",
    ),
    Refused(
        "a reason for packages that hides itself",
        package_approval(reason="\u202e"),
        "which hide text from readers",
    ),
)

REFUSED: Final = (
    *REFUSED_CRONS,
    *REFUSED_ZONES,
    *REFUSED_SCHEDULES,
    *REFUSED_JOBS,
    *REFUSED_VARIABLES,
    *REFUSED_RESOURCES,
    *REFUSED_PACKAGES,
    *REFUSED_RUNS,
    *REFUSED_APPROVALS,
    *REFUSED_PACKAGE_APPROVALS,
)

GOOD_JOBS: Final = {
    "the smallest job": job(),
    **{f"cron {expression!r}": _cron(expression) for expression in schedule_manifests.GOOD_CRONS},
    **{f"zone {name}": _zone(name) for name in schedule_manifests.GOOD_ZONES},
    **{
        f"policy {policy}": job(concurrencyPolicy=policy)
        for policy in ("Allow", "Forbid", "Replace")
    },
    **{name: job(schedule=part) for name, part in schedule_manifests.GOOD.items()},
    "a zone without a cron": job(
        schedule={"timeZone": "Europe/Bucharest", "startingDeadlineSeconds": 10}
    ),
    "a name of 52 characters": job("a" * 52),
    "a name that begins with a digit": job("2nd-report"),
    "a script of 256 KiB": job(script={"inline": "é" * 131_072}),
    "a script in a ConfigMap": _source(),
    **{what: job(**spec) for what, spec in script_manifests.GOOD.items()},
    "a script from Windows": job(script={"inline": "print(1)\r\nprint('\t✓')\r\n"}),
    "every field": job(
        description="Summarises lost backlinks.\nSecond line.",
        schedule={
            "cron": "0 8 * * 1",
            "timeZone": "Europe/Bucharest",
            "startingDeadlineSeconds": 60,
        },
        session="Ephemeral",
        env=[
            {"name": "A", "value": ""},
            {"name": "_b1", "valueFrom": {"secretKeyRef": {"name": "s.x-1", "key": "a_b.c-D"}}},
        ],
        resources={
            "requests": {"cpu": "500m", "memory": "1G", "ephemeral-storage": 0},
            "limits": {"cpu": 1, "memory": "1Gi", "ephemeral-storage": "1.5Gi"},
        },
        workspace={"claimName": "shared-reports"},
        timeoutSeconds=1,
        pauseAfterFailures=3,
        suspend=True,
        history={"successful": 1, "failed": 1000},
    ),
    "the smallest agent": agent_job(),
    "every field of an agent": agent_job(
        agent={
            "instructions": "# Summarise\n\nRead inbox.md.\n",
            "startingMessage": "Begin.\nNow.",
            "tools": ["bash", "read"],
            "model": "openrouter/meta-llama/llama-3:free",
            "maxTurns": 1000,
        },
        session="Continuous",
    ),
    "an agent that only talks": agent_job(agent={"tools": []}),
    "packages in every spelling": _pins(
        "requests==2.32.3",
        "Flask==3.0",
        "zope.interface==7.0",
        "ruamel_yaml==0.18.6",
        "a==1!2.0rc1",
        "b==1.0.post1.dev0",
        "c==2.0+cu121.x",
        "d==0",
    ),
    "50 packages with long names": _pins(*(f"{'p' * 110}-{n}==2024.7.4" for n in range(50))),
    "only a request": job(resources={"requests": {"cpu": "100"}}),
}
GOOD_RUNS: Final = {
    "the smallest run": run(),
    "a run by someone": run(trigger={"by": "ci/pipeline 7"}),
    **event_manifests.GOOD,
    "a run that is not to start": run(cancel=True),
    "a name of 63 characters": run("r" * 63),
    "a name with seven digits": run("report-2941234"),
    "digits alone": run("29412345"),
    "a scheduled start": scheduled("report", 29412345, "2025-12-03T05:45:00Z"),
    "a scheduled start told with an offset": scheduled(
        "weekly-2", 29412345, "2025-12-03T07:45:30.5+02:00"
    ),
}
GOOD_APPROVALS: Final = {
    "the smallest approval": approval(),
    "a denial with its reason": approval(
        "any.name",
        decision="Denied",
        reason="Reads too much: https://reviews.example/7",
        approvedBy="ana@example.com",
    ),
}
GOOD_PACKAGE_APPROVALS: Final = {
    "the smallest approval of packages": package_approval(),
    "a denial of packages": package_approval(
        "any.name",
        packages=["requests==2.32.3", "six==1.17.0"],
        decision="Denied",
        reason="CVE-2024-1",
        approvedBy="ana@example.com",
    ),
}
GOOD: Final = GOOD_PACKAGE_APPROVALS | GOOD_JOBS | GOOD_RUNS | GOOD_APPROVALS
