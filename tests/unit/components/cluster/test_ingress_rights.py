"""What the ingress controller may do."""

from __future__ import annotations

from typing import Any

import pytest

from components.cluster.ingress_rights import SECRETS, WATCHED, rules
from tests.unit.graph import Graph, Json, run_program

ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
NAME = "nginx-ingress"


def allowed(rules: list[Json], group: str, resource: str) -> set[str]:
    return {
        verb for rule in rules if group in rule["apiGroups"] and resource in rule["resources"] for verb in rule["verbs"]
    }


def test_beside_the_sessions_it_may_write_only_events_and_the_status_of_ingresses(graph: Graph) -> None:
    rules = graph.one(ROLE, f"{NAME}-watched").inputs["rules"]
    assert allowed(rules, "", "secrets") == set(), "the license"
    writing = {"create", "update", "patch", "delete", "deletecollection", "*"}
    may_write = {resource for rule in rules for resource in rule["resources"] if writing & set(rule["verbs"])}
    assert may_write == {"events", "ingresses/status"}


def test_in_its_own_namespace_it_may_take_its_lease(graph: Graph) -> None:
    rules = graph.one(ROLE, NAME).inputs["rules"]
    (by_name,) = [rule for rule in rules if rule.get("resourceNames")]
    assert by_name["resourceNames"] == ["nginx-ingress-leader"]
    assert by_name["verbs"] == ["get", "update"]
    assert allowed(rules, "", "secrets") == {"get", "list", "watch"}
    deployment = graph.one("kubernetes:apps/v1:Deployment", NAME).inputs
    (server,) = deployment["spec"]["template"]["spec"]["containers"]
    assert "-leader-election-lock-name=nginx-ingress-leader" in server["args"]


def test_cluster_wide_it_may_only_look_at_classes(graph: Graph) -> None:
    role = graph.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", NAME)
    (rule,) = role.inputs["rules"]
    assert rule == {"apiGroups": ["networking.k8s.io"], "resources": ["ingressclasses"], "verbs": ["get", "list"]}


def test_the_bindings_are_for_its_account_alone(graph: Graph) -> None:
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAME}
    bindings = [
        each for each in graph.kubernetes if each.name.startswith("ingress-rights-") and "roleRef" in each.inputs
    ]
    assert len(bindings) == 3
    assert [each.inputs["subjects"] for each in bindings] == [[subject]] * 3


def test_the_right_to_certificates_beside_the_sessions_is_one_more_rule() -> None:
    assert len(rules((*WATCHED, SECRETS))) == len(rules(WATCHED)) + 1
    assert not [rule for rule in WATCHED if "secrets" in rule[1]]


OWN: Json = {"url": "speech.example.org", "tls": {"secretName": "host-certificate"}}
SECOND: Json = {
    "flow": {"additionalHost": {"enabled": True, "url": "talk.example.org", "tlsSecretName": "flow-certificate"}}
}


@pytest.mark.parametrize(
    ("proxy", "reads"),
    [
        ({"ingress": OWN}, True),
        ({"ingress": SECOND}, True),
        ({"ingress": {**OWN, "ingressClassName": "other"}}, False),
        ({"ingress": {**SECOND, "ingressClassName": "other"}}, False),
        ({"ingress": {**OWN, "enabled": False}}, False),
        ({"ingress": {"flow": {"additionalHost": {"tlsSecretName": "flow-certificate"}}}}, False),
        ({"ingress": OWN, "enabled": False}, False),
    ],
)
def test_it_reads_the_proxys_certificate_only_where_it_serves_the_proxy(proxy: dict[str, Any], reads: bool) -> None:
    def change(config: Json) -> None:
        config["sm-realtime:proxy"] = proxy

    granted = run_program("sandbox", change).one(ROLE, f"{NAME}-watched").inputs["rules"]
    assert allowed(granted, "", "secrets") == ({"get", "list", "watch"} if reads else set())
