"""llm-proxy beyond the contract: its list of models, and how it is replaced."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from components.flow.llm_proxy import LEAVE_SECONDS, model_list, plain, vllm_service
from stacks.schema.flow import FlowSettings
from stacks.schema.global_settings import GlobalFlow
from tests.unit.graph import Change, Graph, Json
from tests.unit.variants import talking

DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def flow(**sections: Json) -> FlowSettings:
    return FlowSettings.model_validate_json(json.dumps(sections))


def shared(vllm: Json) -> GlobalFlow:
    return GlobalFlow.model_validate_json(json.dumps({"vllm": vllm}))


def test_group_name_and_address_come_from_one_place() -> None:
    given = flow(
        config={"llm": {"llmProxy": {"modelGroup": "house"}}},
        vllm={"config": {"model": "org/m"}, "service": {"port": 9000}, "fullnameOverride": "brain"},
    )
    params = {"url": "http://brain:9000/v1/chat/completions", "model": "org/m"}
    assert model_list(given, GlobalFlow()) == [{"model_name": "house", "llm_params": params}]


def test_the_shared_values_come_first() -> None:
    given = shared({"service": {"serviceName": "far", "port": 1}, "config": {"model": "org/n"}})
    (found,) = model_list(flow(), given)
    assert found["llm_params"] == {"url": "http://far:1/v1/chat/completions", "model": "org/n"}


def test_without_vllm_there_is_only_what_is_listed() -> None:
    assert model_list(flow(vllm={"enabled": False}), GlobalFlow()) == []
    listed = [{"model_name": "a", "llm_params": {"url": "https://a.example/v1", "model": "m"}}]
    assert model_list(flow(llmProxy={"config": {"model_list": listed}}), GlobalFlow()) == listed


@pytest.mark.parametrize(("given", "name"), [({"fullnameOverride": "vllm"}, "vllm-svc"), ({}, "llm")])
def test_a_service_of_the_name_vllm_is_called_otherwise(given: Json, name: str) -> None:
    assert vllm_service(flow(vllm=given), GlobalFlow())[0] == name


@pytest.mark.parametrize(("number", "text"), [(3.0, "3"), (0.7, "0.7"), (2.5, "2.5"), (0.0, "0")])
def test_numbers_are_written_as_the_chart_does(number: float, text: str) -> None:
    assert plain(number) == text


def test_a_pod_that_is_told_to_go_has_time_for_both_phases(changed: Callable[[Change | None], Graph]) -> None:
    spec = changed(talking).one(DEPLOYMENT, "llm-proxy").inputs["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    grace = next(e["value"] for e in container["env"] if e["name"] == "LLM_PROXY_SHUTDOWN_GRACE_PERIOD_SEC")
    assert container["lifecycle"]["preStop"] == {"sleep": {"seconds": LEAVE_SECONDS}}
    assert pod["terminationGracePeriodSeconds"] >= LEAVE_SECONDS + int(grace)
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_its_budget_lets_one_pod_go(changed: Callable[[Change | None], Graph]) -> None:
    graph = changed(talking)
    budget = graph.one("kubernetes:policy/v1:PodDisruptionBudget", "llm-proxy")
    deployment = graph.one(DEPLOYMENT, "llm-proxy")
    assert budget.protect
    assert budget.inputs["spec"]["minAvailable"] < deployment.inputs["spec"]["replicas"]
