"""What keeps a SessionGroup in use from being deleted, as it is declared (that it does: test_standing_platform.py)."""

from __future__ import annotations

from tests.unit.graph import run_program

POLICY = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"


def test_the_policy_is_enforced_from_before_the_first_group_until_the_last_is_gone() -> None:
    graph = run_program("sandbox")
    policy, binding = graph.one(POLICY), graph.one(f"{POLICY}Binding")
    assert binding.inputs["spec"] == {"policyName": policy.inputs["metadata"]["name"], "validationActions": ["Deny"]}
    assert policy.inputs["spec"]["failurePolicy"] == "Fail"
    groups = graph.of("kubernetes:speechmatics.com/v1:SessionGroup")
    assert groups
    assert all(binding.urn in each.dependencies for each in groups)


def test_it_looks_at_every_delete_of_the_kind_and_at_nothing_else() -> None:
    spec = run_program("sandbox").one(POLICY).inputs["spec"]
    assert spec["matchConstraints"] == {
        "resourceRules": [
            {
                "apiGroups": ["speechmatics.com"],
                "apiVersions": ["v1"],
                "operations": ["DELETE"],
                "resources": ["sessiongroups"],
            }
        ]
    }
