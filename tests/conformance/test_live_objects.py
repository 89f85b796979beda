"""Objects changed behind the program's back, and what the state keeps of a Secret."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from sandbox.kube import Kube
from tests.conformance.harness import Cluster, Engine, Object, Stack, configuration, provider

Json = dict[str, Any]


def world(kubeconfig: str, *, labelled: bool = True) -> None:
    opts = provider("p", kubeconfig, cluster_identifier="one", enable_config_map_mutable=True)
    configuration("drifting", opts, {"a": "1", "b": "1"}, name="drifting")
    configuration("deleted", opts, {"a": "1"}, name="deleted")
    configuration("annotated", opts, {"a": "1"}, name="annotated", labels={"x": "y"} if labelled else {})
    properties: Json = {"metadata": {"name": "credentials"}, "stringData": {"password": "in-clear-nowhere"}}
    Object("core/v1:Secret", "credentials", properties, opts)
    configuration("marked", opts, {"a": pulumi.Output.secret("marked-in-clear-nowhere")}, name="marked")


@pytest.fixture(scope="module")
def stack(engine: Engine, cluster: Cluster) -> Stack:
    stack = engine.stack("live")
    stack.up(lambda: world(cluster.kubeconfig))
    return stack


def test_secrets_do_not_lie_in_the_state_in_clear(stack: Stack, cluster: Cluster) -> None:
    encoded = cluster.get("v1", "Secret", "credentials", "default")["data"]["password"]
    at_rest = stack.at_rest()
    assert '"default/credentials"' in at_rest
    assert "in-clear-nowhere" not in at_rest
    assert cluster.get("v1", "ConfigMap", "marked", "default")["data"]["a"] == "marked-in-clear-nowhere"
    assert encoded not in at_rest


def test_drift_shows_after_a_refresh_and_only_in_fields_of_ours(stack: Stack, cluster: Cluster) -> None:
    def program() -> None:
        world(cluster.kubeconfig)

    async def drift(kube: Kube) -> None:
        await kube.merge("v1", "ConfigMap", "drifting", {"data": {"a": "2"}}, "default")
        note = {"metadata": {"annotations": {"controller.example/seen": "yes"}}, "data": {"more": "x"}}
        await kube.merge("v1", "ConfigMap", "annotated", note, "default")
        await kube.delete("v1", "ConfigMap", "deleted", "default")

    cluster.run(drift, as_="somebody")
    assert stack.preview(program).changed() == {}
    stack.refresh()
    assert stack.preview(program).changed() == {"drifting": ["update"], "deleted": ["create"]}


def test_a_field_taken_out_of_the_program_is_taken_out_of_the_object_and_no_other(
    stack: Stack, cluster: Cluster
) -> None:
    def program() -> None:
        world(cluster.kubeconfig, labelled=False)

    async def force(kube: Kube) -> None:
        await kube.merge("v1", "ConfigMap", "drifting", {"data": {"a": "1"}}, "default")

    cluster.run(force, as_="somebody")
    stack.up(program)
    annotated = cluster.get("v1", "ConfigMap", "annotated", "default")
    assert "labels" not in annotated["metadata"]
    assert annotated["metadata"]["annotations"] == {"controller.example/seen": "yes"}
    assert annotated["data"] == {"a": "1", "more": "x"}
    assert stack.preview(program, refresh=True).changed() == {}
