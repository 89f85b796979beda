"""A SessionGroup that holds sessions is not deleted, by nobody: the API server itself refuses it.

The guard's hooks see what this program does; this is for people with kubectl, and for the moment between a hook's look
at the cluster and the step after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.speech.crd import GROUP, KIND, PLURAL, VERSION

NAME = f"in-use.{PLURAL}.{GROUP}"
"""Of the policy and of its binding."""

NO_STATUS = "!has(oldObject.status)"
"""A group that no controller has ever looked at: no pod is known to be its own. Its pods are the hooks' to look for."""
IDLE = "oldObject.status.usage == 0 && oldObject.status.activeSessions == 0"
"""Both are there when a status is (contract: control plane 1.3)."""

MESSAGE = (
    f"'{KIND} ' + oldObject.metadata.name + ' is in use (sessions: ' + string(oldObject.status.activeSessions)"
    " + ', usage: ' + string(oldObject.status.usage) + '). Deleting it would cut them; wait until both are 0.'"
)


@dataclass(frozen=True)
class DeletionPolicyArgs:
    """What the policy needs."""

    crd: pulumi.Resource
    """The definition of the kind."""


class DeletionPolicy(pulumi.ComponentResource):
    """The policy and its binding, which holds for every namespace."""

    ready: pulumi.Resource
    """From here on it is enforced."""
    policy_name: pulumi.Output[str]

    def __init__(self, name: str, args: DeletionPolicyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:DeletionPolicy", name, {}, opts)
        api = kubernetes.admissionregistration.v1
        policy = api.ValidatingAdmissionPolicy(
            f"{name}-policy",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=NAME),
            spec=api.ValidatingAdmissionPolicySpecArgs(
                failure_policy="Fail",
                match_constraints=api.MatchResourcesArgs(
                    resource_rules=[
                        api.NamedRuleWithOperationsArgs(
                            api_groups=[GROUP], api_versions=[VERSION], operations=["DELETE"], resources=[PLURAL]
                        )
                    ]
                ),
                validations=[
                    api.ValidationArgs(
                        expression=f"{NO_STATUS} || ({IDLE})", message_expression=MESSAGE, reason="Forbidden"
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.crd]),
        )
        binding = api.ValidatingAdmissionPolicyBinding(
            f"{name}-binding",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=NAME),
            spec=api.ValidatingAdmissionPolicyBindingSpecArgs(policy_name=NAME, validation_actions=["Deny"]),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.ready = binding
        self.policy_name = policy.id
        self.register_outputs({"policyName": self.policy_name})
