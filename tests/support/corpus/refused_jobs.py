"""Jobs that are refused, and what their authors are told."""

from __future__ import annotations

from typing import Final

from tests.support.corpus import scripts
from tests.support.corpus.case import Refused, pins, resources, source, variable
from tests.support.manifests import agent_job, job

SERVER_NAME = (
    'metadata.name may have at most 52 characters: lowercase letters, digits and "-" (no dots)'
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
    *(Refused(what, job(**spec), told) for what, spec, told in scripts.REFUSED),
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
        source(name="Scripts"),
        "must be the name of an object in this namespace",
    ),
    Refused("a key that no ConfigMap has", source(key="a/b"), "must be a key of the ConfigMap"),
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
        variable(value="x", valueFrom={"secretKeyRef": {"name": "s", "key": "k"}}),
        "exactly one of value and valueFrom",
    ),
    Refused(
        "neither value nor valueFrom",
        variable(),
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
        variable(valueFrom={"secretKeyRef": {"name": "S", "key": "k"}}),
        "must be the name of an object",
    ),
    Refused(
        "a key that cannot be",
        variable(valueFrom={"secretKeyRef": {"name": "s", "key": "a b"}}),
        "must be a key of the Secret",
    ),
    Refused(
        "a reference without its key",
        variable(valueFrom={"secretKeyRef": {"name": "s"}}),
        "key: Required value",
        "key: is required",
    ),
)
REFUSED_RESOURCES: Final = (
    Refused(
        "a request over its limit",
        resources({"cpu": 2}, {"cpu": "1500m"}),
        "requests.cpu must not be more than limits.cpu",
    ),
    Refused(
        "a memory request over its limit",
        resources({"memory": "1Gi"}, {"memory": "1G"}),
        "requests.memory must not be more than",
    ),
    Refused(
        "a disk request over its limit",
        resources({"ephemeral-storage": "2Gi"}, {"ephemeral-storage": "1Gi"}),
        "requests.ephemeral-storage must not be more than limits.ephemeral-storage",
    ),
    *(
        Refused(
            f"no limit of {name}",
            resources({}, {name: zero}),
            f"limits.{name} of 0 would mean no limit",
        )
        for name, zero in (("cpu", "0m"), ("memory", 0), ("ephemeral-storage", "0.0Gi"))
    ),
    Refused("millibytes", resources({}, {"memory": "128m"}), "must be a size such as 256Mi or 1Gi"),
    Refused(
        "a negative size", resources({}, {"memory": -1}), "must be a size such as 256Mi or 1Gi"
    ),
    Refused(
        "kilocores",
        resources({}, {"cpu": "1k"}),
        "must be an amount of CPU such as 500m, 2",
    ),
    Refused(
        "a fraction without quotes",
        resources({}, {"cpu": 0.5}),
        "must be of type integer,string",
        "should be a string; put it in quotes",
    ),
    Refused(
        "a resource that is not offered",
        resources({}, {"nvidia.com/gpu": 1}),
        "gpu",
        "is not a field that this version",
    ),
)
EXACT: Final = "must name one exact version, without spaces: NAME==VERSION"
NORMAL: Final = "must be NAME==VERSION: a name of letters and digits with single"
REFUSED_PACKAGES: Final = (
    *(
        Refused(f"the package {pin!r}", pins("six==1.17.0", pin), f"must not {word}")
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
        Refused(f"the package {pin!r}", pins(pin), EXACT)
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
        Refused(f"the package {pin!r}", pins(pin), NORMAL)
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
    Refused("an empty package", pins(""), "at least 1 char", "should have at least 1 character"),
    Refused(
        "a long package", pins("a" * 126 + "==1"), "Too long", "should have at most 128 characters"
    ),
    Refused(
        "a package that is a number",
        pins(1),
        "expected string",
        "should be a string; put it in quotes",
    ),
    Refused(
        "two versions of a package",
        pins("my.Package==1.0", "my-package==2.0"),
        "spec.packages: Invalid value: each package may occur",
        "spec.packages: each package may occur only once",
    ),
    Refused(
        "51 packages",
        pins(*(f"p{n}==1" for n in range(51))),
        "must have at most 50 items",
        "should have at most 50 items",
    ),
)
