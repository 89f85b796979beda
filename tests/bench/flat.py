"""A recorded graph as data for the flat program: the same objects, without components, hooks and models.

What the recording's far end made up (ids) becomes a reference, so that the flat program's values are as unknown in a
first preview as the real one's.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.unit.graph import Graph, Json, Resource

PROGRAM = Path(__file__).with_name("flat_program.py")
PROVIDER = "pulumi:providers:"
PROJECT = """\
name: flat
runtime: python
"""


def objects(graph: Graph) -> list[Resource]:
    """The real resources, providers among them, in the order of the program."""
    return [each for each in graph.resources if each.custom]


def described(graph: Graph) -> list[Json]:
    """Every object as the flat program reads it."""
    found = objects(graph)
    names = {each.urn: each.name for each in found}
    ids = {f"{each.name}-id": each.name for each in found}
    return [
        {
            "type": each.type,
            "name": each.name,
            "inputs": referring(each.inputs, ids),
            "secret": sorted(each.secret_paths),
            "provider": each.provider.rpartition("::")[0].rpartition("::")[2],
            "protect": each.protect,
            "ignoreChanges": list(each.ignore_changes),
            "dependsOn": sorted(names[urn] for urn in each.dependencies if urn in names),
        }
        for each in found
    ]


def referring(value: Any, ids: dict[str, str]) -> Any:
    """A value in which every made-up id is a reference to the resource it is of."""
    if isinstance(value, dict):
        return {key: referring(each, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [referring(each, ids) for each in value]
    return {"$id": ids[value]} if isinstance(value, str) and value in ids else value


def write(graph: Graph, folder: Path) -> int:
    """The flat program in a folder of its own; how many objects it registers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(PROJECT)
    shutil.copyfile(PROGRAM, folder / "__main__.py")
    found = described(graph)
    (folder / "objects.json").write_text(json.dumps(found))
    return len(found)
