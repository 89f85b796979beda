"""The slice of the platform on a standing plane, in the order of a deployment's life: up, change, grow, destroy.

The tests share one platform and run from top to bottom; each leaves it whole for the next.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.live.conftest import Json, Platform

GPU_ROLE = "inference"
WHERE = {
    # role of the pool -> the workloads whose pods belong there, by name
    "inference": ("inference-server-enhanced-recipe1", "nvidia-device-plugin"),
    "transcribers": ("rt-transcriber-en",),
    "services": ("resource-manager", "sessiongroups-controller", "realtime-redis-master"),
}


def ready(pod: Json) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def live_pods(platform: Platform) -> list[Json]:
    return [p for p in platform.objects("pods") if not p["metadata"].get("deletionTimestamp")]


def pool_of(platform: Platform) -> dict[str, str]:
    """Node name -> role of its pool (`system` for the cluster's own)."""
    nodes = platform.objects("nodes")
    return {n["metadata"]["name"]: n["metadata"]["labels"].get("sm-realtime/pool", "system") for n in nodes}


def type_and_name(urn: str) -> tuple[str, str]:
    *_, kind, name = urn.split("::")
    return kind.split("$")[-1], name


def test_every_pod_is_ready_on_its_pool(platform: Platform) -> None:
    pools, pods = pool_of(platform), live_pods(platform)
    assert all(ready(pod) for pod in pods), [p["metadata"]["name"] for p in pods if not ready(p)]
    for role, workloads in WHERE.items():
        for workload in workloads:
            placed = [pools[p["spec"]["nodeName"]] for p in pods if p["metadata"]["name"].startswith(workload)]
            assert placed, f"no pod of {workload}"
            assert set(placed) == {role}, f"{workload} runs on {placed}"
    assert "system" not in {pools[p["spec"]["nodeName"]] for p in pods}


def test_one_gpu_for_each_inference_pod(platform: Platform) -> None:
    for pod in live_pods(platform):
        if pod["metadata"]["name"].startswith("inference-server"):
            limits = [c.get("resources", {}).get("limits", {}) for c in pod["spec"]["containers"]]
            assert [limit["nvidia.com/gpu"] for limit in limits if "nvidia.com/gpu" in limit] == ["1"]
            node = json.loads(platform.kubectl("get", "node", pod["spec"]["nodeName"], "-o", "json"))
            assert node["metadata"]["labels"]["node.kubernetes.io/instance-type"] == "Standard_NC4as_T4_v3"
            assert node["status"]["allocatable"]["nvidia.com/gpu"] == "1"


def test_the_summary_says_what_stands_and_what_was_simulated(platform: Platform) -> None:
    summary = platform.first_up
    for line in platform.kubectl("get", "sessiongroups", "-A", "--no-headers").splitlines():
        assert line.split()[1] in summary
    pods = len(live_pods(platform))
    assert f"{pods}/{pods}" in summary
    assert "simulated" in summary.lower()


def test_a_second_up_changes_nothing_and_says_so(platform: Platform) -> None:
    before = {(o["kind"], o["metadata"]["name"]): o["metadata"]["uid"] for o in platform.objects("all")}
    said = platform.run("make", "up")
    after = {(o["kind"], o["metadata"]["name"]): o["metadata"]["uid"] for o in platform.objects("all")}
    assert after == before
    assert "nothing changed" in said.lower()


@pytest.mark.parametrize("refresh", [(), ("--refresh",)], ids=["plain", "refresh"])
def test_a_second_preview_is_empty_and_nothing_is_pending(platform: Platform, refresh: tuple[str, ...]) -> None:
    platform.pulumi("preview", "--expect-no-changes", *refresh)
    assert platform.pending() == []


def test_no_secret_stands_in_clear_in_the_state(platform: Platform) -> None:
    secrets = [s for s in platform.objects("secrets") if s.get("type") != "kubernetes.io/service-account-token"]
    state = json.dumps(platform.state())
    held = [value for s in secrets for value in (s.get("data") or {}).values() if value]
    assert held, "the sandbox's stack creates secrets"
    assert not [value[:8] for value in held if value in state]


def test_an_image_tag_changes_exactly_its_objects(platform: Platform) -> None:
    def change(config: Json) -> None:
        image = config.setdefault("sm-realtime:global", {}).setdefault("transcriber", {}).setdefault("image", {})
        image["tag"] = "13.5.1"

    platform.configure(change)
    touched = {type_and_name(urn): op for urn, op in platform.steps().items()}
    # the two groups that run the image, and what carries its tag as a label (contract, transcription 11.8 and 13.2)
    assert touched == {
        ("kubernetes:speechmatics.com/v1:SessionGroup", "transcribers-en"): "update",
        ("kubernetes:speechmatics.com/v1:SessionGroup", "inference-recipe1-group"): "update",
        ("kubernetes:core/v1:Service", "inference-recipe1-service"): "update",
        ("kubernetes:core/v1:ServiceAccount", "transcribers-account"): "update",
    }
    platform.pulumi("up", "--yes", "--skip-preview")
    platform.run("make", "up")
    images = {c["image"].rsplit(":", 1)[1] for p in live_pods(platform) for c in p["spec"]["containers"]
              if "asr-transcriber" in c["image"] or "sm-gpu" in c["image"]}  # fmt: skip
    assert images == {"13.5.1"}
    assert platform.pending() == []


def generations(platform: Platform) -> dict[str, list[Json]]:
    """Nodes of the GPU pool by generation."""
    found: dict[str, list[Json]] = {}
    for node in platform.objects("nodes", "-l", f"sm-realtime/pool={GPU_ROLE}"):
        found.setdefault(node["metadata"]["labels"]["sm-realtime/generation"], []).append(node)
    return found


def test_a_new_generation_of_the_gpu_pool_replaces_the_old_one_in_four_updates(platform: Platform) -> None:
    def pool(config: Json) -> list[Json]:
        entries = config["sm-realtime:pools"][GPU_ROLE]
        assert isinstance(entries, list)
        return entries

    def add(config: Json) -> None:
        first = pool(config)[0]
        pool(config).append({**first, "number": first["number"] + 1, "state": "standby"})

    def activate(config: Json) -> None:
        pool(config)[0]["state"], pool(config)[1]["state"] = "draining", "active"

    def retire(config: Json) -> None:
        pool(config)[0]["state"] = "retiring"

    def remove(config: Json) -> None:
        del pool(config)[0]

    (old,) = generations(platform)
    for change in (add, activate, retire, remove):
        platform.configure(change)
        platform.pulumi("up", "--yes", "--skip-preview")
        assert platform.pending() == [], change.__name__
        platform.run("make", "up")  # waits until every pod is Ready again
        on = {p["spec"]["nodeName"] for p in live_pods(platform) if p["metadata"]["name"].startswith("inference-")}
        names = {n["metadata"]["name"] for nodes in generations(platform).values() for n in nodes}
        assert on, change.__name__
        assert on <= names, f"{change.__name__}: a session pod on a node that is gone"
    (new,) = generations(platform)
    assert new != old
    assert {n["metadata"]["name"] for n in generations(platform)[new]} >= on


def test_a_retired_generation_with_a_session_pod_on_it_is_not_deleted(platform: Platform) -> None:
    """The guard of the pool, alone: retire and remove the active generation's predecessor while a pod sits on it."""
    pods = [p for p in live_pods(platform) if p["metadata"]["name"].startswith("inference-server")]

    def add_and_activate(document: Json) -> None:
        entries = document["sm-realtime:pools"][GPU_ROLE]
        entries.append({**entries[0], "number": entries[0]["number"] + 1})
        entries[0]["state"] = "draining"

    def retire(document: Json) -> None:
        document["sm-realtime:pools"][GPU_ROLE][0]["state"] = "retiring"

    def remove(document: Json) -> None:
        del document["sm-realtime:pools"][GPU_ROLE][0]

    pod = pods[0]["metadata"]
    platform.kubectl("annotate", "pod", "-n", pod["namespace"], pod["name"], "sandbox.sm-realtime/sessions=1")
    for change in (add_and_activate, retire):
        platform.configure(change)
        platform.pulumi("up", "--yes", "--skip-preview")
    platform.configure(remove)
    said = platform.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert "session" in said
    assert len(generations(platform)) == 2
    assert pod["name"] in {p["metadata"]["name"] for p in live_pods(platform)}
    platform.kubectl("annotate", "pod", "-n", pod["namespace"], pod["name"], "sandbox.sm-realtime/sessions-")
    platform.kubectl("wait", "--for=delete", "-n", pod["namespace"], f"pod/{pod['name']}", "--timeout=180s")
    platform.run("make", "up")
    assert platform.pending() == []
    assert len(generations(platform)) == 1


def unprotect(config: Json) -> None:
    config["sm-realtime:protection"] = {"enabled": False}


def test_destroy_deletes_nothing_at_all_while_a_group_shows_usage(platform: Platform) -> None:
    platform.configure(unprotect)
    platform.pulumi("up", "--yes", "--skip-preview")
    pod = next(p for p in live_pods(platform) if p["metadata"]["name"].startswith("rt-transcriber-en"))["metadata"]
    platform.kubectl("annotate", "pod", "-n", pod["namespace"], pod["name"], "sandbox.sm-realtime/sessions=1")
    platform.kubectl(
        "wait", "sessiongroup/rt-transcriber-en", "-n", pod["namespace"], "--for=jsonpath={.status.usage}=1",
        "--timeout=60s",
    )  # fmt: skip
    before = {r["urn"] for r in platform.state()["resources"]}
    said = platform.pulumi("destroy", "--run-program", "--yes", "--skip-preview", fails=True)
    assert re.search(r"rt-transcriber-en\D+1", said), said
    assert {r["urn"] for r in platform.state()["resources"]} == before
    assert platform.pending() == []
    platform.kubectl("annotate", "pod", "-n", pod["namespace"], pod["name"], "sandbox.sm-realtime/sessions-")
    platform.kubectl(
        "wait", "sessiongroup/rt-transcriber-en", "-n", pod["namespace"], "--for=jsonpath={.status.usage}=0",
        "--timeout=60s",
    )  # fmt: skip


def test_destroy_leaves_nothing(platform: Platform) -> None:
    platform.pulumi("destroy", "--run-program", "--yes", "--skip-preview")
    home = platform.checkout / ".sandbox"
    left = [json.loads(path.read_text()) for path in sorted((home / "clusters").glob("*.left.json"))]
    assert left == [[]], f"in the API server when the cluster went: {left}"
    assert azure_resources(home) == []
    assert platform.state().get("resources", []) == []


def azure_resources(home: Path) -> list[str]:
    return sorted(json.loads((home / "azure.json").read_text())["resources"])
