"""The names of the hooks. They are written into every user's state, and a delete looks its hook up there by name.

Never rename one and never take one away: a state from any earlier version must find its hooks in today's program, or
its deletes fail with "hook was not registered". New kinds get new names.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a guarded resource is to a session."""

    SESSION_GROUP = "session-group"
    """Holds sessions itself."""
    NODE_POOL = "node-pool"
    """Its nodes hold session pods."""
    WORKLOAD = "workload"
    """A service, its maps, accounts and rights: sessions pass through it or are placed by it."""
    CLUSTER_OBJECT = "cluster-object"
    """Namespace, definition, budget, admission policy: taking it away takes or exposes every session."""
    AZURE = "azure"
    """Cluster, network, address, identity and their roles."""
    GATE = "gate"
    """The gate a destroy meets first."""


class Step(StrEnum):
    """The step a hook runs before."""

    DELETE = "before-delete"
    UPDATE = "before-update"


def hook_name(kind: Kind, step: Step) -> str:
    """The hook's name, for ever."""
    return f"sm-realtime/guard/{kind.value}/{step.value}"


_BY_TYPE = {
    "kubernetes:speechmatics.com/v1:SessionGroup": Kind.SESSION_GROUP,
    "azure-native:containerservice:AgentPool": Kind.NODE_POOL,
    "kubernetes:core/v1:Namespace": Kind.CLUSTER_OBJECT,
    "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": Kind.CLUSTER_OBJECT,
    "kubernetes:policy/v1:PodDisruptionBudget": Kind.CLUSTER_OBJECT,
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy": Kind.CLUSTER_OBJECT,
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding": Kind.CLUSTER_OBJECT,
    "sm-realtime:guard:Gate": Kind.GATE,
}

_BY_PACKAGE = {"kubernetes": Kind.WORKLOAD, "azure-native": Kind.AZURE}


def kind_of(resource_type: str) -> Kind | None:
    """What a resource of this Pulumi type is to a session; None for components and providers."""
    return _BY_TYPE.get(resource_type) or _BY_PACKAGE.get(resource_type.partition(":")[0])
