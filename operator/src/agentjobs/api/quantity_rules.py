"""What is refused of a run's resources: their quantities as Kubernetes writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from agentjobs.api.rule import Rule, matching

_UNITS: Final = ("", "k", "M", "G", "T")
_SCALES: Final = {
    "m": Decimal("0.001"),
    **{unit: Decimal(1000**power) for power, unit in enumerate(_UNITS)},
    **{f"{unit}i": Decimal(1024**power) for power, unit in enumerate("KMGT", 1)},
}
CPU: Final = matching(
    "[0-9]+([.][0-9]+)?m?",
    "must be an amount of CPU such as 500m, 2 or 0.5 (put 0.5 in quotes)",
    subject="string(self)",
)
SIZE: Final = matching(
    "[0-9]+([.][0-9]+)?(k|Ki|[MGT]i?)?",
    "must be a size such as 256Mi or 1Gi",
    subject="string(self)",
)


def amount(quantity: str) -> Decimal:
    """A quantity that CPU or SIZE accepts as a number of cores or bytes."""
    digits = quantity.rstrip("mkKMGTi")
    return Decimal(digits) * _SCALES[quantity[len(digits) :]]


def _known(owner: str, field: str) -> str:
    """CEL: the quantity exists and is valid; an invalid one has its own sentence."""
    return f"has({owner}.{field}) && isQuantity(string({owner}.{field}))"


def _fits(field: str, cel_field: str, attribute: str) -> Rule:
    requests, limits = f"self.requests.{cel_field}", f"self.limits.{cel_field}"
    known = (
        f"has(self.requests) && has(self.limits) && {_known('self.requests', cel_field)} &&"
        f" {_known('self.limits', cel_field)}"
    )

    def holds(resources: Any) -> bool:
        request = getattr(resources.requests, attribute)
        limit = getattr(resources.limits, attribute)
        return request is None or limit is None or amount(request) <= amount(limit)

    cel = f"!({known}) || quantity(string({requests})).compareTo(quantity(string({limits}))) <= 0"
    return Rule(cel, f"requests.{field} must not be more than limits.{field}", holds)


def _limited(field: str, cel_field: str, attribute: str) -> Rule:
    def holds(resources: Any) -> bool:
        limit = getattr(resources.limits, attribute)
        return limit is None or amount(limit) > 0

    known = f"has(self.limits) && {_known('self.limits', cel_field)}"
    cel = f"!({known}) || quantity(string(self.limits.{cel_field})).isGreaterThan(quantity('0'))"
    return Rule(
        cel,
        f"limits.{field} of 0 would mean no limit: set the most that a run may use, or leave the"
        " field out to use the default",
        holds,
    )


_RESOURCES: Final = (
    ("cpu", "cpu", "cpu"),
    ("memory", "memory", "memory"),
    ("ephemeral-storage", "ephemeral__dash__storage", "ephemeral_storage"),
)
RESOURCES: Final = tuple(rule for names in _RESOURCES for rule in (_fits(*names), _limited(*names)))
