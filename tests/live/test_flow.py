"""Flow on a plane of its own: every pod stands where it belongs, nothing is left, and a change waits for a session.

The tests run from top to bottom.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.live.conftest import Json, Platform, copied_checkout, plain_environment, shell_exports
from tests.live.views import live_pods, pool_of, ready, type_and_name

TOKEN = "hf_made-up-and-long-enough-to-be-found"
WHERE = {
    "flow-service": "services",
    "llm-proxy": "services",
    "tts": "inference",
    "llm-": "inference",
}
"""Begin of a pod's name → the pool it belongs on; the longest begin counts."""


def with_flow(config: Json) -> None:
    config["sm-realtime:flow"] = {"enabled": True, "vllm": {"hfTokenSecret": {"createSecret": True}}}
    config["sm-realtime:pools"]["inference"][0]["maxCount"] = 6


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A plane with the sandbox stack and Flow."""
    bare = Platform(copied_checkout(tmp_path_factory.mktemp("flow")), plain_environment(), "")
    try:
        bare.sandbox("start")
        started = Platform(bare.checkout, bare.environment | shell_exports(bare.sandbox("env")), "")
        started.pulumi("stack", "select", "--create")
        started.configure(with_flow)
        started.pulumi("config", "set", "--secret", "huggingFaceToken", TOKEN)
        started.run("pulumi", "--non-interactive", "up", "--yes", "--skip-preview", "--stack", "sandbox", timeout=840)
        yield started
    finally:
        bare.sandbox("down")


def belongs(name: str) -> str | None:
    begins = [begin for begin in WHERE if name.startswith(begin)]
    return WHERE[max(begins, key=len)] if begins else None


def wait(platform: Platform, what: str, *until: str) -> None:
    platform.kubectl("wait", what, "-n", "speechmatics", "--timeout=240s", *until)


def test_the_groups_have_their_pods(talking: Platform) -> None:
    """Each pod registers a capacity of one, which the controller adds up."""
    for group in ("flow-service", "tts"):
        wait(talking, f"sessiongroup/{group}", "--for=jsonpath={.status.replicas}=1")
        wait(talking, "pod", "-l", f"app.kubernetes.io/name={group}", "--for=condition=Ready")
        found = json.loads(talking.kubectl("get", "sessiongroup", group, "-n", "speechmatics", "-o", "json"))
        assert (found["status"]["capacity"], found["status"]["totalSessions"]) == (1, 1)


def test_every_pod_is_ready_on_its_pool(talking: Platform) -> None:
    wait(talking, "pod", "--all", "--for=condition=Ready")
    pools, pods = pool_of(talking), live_pods(talking)
    assert all(ready(pod) for pod in pods), [p["metadata"]["name"] for p in pods if not ready(p)]
    placed = {p["metadata"]["name"]: pools[p["spec"]["nodeName"]] for p in pods}
    of_flow = {name: pool for name, pool in placed.items() if belongs(name)}
    assert of_flow == {name: belongs(name) for name in of_flow}
    assert len(of_flow) == 1 + 2 + 1 + 1


def test_the_model_has_a_volume_that_two_pods_may_share(talking: Platform) -> None:
    (claim,) = [c for c in talking.objects("persistentvolumeclaims") if c["metadata"]["name"] == "llm-cache-pvc"]
    assert claim["status"]["phase"] == "Bound"
    assert claim["status"]["accessModes"] == ["ReadWriteMany"]


def test_a_second_preview_is_empty_and_nothing_is_pending(talking: Platform) -> None:
    assert talking.steps() == {}
    assert talking.pending() == []


def test_the_token_stands_in_no_state(talking: Platform) -> None:
    assert TOKEN not in json.dumps(talking.state())


def test_the_language_model_is_replaced_while_the_old_pod_answers(talking: Platform) -> None:
    """Both pods have the volume, each a GPU of its own; with a disk for one node the new one would never start."""

    def other_length(config: Json) -> None:
        config["sm-realtime:flow"]["vllm"]["config"] = {"maxModelLength": 2048}

    talking.configure(other_length)
    changed = {type_and_name(urn)[1] for urn in talking.steps() if "::vllm" in urn}
    assert changed == {"vllm-deployment"}
    talking.pulumi("up", "--yes", "--skip-preview")
    (pod,) = [
        p
        for p in live_pods(talking)
        if p["metadata"]["name"].startswith("llm-") and "proxy" not in p["metadata"]["name"]
    ]
    assert "--max-model-len=2048" in pod["spec"]["containers"][0]["args"]


def test_a_changed_file_waits_for_the_conversation(talking: Platform) -> None:
    """A busy pod of the old version lives on beside the new one; without the hash nothing would be rolled out."""
    (old,) = [p["metadata"]["name"] for p in live_pods(talking) if p["metadata"]["name"].startswith("flow-service")]
    talking.kubectl("annotate", "pod", old, "-n", "speechmatics", "sandbox.sm-realtime/sessions=1")
    wait(talking, "sessiongroup/flow-service", "--for=jsonpath={.status.activeSessions}=1")

    def limited(config: Json) -> None:
        config["sm-realtime:flow"]["config"] = {"ce": {"conversationLimit": {"enabled": True}}}

    talking.configure(limited)
    steps = {type_and_name(urn)[1]: op for urn, op in talking.steps().items()}
    assert steps == {"flow-service-config": "update", "flow-service-group": "update"}
    talking.pulumi("up", "--yes", "--skip-preview")
    wait(talking, "sessiongroup/flow-service", "--for=jsonpath={.status.replicas}=2")
    wait(talking, "pod", "-l", "app.kubernetes.io/name=flow-service", "--for=condition=Ready")
    pods = {p["metadata"]["name"]: p for p in live_pods(talking) if p["metadata"]["name"].startswith("flow-service")}
    assert old in pods
    assert ready(pods[old])
    assert len(pods) == 2
