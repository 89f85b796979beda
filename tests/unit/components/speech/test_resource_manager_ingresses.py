"""The Ingresses straight to the resource manager, as they are for our controller and for another."""

from __future__ import annotations

from typing import Any

import pytest

from components.speech.resource_manager_ingresses import certificate_is_to_come, existing_certificate, hosts
from stacks.load import read
from stacks.platform.existing import existing_secrets
from stacks.platform.ingress import names_certificates, served_without_secret
from stacks.schema import Settings
from stacks.schema.resource_manager_ingress import ResourceManagerIngress
from tests.unit.cases import given
from tests.unit.graph import Graph, Json, run_program

INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
BOTH: Json = {"zone": "example.org", "api": {"enabled": True}, "flow": {"enabled": True}}


def settings(ingress: Json, **sections: Any) -> Settings:
    found, problems = read(*given({"config": {"resourceManager": {"ingress": ingress}, **sections}}))
    assert found is not None, problems
    return found


def run(ingress: Json, **sections: Json) -> Graph:
    def change(config: Json) -> None:
        config["sm-realtime:resourceManager"] = {"ingress": ingress}
        config.update({f"sm-realtime:{key}": value for key, value in sections.items()})

    return run_program("sandbox", change)


def of(**changed: Any) -> ResourceManagerIngress:
    return ResourceManagerIngress.model_validate(BOTH | changed)


def test_a_host_is_the_given_one_or_a_name_in_the_zone() -> None:
    assert hosts(of(), "rm") == {"api": "api-rm.example.org", "flow": "rm.example.org"}
    assert hosts(of(flow={"enabled": True, "host": "talk.example.net"}), "rm")["flow"] == "talk.example.net"
    assert hosts(of(api={"enabled": False, "host": "api.example.org"}), "rm") == {"flow": "rm.example.org"}


def test_nothing_is_made_without_a_switch() -> None:
    graph = run({"zone": "example.org", "api": {"host": "api.example.org"}})
    assert [each.inputs["metadata"]["name"] for each in graph.of(INGRESS)] == ["proxy"]


def test_behind_our_controller_each_host_is_served_with_tls_and_a_conversation_may_be_silent() -> None:
    graph = run(BOTH, sessions={"maxDurationSeconds": 7200})
    flow = graph.one(INGRESS, "resource-manager-flow").inputs
    assert flow["metadata"]["annotations"] == {
        "nginx.org/websocket-services": "resource-manager",
        "nginx.org/proxy-read-timeout": "7200s",
        "nginx.org/proxy-send-timeout": "7200s",
    }
    assert flow["spec"]["tls"] == [{"hosts": ["resource-manager.example.org"]}]
    api = graph.one(INGRESS, "resource-manager-api").inputs
    assert "annotations" not in api["metadata"]
    assert api["spec"]["tls"] == [{"hosts": ["api-resource-manager.example.org"]}]


def test_each_waits_for_the_service_and_the_controller_that_gives_it_an_address() -> None:
    graph = run(BOTH)
    controller = graph.one("kubernetes:apps/v1:Deployment", "nginx-ingress").urn
    service = graph.one("kubernetes:core/v1:Service", "resource-manager").urn
    for name in ("resource-manager-api", "resource-manager-flow"):
        assert {controller, service} <= set(graph.one(INGRESS, name).dependencies)


def test_another_controller_gets_what_the_chart_has() -> None:
    given_ = {"nginx.ingress.kubernetes.io/proxy-read-timeout": "86400"}
    flow = {"enabled": True, "host": "talk.example.net", "annotations": given_}
    graph = run({"ingressClassName": "", "api": {"enabled": True, "host": "api.example.net"}, "flow": flow})
    found = graph.one(INGRESS, "resource-manager-flow").inputs
    assert found["metadata"]["annotations"] == given_
    assert "ingressClassName" not in found["spec"]
    # without a zone there is no `*.<zone>`
    assert found["spec"]["tls"] == [{"hosts": ["talk.example.net"]}]


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, {"speech.example.org", "api-resource-manager.example.org", "resource-manager.example.org"}),
        ({"tlsSecretName": "own"}, {"speech.example.org"}),
        ({"ingressClassName": "other"}, {"speech.example.org"}),
        ({"api": {"enabled": False}}, {"speech.example.org", "resource-manager.example.org"}),
    ],
)
def test_our_controllers_certificate_is_for_every_host_it_serves_without_another(
    changed: Json, wanted: set[str]
) -> None:
    found = settings(BOTH | changed, proxy={"ingress": {"url": "speech.example.org"}})
    assert set(served_without_secret(found)) == wanted


@pytest.mark.parametrize(
    ("changed", "reads"),
    [
        ({}, False),
        ({"tlsSecretName": "own"}, True),
        ({"tlsSecretName": "own", "ingressClassName": "other"}, False),
        ({"tlsSecretName": "own", "api": {}, "flow": {}}, False),
    ],
)
def test_our_controller_reads_secrets_only_where_one_of_its_ingresses_names_one(changed: Json, reads: bool) -> None:
    assert names_certificates(settings(BOTH | changed)) is reads


def test_the_certificate_must_be_there_for_every_host() -> None:
    (found,) = (each for each in existing_secrets(settings(BOTH | {"tlsSecretName": "own"}), ()) if each.name == "own")
    assert (found.type, found.keys) == ("kubernetes.io/tls", ("tls.crt", "tls.key"))
    assert found.path == "resourceManager.ingress.tlsSecretName"
    assert found.hosts == ("api-resource-manager.example.org", "resource-manager.example.org")
    assert found.create == "kubectl create secret tls own --namespace speechmatics --cert=tls.crt --key=tls.key"


def test_a_certificate_that_is_still_to_be_made_is_not_looked_up() -> None:
    issued = {"enabled": True, "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"}}
    assert certificate_is_to_come(of(flow=issued))
    assert existing_certificate(of(flow=issued, tlsSecretName="own")) is None
    assert existing_certificate(of(flow=issued | {"enabled": False}, tlsSecretName="own")) == "own"
    assert existing_certificate(of(api={}, flow={}, tlsSecretName="own")) is None
