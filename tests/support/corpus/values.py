"""Any JSON, and JSON that is deeper than a parser likes."""

from __future__ import annotations

from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.fixed_dictionaries(
    {"metadata": st.fixed_dictionaries({"name": st.text()}), "spec": VALUES}
)


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels
