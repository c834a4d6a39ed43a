#!/usr/bin/env python3
"""Attacks the operator on the cluster of KUBECONFIG, as people who may write jobs and start them, and says what came of it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hack.attacking.command import main

if __name__ == "__main__":
    sys.exit(main())
