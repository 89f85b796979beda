"""F5's NGINX Ingress Controller: where clients enter. It stands in for the seed's ingress-nginx, which is retired.

What the seed asks of an ingress controller (its `nginx.values.yaml`) is kept: a static address, the client's address
preserved, workers and pods that live as long as the longest session, `Request-Id` on every answer. Sources of the
objects: `deployments/` and `charts/nginx-ingress` of nginx/kubernetes-ingress at 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.certificate import Pair
from components.cluster.credentials import encoded
from components.cluster.ingress_rights import LABELS, LEADER_LEASE, NAME
from components.outputs import once_made
from components.placement import Placement
from components.speech.disruption import session_pod, surge_first
from components.speech.pod import Json, container, env_field, http_probe, pod_template
from stacks.schema.ingress import IngressSettings

CONTROLLER = "nginx.org/ingress-controller"
"""What an IngressClass of this controller says; fixed."""

CLASS_NAME = "nginx"
"""The seed's `proxy.ingress.ingressClassName`."""

CONFIG_MAP = "nginx-config"
TLS_SECRET = "nginx-default-tls"

USER = 101
"""The image's user `nginx`."""

READY_PORT = 8081

PRE_STOP_SECONDS = 30
"""A pod told to stop still takes connections for so long: the load balancer's probes (2 of 5 s) must notice first."""

WORKER_SHUTDOWN = "worker-shutdown-timeout"
READ_TIMEOUT = "proxy-read-timeout"
SEND_TIMEOUT = "proxy-send-timeout"
"""Keys of the controller's map with a clock."""

AZURE = "service.beta.kubernetes.io/azure-"


IDLE_TIMEOUT = f"{AZURE}load-balancer-tcp-idle-timeout"
"""Annotation of the Service, in minutes."""


def idle_timeout(settings: IngressSettings) -> dict[str, str]:
    """How long the load balancer keeps a connection on which nothing is said."""
    return {IDLE_TIMEOUT: str(settings.idle_timeout_minutes)}


def entry_grace(session_seconds: int) -> int:
    """The pods' grace. Workers are told to stop when the pre-stop is over, and have the longest session from then on.

    It is the longest that a session needs of any pod.
    """
    return PRE_STOP_SECONDS + session_seconds


@dataclass(frozen=True)
class IngressControllerArgs:
    """What the controller needs."""

    namespace: pulumi.Output[str]
    """Its own."""
    watched: str
    """The namespace whose Ingresses it serves."""
    watched_certificates: bool
    """Whether an Ingress there names a Secret with a certificate."""
    account: pulumi.Output[str]
    rights: tuple[pulumi.Resource, ...]
    settings: IngressSettings
    image: str
    certificate: pulumi.Output[Pair]
    """For every host whose Ingress names no Secret; a secret."""
    address_name: pulumi.Input[str]
    address_group: str
    address_ready: pulumi.Resource
    session_seconds: int
    placement: Placement
    protect: bool


def configuration(session_seconds: int) -> dict[str, str]:
    """The ConfigMap. `add_header` needs `always`: without it the answer that opens a websocket (101) lacks the header.

    As with ingress-nginx, a request id that the client sent is kept. Snippets in this map need no switch; those of
    single Ingresses, which anybody who may write an Ingress could use, stay off.
    """
    return {
        WORKER_SHUTDOWN: f"{session_seconds}s",
        # between two messages of a session there may be any silence the client likes
        READ_TIMEOUT: f"{session_seconds}s",
        SEND_TIMEOUT: f"{session_seconds}s",
        "http-snippets": 'map $http_x_request_id $session_id { default $http_x_request_id; "" $request_id; }',
        "server-snippets": "add_header Request-Id $session_id always;",
        # the first is what ingress-nginx sends by itself, the second what the vendor's README asks for
        "location-snippets": "proxy_set_header X-Request-ID $session_id;\nproxy_set_header Request-Id $session_id;",
    }


def arguments(watched: str, certificates: bool) -> list[str]:
    """The controller's command line. Without the default and the wildcard Secret it would refuse TLS to our host."""
    return [
        f"-ingress-class={CLASS_NAME}",
        f"-nginx-configmaps=$(POD_NAMESPACE)/{CONFIG_MAP}",
        f"-default-server-tls-secret=$(POD_NAMESPACE)/{TLS_SECRET}",
        f"-wildcard-tls-secret=$(POD_NAMESPACE)/{TLS_SECRET}",
        # its own namespace too: the Service whose address it reports is there
        f"-watch-namespace={watched},$(POD_NAMESPACE)",
        f"-watch-secret-namespace={f'{watched},' if certificates else ''}$(POD_NAMESPACE)",
        "-enable-custom-resources=false",
        "-report-ingress-status",
        f"-external-service={NAME}",
        f"-leader-election-lock-name={LEADER_LEASE}",
        "-enable-telemetry-reporting=false",
    ]


FOLDERS = {
    "nginx-etc": "/etc/nginx",
    "nginx-cache": "/var/cache/nginx",
    "nginx-lib": "/var/lib/nginx",
    "nginx-log": "/var/log/nginx",
}
"""What the controller writes to, with a root file system that nobody can (the chart's `readOnlyRootFilesystem`)."""


def confined(*, may_bind: bool) -> Json:
    """A container's security context; the server binds ports 80 and 443."""
    capabilities: Json = {"drop": ["ALL"]} | ({"add": ["NET_BIND_SERVICE"]} if may_bind else {})
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": USER,
        "capabilities": capabilities,
    }


def spread() -> list[Json]:
    """Pods of one template on different nodes, and on different zones where there is room."""
    by_template = {"labelSelector": {"matchLabels": LABELS}, "matchLabelKeys": ["pod-template-hash"], "maxSkew": 1}
    return [
        # a cordoned node does not count, or a drain would wait for it for ever
        {
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "DoNotSchedule",
            "nodeTaintsPolicy": "Honor",
            **by_template,
        },
        {"topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway", **by_template},
    ]


def template(args: IngressControllerArgs) -> Json:
    """The pod."""
    disruption = session_pod(args.session_seconds, entry_grace(args.session_seconds))
    requests = {"requests": {"cpu": args.settings.resources.cpu, "memory": args.settings.resources.memory}}
    server = container(
        NAME,
        args.image,
        args=arguments(args.watched, args.watched_certificates),
        variables=[env_field("POD_NAMESPACE", "metadata.namespace"), env_field("POD_NAME", "metadata.name")],
        ports=[
            {"name": "http", "containerPort": 80, "protocol": "TCP"},
            {"name": "https", "containerPort": 443, "protocol": "TCP"},
            {"name": "readiness-port", "containerPort": READY_PORT, "protocol": "TCP"},
        ],
        resources=requests,
        readiness_probe=http_probe("/nginx-ready", "readiness-port", periodSeconds=1),
        lifecycle={"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}},
        mounts=[{"name": name, "mountPath": path} for name, path in FOLDERS.items()],
        security_context=confined(may_bind=True),
    )
    copy = container(
        f"init-{NAME}",
        args.image,
        command=["cp", "-vdR", "/etc/nginx/.", "/mnt/etc"],
        resources=requests,
        mounts=[{"name": "nginx-etc", "mountPath": "/mnt/etc"}],
        security_context=confined(may_bind=False),
    )
    pod = pod_template(
        placement=args.placement,
        labels=LABELS,
        annotations=disruption.annotations,
        init_containers=[copy],
        containers=[server],
        service_account=args.account,
        security_context={"seccompProfile": {"type": "RuntimeDefault"}},
        grace_seconds=disruption.grace_seconds,
        volumes=[{"name": name, "emptyDir": {}} for name in FOLDERS],
    )
    pod["spec"]["topologySpreadConstraints"] = spread()
    return pod


class IngressController(pulumi.ComponentResource):
    """Map, certificate, class, pods, budget and Service. Not here: rights, namespaces, the address, the Ingress."""

    class_name: pulumi.Output[str]
    deployment: pulumi.Resource
    service: pulumi.Resource

    def __init__(self, name: str, args: IngressControllerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:cluster:IngressController", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        config = kubernetes.core.v1.ConfigMap(
            f"{name}-config",
            metadata=self._meta(args, CONFIG_MAP),
            data=configuration(args.session_seconds),
            opts=child,
        )
        secret = kubernetes.core.v1.Secret(
            f"{name}-certificate",
            metadata=self._meta(args, TLS_SECRET),
            type="kubernetes.io/tls",
            data=args.certificate.apply(
                lambda pair: {"tls.crt": encoded(pair.certificate), "tls.key": encoded(pair.key)}
            ),
            opts=child,
        )
        ingress_class = kubernetes.networking.v1.IngressClass(
            f"{name}-class",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=CLASS_NAME, labels=LABELS),
            spec=kubernetes.networking.v1.IngressClassSpecArgs(controller=CONTROLLER),
            opts=child,
        )
        # the one pod builder writes the API's own names, which the SDK passes on as they are
        spec: Any = {
            "replicas": args.settings.replicas,
            "selector": {"matchLabels": LABELS},
            "strategy": surge_first(),
            "template": template(args),
        }
        self.deployment = kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=self._meta(args),
            spec=spec,
            # no value flows: it ends at once without any of these
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*args.rights, config, secret, ingress_class]),
        )
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata=self._meta(args),
            spec=kubernetes.policy.v1.PodDisruptionBudgetSpecArgs(
                # one at a time, which lives on until its sessions are over; none at all would block every upgrade
                max_unavailable=1,
                selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels=LABELS),
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.service = self._service(name, args)
        self.class_name = once_made(ingress_class, CLASS_NAME)
        self.register_outputs({"className": self.class_name})

    def _service(self, name: str, args: IngressControllerArgs) -> pulumi.Resource:
        port = kubernetes.core.v1.ServicePortArgs
        return kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=NAME,
                namespace=args.namespace,
                labels=LABELS,
                annotations={
                    f"{AZURE}pip-name": args.address_name,
                    f"{AZURE}load-balancer-resource-group": args.address_group,
                    **idle_timeout(args.settings),
                },
            ),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type="LoadBalancer",
                # keeps the client's address, and no connection hops over a second node that may go away
                external_traffic_policy="Local",
                ports=[
                    port(name="http", port=80, target_port="http"),
                    port(name="https", port=443, target_port="https"),
                ],
                selector=LABELS,
            ),
            # no value flows: it is awaited until its pods are ready, and gets no address without the role
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.protect, depends_on=[self.deployment, args.address_ready]
            ),
        )

    @staticmethod
    def _meta(args: IngressControllerArgs, name: str = NAME) -> kubernetes.meta.v1.ObjectMetaArgs:
        return kubernetes.meta.v1.ObjectMetaArgs(name=name, namespace=args.namespace, labels=LABELS)
