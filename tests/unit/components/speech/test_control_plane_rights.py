"""Rights go to the accounts that use them, and to no other."""

from __future__ import annotations

from tests.unit.graph import Graph

RBAC = "kubernetes:rbac.authorization.k8s.io/v1"


def test_every_role_is_bound_once_and_every_binding_names_a_role_that_is_made(graph: Graph) -> None:
    for scope in ("Role", "ClusterRole"):
        roles = sorted(each.object_name for each in graph.of(f"{RBAC}:{scope}"))
        bound = sorted(each.inputs["roleRef"]["name"] for each in graph.of(f"{RBAC}:{scope}Binding"))
        assert roles == bound


def test_a_binding_comes_after_its_role(graph: Graph) -> None:
    for scope in ("Role", "ClusterRole"):
        roles = {each.object_name: each.urn for each in graph.of(f"{RBAC}:{scope}")}
        for binding in graph.of(f"{RBAC}:{scope}Binding"):
            assert roles[binding.inputs["roleRef"]["name"]] in binding.dependencies, binding.urn


def test_no_right_is_given_with_a_wildcard(graph: Graph) -> None:
    for role in (*graph.of(f"{RBAC}:Role"), *graph.of(f"{RBAC}:ClusterRole")):
        for rule in role.inputs["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]], role.urn
