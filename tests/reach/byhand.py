"""Knobs that take more than one key: what a type does not tell."""

from __future__ import annotations

from collections.abc import Iterator

from tests.reach.contexts import Knob

SWITCHED = {"a": {"active": False}, "b": {"active": True}}
SERVERS = tuple(
    f"inferenceServer{each}"
    for each in ("Custom", "StandardAll", "EnhancedRecipe1", "EnhancedRecipe2", "EnhancedRecipe3", "EnhancedRecipe4")
)
OUTSIDE = {"redis": {"enabled": False}, "externalRedis": {"enabled": True}}
SCRATCH = {"name": "scratch", "emptyDir": {}}
ELSEWHERE = {"url": "http://other.example:8080", "configMap": {"enabled": False}}
OWN_LICENSE = "own-license"


def _of_server(server: str) -> Iterator[Knob]:
    yield Knob(f"{server}.imagePullSecrets[].name", (server, "imagePullSecrets"), [{"name": "own-registry"}])
    yield Knob(f"{server}.additionalVolumes", (server, "additionalVolumes"), [SCRATCH])
    triton = f"{server}.tritonServer"
    mounted = {"additionalVolumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}
    costs = {"registerFeatures": {"customModelCosts": {"en:ensemble_en_enhanced": 20}}}
    sidecar = {"inferenceSidecar": costs} if server == "inferenceServerCustom" else {}
    whole = {"enabled": True, "additionalVolumes": [SCRATCH], "tritonServer": mounted, **sidecar}
    yield Knob(f"{triton}.additionalVolumeMounts", (server,), whole)
    yield Knob(f"{triton}.operatingPoint", (server, "tritonServer", "operatingPoint"), None)
    license_ = {"createSecret": True, "secretName": OWN_LICENSE}
    yield Knob(f"{triton}.licensing.createSecret", (server, "tritonServer", "licensing"), license_)
    yield Knob(f"{triton}.licensing.secretName", (server, "tritonServer", "licensing", "secretName"), OWN_LICENSE)
    yield Knob(
        f"{server}.inferenceSidecar.resourceManager.url", (server, "inferenceSidecar", "resourceManager"), ELSEWHERE
    )
    yield Knob(f"{server}.sessionGroups.scaling.enabled", (server, "sessionGroups", "scaling", "enabled"), False)


BY_HAND = (
    Knob("proxy.proxy.deployments.<key>.active", ("proxy", "proxy", "deployments"), SWITCHED),  # exactly one is active
    # one Redis, here or outside
    Knob("resourceManager.redis.enabled", ("resourceManager",), OUTSIDE),
    Knob("resourceManager.externalRedis.enabled", ("resourceManager",), OUTSIDE),
    # the list is read from the ConfigMap or given
    Knob(
        "resourceManager.reconciliation.podSelectorConfigMap.enabled",
        ("resourceManager", "reconciliation"),
        {"podSelectorConfigMap": {"enabled": False}, "podSelectorList": ["rt-transcriber"]},
    ),
    Knob(
        "resourceManager.reconciliation.podSelectorList",
        ("resourceManager", "reconciliation"),
        {"podSelectorConfigMap": {"enabled": False}, "podSelectorList": ["rt-transcriber"]},
    ),
    Knob(
        "transcribers.eats.configMap.enabled",
        ("transcribers", "eats"),
        {"configMap": {"enabled": True, "name": "usage"}},
    ),
    Knob(
        "transcribers.eats.configMap.name", ("transcribers", "eats"), {"configMap": {"enabled": True, "name": "usage"}}
    ),
    Knob(
        "transcribers.transcriber.licensing.createSecret",
        ("transcribers", "transcriber", "licensing"),
        {"createSecret": True, "secretName": OWN_LICENSE},
    ),
    *(knob for server in SERVERS for knob in _of_server(server)),
)
