"""Where each file of the contract is compared with what the API server has."""

from __future__ import annotations

from pathlib import Path

from tests.unit.contract.compare import DEFAULTS
from tests.yaml_file import read_yaml

TOGETHER: list[list[str]] = [DEFAULTS, *read_yaml(Path(__file__).parent / "together.yaml")["together"]]
"""Files that go together in one update, group by group."""
