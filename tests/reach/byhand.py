"""Knobs that take more than one key: what a type does not tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.reach.contexts import REMOVED, Knob, Place

SWITCHED = {"a": {"active": False}, "b": {"active": True}}
SERVERS = tuple(
    f"inferenceServer{each}"
    for each in ("Custom", "StandardAll", "EnhancedRecipe1", "EnhancedRecipe2", "EnhancedRecipe3", "EnhancedRecipe4")
)
OUTSIDE = {"redis": {"enabled": False}, "externalRedis": {"enabled": True}}
SCRATCH = {"name": "scratch", "emptyDir": {}}
ELSEWHERE = {"url": "http://other.example:8080", "configMap": {"enabled": False}}
OWN_LICENSE = "own-license"
RECORD = {"port": 8080, "priority": 1, "weight": 1, "target": "resource-manager"}


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
    yield Knob(f"{triton}.image.tag", (server, "tritonServer", "image", "tag"), "13.6.9")
    for key in ("secretKey", "secretProperty"):
        yield Knob(f"{triton}.licensing.{key}", (server, "tritonServer", "licensing", key), "other")
    yield from _of_groups(server)


def _of_groups(path: str) -> Iterator[Knob]:
    """They can be switched on, never off."""
    place = (*path.split("."), "sessionGroups")
    yield Knob(f"{path}.sessionGroups.enabled", (*place, "enabled"), True)
    yield Knob(f"{path}.sessionGroups.scaling.enabled", (*place, "scaling", "enabled"), True)


def _away(*places: str) -> tuple[tuple[Place, Any], ...]:
    return tuple((tuple(place.split(".")), REMOVED) for place in places)


def _secret(key: str) -> tuple[tuple[Place, Any], ...]:
    return (((key,), "made-up"),)


def _of_network() -> Iterator[Knob]:
    """Ranges that lie where those beside them want them."""
    for key, value in (
        ("addressSpace", "10.40.0.0/17"),
        ("nodeSubnet", "10.40.0.0/23"),
        ("serviceCidr", "10.41.0.0/17"),
    ):
        yield Knob(f"azure.network.{key}", ("azure", "network", key), value)


def _of_flow() -> Iterator[Knob]:
    yield Knob("flow.config.asr.endpoint", ("flow", "config", "asr", "endpoint"), "wss://other.example/v2")
    license_ = ("flow", "licensing", "createSecret")
    yield Knob("flow.licensing.createSecret", license_, False)
    yield Knob("flow.internalApp.enabled", ("flow", "internalApp", "enabled"), False)
    yield from (knob for path in ("flow", "flow.tts") for knob in _of_groups(path))
    models = ("flow", "llmProxy", "config", "model_list")
    yield Knob("flow.llmProxy.config.model_list[].model_name", (*models, 1, "model_name"), "other")
    vllm, shared = ("flow", "vllm", "enabled"), ("global", "flow", "vllm", "enabled")
    yield Knob("flow.vllm.enabled", vllm, False, _away("huggingFaceToken"))
    yield Knob("global.flow.vllm.enabled", shared, True)
    yield Knob("flow.vllm.pool", ("flow", "vllm", "pool"), "t4b")
    store = ("flow", "vllm", "externalSecrets", "enabled")
    yield Knob("flow.vllm.externalSecrets.enabled", store, False, _secret("huggingFaceToken"))


def _of_stores() -> Iterator[Knob]:
    """From a store or not: then the references go, or the contents come."""
    data = ("events.data", "storage.data", "livekit.data", "database.data", "proxyCache.redis.data")
    lists = _away(*(f"proxy.{each}" for each in (*data, "agentAPI.secretData")))
    yield Knob("proxy.externalSecrets.enabled", ("proxy", "externalSecrets", "enabled"), False, lists)
    database = ("proxy", "database", "createSecret")
    yield Knob("proxy.database.createSecret", database, True, _secret("proxyDatabaseConnString"))
    store = "transcribers.externalSecrets.enabled"
    yield Knob(store, tuple(store.split(".")), True, _away("licenseJson"))
    manager = ("resourceManager", "secrets")
    contents = (
        (("redisUrl",), "redis://:password@cache.example:6379"),
        (("cdCacheUrl",), "redis://:password@cache.example:6379"),
        (("databaseUrl",), "postgres://speech:password@database.example/speech"),
        ((*manager, "cdCache", "create"), False),
    )
    store = "resourceManager.secrets.externalSecrets.enabled"
    yield Knob(store, (*manager, "externalSecrets", "enabled"), False, contents)
    yield Knob("pullSecret.createSecret", ("pullSecret", "createSecret"), False, _away("registryPassword"))
    for path in ("global.licensing", "transcribers.transcriber.licensing"):
        yield Knob(f"{path}.secretProperty", (*path.split("."), "secretProperty"), "other")


def _of_proxy() -> Iterator[Knob]:
    api = ("proxy", "agentAPI")
    remote = (((*api, "useLocal"), False), ((*api, "remoteURL"), "https://agents.example.org"))
    yield Knob("proxy.agentAPI.useRemote", (*api, "useRemote"), True, remote)
    host = "proxy.ingress.flow.additionalHost.url"
    yield Knob(host, tuple(host.split(".")), "other.example.org")
    records = "proxy.proxy.dns.defaultSrvRecords"
    for key in ("port", "target"):  # they have to name the resource manager, so only a record more or less shows them
        yield Knob(f"{records}[].{key}", tuple(records.split(".")), [RECORD])


def _of_languages() -> Iterator[Knob]:
    """What is deployed and what is accepted are the same languages."""
    accepted = ("resourceManager", "config", "languages")
    more = ((accepted, ["sv", "ga", "eu", "cy", "en"]),)
    languages = "transcribers.transcriber.languages.gpuLanguages"
    yield Knob(languages, tuple(languages.split(".")), ["ga", "eu"], more)
    yield Knob(".".join(accepted), accepted, ["en", "cy", "ga", "sv"])


def _of_pools() -> Iterator[Knob]:
    further = ("pools", "further", "t4b", "generations", 1)
    yield Knob("pools.further.<key>.generations[].kubernetesVersion", (*further, "kubernetesVersion"), "1.34.12")
    yield Knob("pools.further.<key>.generations[].gpuDriver", (*further, "gpuDriver"), "None")
    yield Knob("pools.further.<key>.generations[].state", (*further, "state"), "retiring")
    for role in ("inference", "services", "transcribers"):
        yield Knob(f"pools.{role}[].state", ("pools", role, 1, "state"), "retiring")


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
    Knob("transcribers.transcriber.resources", ("transcribers", "transcriber", "resources"), {"limits": {"cpu": "2"}}),
    Knob("azure.subscriptionId", ("azure", "subscriptionId"), "5a6d2d72-6561-4c74-896d-650000000002"),
    Knob("inferenceServerCustom.tritonServer.recipe", (SERVERS[0], "tritonServer", "recipe"), "enhanced-recipe2"),
    *(knob for server in SERVERS for knob in _of_server(server)),
    *_of_network(),
    *_of_languages(),
    *_of_pools(),
    *_of_flow(),
    *_of_stores(),
    *_of_proxy(),
)
