"""The admission policies of the chart, evaluated as the API server evaluates them, without one.

What the API server adds to CEL stands here: the `authorizer`, variables that may fail until they
are asked for, and `Object{...}` in what a mutating policy applies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import yaml
from cel_expr_python import cel
from cel_expr_python.ext import ext_optional

from tests.policies.cases import PEOPLE, Manifest, Request, merged
from tests.policies.existing import EXISTING
from tests.support.root import ROOT

NAMESPACE: Final = "team"
WHOLE: Final = ("object", "oldObject", "params", "request", "variables")
Environment = Mapping[str, Any]


class Failed(Exception):
    """The expression ended in an error."""


def _checks() -> list[Any]:
    """`authorizer.group(g).resource(r).namespace(n).name(x).check(verb).allowed()`: each step adds
    what it is given to a map, and the last looks whether the map's `rights` have it.
    """
    facts = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)

    def step(name: str) -> Any:
        def impl(before: Manifest, value: str) -> Manifest:
            return {**before, name: value}

        takes = [facts, cel.Type.STRING]
        return cel.FunctionDecl(name, [cel.Overload(f"{name}_step", facts, takes, True, impl)])

    allowed = cel.Overload("allowed_of_checks", cel.Type.BOOL, [facts], True, _allowed)
    steps = [step(name) for name in ("group", "resource", "namespace", "name", "check")]
    return [*steps, cel.FunctionDecl("allowed", [allowed])]


def _allowed(asked: Manifest) -> bool:
    """As RBAC answers: a right on one object says nothing of a question without a name."""
    right = f"{asked['check']} {asked['resource']}"
    wanted = {right, f"{right}/{asked['name']}" if "name" in asked else right, "*"}
    here = (asked["group"], asked["namespace"]) == ("agentjobs.dev", NAMESPACE)
    return here and bool(wanted & set(asked["rights"]))


@cache
def _environment() -> Any:
    facts = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    variables = dict.fromkeys(WHOLE, cel.Type.DYN) | {"authorizer": facts}
    optional = [ext_optional.ExtOptional()]
    return cel.NewEnv(variables=variables, extensions=optional, functions=_checks())


@cache
def _compiled(expression: str) -> Any:
    return _environment().compile(expression)


def evaluate(expression: str, known: Environment) -> Any:
    """The value, in Python's types. Raises Failed; an optional value is an error, too, since the
    API server has no variable of that type.
    """
    result = _compiled(expression).eval(data=dict(known))
    try:
        value = result.plain_value()
    except TypeError:  # what the package says of an optional value
        raise Failed(f"an optional value: {expression}") from None
    if result.type() == cel.Type.ERROR:
        raise Failed(str(value))
    return value


@dataclass(frozen=True)
class Policy:
    kind: str
    name: str
    spec: Manifest

    @property
    def validations(self) -> list[Manifest]:
        return list(self.spec.get("validations", []))


@dataclass(frozen=True)
class Verdict:
    """Of one validation of one policy; `number` counts from 0."""

    policy: str
    number: int
    message: str
    """Empty where the validation passes."""


@cache
def policies(name: str = "full") -> tuple[Policy, ...]:
    """As the chart renders them; `default` is without those for a second person."""
    text = (ROOT / f"tests/chart/golden/{name}.yaml").read_text()
    kinds = ("MutatingAdmissionPolicy", "ValidatingAdmissionPolicy")
    documents = [document for document in yaml.safe_load_all(text) if document["kind"] in kinds]
    return tuple(
        Policy(document["kind"], document["metadata"]["name"], document["spec"])
        for document in sorted(documents, key=lambda document: str(document["kind"]))
    )


@cache
def _schema(plural: str) -> Manifest:
    path = ROOT / f"crds/agentjobs.dev_{plural}.yaml"
    version = yaml.safe_load(path.read_text())["spec"]["versions"][0]
    return dict(version["schema"]["openAPIV3Schema"])


def _defaulted(schema: Manifest, value: Any) -> Any:
    """With the defaults of a CRD, as far as objects in objects have some."""
    if not isinstance(value, dict):
        return value
    fields = schema.get("properties", {})
    missing = {name: field["default"] for name, field in fields.items() if "default" in field}
    full = missing | value
    return {name: _defaulted(fields.get(name, {}), inner) for name, inner in full.items()}


def _complete(request: Request, body: Manifest) -> Manifest:
    if request.group != "agentjobs.dev":
        return body
    schema = _schema(request.plural)
    spec = _defaulted(schema["properties"]["spec"], body["spec"])
    return {**body, "spec": spec}


def known(request: Request) -> dict[str, Any]:
    """What the expressions know of a request; the API server's answers to a check, too."""
    person = PEOPLE[request.who]
    username = person.username.format(namespace=NAMESPACE)
    groups = [*person.groups, "system:authenticated"]
    if username.startswith("system:serviceaccount:"):
        groups += ["system:serviceaccounts", f"system:serviceaccounts:{username.split(':')[2]}"]
    asked: Manifest = {
        "operation": request.operation,
        "namespace": NAMESPACE,
        "userInfo": {"username": username, "groups": groups},
        "resource": {"group": request.group, "resource": request.plural},
    }
    if request.subresource:
        asked["subResource"] = request.subresource
    body = _complete(request, request.body)
    new = request.operation == "CREATE"
    return {
        "request": asked,
        "object": None if request.operation == "DELETE" else merged(body, request.patch),
        "oldObject": None if new else body,
        "params": None,
        "authorizer": {"rights": ["*"] if "system:masters" in groups else [*person.may]},
    }


def _meant(policy: Policy, request: Request, environment: Environment) -> bool:
    """The policy is about such requests, and its conditions hold."""
    constraints = policy.spec["matchConstraints"]
    found = any(
        request.group in rule["apiGroups"]
        and request.operation in rule["operations"]
        and request.resource in rule["resources"]
        for rule in constraints["resourceRules"]
    )
    for expression in constraints["objectSelector"].get("matchExpressions", []):
        bodies = [environment["object"] or {}, environment["oldObject"] or {}]
        labels = [body.get("metadata", {}).get("labels", {}) for body in bodies]
        found = found and any(expression["key"] in some for some in labels)
    conditions = policy.spec.get("matchConditions", [])
    return found and all(evaluate(some["expression"], environment) for some in conditions)


def _with_variables(policy: Policy, environment: Environment) -> dict[str, Any]:
    """One that fails is left out, so that only what asks for it fails."""
    variables: dict[str, Any] = {}
    for variable in policy.spec.get("variables", []):
        try:
            value = evaluate(variable["expression"], {**environment, "variables": variables})
        except Failed:
            continue
        variables = {**variables, variable["name"]: value}
    return {**environment, "variables": variables}


def _params(policy: Policy) -> Iterator[Manifest | None]:
    """Every job of the namespace, for a policy that takes them."""
    if "paramKind" in policy.spec:
        yield from EXISTING["scheduledagentjobs"].values()
    else:
        yield None


def _message(validation: Manifest, environment: Environment) -> str:
    if "messageExpression" in validation:
        return str(evaluate(validation["messageExpression"], environment))
    return str(validation["message"])


def _refusal(validation: Manifest, environment: Environment) -> str:
    """Empty where the validation passes. An error refuses, since every policy fails closed."""
    try:
        passes = evaluate(validation["expression"], environment) is True
    except Failed as failure:
        return f"failed: {failure}"
    return "" if passes else _message(validation, environment)


def _plain(expression: str) -> str:
    """`Object{spec: Object.spec{a: 1}}` as maps."""
    return re.sub(r"(?<=\{)(\w+):", r"'\1':", re.sub(r"\bObject[.\w]*\{", "{", expression))


def _stamped(request: Request, among: Iterable[Policy]) -> dict[str, Any]:
    """What is known after the mutating policies."""
    environment = known(request)
    for policy in among:
        if policy.kind == "MutatingAdmissionPolicy" and _meant(policy, request, environment):
            for mutation in policy.spec["mutations"]:
                patch = evaluate(_plain(mutation["applyConfiguration"]["expression"]), environment)
                environment = {**environment, "object": merged(environment["object"], patch)}
    return environment


def completed(request: Request, among: Iterable[Policy]) -> Manifest:
    """The object as the policies complete it."""
    return dict(_stamped(request, among)["object"])


def verdicts(request: Request, among: Iterable[Policy]) -> list[Verdict]:
    """Of every validation that is asked."""
    environment = _stamped(request, among)
    found = []
    for policy in among:
        for params in _params(policy):
            seen = {**environment, "params": params}
            if policy.validations and _meant(policy, request, seen):
                seen = _with_variables(policy, seen)
                found += [
                    Verdict(policy.name, number, _refusal(validation, seen))
                    for number, validation in enumerate(policy.validations)
                ]
    return found
