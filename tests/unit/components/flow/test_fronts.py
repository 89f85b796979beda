"""Flow's Ingresses, as they are for our controller and for another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.flow.fronts import fronts, of_flow_service, of_llm_proxy
from stacks.load import read
from stacks.platform.existing import existing_secrets
from stacks.platform.ingress import names_certificates, served_without_secret
from stacks.schema import Settings
from stacks.schema.flow import FlowSettings
from tests.unit.cases import given
from tests.unit.graph import Graph, Json, run_program

INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
POOLS = {"inference": [{"number": 1, "state": "active", "kubernetesVersion": "1.35.4", "maxCount": 8}]}
IN_ZONE = {"enabled": True, "zone": "example.org"}
ALL: Json = {
    "enabled": True,
    "internalApp": {"enabled": True, "proxyURL": "wss://speech.example.org/v1/flow"},
    "ingress": IN_ZONE,
    "llmProxy": {"ingress": IN_ZONE},
    "tts": {"ingress": IN_ZONE | {"tls": {"enabled": True}}},
    "vllm": {"ingress": IN_ZONE},
}
"""All four Ingresses: the demonstration's and the LLM proxy's are always with TLS, vLLM's here without."""

HOSTS = {"flow-flow-service.example.org", "llm-proxy.example.org", "tts.example.org"}
"""Those with TLS."""

OTHER = {"ingressClassName": "other"}


def settings(flow: Json, **sections: Any) -> Settings:
    config = {"flow": flow, "pools": POOLS, "proxy": {"ingress": {"url": "speech.example.org"}}, **sections}
    found, problems = read(*given({"config": config, "secrets": {"flowMpApiKey": "made-up"}}))
    assert found is not None, problems
    return found


def run(flow: Json, **sections: Json) -> Graph:
    def change(config: Json) -> None:
        config["sm-realtime:flow"] = flow
        config["sm-realtime:flowMpApiKey"] = "made-up"
        config["sm-realtime:pools"]["inference"][0]["maxCount"] = 8
        config.update({f"sm-realtime:{key}": value for key, value in sections.items()})

    return run_program("sandbox", change)


def alone(part: str, **ingress: Any) -> Json:
    """Flow with one Ingress, changed."""
    if part == "flow":
        changed = ALL | {"ingress": IN_ZONE | ingress}
        return {key: value for key, value in changed.items() if key not in ("llmProxy", "tts", "vllm")}
    return {"enabled": True, part: {"ingress": ALL[part]["ingress"] | ingress}}


def of(flow: Json) -> FlowSettings:
    return FlowSettings.model_validate_json(json.dumps(flow))


def test_a_host_is_the_given_one_or_a_name_in_the_zone() -> None:
    assert {front.section: front.host for front in fronts(of(ALL))} == {
        "flow.ingress": "flow-flow-service.example.org",
        "flow.llmProxy.ingress": "llm-proxy.example.org",
        "flow.tts.ingress": "tts.example.org",
        "flow.vllm.ingress": "vllm.example.org",
    }
    (front,) = fronts(of(alone("vllm", host="model.example.net")))
    assert front.host == "model.example.net"


@pytest.mark.parametrize("off", ["llmProxy", "tts", "vllm"])
def test_a_part_that_is_off_has_none(off: str) -> None:
    found = fronts(of(ALL | {off: {"enabled": False, "ingress": IN_ZONE}}))
    assert {f"flow.{key}ingress" for key in ("", "llmProxy.", "tts.", "vllm.") if key != f"{off}."} == {
        front.section for front in found
    }


def test_nothing_is_made_without_a_switch() -> None:
    assert not fronts(of(ALL | {"enabled": False}))
    assert of_flow_service(of(ALL | {"internalApp": {"enabled": False}})) is None
    assert not fronts(of({"enabled": True, "tts": {"ingress": {"zone": "example.org"}}}))


def test_behind_our_controller_each_host_has_its_own_certificate_and_a_conversation_may_be_silent() -> None:
    graph = run(ALL, sessions={"maxDurationSeconds": 7200})
    found = {each.object_name: each.inputs for each in graph.of(INGRESS) if each.object_name != "proxy"}
    assert {name: each["spec"].get("tls") for name, each in found.items()} == {
        "flow-service-api": [{"hosts": ["flow-flow-service.example.org"]}],
        "llm-proxy": [{"hosts": ["llm-proxy.example.org"]}],
        "tts": [{"hosts": ["tts.example.org"]}],
        "llm": None,
    }
    marks = {name: each["metadata"]["annotations"] for name, each in found.items()}
    assert marks["flow-service-api"] == {
        "speechmatics.io/component": "flow-service",
        "nginx.org/websocket-services": "flow-service",
        "nginx.org/proxy-read-timeout": "7200s",
        "nginx.org/proxy-send-timeout": "7200s",
    }
    for name in ("llm-proxy", "tts", "llm"):
        assert marks[name] == {"speechmatics.io/component": name}


def test_each_waits_for_the_service_and_the_controller_that_gives_it_an_address() -> None:
    graph = run(ALL)
    controller = graph.one("kubernetes:apps/v1:Deployment", "nginx-ingress").urn
    for name, service in (("flow-service-api", "flow-service"), ("llm-proxy",) * 2, ("tts",) * 2, ("llm",) * 2):
        behind = graph.one("kubernetes:core/v1:Service", service).urn
        assert {controller, behind} <= set(graph.one(INGRESS, name).dependencies)


def test_another_controller_gets_what_the_chart_has() -> None:
    marks = {"nginx.ingress.kubernetes.io/proxy-read-timeout": "86400"}
    graph = run(alone("flow", **OTHER, api={"annotations": marks}))
    found = graph.one(INGRESS, "flow-service-api").inputs
    assert found["metadata"]["annotations"] == marks | {"speechmatics.io/component": "flow-service"}
    assert found["spec"]["ingressClassName"] == "other"
    assert found["spec"]["tls"] == [{"hosts": ["*.example.org"]}]


def test_another_controllers_certificate_is_for_the_given_host_the_zone_or_the_host() -> None:
    def tls(**ingress: Any) -> Json:
        front = of_llm_proxy(of({"llmProxy": {"ingress": {"enabled": True} | ingress}}).llm_proxy)
        assert front is not None
        return front.tls(ours=False)

    assert tls(zone="example.org", tlsHost="a.example.net") == {"a.example.net": None}
    assert tls(zone="example.org", host="b.example.net") == {"*.example.org": None}
    assert tls(host="b.example.net", tlsSecretName="own") == {"b.example.net": "own"}


@pytest.mark.parametrize(
    ("flow", "wanted"),
    [
        (ALL, HOSTS),
        (ALL | {"ingress": IN_ZONE | {"tlsSecretName": "own"}}, HOSTS - {"flow-flow-service.example.org"}),
        (ALL | {"llmProxy": {"ingress": IN_ZONE | OTHER}}, HOSTS - {"llm-proxy.example.org"}),
        (ALL | {"tts": {"ingress": IN_ZONE}}, HOSTS - {"tts.example.org"}),
        ({"enabled": True}, set()),
    ],
)
def test_our_controllers_certificate_is_for_every_host_it_serves_without_another(flow: Json, wanted: set[str]) -> None:
    assert set(served_without_secret(settings(flow))) == wanted | {"speech.example.org"}


@pytest.mark.parametrize(
    ("flow", "reads"),
    [
        (ALL, False),
        (alone("flow", tlsSecretName="own"), True),
        (alone("llmProxy", tlsSecretName="own"), True),
        (alone("tts", tls={"enabled": True, "secretName": "own"}), True),
        (alone("vllm", tls={"enabled": True, "secretName": "own"}), True),
        (alone("llmProxy", tlsSecretName="own", **OTHER), False),
    ],
)
def test_our_controller_reads_secrets_only_where_one_of_its_ingresses_names_one(flow: Json, reads: bool) -> None:
    assert names_certificates(settings(flow)) is reads


@pytest.mark.parametrize(
    ("flow", "path", "host"),
    [
        (alone("flow", tlsSecretName="own"), "flow.ingress.tlsSecretName", "flow-flow-service.example.org"),
        (alone("llmProxy", tlsSecretName="own"), "flow.llmProxy.ingress.tlsSecretName", "llm-proxy.example.org"),
        (
            alone("llmProxy", tlsSecretName="own", **OTHER),
            "flow.llmProxy.ingress.tlsSecretName",
            "llm-proxy.example.org",
        ),
        (
            alone("tts", tls={"enabled": True, "secretName": "own"}),
            "flow.tts.ingress.tls.secretName",
            "tts.example.org",
        ),
    ],
)
def test_the_certificate_must_be_there_for_the_host(flow: Json, path: str, host: str) -> None:
    (found,) = (each for each in existing_secrets(settings(flow), ()) if each.name == "own")
    assert (found.type, found.keys) == ("kubernetes.io/tls", ("tls.crt", "tls.key"))
    assert (found.path, found.hosts) == (path, (host,))
    assert found.create == "kubectl create secret tls own --namespace speechmatics --cert=tls.crt --key=tls.key"


def test_a_certificate_that_is_still_to_be_made_or_read_by_nobody_is_not_looked_up() -> None:
    def looked_up(flow: Json) -> bool:
        return "own" in {each.name for each in existing_secrets(settings(flow), ())}

    issued = {"cert-manager.io/cluster-issuer": "letsencrypt"}
    assert not looked_up(alone("llmProxy", tlsSecretName="own", annotations=issued))
    assert not looked_up(alone("llmProxy", tlsSecretName="own", enabled=False))
    assert not looked_up({"enabled": True, "tts": {"ingress": {"tls": {"enabled": True, "secretName": "own"}}}})
