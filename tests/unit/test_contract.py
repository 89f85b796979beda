"""The program's objects against the vendor's contract, field by field.

`contract/*.yaml` is the contract, written by hand; `components/speech/differences.py` is the only list of exceptions,
and an exception that no longer applies fails as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.speech.differences import DIFFERENCES, Difference
from tests.unit.graph import Graph, Json

CONTRACT = Path(__file__).parent / "contract"
FILES = ("control_plane", "redis", "transcription")

INGRESS_CONTROLLER = {
    *(f"{kind}/nginx-ingress" for kind in (
        "Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Deployment",
        "Service", "PodDisruptionBudget",
    )),
    "Role/nginx-ingress-watched", "RoleBinding/nginx-ingress-watched", "ConfigMap/nginx-config",
    "Secret/nginx-default-tls", "IngressClass/nginx",
}  # fmt: skip
"""The seed takes an ingress controller for given."""


def contract(file: str) -> list[Json]:
    objects: list[Json] = yaml.safe_load((CONTRACT / f"{file}.yaml").read_text())
    return objects


def title(obj: Json) -> str:
    return f"{obj['kind']}/{obj['metadata']['name']}"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path; items of a list by their name where all have one, and then their order as well."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        named = all(isinstance(each, dict) and "name" in each for each in value)
        if named:
            yield f"{path}.(order)", [each["name"] for each in value]
        for index, each in enumerate(value):
            yield from leaves(each, f"{path}[{each['name'] if named else index}]")
    else:
        yield path, value


def different(expected: Json, actual: Json) -> dict[str, tuple[Any, Any]]:
    """Path → what the contract says, what the program does."""
    missing = object()
    left, right = dict(leaves(expected)), dict(leaves(actual))
    return {
        path: (left.get(path, "nothing"), right.get(path, "nothing"))
        for path in left.keys() | right.keys()
        if left.get(path, missing) != right.get(path, missing)
    }


def order_only(path: str) -> bool:
    return path.endswith(".(order)")


def explained(name: str, path: str) -> list[Difference]:
    """Exceptions for a difference; one of the order is explained by one of the items."""
    return [each for each in DIFFERENCES if each.path and each.covers(name, path.removesuffix(".(order)"))]


def actual(graph: Graph) -> dict[str, Json]:
    found = {title(each.inputs): each.inputs for each in graph.kubernetes if "metadata" in each.inputs}
    assert len(found) == len(graph.kubernetes)
    return found


@pytest.mark.parametrize("file", FILES)
def test_every_field_is_the_contracts_or_a_listed_difference(file: str, sandbox: Graph) -> None:
    objects = actual(sandbox)
    unexplained = []
    for expected in contract(file):
        name = title(expected)
        if name not in objects:
            assert [d for d in DIFFERENCES if d.covers(name, "")], f"{name} is missing"
            continue
        for path, (wanted, got) in different(expected, objects[name]).items():
            if not explained(name, path):
                unexplained.append(f"{name} {path}: contract {wanted!r}, program {got!r}")
    assert not unexplained, "\n".join(sorted(unexplained))


def test_every_listed_difference_is_still_there(sandbox: Graph) -> None:
    objects, used = actual(sandbox), set()
    for expected in (each for file in FILES for each in contract(file)):
        name = title(expected)
        if name not in objects:
            used |= {d for d in DIFFERENCES if d.covers(name, "")}
        else:
            used |= {d for path in different(expected, objects[name]) for d in explained(name, path)}
    assert not [f"{d.objects} {d.path}" for d in DIFFERENCES if d not in used]


def test_every_object_is_in_the_contract_or_known_to_be_ours(sandbox: Graph) -> None:
    ours = {
        *INGRESS_CONTROLLER,
        "Namespace/speechmatics",
        "DaemonSet/nvidia-device-plugin",
        "Secret/speechmatics-license",
        "Secret/speechmatics-registry",
    }
    of_contract = {title(each) for file in FILES for each in contract(file)}
    assert set(actual(sandbox)) - of_contract == ours


def test_a_difference_has_a_reason_worth_reading() -> None:
    assert not [d for d in DIFFERENCES if len(d.reason) < 15 or not d.reason.endswith(".")]
