"""The Redis in the cluster: one node with a disk, the same with replicas, or a set of nodes with Sentinel.

Without a password in each (contract: control plane 9, modes A and B). The three share account, configuration and the
Service that gives pods their names, under the same logical names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster import redis_nodes, redis_pods
from components.cluster.redis_nodes import SENTINEL_PORT
from components.cluster.redis_pods import MASTER, PORT, RedisArgs, claim
from components.cluster.redis_scripts import SCRIPTS
from components.outputs import once_made
from components.speech.naming import MANAGED_BY
from stacks.schema.redis import SentinelPorts

__all__ = ["Redis", "RedisArgs"]


def files(args: RedisArgs) -> dict[str, str]:
    """The configuration files of the pods there are."""
    if args.settings.sentinel.enabled:
        return redis_nodes.files(args)
    found = {"redis.conf": args.settings.common_configuration, "master.conf": MASTER}
    return found | ({"replica.conf": MASTER} if args.settings.count else {})


def service_port(name: str, port: int, target: str) -> kubernetes.core.v1.ServicePortArgs:
    """A port of a Service, by the name of the pod's."""
    return kubernetes.core.v1.ServicePortArgs(name=name, port=port, target_port=target)


REDIS_PORT = service_port("tcp-redis", PORT, "redis")


class Redis(pulumi.ComponentResource):
    """A change of what is immutable about it would delete it first: that is refused by protect. Not here: a Redis
    outside the cluster, which is an address."""

    url: str
    """`host:port`, as `redis_url` carries it."""
    ready: pulumi.Resource

    def __init__(self, name: str, args: RedisArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:cluster:Redis", name, {}, opts)
        self._name, self._args = name, args
        base, sentinel = args.base, args.settings.sentinel.enabled
        # the one node's labels, since that is how the objects of users' states are labelled
        self._component = "node" if sentinel else "master"
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account", metadata=self._metadata(base), opts=pulumi.ResourceOptions(parent=self)
        )
        self._account = once_made(account, base)
        self._configuration = self._map("configuration", files(args))
        several = sentinel or args.settings.count > 0
        headless = kubernetes.core.v1.Service(
            f"{name}-headless",
            metadata=self._metadata(f"{base}-headless"),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                cluster_ip="None",
                ports=[REDIS_PORT, *self._sentinel_ports(SENTINEL_PORT)],
                selector=args.labels(None if several else "master"),
                # nodes look for each other before they are ready
                publish_not_ready_addresses=True if sentinel else None,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._headless = once_made(headless, f"{base}-headless")
        ports = args.settings.sentinel.service.ports if sentinel else args.settings.master.service.ports
        self.ready = self._nodes() if sentinel else self._primary(ports.redis)
        self.url = f"{base}:{ports.sentinel}" if isinstance(ports, SentinelPorts) else f"{base}-master:{ports.redis}"
        if several and not sentinel:
            self._replicas()
        self.register_outputs({"url": self.url})

    def _metadata(self, object_name: str, component: str | None = None) -> kubernetes.meta.v1.ObjectMetaArgs:
        labels = self._args.labels(component or self._component) | {"app.kubernetes.io/managed-by": MANAGED_BY}
        return kubernetes.meta.v1.ObjectMetaArgs(name=object_name, namespace=self._args.namespace, labels=labels)

    def _map(self, suffix: str, data: dict[str, str]) -> pulumi.Output[str]:
        map_name = f"{self._args.base}-{suffix}"
        made = kubernetes.core.v1.ConfigMap(
            f"{self._name}-{suffix}",
            metadata=self._metadata(map_name),
            data=data,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return once_made(made, map_name)

    def _sentinel_ports(self, port: int) -> list[kubernetes.core.v1.ServicePortArgs]:
        wanted = self._args.settings.sentinel.enabled
        return [service_port("tcp-sentinel", port, "redis-sentinel")] if wanted else []

    def _set(
        self, suffix: str, component: str, replicas: int, template: dict[str, Any], **more: Any
    ) -> kubernetes.apps.v1.StatefulSet:
        """A StatefulSet; `suffix` ends its logical name."""
        plural = "replicas" if component == "replica" else component
        # the one pod builder writes the API's own names, which the SDK passes on as they are
        spec: Any = {
            "replicas": replicas,
            "serviceName": self._headless,
            "selector": {"matchLabels": self._args.labels(component)},
            "updateStrategy": {"type": "RollingUpdate"},
            "template": template,
            "volumeClaimTemplates": [claim(self._args.disk)],
            **more,
        }
        return kubernetes.apps.v1.StatefulSet(
            f"{self._name}-{suffix}",
            metadata=self._metadata(f"{self._args.base}-{plural}", component),
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, protect=self._args.protect),
        )

    def _service(
        self,
        suffix: str,
        object_name: str,
        component: str,
        ports: Sequence[kubernetes.core.v1.ServicePortArgs],
        pods: pulumi.Resource,
    ) -> kubernetes.core.v1.Service:
        return kubernetes.core.v1.Service(
            f"{self._name}-{suffix}",
            metadata=self._metadata(object_name, component),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type="ClusterIP", ports=list(ports), selector=self._args.labels(component)
            ),
            # no value flows: the Service is awaited until its pod is ready
            opts=pulumi.ResourceOptions(parent=self, depends_on=[pods]),
        )

    def _primary(self, port: int) -> pulumi.Resource:
        pod = redis_pods.template(self._args, "master", self._account, self._configuration)
        made = self._set("statefulset", "master", 1, pod)
        ports = [service_port("tcp-redis", port, "redis")]
        self._service("service", f"{self._args.base}-master", "master", ports, made)
        return made

    def _replicas(self) -> None:
        pod = redis_pods.template(self._args, "replica", self._account, self._configuration)
        made = self._set("replicas", "replica", self._args.settings.count, pod)
        self._service("replicas-service", f"{self._args.base}-replicas", "replica", [REDIS_PORT], made)

    def _nodes(self) -> pulumi.Resource:
        args = self._args
        pod = redis_nodes.template(args, self._account, self._configuration, self._map("scripts", SCRIPTS))
        # all at once: after a stop of all of them the one that was the primary must not wait for another
        made = self._set("nodes", "node", args.settings.nodes, pod, podManagementPolicy="Parallel")
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{self._name}-budget",
            metadata=self._metadata(f"{args.base}-node"),
            spec=kubernetes.policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=1, selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels=args.labels("node"))
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        wanted = args.settings.sentinel.service.ports
        ports = [service_port("tcp-redis", wanted.redis, "redis"), *self._sentinel_ports(wanted.sentinel)]
        return self._service("nodes-service", args.base, "node", ports, made)
