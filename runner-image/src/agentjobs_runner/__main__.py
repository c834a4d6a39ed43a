"""Entry point, started by path: `python3 -I -S .../agentjobs_runner/__main__.py [install] [ROOT]`.

With `install` it is the installer.

`-I` keeps the job's PYTHON* variables and working directory away from the runner, `-S` saves the
start of `site`; with either, the package's folder has to be put on the path by hand.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    os.closerange(3, 1024)  # whatever the runtime left open is neither ours nor the script's
    sys.path.insert(0, __file__.rpartition("/agentjobs_runner/")[0] or ".")
    from agentjobs_runner.signals import Signals

    signals = Signals()  # before the slower imports: a SIGTERM that comes earlier is lost
    if sys.argv[1:2] == ["install"]:
        del sys.argv[1]
        from agentjobs_runner.install import main
    else:
        from agentjobs_runner.run import main

    main(sys.argv[1] if len(sys.argv) > 1 else "/", signals)
