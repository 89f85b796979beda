"""The Ingress, measured by the rules of F5's controller (docs/explanation/ingress.md)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.speech.proxy_ingress import ANYTHING, HEALTH_PATH, charts, ingress_annotations, ours, paths
from stacks.schema.proxy_ingress import (
    ASR_PATH,
    FLOW_PATH,
    LIVEKIT_PATH,
    SEED_ANNOTATIONS,
    FlowPaths,
    ProxyIngressSettings,
)
from tests.unit.graph import Graph, Json, run_program

INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
WITH_LIVEKIT = {"flow": {"livekit": {"enabled": True}}}
ALL = paths(ProxyIngressSettings())


def location(path: str) -> str | None:
    """The path of the Ingress that nginx takes: `location ~* "^<path>"`, tried in the order of the file."""
    return next((each for each in ALL if re.search(f"^{each}", path, re.IGNORECASE)), None)


@pytest.mark.parametrize("path", paths(ProxyIngressSettings.model_validate(WITH_LIVEKIT)))
def test_the_controller_accepts_the_path(path: str) -> None:
    """Its own checks: one word without `;`, a right expression, no letters in braces, nothing forbidden, no format."""
    assert re.fullmatch(r"/[^\s;]*", path)
    re.compile(path)
    assert not [braces for braces in re.findall(r"\{(.*?)\}", path) if re.search("[A-Za-z]", braces)]
    assert not re.search(r"^/etc/|/root|/var|\\n|\\r$", path)
    assert re.fullmatch(r'([^"\\]|\\.)*', path)
    assert "%" not in path


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("/v2", ASR_PATH), ("/v2/", ASR_PATH), ("/v", ASR_PATH), ("/V2", ASR_PATH), ("/v1/en", ASR_PATH),
        ("/v2/cmn_en", ASR_PATH), ("/v2/cmn_en/", ASR_PATH), ("/v2/en_ms", ASR_PATH),
        ("/v1/flow", FLOW_PATH), ("/v1/flow/", FLOW_PATH), ("/v1/flo", ASR_PATH),
        ("/v1/health", HEALTH_PATH), ("/v1/healthy", HEALTH_PATH),
        ("/", ANYTHING), ("/v1/es-bilingual-en", ANYTHING), ("/v1/flow/livekit", ANYTHING), ("/metrics", ANYTHING),
        ("/x/v2", ANYTHING), ("/vv2", ANYTHING), ("/v2/english", ANYTHING),
    ],
)  # fmt: skip
def test_a_request_finds_its_path(path: str, taken: str) -> None:
    assert location(path) == taken


def test_the_order_is_the_one_of_the_charts_controller() -> None:
    """It tries the longest first; ours takes the order it finds."""
    assert list(ALL) == sorted(ALL, key=len, reverse=True)


def test_livekits_path_is_tried_before_flows_and_takes_its_own() -> None:
    every = paths(ProxyIngressSettings.model_validate(WITH_LIVEKIT))
    assert next(each for each in every if re.search(f"^{each}", "/v1/flow/livekit")) == LIVEKIT_PATH
    assert next(each for each in every if re.search(f"^{each}", "/v1/flow")) == FLOW_PATH


def test_everything_comes_last_or_it_would_swallow_the_rest() -> None:
    assert ALL[-1] == ANYTHING
    assert re.search(f"^{ANYTHING}", "/v2")


def test_flow_can_be_left_out() -> None:
    assert set(ALL) - set(paths(ProxyIngressSettings(flow=FlowPaths(enabled=False)))) == {FLOW_PATH}


def test_time_outs_are_the_longest_session() -> None:
    given = ingress_annotations({}, "proxy", 7200)
    assert given["nginx.org/proxy-read-timeout"] == given["nginx.org/proxy-send-timeout"] == "7200s"


def test_the_seeds_annotations_are_done_otherwise_and_others_kept() -> None:
    kept = ingress_annotations({**SEED_ANNOTATIONS, "cert-manager.io/cluster-issuer": "letsencrypt"}, "proxy", 60)
    assert not [key for key in kept if key.startswith("nginx.ingress.kubernetes.io/")]
    assert kept["cert-manager.io/cluster-issuer"] == "letsencrypt"
    assert kept["nginx.org/path-regex"] == "case_insensitive"


def ingress_of(**settings: Any) -> Json:
    def change(config: Json) -> None:
        config["sm-realtime:proxy"] = {"fullnameOverride": "front", "ingress": settings}

    return run_program("sandbox", change).one(INGRESS).inputs


def test_it_has_tls_for_its_host_with_the_controllers_certificate(graph: Graph) -> None:
    """Without an entry the controller does not listen with TLS for the host; with a missing Secret it refuses."""
    spec = graph.one(INGRESS).inputs["spec"]
    assert spec["tls"] == [{"hosts": [spec["rules"][0]["host"]]}]


def test_it_names_services_and_host_as_configured() -> None:
    made = ingress_of(hostname="speech.example.org", tls={"secretName": "own-certificate"})
    assert made["metadata"]["name"] == "front"
    assert made["metadata"]["annotations"]["nginx.org/websocket-services"] == "front"
    assert made["spec"]["tls"] == [{"hosts": ["speech.example.org"], "secretName": "own-certificate"}]
    (rule,) = made["spec"]["rules"]
    assert rule["host"] == "speech.example.org"
    assert {each["backend"]["service"]["name"] for each in rule["http"]["paths"]} == {"front"}
    assert {each["pathType"] for each in rule["http"]["paths"]} == {"ImplementationSpecific"}


def test_one_ingress_has_the_host(graph: Graph) -> None:
    assert len(graph.of(INGRESS)) == 1


def test_it_waits_for_the_service_it_leads_to(graph: Graph) -> None:
    assert graph.one("kubernetes:core/v1:Service", "proxy").urn in graph.one(INGRESS).dependencies


def test_it_can_be_left_out() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:proxy"] = {"ingress": {"enabled": False}}

    graph = run_program("sandbox", change)
    assert graph.of(INGRESS) == []
    graph.one("kubernetes:core/v1:Service", "proxy")


SECOND: Json = {
    "url": "a.example",
    "tls": {"secretName": "first"},
    "flow": {
        "livekit": {"enabled": True},
        "additionalHost": {"enabled": True, "url": "b.example", "tlsSecretName": "second"},
    },
}


def test_a_second_host_has_flows_paths_and_its_own_certificate() -> None:
    (plan,) = ours(ProxyIngressSettings.model_validate(SECOND), "proxy", 60)
    assert plan.rules["b.example"] == (LIVEKIT_PATH, FLOW_PATH)
    assert plan.tls == {"a.example": "first", "b.example": "second"}


def test_without_its_secret_a_second_host_takes_our_controllers_certificate() -> None:
    given = {"url": "a.example", "flow": {"additionalHost": {"enabled": True, "url": "b.example"}}}
    (plan,) = ours(ProxyIngressSettings.model_validate(given), "proxy", 60)
    assert plan.tls == {"a.example": None, "b.example": None}


def test_another_controller_gets_no_tls_entry_without_a_secret() -> None:
    """Out of the box the chart configures no certificate (seed), and a named one that is missing helps nobody."""
    plans = charts(ProxyIngressSettings())
    assert [plan.suffix for plan in plans] == ["", "-health", "-misc"]
    assert [dict(plan.tls) for plan in plans] == [{}, {}, {}]
    assert plans[0].annotations == SEED_ANNOTATIONS


def other_controller(config: Json) -> None:
    config["sm-realtime:proxy"] = {"ingress": {"ingressClassName": "traefik"}}


def test_another_class_beside_our_controller_is_not_ours() -> None:
    graph = run_program("sandbox", other_controller)
    assert {each.inputs["spec"]["ingressClassName"] for each in graph.of(INGRESS)} == {"traefik"}
    assert {each.object_name for each in graph.of(INGRESS)} == {"proxy", "proxy-health", "proxy-misc"}
    assert {each.object_name for each in graph.of("kubernetes:networking.k8s.io/v1:IngressClass")} == {"nginx"}
