"""The case files: configurations that are right, and ones that are refused."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from tests.unit.graph import CHECKOUT
from tests.yaml_file import read_yaml

CASES = CHECKOUT / "tests" / "cases"
SCALARS = ("release", "namespace")
HAPPY = sorted(CASES.glob("*.happy.yaml"))
ERRORS = sorted(CASES.glob("*.error.*.yaml"))

Json = dict[str, Any]


def name(path: Path) -> str:
    return path.name.removesuffix(".yaml")


def merged(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return {
            key: merged(base.get(key), over[key]) if key in over else base[key] for key in base.keys() | over.keys()
        }
    return over


def removed(document: Json, path: str) -> None:
    *parents, last = path.split(".")
    for part in parents:
        document = document[part]
    del document[last]


@functools.cache
def _base() -> str:
    """What every case begins with, as JSON: a copy of its own for each, without reading the file again."""
    return json.dumps(read_yaml(CASES / "base.yaml"))


def given(case: Json) -> tuple[dict[str, str], list[str]]:
    """A case as the engine hands it over: full keys with text, and which of them are secret."""
    document = merged(json.loads(_base()), case.get("config") or {})
    for path in case.get("remove", ()):
        removed(document, path)
    config = {f"sm-realtime:{k}": v if k in SCALARS else json.dumps(v) for k, v in document.items()}
    secrets, clear = case.get("secrets", {}), case.get("clear", {})
    config |= {f"sm-realtime:{key}": value for key, value in {**secrets, **clear}.items()}
    config |= case.get("other", {})
    return config, [f"sm-realtime:{key}" for key in [*secrets, *case.get("flag", ())]]
