"""Commands that need no plane."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sandbox.nodes.images import table

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_start_times_of_every_image_are_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "images"],
        cwd=CHECKOUT,
        text=True,
        capture_output=True,
        timeout=60,
        check=True,
    )
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.strip()}
    for name, starts, stops in table():
        assert rows[name] == [f"{starts:g}", f"{stops:g}"]
