"""Everything on, on a plane of its own: all pods stand where they belong, nothing is left, changes wait for sessions.

Every language that a recipe of the contract has, and every server, are among it; those of later charts need a custom
server with costs for them (test_contract.py, `inference_custom`).

The tests run from top to bottom.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from operations.keys import Kind, keys
from stacks.schema import SECRET_KEYS
from tests.live.conftest import Json, Platform, started
from tests.live.everything_on import STAYS_OFF, everything_on, made_first, secrets, values
from tests.live.views import live_pods, pool_of, ready, type_and_name
from tests.reach.knobs import at, places
from tests.seed_languages import SEED_LANGUAGES
from tests.unit.contract.compare import contract

WHERE = {
    "rt-transcriber-": ("transcribers", "Standard_E16s_v5"),
    "inference-server-": ("inference", "Standard_NC4as_T4_v3"),
    "tts": ("inference", "Standard_NC4as_T4_v3"),
    "llm-": ("inference", "Standard_NC4as_T4_v3"),
    "llm-proxy": ("services", "Standard_D4s_v5"),
    "nvidia-device-plugin": ("inference", "Standard_NC4as_T4_v3"),
    "": ("services", "Standard_D4s_v5"),
}
"""Begin of a pod's name → the pool it belongs on and its VM size; the longest begin counts."""

GPU_PODS = 6 + 1 + 2
"""Six servers, the voices, and the language model twice."""


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with started(tmp_path_factory.mktemp("everything")) as started_plane:
        plane = started_plane.saving_once
        plane.configure(everything_on)
        plane.keep_secrets(secrets())
        # the namespace is there afterwards, and no workload before what others make is in it
        said = plane.pulumi("up", "--yes", "--skip-preview", fails=True)
        assert "A Secret must be made first" in said
        assert "rt-transcriber-speaker-id" in said
        file = plane.checkout / ".sandbox" / "made-first.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": made_first()}))
        plane.kubectl("apply", "-n", "speechmatics", "-f", str(file))
        plane.run("pulumi", "--non-interactive", "up", "--yes", "--skip-preview", "--stack", "sandbox", timeout=840)
        yield plane


def wait(platform: Platform, what: str, *until: str) -> None:
    platform.kubectl("wait", what, "-n", "speechmatics", "--timeout=280s", *until)


def test_every_switch_is_on_but_for_those_that_exclude_others() -> None:
    """Off by default, and on here; a switch that stays off says why."""
    switches = [key for key in keys() if key.kind is Kind.EFFECTIVE and key.type.startswith("bool") and not key.default]
    off = {
        key.path
        for key in switches
        if not any(at(values(), place) is True for place in places(key.path, values()))
        # of two deployments of the proxy one is active, and the other is off by that
        and key.path != "proxy.proxy.deployments.<key>.active"
    }
    excused = {path for path in off if any(re.fullmatch(pattern, path) for pattern in STAYS_OFF)}
    assert off == excused
    assert len(excused) < len(switches) / 3
    assert secrets().keys() <= SECRET_KEYS.keys()


def test_every_group_has_its_pod(everything: Platform) -> None:
    """One each, of one pod's capacity: the controller adds up what the pods register."""
    wait(everything, "sessiongroup", "--all", "--for=jsonpath={.status.replicas}=1")
    wait(everything, "pod", "--all", "--for=condition=Ready")
    groups = {each["metadata"]["name"]: each for each in everything.objects("sessiongroups")}
    wanted = {each["metadata"]["name"] for each in contract("every_language") if each["kind"] == "SessionGroup"}
    assert groups.keys() == wanted | {"inference-server-custom", "flow-service", "tts"}
    assert {f"rt-transcriber-{language}" for language in SEED_LANGUAGES} <= groups.keys()
    for name in ("flow-service", "tts"):
        status = groups[name]["status"]
        assert (status["capacity"], status["totalSessions"]) == (1, 1)


def test_every_pod_is_ready_on_its_pool(everything: Platform) -> None:
    nodes = {node["metadata"]["name"]: node for node in everything.objects("nodes")}
    pools, pods = pool_of(everything), live_pods(everything)
    assert all(ready(pod) for pod in pods), [p["metadata"]["name"] for p in pods if not ready(p)]
    on_gpu = []
    for pod in pods:
        name, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
        wanted = WHERE[max((begin for begin in WHERE if name.startswith(begin)), key=len)]
        assert (pools[node], nodes[node]["metadata"]["labels"]["node.kubernetes.io/instance-type"]) == wanted, name
        limits = [each.get("resources", {}).get("limits", {}) for each in pod["spec"]["containers"]]
        gpus = [limit["nvidia.com/gpu"] for limit in limits if "nvidia.com/gpu" in limit]
        if gpus:
            assert gpus == ["1"]
            assert nodes[node]["status"]["allocatable"]["nvidia.com/gpu"] == "1"
            on_gpu.append(node)
    assert len(on_gpu) == len(set(on_gpu)) == GPU_PODS


def test_redis_stands_on_three_machines(everything: Platform) -> None:
    nodes = {p["spec"]["nodeName"] for p in live_pods(everything) if "redis-node" in p["metadata"]["name"]}
    assert len(nodes) == 3


def test_the_model_has_a_volume_that_two_pods_may_share(everything: Platform) -> None:
    (claim,) = [c for c in everything.objects("persistentvolumeclaims") if c["metadata"]["name"] == "llm-cache-pvc"]
    assert claim["status"]["phase"] == "Bound"
    assert claim["status"]["accessModes"] == ["ReadWriteMany"]


def test_a_second_preview_is_empty_and_nothing_is_pending(everything: Platform) -> None:
    assert everything.steps() == {}
    assert everything.pending() == []


def test_the_secrets_stand_in_no_state(everything: Platform) -> None:
    state = json.dumps(everything.state())
    assert [key for key, text in secrets().items() if text in state] == []


def test_the_language_model_is_replaced_while_the_old_pods_answer(everything: Platform) -> None:
    """All have the volume, each a GPU of its own; with a disk for one node the new ones would never start."""

    def other_length(config: Json) -> None:
        config["sm-realtime:flow"]["vllm"]["config"] = {"maxModelLength": 2048}

    everything.configure(other_length)
    steps, _ = everything.update()
    assert {type_and_name(urn)[1]: op for urn, op in steps.items() if "::vllm" in urn} == {"vllm-deployment": "update"}
    pods = [p for p in live_pods(everything) if re.match("llm-(?!proxy)", p["metadata"]["name"])]
    assert len(pods) == 2
    for pod in pods:
        assert "--max-model-len=2048" in pod["spec"]["containers"][0]["args"]


def test_a_changed_file_waits_for_the_conversation(everything: Platform) -> None:
    """A busy pod of the old version lives on beside the new one; without the hash nothing would be rolled out."""
    (old,) = [p["metadata"]["name"] for p in live_pods(everything) if p["metadata"]["name"].startswith("flow-service")]
    everything.kubectl("annotate", "pod", old, "-n", "speechmatics", "sandbox.sm-realtime/sessions=1")
    wait(everything, "sessiongroup/flow-service", "--for=jsonpath={.status.activeSessions}=1")

    def longer(config: Json) -> None:
        config["sm-realtime:flow"]["config"]["ce"]["conversationLimit"]["duration"] = 900

    everything.configure(longer)
    steps, _ = everything.update()
    assert {type_and_name(urn)[1]: op for urn, op in steps.items()} == {
        "flow-service-config": "update",
        "flow-service-group": "update",
    }
    wait(everything, "sessiongroup/flow-service", "--for=jsonpath={.status.replicas}=2")
    wait(everything, "pod", "-l", "app.kubernetes.io/name=flow-service", "--for=condition=Ready")
    pods = {p["metadata"]["name"]: p for p in live_pods(everything) if p["metadata"]["name"].startswith("flow-service")}
    assert old in pods
    assert ready(pods[old])
    assert len(pods) == 2
