"""flow-service beyond the contract: versions by hash, secrets, and who scales it."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.graph import Change, Graph, Json, run_program
from tests.unit.variants import talking

GROUP = "kubernetes:speechmatics.com/v1:SessionGroup"
Changed = Callable[[Change | None], Graph]


def template(graph: Graph, name: str = "flow-service") -> Json:
    found: Json = graph.one(GROUP, name).inputs["spec"]["template"]
    return found


def other_file(config: Json) -> None:
    talking(config)
    config["sm-realtime:flow"]["config"]["ce"] = {"conversationLimit": {"enabled": True}}


def other_key(config: Json) -> None:
    talking(config)
    config["sm-realtime:flowOpenaiApiKey"] = "another-key"


def hashes(graph: Graph) -> tuple[str, str]:
    annotations = template(graph)["metadata"]["annotations"]
    return annotations["sm-realtime/config-hash"], annotations["sm-realtime/secret-hash"]


def test_a_changed_file_or_key_is_a_new_version(changed: Changed) -> None:
    file, secret = hashes(changed(talking))
    assert hashes(changed(other_file))[1] == secret
    assert hashes(changed(other_file))[0] != file
    assert hashes(changed(other_key))[0] == file
    assert hashes(changed(other_key))[1] != secret


def test_the_hash_shows_nothing_of_the_key_and_makes_no_secret_of_the_group(changed: Changed) -> None:
    group = changed(talking).one(GROUP, "flow-service")
    assert group.secret_paths == frozenset()
    assert "made-up-key" not in str(group.inputs)


def test_its_secret_arrives_as_a_secret(changed: Changed) -> None:
    made = changed(talking).one("kubernetes:core/v1:Secret", "flow-service")
    assert "data" in made.secret_paths
    assert made.inputs["data"] == {"flow-openai-api-key": "bWFkZS11cC1rZXk="}


def test_a_pod_is_a_session_pod(changed: Changed) -> None:
    found = template(changed(talking))
    assert found["spec"]["terminationGracePeriodSeconds"] == 86400
    assert found["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    assert found["metadata"]["labels"]["speechmatics.io/safe-to-evict"] == "false"


def test_its_own_switch_gives_the_number_of_pods_to_the_controller() -> None:
    def scaled(config: Json) -> None:
        talking(config)
        config["sm-realtime:flow"]["sessionGroups"] = {"scaling": {"enabled": True}}

    graph = run_program("sandbox", scaled)
    assert graph.one(GROUP, "flow-service").ignore_changes == ("spec.replicas",)
    assert graph.one(GROUP, "tts").ignore_changes == ()


def test_a_renamed_resource_manager_is_followed() -> None:
    def renamed(config: Json) -> None:
        talking(config)
        config["sm-realtime:resourceManager"] = {"fullnameOverride": "manager", "service": {"port": 9000}}

    graph = run_program("sandbox", renamed)
    for name in ("flow-service", "tts"):
        env = template(graph, name)["spec"]["containers"][1]["env"]
        assert {"name": "SM_TOKEN_STORE_URL", "value": "http://manager:9000"} in env
