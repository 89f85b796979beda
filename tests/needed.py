"""What a test needs and this machine does not have: `make test` installs it, so that is a failure and no skip."""

from __future__ import annotations

import sys
from typing import NoReturn

import pytest


def missing(program: str, package: str) -> NoReturn:
    """Fail for want of a program that a package of the requirements carries, with the commands that mend it."""
    pytest.fail(
        f"{program} comes from the package {package}, which this Python does not have ({sys.executable}). "
        f"Mend: rm -rf {sys.prefix} && make check. Where requirements.txt leaves it out for this Python or processor: "
        "PYTHON=python3.12 make test proofs, on x86_64",
        pytrace=False,
    )
