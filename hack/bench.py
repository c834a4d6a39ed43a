#!/usr/bin/env python3
"""Measures the operator on the cluster of KUBECONFIG, where it is installed.

See docs/performance.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hack.benchmark.command import main

if __name__ == "__main__":
    sys.exit(main())
