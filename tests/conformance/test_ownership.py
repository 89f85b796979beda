"""Fields that a program ignores, or does not, and that somebody else owns, or nobody."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.kube import Kube
from tests.conformance.harness import DEFINITION, Cluster, Engine, Object, Stack, choose, definition, provider

Json = dict[str, Any]

GROUP = "scaled.example"
SCHEMA: Json = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["replicas"],
            "properties": {"replicas": {"type": "integer"}, "image": {"type": "string"}},
        }
    },
}
SCALE: Json = {"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}}
IGNORED = ["spec.replicas"]


def world(kubeconfig: str, image: str, replicas: int, third_ignores: list[str]) -> None:
    """Three scaled objects; the first two ignore `spec.replicas`."""
    opts = provider("p", kubeconfig, cluster_identifier="one")
    body = definition("pools", GROUP, "Pool", schema={"openAPIV3Schema": SCHEMA}, subresources=SCALE)
    crd = Object(DEFINITION, "definition", body, opts)
    for name, ignore in (("by-another", IGNORED), ("by-nobody", IGNORED), ("refused", third_ignores)):
        properties: Json = {"metadata": {"name": name}, "spec": {"replicas": replicas, "image": image}}
        Object(f"{GROUP}/v1:Pool", name, properties, choose(opts, depends_on=[crd], ignore_changes=ignore))


@pytest.fixture(scope="module")
def stack(engine: Engine, cluster: Cluster) -> Stack:
    """Created with one replica, two then scaled to nine by somebody else, all then updated with five ignored."""
    stack = engine.stack("ownership")
    stack.up(lambda: world(cluster.kubeconfig, "one", 1, IGNORED))

    async def scale(kube: Kube) -> None:
        for name in ("by-another", "refused"):
            patch = {"spec": {"replicas": 9}}
            await kube.merge(f"{GROUP}/v1", "Pool", name, patch, "default", subresource="scale")

    cluster.run(scale, as_="autoscaler")
    stack.up(lambda: world(cluster.kubeconfig, "two", 5, IGNORED))
    return stack


def pool(cluster: Cluster, name: str) -> Json:
    return cluster.get(f"{GROUP}/v1", "Pool", name, "default")


def test_an_ignored_field_of_another_manager_is_left_out(stack: Stack, cluster: Cluster) -> None:
    found = pool(cluster, "by-another")
    assert found["spec"] == {"replicas": 9, "image": "two"}
    owners = [e["manager"] for e in found["metadata"]["managedFields"] if "f:replicas" in e["fieldsV1"]["f:spec"]]
    assert owners == ["autoscaler"]


def test_an_ignored_field_of_nobody_else_is_sent_at_its_live_value(stack: Stack, cluster: Cluster) -> None:
    assert pool(cluster, "by-nobody")["spec"] == {"replicas": 1, "image": "two"}


def test_a_field_that_is_not_ignored_conflicts_and_the_error_names_the_other_manager(
    stack: Stack, cluster: Cluster
) -> None:
    outcome = stack.up(lambda: world(cluster.kubeconfig, "two", 5, []), fails=True)
    assert "conflict" in outcome.error
    assert "autoscaler" in outcome.error
    assert pool(cluster, "refused")["spec"]["replicas"] == 9
