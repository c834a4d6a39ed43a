"""Which cases of a test are left out of `make unit`: those with the mark `slow`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pytest

SLOW: Final = pytest.mark.slow


def slow_but(quick: Iterable[Any], cases: Iterable[Any], *, several: bool = False) -> list[Any]:
    """The cases as parameters of a test; all but the quick ones have the mark.

    Of a mapping the keys are the ids of its values, and the quick ones are keys. `several`: each
    case is the values of several arguments. A quick one that is no case raises ValueError: nobody
    would miss it.
    """
    wanted = list(quick)
    pairs = list(cases.items() if isinstance(cases, Mapping) else ((case, case) for case in cases))
    lost = [key for key in wanted if key not in [name for name, _ in pairs]]
    if lost:
        raise ValueError(f"no such cases: {lost}")
    return [
        pytest.param(
            *(value if several else (value,)),
            id=name if isinstance(cases, Mapping) else None,
            marks=() if name in wanted else (SLOW,),
        )
        for name, value in pairs
    ]
