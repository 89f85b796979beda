"""Plain Deployments of what holds sessions, beyond the contract's files: the guard, graces, placement, the warning."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from components.guard.names import Kind, Step, hook_name
from components.speech.disruption import AUTOSCALER_VETO
from stacks.load import read
from stacks.platform.unprotected import unprotected
from stacks.schema import Settings
from tests.unit.cases import given
from tests.unit.graph import Change, Graph, Json, run_program
from tests.unit.variants import of_contract, talking

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
GROUP = "kubernetes:speechmatics.com/v1:SessionGroup"
NAMES = ("rt-transcriber-en", "inference-server-enhanced-recipe1", "flow-service", "tts")


def plain(config: Json) -> None:
    """Everything plain, with Flow and a shorter longest session."""
    talking(config)
    config["sm-realtime:global"]["sessionGroups"] = {"enabled": False}
    config["sm-realtime:sessions"] = {"maxDurationSeconds": 7200}
    config["sm-realtime:pools"]["transcribers"][0]["maxCount"] = 4


@pytest.fixture
def made(changed: Callable[[Change | None], Graph]) -> Graph:
    return changed(plain)


@pytest.mark.parametrize("name", NAMES)
def test_a_pod_may_live_as_long_as_the_longest_session_and_its_node_stays(made: Graph, name: str) -> None:
    template = made.one(DEPLOYMENT, name).inputs["spec"]["template"]
    assert template["spec"]["terminationGracePeriodSeconds"] == 7200
    assert template["metadata"]["annotations"][AUTOSCALER_VETO] == "false"


@pytest.mark.parametrize("name", NAMES)
def test_placement_and_security_are_those_of_the_session_group(made: Graph, sandbox: Graph, name: str) -> None:
    pod = made.one(DEPLOYMENT, name).inputs["spec"]["template"]["spec"]
    assert pod["nodeSelector"]["sm-realtime/pool"]
    if name.startswith(("rt-", "inference-")):
        group = sandbox.one(GROUP, name).inputs["spec"]["template"]["spec"]
        for field in ("nodeSelector", "tolerations", "securityContext", "volumes", "serviceAccountName"):
            assert pod.get(field) == group.get(field)


@pytest.mark.parametrize("name", NAMES)
def test_new_pods_come_first_one_at_a_time(made: Graph, name: str) -> None:
    update = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert made.one(DEPLOYMENT, name).inputs["spec"]["strategy"] == update


@pytest.mark.parametrize("name", NAMES)
def test_a_delete_asks_for_live_sessions_first(made: Graph, name: str) -> None:
    assert made.one(DEPLOYMENT, name).before_delete == (hook_name(Kind.WORKLOAD, Step.DELETE),)


@pytest.mark.parametrize("name", NAMES)
def test_the_pods_are_under_no_budget_of_all_session_pods(made: Graph, name: str) -> None:
    labels = made.one(DEPLOYMENT, name).inputs["spec"]["template"]["metadata"]["labels"]
    assert "speechmatics.io/safe-to-evict" not in labels


def test_there_is_no_session_group_and_the_output_names_none(made: Graph) -> None:
    assert made.of(GROUP) == []
    assert made.exports["sessionGroups"] == []


def test_a_budget_is_protected() -> None:
    graph = of_contract("plain_servers")
    found = graph.one("kubernetes:policy/v1:PodDisruptionBudget", "inference-server-custom-pdb")
    assert found.before_delete == (hook_name(Kind.CLUSTER_OBJECT, Step.DELETE),)


def settings(**sections: Json) -> Settings:
    found, problems = read(*given({"config": sections}))
    assert found is not None, problems
    return found


ROOM = {
    name: [{"number": 1, "state": "active", "kubernetesVersion": "1.35.4", "maxCount": 20}]
    for name in ("services", "inference", "transcribers")
}


def test_the_warning_counts_what_is_plain() -> None:
    said = unprotected(
        settings(
            **{"global": {"sessionGroups": {"enabled": False}, "transcriber": {"languages": ["en", "cy"]}}},
            pools=ROOM,
            flow={"enabled": True, "tts": {"sessionGroups": {"enabled": True}}},
        )
    )
    assert said is not None
    assert "the transcribers of 2 languages, 1 inference server and flow-service run as plain Deployments" in said
    assert "nothing protects their sessions" in said
    assert "after 86400 seconds" in said


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {
            "global": {"sessionGroups": {"enabled": False}},
            "transcribers": {"sessionGroups": {"enabled": True}},
            "inferenceServerEnhancedRecipe1": {"sessionGroups": {"enabled": True}},
        },
    ],
    ids=["by default", "every part on by itself"],
)
def test_where_nothing_is_plain_nothing_is_said(sections: Json) -> None:
    assert unprotected(settings(**sections)) is None


def test_it_is_said_once_and_only_in_this_mode(caplog: pytest.LogCaptureFixture) -> None:
    run_program("sandbox", plain)
    assert len([record for record in caplog.records if "plain Deployments" in record.message]) == 1
    caplog.clear()
    run_program("sandbox")
    assert not [record for record in caplog.records if "plain Deployments" in record.message]
