"""What is true of every stack is true with Flow on, and what Flow needs is counted and looked up."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from stacks.capacity import flow_gpus, nodes_needed
from stacks.load import read
from stacks.platform.existing import existing_secrets
from stacks.platform.flow_secrets import flow_registries
from stacks.quantities import quantity
from stacks.schema import Settings
from stacks.schema.pools import Role
from stacks.services import workloads
from tests.unit.contract.compare import lay_over
from tests.unit.graph import CHECKOUT, Change, Graph, Json, stack_config
from tests.unit.stacks import test_platform as platform
from tests.unit.variants import talking
from tests.yaml_file import read_yaml

POOLS = {"flow-service": "services", "llm-proxy": "services", "tts": "inference", "llm": "inference"}

EVERYWHERE: tuple[Callable[[Graph], None], ...] = (
    platform.test_every_resource_has_an_explicit_provider,
    platform.test_every_namespaced_object_names_its_namespace,
    platform.test_no_two_resources_have_one_name,
    platform.test_every_deletable_resource_carries_the_hook_of_its_kind,
    platform.test_the_gate_depends_on_everything_and_has_no_child,
    platform.test_nothing_of_ours_tolerates_the_system_pool,
    platform.test_a_pool_tolerates_only_its_own_work,
    platform.test_a_session_pod_may_live_as_long_as_the_longest_session,
    platform.test_a_service_selects_the_pods_of_one_workload,
    platform.test_every_port_a_service_names_exists_on_its_pods,
    platform.test_every_service_account_of_a_pod_is_made_here,
    platform.test_every_map_a_pod_reads_is_made_here_and_every_secret_too_where_it_is_to_be,
    platform.test_secrets_arrive_as_secrets,
)
"""Tests of every stack's graph, but the ones that know the list of its objects."""


def settings(**sections: Json) -> Settings:
    base = read_yaml(CHECKOUT / "tests" / "cases" / "base.yaml")
    return Settings.model_validate_json(json.dumps(base | sections))


@pytest.mark.parametrize("check", EVERYWHERE, ids=lambda check: str(check.__name__))
def test_what_holds_everywhere_holds_with_flow(
    check: Callable[[Graph], None], changed: Callable[[Change | None], Graph]
) -> None:
    check(changed(talking))


def test_every_pod_is_on_its_pool(changed: Callable[[Change | None], Graph]) -> None:
    graph, found = changed(talking), {}
    for owner, pod in platform.pods(graph):
        if owner.object_name in POOLS:
            found[owner.object_name] = pod["nodeSelector"]["sm-realtime/pool"]
    assert found == POOLS


def test_flow_adds_and_changes_nothing_else(sandbox: Graph, changed: Callable[[Change | None], Graph]) -> None:
    before = {each.urn: platform.looked_at(each) for each in sandbox.resources}
    after = {each.urn: platform.looked_at(each) for each in changed(talking).resources}
    assert not before.keys() - after.keys()
    different = [urn.rpartition("::")[2] for urn in before if before[urn] != after[urn]]
    assert sorted(name.rpartition("-")[0] for name in different) == ["inference-01", "maps"], different


def test_gpus_are_counted_with_the_new_pod_beside_the_old_one() -> None:
    assert flow_gpus(settings()) == 0
    assert flow_gpus(settings(flow={"enabled": True})) == 2 + 2
    larger: Json = {"enabled": True, "vllm": {"replicas": 2, "config": {"numGPUs": 2}}, "tts": {"enabled": False}}
    assert flow_gpus(settings(flow=larger)) == (2 + 1) * 2
    scaled: Json = {"enabled": True, "tts": {"sessionGroups": {"scaling": {"enabled": True}}}}
    assert flow_gpus(settings(flow=scaled)) == (4 + 1) + 2
    given = settings(flow={"enabled": True})
    assert nodes_needed(given, given.pools.pool(Role.INFERENCE), given.pools.active(Role.INFERENCE)) == 2 + 4


def test_the_services_pool_counts_what_the_objects_ask_for(changed: Callable[[Change | None], Graph]) -> None:
    given = settings(flow={"enabled": True, "vllm": {"enabled": True}})
    listed = {each.name: each for each in workloads(given)}
    owners = {owner.object_name: (owner, pod) for owner, pod in platform.pods(changed(talking))}
    for name in ("flow-service", "llm-proxy"):
        owner, pod = owners[name]
        assert listed[name].pods == owner.inputs["spec"]["replicas"]
        for kind, value in zip(("cpu", "memory"), listed[name].requests, strict=True):
            asked = sum(quantity(c["resources"]["requests"][kind]) for c in pod["containers"])
            assert value == pytest.approx(asked)


@pytest.mark.parametrize(
    ("flow", "wanted"),
    [
        ({"enabled": False}, "rt-transcriber,inference-server-enhanced-recipe1"),
        ({"enabled": True}, "rt-transcriber,flow-service,tts,inference-server-enhanced-recipe1"),
        ({"enabled": True, "tts": {"enabled": False}}, "rt-transcriber,flow-service,inference-server-enhanced-recipe1"),
        (
            {"enabled": True, "fullnameOverride": "a", "tts": {"serviceName": "b"}},
            "rt-transcriber,a,b,inference-server-enhanced-recipe1",
        ),
    ],
)
def test_reconciliation_looks_after_the_pods_there_are(flow: Json, wanted: str) -> None:
    assert ",".join(settings(flow=flow).pod_selectors) == wanted


def test_what_somebody_else_makes_is_looked_up() -> None:
    config: Json = {key: json.loads(value) for key, value in stack_config("sandbox")[0].items() if value[:1] in "[{"}
    lay_over("flow_options", config)
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    found, problems = read(
        text | {"sm-realtime:licenseJson": "{}", "sm-realtime:registryPassword": "x"},
        [key for key, value in config.items() if isinstance(value, str)]
        + ["sm-realtime:licenseJson", "sm-realtime:registryPassword"],
    )
    assert found is not None, problems
    assert {(each.name, each.keys, each.path) for each in existing_secrets(found, ("r",))} == {
        ("flow-license", ("license.json",), "flow.licensing.secretName"),
        ("tts-license", ("license.json",), "flow.tts.licensing.secretName"),
        ("zone-certificate", ("tls.crt", "tls.key"), "flow.ingress.tlsSecretName"),
        ("tts-certificate", ("tls.crt", "tls.key"), "flow.tts.ingress.tls.secretName"),
        ("model-keys", ("key",), "flow.vllm.envFrom[0].valueFrom.secretKeyRef.name"),
    }
    assert flow_registries(found) == ("flow.example", "side.example", "side.example", "own.example", "side.example")


def test_the_token_is_looked_up_unless_it_is_made_here() -> None:
    def names(flow: Json) -> set[str]:
        return {each.name for each in existing_secrets(settings(flow=flow), ("r",))}

    assert "vllm-secret" in names({"enabled": True})
    assert "vllm-secret" not in names({"enabled": True, "vllm": {"hfTokenSecret": {"createSecret": True}}})
    assert "vllm-secret" not in names({"enabled": True, "vllm": {"enabled": False}})
    assert "vllm-secret" not in names({"enabled": False})
