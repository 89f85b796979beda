"""The program's objects against the vendor's contract, field by field: as the program registers them.

An exception of `components/speech/differences.py` that no longer applies fails as well.
"""

from __future__ import annotations

import functools

import pytest

from tests.unit.contract.compare import (
    DEFAULTS,
    DIFFERENCES,
    FILES,
    VARIANTS,
    contract,
    different,
    explained,
    lay_over,
    title,
    unexplained,
)
from tests.unit.graph import Graph, Json, run_program

INGRESS_CONTROLLER = {
    *(f"{kind}/nginx-ingress" for kind in (
        "Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Deployment",
        "Service", "PodDisruptionBudget",
    )),
    "Role/nginx-ingress-watched", "RoleBinding/nginx-ingress-watched", "ConfigMap/nginx-config",
    "Secret/nginx-default-tls", "IngressClass/nginx",
}  # fmt: skip
"""The seed takes an ingress controller for given."""


@functools.cache
def graph_of(variant: str) -> Graph:
    """The program run with the values of a variant."""
    return run_program("sandbox", functools.partial(lay_over, variant))


def actual(graph: Graph) -> dict[str, Json]:
    found = {title(each.inputs): each.inputs for each in graph.kubernetes if "metadata" in each.inputs}
    assert len(found) == len(graph.kubernetes)
    return found


@pytest.mark.parametrize("file", FILES)
def test_every_field_is_the_contracts_or_a_listed_difference(file: str, sandbox: Graph) -> None:
    found = unexplained(file, actual(graph_of(file) if file in VARIANTS else sandbox))
    assert not found, "\n".join(found)


def test_every_listed_difference_is_still_there(sandbox: Graph) -> None:
    used = set()
    for file in FILES:
        objects = actual(graph_of(file) if file in VARIANTS else sandbox)
        for expected in contract(file):
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
    of_contract = {title(each) for file in DEFAULTS for each in contract(file)}
    assert set(actual(sandbox)) - of_contract == ours


def test_a_difference_has_a_reason_worth_reading() -> None:
    assert not [d for d in DIFFERENCES if len(d.reason) < 15 or not d.reason.endswith(".")]
