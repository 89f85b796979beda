"""Affinity of every workload: each has a section of its own, and what stands there reaches its pods and no others'."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from operations.keys import keys
from stacks.schema import Settings
from stacks.schema.placement import NodeSettings
from stacks.schema.transcriber_container import Processor
from stacks.schema.triton import Triton
from tests.unit.graph import Graph, Json, run_program
from tests.unit.variants import all_recipes, talking

SERVERS = {
    "inferenceServerCustom": "inference-server-custom",
    "inferenceServerStandardAll": "inference-server-standard-all",
    **{f"inferenceServerEnhancedRecipe{each}": f"inference-server-enhanced-recipe{each}" for each in (1, 2, 3, 4)},
}
LANGUAGES = ("en", "es", "de", "fr", "cmn-en", "es-bilingual-en", "no")
OWNERS: dict[str, set[str]] = {
    "ingress": {"nginx-ingress"},
    "gpuPlugin": {"nvidia-device-plugin"},
    "resourceManager": {"resource-manager"},
    "resourceManager.metrics": {"resource-manager-metrics"},
    "resourceManager.reconciliation": {"resource-manager-reconciliation"},
    "resourceManager.sessionGroups": {"sessiongroups-controller"},
    "resourceManager.redis": {"realtime-redis-master", "realtime-redis-replicas"},
    "proxy": {"proxy-a"},
    "proxy.proxyCache": {"proxy-cache"},
    "transcribers.transcriber": {f"rt-transcriber-{each}" for each in LANGUAGES},
    **{key: {name} for key, name in SERVERS.items()},
    "flow": {"flow-service"},
    "flow.llmProxy": {"llm-proxy"},
    "flow.tts": {"tts"},
    "flow.vllm": {"llm"},
}
"""Section → what has the pods, by its name in the cluster."""

RULE = "preferredDuringSchedulingIgnoredDuringExecution"


def rather(label: str) -> Json:
    """Nodes with a label, preferred."""
    expression = {"key": label, "operator": "Exists"}
    return {"nodeAffinity": {RULE: [{"weight": 1, "preference": {"matchExpressions": [expression]}}]}}


def put(config: Json, path: str, value: Any) -> None:
    first, *rest = path.split(".")
    here = config.setdefault(f"sm-realtime:{first}", {})
    for part in rest:
        here = here.setdefault(part, {})
    here["affinity"] = value


def of(name: str) -> Json:
    return rather(f"example.com/{name}")


def everywhere(config: Json) -> None:
    """Every workload there is, each with an affinity that tells whose it is."""
    all_recipes(config)
    talking(config)
    costs = {"customModelCosts": {"en:ensemble_en_enhanced": 20}}
    config["sm-realtime:inferenceServerCustom"] = {"enabled": True, "inferenceSidecar": {"registerFeatures": costs}}
    config["sm-realtime:resourceManager"] = {"redis": {"replicas": {"replicaCount": 1}}}
    config["sm-realtime:proxy"] = {"proxyCache": {"enabled": True}}
    config["sm-realtime:proxyDatabaseConnString"] = "made-up"
    config["sm-realtime:pools"]["inference"][0]["maxCount"] = 60
    for path in OWNERS:
        put(config, path, of(path))


def pods(graph: Graph) -> dict[str, Json]:
    """Every pod there is, by the name of what has it."""
    owners = [(each.object_name, each.inputs.get("spec") or {}) for each in graph.resources if each.kubernetes]
    return {name: spec["template"]["spec"] for name, spec in owners if "containers" in str(spec.get("template"))}


def kept(pod: Json) -> Json:
    """The affinity as configured: without what the program prefers by itself."""
    return {key: value for key, value in pod.get("affinity", {}).items() if key != "podAntiAffinity"}


@pytest.fixture(scope="module")
def placed() -> Graph:
    return run_program("sandbox", everywhere)


def test_the_affinity_of_every_workload_reaches_its_pods_and_no_others(placed: Graph) -> None:
    expected = {name: of(path) for path, names in OWNERS.items() for name in names}
    assert {name: kept(pod) for name, pod in pods(placed).items()} == expected


@pytest.mark.parametrize("kind", ["plain", "sentinel"])
def test_so_it_does_in_the_other_forms(kind: str) -> None:
    """Plain Deployments, and the nodes of a Redis with Sentinel."""

    def change(config: Json) -> None:
        everywhere(config)
        if kind == "plain":
            config["sm-realtime:global"]["sessionGroups"] = {"enabled": False}
        else:
            redis = config["sm-realtime:resourceManager"]["redis"]
            redis["sentinel"] = {"enabled": True}
            redis["affinity"] = {
                **of("resourceManager.redis"),
                "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [APART]},
            }

    graph = run_program("sandbox", change)
    expected = {name: of(path) for path, names in OWNERS.items() for name in names}
    if kind == "sentinel":
        for name in OWNERS["resourceManager.redis"]:
            del expected[name]
        expected["realtime-redis-node"] = of("resourceManager.redis")
        node = pods(graph)["realtime-redis-node"]
        own, given = node["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert own["topologyKey"] == "kubernetes.io/hostname", "no two nodes on one machine, whatever is given"
        assert given == APART
    assert {name: kept(pod) for name, pod in pods(graph).items()} == expected


APART = {"topologyKey": "example.com/rack", "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "redis"}}}


def test_proxies_stay_apart_beside_what_is_given(placed: Graph) -> None:
    (term,) = pods(placed)["proxy-a"]["affinity"]["podAntiAffinity"][RULE]
    assert term["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"


def sections(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield path, kind
            yield from sections(kind, f"{path}.")


def test_each_section_with_nodes_of_its_own_has_an_affinity_too() -> None:
    """A server's stands beside its `tritonServer`; a processor's nodes are those of one kind of transcribers."""
    named = {path: kind for path, kind in sections(Settings) if issubclass(kind, NodeSettings)}
    beside = {path.removesuffix(".tritonServer") for path, kind in named.items() if issubclass(kind, Triton)}
    own = {path for path, kind in named.items() if not issubclass(kind, Triton | Processor)}
    assert own | beside == OWNERS.keys()
    there = {key.path for key in keys()}
    assert {f"{path}.{key}" for path in own for key in ("affinity", "nodeSelector", "tolerations")} <= there
    assert {f"{path}.affinity" for path in beside} <= there
