"""What can be previewed before there is anything: no namespace, no definition, no cluster."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from tests.conformance.harness import DEFINITION, Cluster, Engine, Object, choose, definition, free_port, provider

Json = dict[str, Any]

NOWHERE = """
apiVersion: v1
kind: Config
current-context: nowhere
clusters: [{name: nowhere, cluster: {server: "https://127.0.0.1:%d"}}]
users: [{name: nobody, user: {token: none}}]
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
"""


def world(kubeconfig: pulumi.Input[str]) -> None:
    opts = provider("p", kubeconfig, cluster_identifier="one")
    namespace = Object("core/v1:Namespace", "space", {"metadata": {"name": "not-there-yet"}}, opts)
    crd = Object(DEFINITION, "definition", definition("dreams", "preview.example", "Dream"), opts)
    inside = {"name": "inside", "namespace": "not-there-yet"}
    Object("core/v1:ConfigMap", "inside", {"metadata": inside}, choose(opts, depends_on=[namespace]))
    Object("preview.example/v1:Dream", "dream", {"metadata": inside}, choose(opts, depends_on=[crd, namespace]))
    Object("apps/v1:Deployment", "named-later", {"metadata": {"name": namespace.status.apply(str)}}, opts)


@pytest.mark.parametrize("reachable", [True, False], ids=["with-a-cluster", "without-a-cluster"])
def test_everything_can_be_planned_before_anything_exists(engine: Engine, cluster: Cluster, reachable: bool) -> None:
    stack = engine.stack(f"preview-{reachable}".lower())
    kubeconfig = cluster.kubeconfig if reachable else NOWHERE % free_port()
    planned = stack.preview(lambda: world(kubeconfig)).changed()
    assert {name: ops for name, ops in planned.items() if name not in ("p", f"{stack.name}-test")} == {
        "space": ["create"],
        "definition": ["create"],
        "inside": ["create"],
        "dream": ["create"],
        "named-later": ["create"],
    }


def test_a_preview_shows_what_the_api_server_would_refuse(engine: Engine, cluster: Cluster) -> None:
    def program() -> None:
        opts = provider("p", cluster.kubeconfig)
        broken: Json = {"spec": {"ports": [{"port": 99999}], "clusterIP": "None"}, "metadata": {"name": "broken"}}
        Object("core/v1:Service", "broken", broken, opts)

    outcome = engine.stack("refused").preview(program, fails=True)
    assert "spec.ports[0].port" in outcome.error
