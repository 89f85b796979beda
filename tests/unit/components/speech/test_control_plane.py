"""What the four services of the control plane have in common."""

from __future__ import annotations

import pytest

from components.speech.control_plane import patience, with_more
from components.speech.pod import env, passed_on
from stacks.schema.resource_manager import STARTUP
from stacks.schema.session_groups_controller import CONTROLLER
from stacks.schema.transcribers import EnvVar
from stacks.schema.workload import Resources
from tests.unit.graph import Graph, Json, run_program

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVICES = {
    "resource-manager",
    "resource-manager-metrics",
    "resource-manager-reconciliation",
    "sessiongroups-controller",
}


@pytest.mark.parametrize(
    ("budget", "replicas", "seconds"),
    [(0, 1, "600s"), (300, 1, "600s"), (750, 1, "900s"), (750, 3, "2400s"), (1200, 1, "1350s")],
)
def test_patience_is_above_the_budget_and_never_below_the_providers(budget: int, replicas: int, seconds: str) -> None:
    timeouts = patience(budget, replicas)
    assert (timeouts.create, timeouts.update) == (seconds, seconds)


def test_more_variables_come_last() -> None:
    more = [EnvVar(name="C", value="4"), EnvVar(name="B", value="5")]
    assert with_more([env("A", "1")], more) == [env("A", "1"), env("C", "4"), env("B", "5")]


def test_what_is_not_configured_is_not_passed_on() -> None:
    request = {"path": "/ready", "port": 8080}
    assert passed_on(STARTUP) == {"httpGet": request, "periodSeconds": 15, "failureThreshold": 50}
    limits = {"cpu": "500m", "memory": "128Mi"}
    assert passed_on(CONTROLLER) == {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": limits}
    assert passed_on(Resources()) == {}


def test_all_four_wait_as_long_for_redis_and_after_it(graph: Graph) -> None:
    redis = graph.one("kubernetes:apps/v1:StatefulSet").urn
    for name in SERVICES:
        deployment = graph.one(DEPLOYMENT, name)
        (container,) = deployment.inputs["spec"]["template"]["spec"]["containers"]
        assert env("REDIS_SETUP_TIMEOUT_DURATION", "10m") in container["env"], name
        assert redis in deployment.dependencies, name


def test_the_time_they_wait_is_the_configured_one() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:resourceManager"] = {"redis": {"timeoutConnection": "2m30s"}}

    graph = run_program("sandbox", change)
    for name in SERVICES:
        (container,) = graph.one(DEPLOYMENT, name).inputs["spec"]["template"]["spec"]["containers"]
        assert env("REDIS_SETUP_TIMEOUT_DURATION", "2m30s") in container["env"], name


def test_a_new_tag_reaches_all_four() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:global"]["resourceManager"] = {"image": {"registry": "registry.example", "tag": "1.35.0"}}

    graph = run_program("sandbox", change)
    for name in SERVICES:
        deployment = graph.one(DEPLOYMENT, name)
        (container,) = deployment.inputs["spec"]["template"]["spec"]["containers"]
        assert container["image"] == f"registry.example/{name}:1.35.0"
        assert deployment.inputs["metadata"]["labels"]["app.kubernetes.io/version"] == "1.35.0"
