"""What `pulumi.com/patchForce` and `pulumi.com/deletionPropagationPolicy` do to objects that others have a part in."""

from __future__ import annotations

import asyncio
from typing import Any

import pulumi
import pytest

from sandbox.kube import Kube
from tests.conformance.harness import Cluster, Engine, Stack, choose, configuration, provider

Json = dict[str, Any]
NAMESPACE = "default"
POLICIES = {"orphan": "orphan", "background": "background", "by-default": ""}
"""Owners by name, and the policy each asks for."""


def a_map(name: str, **metadata: Any) -> Json:
    meta = {"name": name, "namespace": NAMESPACE, **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


def live(cluster: Cluster, name: str) -> Json:
    return cluster.get("v1", "ConfigMap", name, NAMESPACE)


# --- patchForce


def shared(kubeconfig: str, value: str, **annotations: str) -> None:
    opts = provider("p", kubeconfig, cluster_identifier="one", enable_config_map_mutable=True)
    annotated = {f"pulumi.com/{key}": text for key, text in annotations.items()}
    configuration("shared", opts, {"a": value}, name="shared", namespace=NAMESPACE, annotations=annotated)


@pytest.fixture(scope="module")
def contested(engine: Engine, cluster: Cluster) -> Stack:
    """A map of the program whose one value somebody else has taken over."""
    stack = engine.stack("forced")
    stack.up(lambda: shared(cluster.kubeconfig, "1"))

    async def take(kube: Kube) -> None:
        await kube.apply(a_map("shared") | {"data": {"a": "2"}}, force=True, manager="somebody")

    cluster.run(take)
    return stack


def test_a_field_that_somebody_else_took_is_a_conflict_until_it_is_forced(contested: Stack, cluster: Cluster) -> None:
    refused = contested.up(lambda: shared(cluster.kubeconfig, "3"), fails=True)
    assert "somebody" in refused.error
    assert live(cluster, "shared")["data"] == {"a": "2"}
    contested.up(lambda: shared(cluster.kubeconfig, "3", patchForce="true"))
    assert live(cluster, "shared")["data"] == {"a": "3"}


# --- deletionPropagationPolicy


def owners(kubeconfig: str, *names: str) -> None:
    opts = provider("p", kubeconfig, cluster_identifier="one")
    for name in names:
        annotations = {"pulumi.com/deletionPropagationPolicy": policy} if (policy := POLICIES[name]) else {}
        bounded = choose(opts, custom_timeouts=pulumi.CustomTimeouts(delete="6s"))
        configuration(name, bounded, {}, name=name, namespace=NAMESPACE, annotations=annotations)


async def add_held_dependents(kube: Kube) -> None:
    """Each owner gets a dependent that does not go before somebody lets it."""
    for name in POLICIES:
        uid = (await kube.get("v1", "ConfigMap", name, NAMESPACE))["metadata"]["uid"]
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid, "blockOwnerDeletion": True}
        await kube.create(a_map(f"of-{name}", ownerReferences=[owner], finalizers=["conformance.example/held"]))


async def let_go(kube: Kube) -> None:
    for name in POLICIES:
        free = {"metadata": {"finalizers": None}}
        await kube.merge("v1", "ConfigMap", f"of-{name}", free, NAMESPACE)


async def is_leaving(kube: Kube, name: str) -> None:
    """Until the object is being deleted; the garbage collector takes its time."""
    async with asyncio.timeout(60):
        async for _, found in kube.watch("v1", "ConfigMap", NAMESPACE, fields=f"metadata.name={name}"):
            if "deletionTimestamp" in found["metadata"]:
                return


def test_what_depends_on_a_deleted_object_stays_goes_after_it_or_before_it(engine: Engine, cluster: Cluster) -> None:
    stack = engine.stack("propagated")
    stack.up(lambda: owners(cluster.kubeconfig, *POLICIES))
    cluster.run(add_held_dependents)
    outcome = stack.up(lambda: owners(cluster.kubeconfig), fails=True)

    assert outcome.failed("orphan") == []
    orphan = live(cluster, "of-orphan")["metadata"]
    assert "ownerReferences" not in orphan
    assert "deletionTimestamp" not in orphan

    assert outcome.failed("background") == []
    cluster.run(lambda kube: is_leaving(kube, "of-background"))

    assert outcome.failed("by-default") == ["delete"]
    assert live(cluster, "by-default")["metadata"]["finalizers"] == ["foregroundDeletion"]
    cluster.run(lambda kube: is_leaving(kube, "of-by-default"))

    cluster.run(let_go)
    stack.up(lambda: owners(cluster.kubeconfig))
    assert set(stack.resources()) & set(POLICIES) == set()
