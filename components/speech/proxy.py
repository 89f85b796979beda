"""The proxy: every session of a client passes through one of its pods (contract: proxy 2, 3 and 10)."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.speech.disruption import surge_first
from components.speech.proxy_pod import PORT, ProxyArgs, active_key, tag_of, template


class Proxy(pulumi.ComponentResource):
    """Deployments, the Service that switches between them, account, Role and budgets. Not here: maps and Ingress."""

    service_name: pulumi.Output[str]
    service: pulumi.Resource

    def __init__(self, name: str, args: ProxyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:Proxy", name, {}, opts)
        self._name, self._args = name, args
        fullname, labels = args.labels.fullname, args.labels
        account_name = args.settings.service_account_name or fullname
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account", metadata=self._metadata(account_name), opts=pulumi.ResourceOptions(parent=self)
        )
        may_read = self._may_read_maps(once_made(account, account_name))
        service, active = args.settings.proxy, active_key(args.settings.proxy)
        deployments = []
        for key in sorted(service.deployments):
            # the active one's: an inactive one can be taken out of the configuration once its sessions are over
            budget = self._budget(key, protect=args.protect and key == active)
            deployments.append(self._deployment(key, once_made(account, account_name), [may_read, budget]))
        self.service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=self._metadata(fullname, labels.common(), args.settings.additional_annotations or None),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                ports=[kubernetes.core.v1.ServicePortArgs(port=args.settings.service.port, target_port=PORT)],
                selector=labels.selector(active),
            ),
            # no value flows: new sessions go to a deployment only when its pods are ready
            opts=pulumi.ResourceOptions(parent=self, depends_on=deployments),
        )
        self.service_name = once_made(self.service, fullname)
        self.register_outputs({"serviceName": self.service_name})

    def _metadata(
        self, object_name: str, labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None
    ) -> kubernetes.meta.v1.ObjectMetaArgs:
        return kubernetes.meta.v1.ObjectMetaArgs(
            name=object_name, namespace=self._args.namespace, labels=labels, annotations=annotations
        )

    def _may_read_maps(self, account: pulumi.Output[str]) -> pulumi.Resource:
        """The right to watch ConfigMaps: the proxy takes its configuration over without a restart."""
        rbac, fullname = kubernetes.rbac.v1, self._args.labels.fullname
        child = pulumi.ResourceOptions(parent=self)
        role = rbac.Role(
            f"{self._name}-maps-role",
            metadata=self._metadata(f"{fullname}-cm-reader"),
            rules=[rbac.PolicyRuleArgs(api_groups=[""], resources=["configmaps"], verbs=["get", "list", "watch"])],
            opts=child,
        )
        return rbac.RoleBinding(
            f"{self._name}-maps-binding",
            metadata=self._metadata(f"{fullname}-cm-access"),
            role_ref=rbac.RoleRefArgs(
                api_group="rbac.authorization.k8s.io", kind="Role", name=once_made(role, f"{fullname}-cm-reader")
            ),
            subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=account, namespace=self._args.namespace)],
            opts=child,
        )

    def _budget(self, key: str, *, protect: bool) -> pulumi.Resource:
        """No pod is ever evicted: one holds sessions, or nobody knows that it does not."""
        return kubernetes.policy.v1.PodDisruptionBudget(
            f"{self._name}-{key}-budget",
            metadata=self._metadata(f"{self._args.labels.fullname}-{key}"),
            spec=kubernetes.policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=0,
                selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels=self._args.labels.selector(key)),
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )

    def _deployment(
        self, key: str, account: pulumi.Input[str], after: list[pulumi.Resource]
    ) -> kubernetes.apps.v1.Deployment:
        args, labels = self._args, self._args.labels
        # the one pod builder writes the API's own names, which the SDK passes on as they are
        spec: Any = {
            "replicas": args.settings.replicas,
            "selector": {"matchLabels": labels.selector(key)},
            "strategy": surge_first(),
            "template": template(args, key, account),
        }
        tag = tag_of(args.settings.proxy, key, args.global_.proxy.image.tag)
        return kubernetes.apps.v1.Deployment(
            f"{self._name}-{key}",
            metadata=self._metadata(
                f"{labels.fullname}-{key}",
                args.settings.additional_labels | labels.versioned(tag),
                args.settings.additional_annotations | {"speechmatics.io/component": labels.fullname},
            ),
            spec=spec,
            # no value flows: it reads its map as soon as it starts, and is kept from eviction from then on
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )
