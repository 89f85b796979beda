"""What the control plane's accounts may do: roles and their bindings (contract: control plane 8)."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.speech.control_plane import ControlPlane

Rule = tuple[str, tuple[str, ...], tuple[str, ...]]
"""API group, resources, verbs."""

RBAC = "rbac.authorization.k8s.io"


def _rules(rules: Sequence[Rule]) -> list[kubernetes.rbac.v1.PolicyRuleArgs]:
    return [
        kubernetes.rbac.v1.PolicyRuleArgs(api_groups=[group], resources=list(kinds), verbs=list(verbs))
        for group, kinds, verbs in rules
    ]


def user(namespace: str, account: str) -> kubernetes.rbac.v1.SubjectArgs:
    """An account by the name it has as a user; the same as the account itself."""
    return kubernetes.rbac.v1.SubjectArgs(
        api_group=RBAC, kind="User", name=f"system:serviceaccount:{namespace}:{account}"
    )


def may(
    common: ControlPlane,
    names: tuple[str, str],
    *,
    role: str,
    binding: str,
    rules: Sequence[Rule],
    subject: kubernetes.rbac.v1.SubjectArgs,
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """A Role in the namespace and its binding; `names` are the logical ones."""
    rbac = kubernetes.rbac.v1
    made = rbac.Role(names[0], metadata=common.metadata(role), rules=_rules(rules), opts=opts)
    bound = rbac.RoleBinding(
        names[1],
        metadata=common.metadata(binding),
        role_ref=rbac.RoleRefArgs(api_group=RBAC, kind="Role", name=once_made(made, role)),
        subjects=[subject],
        opts=opts,
    )
    return [made, bound]


def cluster_role(name: str, role: str, rules: Sequence[Rule], opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """A role in the whole cluster; its name, usable once it exists."""
    metadata = kubernetes.meta.v1.ObjectMetaArgs(name=role)
    return once_made(kubernetes.rbac.v1.ClusterRole(name, metadata=metadata, rules=_rules(rules), opts=opts), role)


def may_everywhere(
    common: ControlPlane,
    name: str,
    *,
    binding: str,
    role: pulumi.Input[str],
    account: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Resource:
    """The binding of a role in the whole cluster to an account of the namespace."""
    rbac = kubernetes.rbac.v1
    return rbac.ClusterRoleBinding(
        name,
        metadata=kubernetes.meta.v1.ObjectMetaArgs(name=binding),
        role_ref=rbac.RoleRefArgs(api_group=RBAC, kind="ClusterRole", name=role),
        subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=account, namespace=common.namespace)],
        opts=opts,
    )
