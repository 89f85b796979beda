"""Every ExternalSecret of the contract at an API server that has the operator's kind, with strict validation."""

from __future__ import annotations

import asyncio
import re

import pytest

from sandbox.kube import Kube, KubeError
from sandbox.kubernetes.state import to_wire
from sandbox.plane.control_plane import ControlPlane
from tests.conformance.kinds import stand
from tests.live.asked_for import NAMESPACE, OF_OTHERS
from tests.live.declared import pruned
from tests.reach import record
from tests.unit.contract.compare import VARIANTS, contract, parts, title, unexplained
from tests.unit.graph import Json, Resource
from tests.unit.variants import of_contract

KIND = "ExternalSecret"
FILES = [file for file in VARIANTS if any(each["kind"] == KIND for each in [*contract(file), *parts(file)])]
STANDING = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    *(each for each in OF_OTHERS if each["kind"] == "CustomResourceDefinition"),
]


def declared(file: str) -> list[Json]:
    """Those of the program with the values of a file of the contract, as they are sent."""
    return [to_wire(each.inputs) for each in _declared(file)]


def _declared(file: str) -> list[Resource]:
    return [each for each in of_contract(file).kubernetes if each.inputs.get("kind") == KIND]


@pytest.fixture(scope="module")
def kubeconfig(control_plane: ControlPlane) -> str:
    """That of a control plane with the namespace and the operator's kind."""

    asyncio.run(stand(control_plane.admin_kubeconfig(), STANDING, [("external-secrets.io/v1", KIND)]))
    return control_plane.admin_kubeconfig()


def tried(kubeconfig: str, objects: list[Json]) -> dict[str, Json]:
    """What the API server would hold at the declared fields, by title."""

    async def answers() -> dict[str, Json]:
        async with Kube(kubeconfig, "test") as kube:
            return {title(each): pruned(await kube.create(each, dry_run=True), each) for each in objects}

    return asyncio.run(answers())


@pytest.mark.parametrize("file", FILES)
def test_the_operators_kind_takes_them_and_holds_what_the_contract_says(kubeconfig: str, file: str) -> None:
    live = tried(kubeconfig, declared(file))
    assert [line for line in unexplained(file, live) if line.startswith(f"{KIND}/")] == []


def test_every_one_that_a_key_makes_is_among_them() -> None:
    """A license has the name of its Secret; one stands for all."""
    made = {_made_as(each.name) for file in FILES for each in _declared(file)}
    recorded = (name.split("/") for name in record.read().objects)
    assert made == {_made_as(name) for kind, name in recorded if kind == KIND}


def _made_as(logical_name: str) -> str:
    return re.sub("^stored-license-.*", "stored-license", logical_name)


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        ("refreshIntervall", "1h"),
        ("secretStoreRef", {"kind": "VaultStore", "name": "vault"}),
        ("secretStoreRef", {"kind": "SecretStore", "name": "Vault_1"}),
        ("target", {"name": "made-up", "creationPolicy": "Ours"}),
        ("data", [{"secretKey": "a b", "remoteRef": {"key": "made-up"}}]),
        ("data", [{"secretKey": "made-up"}]),
        ("data", [{"secretKey": "made-up", "remoteRef": {"property": "made-up"}}]),
        ("data", [{"secretKey": "made-up", "remoteRef": {"key": "made-up", "field": "made-up"}}]),
    ],
)
def test_what_the_operators_kind_does_not_take_is_refused(kubeconfig: str, at: str, wrong: object) -> None:
    first = declared(FILES[0])[0]
    with pytest.raises(KubeError) as refused:
        tried(kubeconfig, [{**first, "spec": {**first["spec"], at: wrong}}])
    assert refused.value.code in (400, 422)
    assert at in str(refused.value)
