"""Entry point of an agent job, started by path: `python3 -I -S .../agentjobs_pi/__main__.py`."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/agentjobs_pi/")[0])
    from agentjobs_pi.agent import main

    sys.exit(main())
