"""What the ingress controller may do: no more than it needs, and next to nothing beside the sessions."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made

NAME = "nginx-ingress"
"""Of the controller's namespace and of nearly everything in it, as in its own manifests."""

LABELS = {"app.kubernetes.io/name": NAME}

LEADER_LEASE = "nginx-ingress-leader"

Rule = tuple[str, tuple[str, ...], tuple[str, ...]]
"""API group, resources, verbs."""

WATCHED: tuple[Rule, ...] = (
    ("", ("services", "pods"), ("get", "list", "watch")),
    ("", ("namespaces",), ("get",)),
    ("", ("events",), ("create", "patch", "list")),
    ("discovery.k8s.io", ("endpointslices",), ("get", "list", "watch")),
    ("networking.k8s.io", ("ingresses",), ("get", "list", "watch")),
    ("networking.k8s.io", ("ingresses/status",), ("update",)),
)
"""Rights in a watched namespace (the ClusterRole of chart 2.6 without custom resources, as Roles)."""

SECRETS: Rule = ("", ("secrets",), ("get", "list", "watch"))
"""Given where certificates are: the license and the registry's password are not for what faces the internet."""

OWN: tuple[Rule, ...] = (
    *WATCHED,
    SECRETS,
    ("", ("configmaps",), ("get", "list", "watch")),
    ("", ("pods",), ("update",)),
    ("apps", ("replicasets",), ("get",)),
    ("coordination.k8s.io", ("leases",), ("create",)),
)
"""Rights in its own namespace (the Role of chart 2.6); the right to its Lease is added by name."""


def rules(granted: tuple[Rule, ...]) -> list[kubernetes.rbac.v1.PolicyRuleArgs]:
    """As a Role takes them."""
    return [
        kubernetes.rbac.v1.PolicyRuleArgs(api_groups=[group], resources=list(kinds), verbs=list(verbs))
        for group, kinds, verbs in granted
    ]


@dataclass(frozen=True)
class IngressRightsArgs:
    """Where the rights are given."""

    namespace: pulumi.Output[str]
    """The controller's own: what it may write there, it may not write beside the sessions."""
    watched: pulumi.Output[str]
    """The namespace whose Ingresses it serves."""
    watched_certificates: bool
    """Whether an Ingress there names a Secret with a certificate; then it may read that namespace's Secrets."""


class IngressRights(pulumi.ComponentResource):
    """The controller's account, a Role in each of the two namespaces, and the right to read its class."""

    account: pulumi.Output[str]
    bindings: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: IngressRightsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:cluster:IngressRights", name, {}, opts)
        rbac, meta = kubernetes.rbac.v1, kubernetes.meta.v1.ObjectMetaArgs
        child = pulumi.ResourceOptions(parent=self)
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account", metadata=meta(name=NAME, namespace=args.namespace, labels=LABELS), opts=child
        )
        self.account = once_made(account, NAME)
        subjects = [rbac.SubjectArgs(kind="ServiceAccount", name=self.account, namespace=args.namespace)]
        lease = rbac.PolicyRuleArgs(
            api_groups=["coordination.k8s.io"],
            resources=["leases"],
            resource_names=[LEADER_LEASE],
            verbs=["get", "update"],
        )
        granted = (*WATCHED, SECRETS) if args.watched_certificates else WATCHED
        bindings: list[pulumi.Resource] = []
        for part, role_name, namespace, given in (
            ("own", NAME, args.namespace, [*rules(OWN), lease]),
            ("watched", f"{NAME}-watched", args.watched, rules(granted)),
        ):
            metadata = meta(name=role_name, namespace=namespace, labels=LABELS)
            role = rbac.Role(f"{name}-{part}-role", metadata=metadata, rules=given, opts=child)
            reference = rbac.RoleRefArgs(
                api_group="rbac.authorization.k8s.io", kind="Role", name=once_made(role, role_name)
            )
            bindings.append(
                rbac.RoleBinding(
                    f"{name}-{part}-binding", metadata=metadata, role_ref=reference, subjects=subjects, opts=child
                )
            )
        metadata = meta(name=NAME, labels=LABELS)
        classes = rules((("networking.k8s.io", ("ingressclasses",), ("get", "list")),))
        cluster_role = rbac.ClusterRole(f"{name}-classes-role", metadata=metadata, rules=classes, opts=child)
        bindings.append(
            rbac.ClusterRoleBinding(
                f"{name}-classes-binding",
                metadata=metadata,
                role_ref=rbac.RoleRefArgs(
                    api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=once_made(cluster_role, NAME)
                ),
                subjects=subjects,
                opts=child,
            )
        )
        self.bindings = tuple(bindings)
        self.register_outputs({"account": self.account})
