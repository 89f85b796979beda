"""Measures `make up` on an empty plane with a warm cache; exit code 1 where the goal is missed."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.live.conftest import plain_environment
from tests.unit.graph import CHECKOUT

BESIDE_THE_PODS = 60.0
"""The goal, in seconds: all but what the pods take to start by the stand-in's own table, on two idle cores."""


def verdict(said: str) -> tuple[bool, str]:
    """Whether what `make up` says of its time meets the goal, in words. Raises `ValueError` when it says nothing."""
    found = re.search(r"It took (\d+) s(?:.|\n)*the pods alone take (\d+) s", said)
    if found is None:
        raise ValueError(f"`make up` said nothing of its time:\n{said}")
    took, table = map(float, found.groups())
    beside = took - table
    return (
        beside <= BESIDE_THE_PODS,
        f"up in {took:.0f} s: {beside:.0f} s beside the pods' {table:.0f} s (goal {BESIDE_THE_PODS:.0f} s)",
    )


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="sm-realtime-up-") as folder:
        environment = plain_environment() | {"SM_SANDBOX_HOME": str(Path(folder) / "plane")}
        command = [sys.executable, "-m", "sandbox"]
        try:
            done = subprocess.run(
                [*command, "up"], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
            )
        finally:
            subprocess.run([*command, "down"], cwd=CHECKOUT, env=environment, check=True)
    if done.returncode != 0:
        print(done.stdout + done.stderr)
        return 1
    met, text = verdict(done.stdout)
    print(f"{'pass' if met else 'FAIL'}  {text}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
