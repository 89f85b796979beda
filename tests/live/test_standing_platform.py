"""The platform on a standing plane, in the order of a deployment's life: up, change, grow, destroy.

The tests share one platform and run from top to bottom; each leaves it whole for the next.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import yaml

from components.cluster.license import LICENSE_ANNOTATION
from sandbox.ingress.front import POD, UPSTREAM_ID
from tests.live.conftest import Json, Platform
from tests.live.views import (
    changed,
    front,
    generations,
    group_pods,
    live_pods,
    pool_of,
    ready,
    through,
    updated,
)

GPU_ROLE = "inference"
NAMESPACE = "speechmatics"
ENGLISH = "rt-transcriber-en"
WHERE = {
    # role of the pool -> every workload of the defaults whose pods belong there, by name
    "inference": ("inference-server-enhanced-recipe1", "nvidia-device-plugin"),
    "transcribers": (ENGLISH,),
    "services": (
        "resource-manager",
        "resource-manager-metrics",
        "resource-manager-reconciliation",
        "sessiongroups-controller",
        "realtime-redis-master",
        "proxy-a",
        "nginx-ingress",
    ),
}


MACHINES = {  # seed: Recommended Node Sizes
    "inference": "Standard_NC4as_T4_v3",
    "transcribers": "Standard_E16s_v5",
    "services": "Standard_D4s_v5",
}


def test_every_pod_is_ready_on_its_pool(platform: Platform) -> None:
    pools, pods = pool_of(platform), live_pods(platform)
    assert all(ready(pod) for pod in pods), [p["metadata"]["name"] for p in pods if not ready(p)]
    roles = {workload: role for role, workloads in WHERE.items() for workload in workloads}
    placed = {}
    for pod in pods:
        name = pod["metadata"]["name"]
        owner = max((each for each in roles if name.startswith(f"{each}-")), key=len, default=None)
        assert owner is not None, f"{name} is of no workload that is listed"
        placed[name] = owner, pools[pod["spec"]["nodeName"]]
    assert {name: pool for name, (owner, pool) in placed.items() if pool != roles[owner]} == {}
    assert {owner for owner, _ in placed.values()} == roles.keys()


def test_every_pool_has_the_machines_the_vendor_recommends(platform: Platform) -> None:
    found: dict[str, set[str]] = {}
    for node in platform.objects("nodes"):
        labels = node["metadata"]["labels"]
        if "sm-realtime/pool" in labels:
            found.setdefault(labels["sm-realtime/pool"], set()).add(labels["node.kubernetes.io/instance-type"])
    assert found == {role: {size} for role, size in MACHINES.items()}


def test_one_gpu_for_each_inference_pod(platform: Platform) -> None:
    for pod in live_pods(platform):
        if pod["metadata"]["name"].startswith("inference-server"):
            limits = [c.get("resources", {}).get("limits", {}) for c in pod["spec"]["containers"]]
            assert [limit["nvidia.com/gpu"] for limit in limits if "nvidia.com/gpu" in limit] == ["1"]
            node = json.loads(platform.kubectl("get", "node", pod["spec"]["nodeName"], "-o", "json"))
            assert node["metadata"]["labels"]["node.kubernetes.io/instance-type"] == MACHINES["inference"]
            assert node["status"]["allocatable"]["nvidia.com/gpu"] == "1"


def test_the_summary_says_what_stands_and_what_was_simulated(platform: Platform) -> None:
    summary = platform.first_up
    for line in platform.kubectl("get", "sessiongroups", "-A", "--no-headers").splitlines():
        assert line.split()[1] in summary
    pods = len(live_pods(platform))
    assert f"{pods}/{pods}" in summary
    (ingress,) = platform.objects("ingresses")
    assert platform.output("endpoint") == f"wss://{ingress['spec']['rules'][0]['host']}/v2"
    assert f"Endpoint: {platform.output('endpoint')}, from this machine on 127.0.0.1:{front(platform)}" in summary
    assert "simulated" in summary.lower()


def test_a_client_reaches_the_active_proxy(platform: Platform) -> None:
    (ingress,) = platform.objects("ingresses")
    assert ingress["status"]["loadBalancer"]["ingress"] == [{"ip": platform.output("address")}]
    host = ingress["spec"]["rules"][0]["host"]
    said, headers = asyncio.run(through(front(platform), host, "/v2/en"))
    assert said == "hello"
    assert headers[POD].startswith("proxy-a-")
    assert re.fullmatch("[0-9a-f]{32}", headers["Request-Id"])
    assert headers[UPSTREAM_ID] == headers["Request-Id"]


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
    encoded = [value for s in secrets for value in (s.get("data") or {}).values() if value]
    clear = [base64.b64decode(value).decode() for value in encoded]
    registries = [base64.b64decode(s["data"][key]) for s in secrets if (key := ".dockerconfigjson") in s["data"]]
    passwords = [login["password"] for text in registries for login in json.loads(text)["auths"].values()]
    user = yaml.safe_load(platform.pulumi("stack", "output", "kubeconfig", "--show-secrets"))["users"][0]["user"]
    assert clear, "the sandbox's stack creates secrets"
    assert passwords, "one of them is for the registry"
    assert [text for text in clear if "PRIVATE KEY" in text], "one of them is the ingress controller's"
    state = json.dumps(platform.state())
    for held in (*encoded, *clear, *passwords, user["client-key-data"]):
        assert held not in state
        assert json.dumps(held)[1:-1] not in state


def test_an_image_tag_changes_exactly_its_objects(platform: Platform) -> None:
    def change(config: Json) -> None:
        image = config.setdefault("sm-realtime:global", {}).setdefault("transcriber", {}).setdefault("image", {})
        image["tag"] = "13.5.1"

    platform.configure(change)
    touched = updated(platform)
    # the two groups that run the image, and what carries its tag as a label (contract, transcription 11.8 and 13.2)
    assert touched == {
        ("kubernetes:speechmatics.com/v1:SessionGroup", "transcribers-en"): "update",
        ("kubernetes:speechmatics.com/v1:SessionGroup", "inference-recipe1-group"): "update",
        ("kubernetes:core/v1:Service", "inference-recipe1-service"): "update",
        ("kubernetes:core/v1:ServiceAccount", "transcribers-account"): "update",
    }
    assert "nothing changed" in platform.run("make", "up").lower()
    images = {c["image"].rsplit(":", 1)[1] for p in live_pods(platform) for c in p["spec"]["containers"]
              if "asr-transcriber" in c["image"] or "sm-gpu" in c["image"]}  # fmt: skip
    assert images == {"13.5.1"}
    assert platform.pending() == []


def a_language(config: Json) -> None:
    config["sm-realtime:global"].setdefault("transcriber", {})["languages"] = ["en", "cy"]


def a_model_cost(config: Json) -> None:
    features = {"registerFeatures": {"modelCosts": {"ensemble_en": 17}}}
    config["sm-realtime:inferenceServerEnhancedRecipe1"] = {"inferenceSidecar": features}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (a_language, {"transcribers-cy": "create", "maps-languages": "update"}),
        (a_model_cost, {"inference-recipe1-group": "update"}),
    ],
)
def test_one_knob_changes_exactly_its_objects(
    platform: Platform, change: Callable[[Json], None], expected: dict[str, str]
) -> None:
    file = platform.checkout / "stacks" / "Pulumi.sandbox.yaml"
    before = file.read_text()
    try:
        platform.configure(change)
        assert {name: op for (_, name), op in changed(platform).items()} == expected
    finally:
        file.write_text(before)


def pods_by_language(platform: Platform, languages: Iterable[str]) -> dict[str, int]:
    return {language: len(group_pods(platform, f"rt-transcriber-{language}")) for language in languages}


def holding(pods: dict[str, int]) -> Json:
    """The part of a stack file that has each language's own number of pods."""
    numbers = {language: {"minReplicas": number} for language, number in pods.items()}
    return {"transcriber": {"languages": {"overrides": {"sessionGroupsScaling": numbers}}}}


def test_scaling_hands_the_pods_to_the_controller_and_takes_back_no_fewer(platform: Platform) -> None:
    """One update of three knobs, a language and a model cost among them, does exactly their steps; the second preview
    of each state is empty. One refused update tells what every group needs."""
    pool = "azure-native:containerservice:AgentPool"

    def on(config: Json) -> None:
        a_language(config)
        a_model_cost(config)
        config["sm-realtime:global"]["sessionGroups"] = {"scaling": {"enabled": True}}
        config["sm-realtime:transcribers"] = {"sessionGroups": {"scaling": {"minReplicas": 2, "maxReplicas": 3}}}
        more = {"sessionGroupsScaling": {"cy": {"minReplicas": 3}}}
        config["sm-realtime:transcribers"]["transcriber"] = {"languages": {"overrides": more}}
        config["sm-realtime:pools"]["inference"][0]["maxCount"] = 5

    def off(config: Json) -> None:
        del config["sm-realtime:global"]["sessionGroups"], config["sm-realtime:transcribers"]

    def with_fewer(config: Json) -> None:
        del config["sm-realtime:transcribers"]

    wanted = {"en": 2, "cy": 3}
    platform.configure(on)
    steps = updated(platform)
    assert {name: op for (kind, name), op in steps.items() if kind != pool} == {
        "transcribers-cy": "create",
        "transcribers-en": "update",
        "inference-recipe1-group": "update",
        "maps-languages": "update",
    }
    assert [op for (kind, _), op in steps.items() if kind == pool] == ["update"]
    for language, number in wanted.items():
        where = ("-n", NAMESPACE, f"--for=jsonpath={{.spec.replicas}}={number}", "--timeout=120s")
        platform.kubectl("wait", f"sessiongroup/rt-transcriber-{language}", *where)
    platform.pulumi("preview", "--expect-no-changes")
    platform.configure(off)
    said = platform.pulumi("up", "--yes", fails=True)
    assert "2 steps are refused; nothing was changed." in said
    assert "Updating (" not in said, "it is refused before anything is done"
    assert pods_by_language(platform, wanted) == wanted
    told = dict(re.findall(r"rt-transcriber-(\w+): (\d) pods, configured 1", said))
    assert told == {language: str(number) for language, number in wanted.items()}
    for command in set(re.findall(r"pulumi (config set --path '\S+' \d)", said)):
        platform.pulumi(*shlex.split(command))
    assert platform.stack_config()["sm-realtime:transcribers"] == holding(wanted)
    platform.pulumi("up", "--yes", "--skip-preview")
    platform.pulumi("preview", "--expect-no-changes")
    assert platform.pending() == []
    platform.run("make", "up")
    assert pods_by_language(platform, wanted) == wanted

    # the number is the program's from here on, though the controller has written it: nobody uses the groups
    platform.configure(with_fewer)
    platform.pulumi("up", "--yes", "--skip-preview")
    for group in (ENGLISH, "rt-transcriber-cy"):
        where = ("-n", NAMESPACE, "--for=jsonpath={.status.replicas}=1", "--timeout=120s")
        platform.kubectl("wait", f"sessiongroup/{group}", *where)
    assert platform.pending() == []


def test_another_license_waits_for_the_session(platform: Platform) -> None:
    """The busy transcriber goes on with the license it began with beside one with the new; idle servers are rolled."""

    def licenses(pods: Iterable[Json]) -> dict[str, str]:
        return {p["metadata"]["uid"]: p["metadata"]["annotations"][LICENSE_ANNOTATION] for p in pods}

    def wait(what: str, until: str) -> None:
        platform.kubectl("wait", what, "-n", NAMESPACE, until, "--timeout=280s")

    busy, idle = ENGLISH, "inference-server-enhanced-recipe1"
    groups = {g["metadata"]["name"] for g in platform.objects("sessiongroups")}
    before = {group: licenses(group_pods(platform, group)) for group in groups}
    (pod,) = group_pods(platform, busy)
    (server,) = group_pods(platform, idle)
    platform.kubectl("annotate", "pod", "-n", NAMESPACE, pod["metadata"]["name"], "sandbox.sm-realtime/sessions=1")
    wait(f"sessiongroup/{busy}", "--for=jsonpath={.status.activeSessions}=1")
    platform.pulumi("config", "set", "--secret", "licenseJson", '{"id": "the-next-one"}')
    steps = updated(platform)
    assert {name: op for (_, name), op in steps.items()} == dict.fromkeys(
        [
            "credentials-license",
            "inference-recipe1-group",
            *(f"transcribers-{group.removeprefix('rt-transcriber-')}" for group in groups - {idle}),
        ],
        "update",
    )
    (secret,) = (s for s in platform.objects("secrets") if s["metadata"]["name"] == "speechmatics-license")
    assert json.loads(base64.b64decode(secret["data"]["license.json"])) == {"id": "the-next-one"}
    assert platform.pending() == []
    wait(f"pod/{server['metadata']['name']}", "--for=delete")
    wait(f"sessiongroup/{busy}", "--for=jsonpath={.status.replicas}=2")
    pods = {p["metadata"]["uid"]: p for p in group_pods(platform, busy)}
    assert len(pods) == 2
    (new,) = pods.keys() - before[busy].keys()
    wait(f"pod/{pods[new]['metadata']['name']}", "--for=condition=Ready")
    assert ready(pods[pod["metadata"]["uid"]]), "the busy pod serves on"
    found = licenses(pods.values())
    assert found[pod["metadata"]["uid"]] == before[busy][pod["metadata"]["uid"]]
    assert found[new] not in before[busy].values()
    (rolled,) = licenses(group_pods(platform, idle)).items()
    assert rolled[0] not in before[idle]
    assert rolled[1] == found[new]

    platform.kubectl("annotate", "pod", "-n", NAMESPACE, pod["metadata"]["name"], "sandbox.sm-realtime/sessions-")
    wait(f"pod/{pod['metadata']['name']}", "--for=delete")
    assert licenses(group_pods(platform, busy)) == {new: found[new]}


def test_a_new_generation_takes_over_while_a_session_is_held_on_the_old_one(platform: Platform) -> None:
    """Four updates: add, activate, retire, remove. The session lives through three of them; the last waits for it."""
    group, pool_type = "inference-server-enhanced-recipe1", "azure-native:containerservice:AgentPool"

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

    def pods_on(generation: str) -> set[str]:
        # without those that are stopping: of an earlier roll they may be, and one with a session never is
        nodes = {n["metadata"]["name"] for n in generations(platform).get(generation, [])}
        pods = [p for p in live_pods(platform) if p["metadata"]["name"].startswith(group)]
        return {p["metadata"]["uid"] for p in pods if p["spec"].get("nodeName") in nodes}

    (old,) = generations(platform)
    (pod,) = [p["metadata"] for p in live_pods(platform) if p["metadata"]["name"].startswith(group)]
    where = ("-n", pod["namespace"])
    version = json.loads(platform.kubectl("get", "sessiongroup", group, *where, "-o", "json"))["status"]["specVersion"]
    platform.kubectl("annotate", "pod", *where, pod["name"], "sandbox.sm-realtime/sessions=1")
    for change, expected in (
        (add, {pool_type: "create"}),
        (activate, {"kubernetes:speechmatics.com/v1:SessionGroup": "update"}),
        (retire, {}),
    ):
        platform.configure(change)
        steps = updated(platform)
        assert {kind: op for (kind, _), op in steps.items()} == expected, change.__name__
        assert len(steps) == len(expected), steps
        assert platform.pending() == [], change.__name__
        assert pods_on(old) == {pod["uid"]}, f"{change.__name__}: the busy pod is no more where it was"
    new = ("-l", f"app.kubernetes.io/name={group},speechmatics.com/spec-version={version + 1}", "--timeout=180s")
    platform.kubectl("wait", "--for=create", "pod", *where, *new)
    platform.kubectl("wait", "--for=condition=Ready", "pod", *where, *new)
    assert pods_on(old) == {pod["uid"]}

    # refused under both readings of what deleting a pool does, before Azure is asked
    platform.configure(remove)
    for reading in ("drain", "abrupt"):
        platform.sandbox("set", "poolDelete", reading)
        said = platform.pulumi("up", "--yes", "--skip-preview", fails=True)
        assert "session pods are still on its nodes" in said
        assert pod["name"] in said
        assert pods_on(old) == {pod["uid"]}
        assert platform.pending() == []

    platform.kubectl("annotate", "pod", *where, pod["name"], "sandbox.sm-realtime/sessions-")
    platform.kubectl("wait", "--for=delete", *where, f"pod/{pod['name']}", "--timeout=180s")
    assert pods_on(old) == set()
    assert {key[0]: op for key, op in updated(platform).items()} == {pool_type: "delete"}
    assert platform.pending() == []
    assert old not in generations(platform)
    assert len(generations(platform)) == 1
    assert all(ready(p) for p in live_pods(platform))


def hold(platform: Platform, sessions: int) -> None:
    """Have a transcriber hold so many sessions, and its group say so."""
    pod = group_pods(platform, ENGLISH)[0]["metadata"]["name"]
    platform.kubectl("annotate", "pod", "-n", NAMESPACE, pod, f"sandbox.sm-realtime/sessions={sessions}", "--overwrite")
    said = f"--for=jsonpath={{.status.usage}}={sessions}"
    platform.kubectl("wait", f"sessiongroup/{ENGLISH}", "-n", NAMESPACE, said, "--timeout=60s")


def test_destroy_deletes_nothing_at_all_while_a_group_shows_usage(platform: Platform) -> None:
    platform.pulumi("config", "set", "--path", "protection.enabled", "false")
    platform.pulumi("up", "--yes", "--skip-preview")
    hold(platform, 1)
    before = {r["urn"] for r in platform.state()["resources"]}
    for skip in ((), ("--skip-preview",)):
        said = platform.pulumi("destroy", "--run-program", "--yes", *skip, fails=True)
        assert re.search(rf"{ENGLISH}\D+1", said), said
        assert ("Destroying (" in said) == bool(skip), said
        assert {r["urn"] for r in platform.state()["resources"]} == before
    assert platform.pending() == []


def test_kubectl_deletes_no_group_in_use(platform: Platform) -> None:
    """Asked without doing it: an admission policy answers all the same."""
    delete = ("kubectl", "delete", "sessiongroup", ENGLISH, "-n", NAMESPACE, "--dry-run=server")
    assert "is in use (sessions: 1, usage: 1). Deleting it would cut them" in platform.run(*delete, fails=True)
    hold(platform, 0)
    assert "deleted" in platform.run(*delete)


def test_destroy_leaves_nothing(platform: Platform) -> None:
    platform.pulumi("destroy", "--run-program", "--yes", "--skip-preview")
    home = platform.checkout / ".sandbox"
    left = [json.loads(path.read_text()) for path in sorted((home / "clusters").glob("*.left.json"))]
    assert left == [[]], f"in the API server when the cluster went: {left}"
    assert azure_resources(home) == []
    assert platform.state().get("resources", []) == []


def azure_resources(home: Path) -> list[str]:
    return sorted(json.loads((home / "azure.json").read_text())["resources"])
