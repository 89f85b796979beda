"""What a preview plans: replacements by the force-new table, mutability, and changed provider resources.

One program is brought up and one changed program previewed; each row is one object of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi
import pytest

from tests.conformance.harness import (
    DEFINITION,
    Cluster,
    Engine,
    Object,
    Outcome,
    changed_clusters,
    choose,
    definition,
    provider,
)
from tests.conformance.rows import NAMESPACE, ROWS, Row, numbered, row_number

Json = dict[str, Any]


@dataclass(frozen=True)
class Identity:
    """A change of a provider resource, and whether it takes every object with it."""

    name: str
    before: Json
    after: Callable[[str, pulumi.Output[str]], Json]
    replaces: bool


IDENTITIES = [
    Identity(
        "same-identifier-other-cluster",
        {"cluster_identifier": "a"},
        lambda k, _: {"cluster_identifier": "a", "kubeconfig": changed_clusters(k, **{"disable-compression": True})},
        replaces=False,
    ),
    Identity(
        "no-identifier-other-cluster",
        {},
        lambda k, _: {"kubeconfig": changed_clusters(k, **{"disable-compression": True})},
        replaces=True,
    ),
    Identity("other-identifier", {"cluster_identifier": "a"}, lambda _, __: {"cluster_identifier": "b"}, replaces=True),
    Identity("identifier-added", {}, lambda _, __: {"cluster_identifier": "a"}, replaces=False),
    Identity("other-setting", {}, lambda _, __: {"enable_secret_mutable": True}, replaces=False),
    Identity(
        "same-identifier-unknown-kubeconfig",
        {"cluster_identifier": "a"},
        lambda _, u: {"cluster_identifier": "a", "kubeconfig": u},
        replaces=False,
    ),
    Identity("no-identifier-unknown-kubeconfig", {}, lambda _, u: {"kubeconfig": u}, replaces=True),
]


def world(kubeconfig: str, *, changed: bool) -> None:
    """The program: every row and every identity, before or after its change."""
    options = {
        "default": provider("default", kubeconfig, cluster_identifier="one"),
        "mutable": provider(
            "mutable",
            kubeconfig,
            cluster_identifier="one",
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
        ),
    }
    plain = options["mutable"]
    namespace = Object("core/v1:Namespace", "namespace", {"metadata": {"name": NAMESPACE}}, plain)
    crd = Object(DEFINITION, "crd", definition("things", "test.example", "Thing"), plain)
    for row in ROWS:
        opts = choose(options[row.settings], depends_on=[namespace, crd])
        Object(row.token, f"{row.name}{row_number(row)}", numbered(row, row.properties(changed=changed)), opts)
    nothing = pulumi.Output.from_input(kubeconfig)
    if changed:
        created = Object("core/v1:ConfigMap", "unknown-source", {"metadata": {"name": "unknown-source"}}, plain)
        nothing = created.status.apply(str)
    for identity in IDENTITIES:
        settings = {"kubeconfig": kubeconfig, **identity.before}
        if changed:
            settings = {"kubeconfig": kubeconfig, **identity.after(kubeconfig, nothing)}
        opts = provider(f"provider-{identity.name}", **settings)
        Object("core/v1:ConfigMap", identity.name, {"metadata": {"name": identity.name}, "data": {"a": "1"}}, opts)


@pytest.fixture(scope="module")
def planned(engine: Engine, cluster: Cluster) -> Outcome:
    stack = engine.stack("plan")
    stack.up(lambda: world(cluster.kubeconfig, changed=False))
    return stack.preview(lambda: world(cluster.kubeconfig, changed=True))


@pytest.mark.parametrize("row", [row for row in ROWS if row.replaces], ids=lambda row: row.name + row_number(row))
def test_a_force_new_path_replaces(planned: Outcome, row: Row) -> None:
    name = row.name + row_number(row)
    assert planned.replaced(name), planned.ops(name)
    path = row.path.replace("stringData", "data")  # where the API server puts it
    assert any(f"{key}.".startswith(f"{path}.") or key.startswith(f"{path}[") for key in planned.forcing(name)), (
        planned.forcing(name)
    )


@pytest.mark.parametrize("row", [row for row in ROWS if not row.replaces], ids=lambda row: row.name + row_number(row))
def test_another_path_is_changed_in_place(planned: Outcome, row: Row) -> None:
    assert planned.ops(row.name + row_number(row)) == ["update"]


@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda identity: identity.name)
def test_a_changed_provider_takes_its_objects_along_only_when_the_cluster_is_another(
    planned: Outcome, identity: Identity
) -> None:
    assert planned.replaced(f"provider-{identity.name}") == identity.replaces
    assert planned.replaced(identity.name) == identity.replaces
