"""Templates of generated pages.

What people wrote is here; `${name}` is where the generators put theirs.
"""

from pathlib import Path
from string import Template


def filled(page: str, **parts: str) -> str:
    """The page of this name with its parts.

    KeyError: the template has a place that nothing fills.
    """
    return Template(Path(__file__).with_name(f"{page}.md").read_text()).substitute(parts)
