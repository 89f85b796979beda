"""What every Ingress of the platform is made of: hosts with their paths, one Service behind them, certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes


def ingress_spec(
    class_name: pulumi.Input[str] | None,
    rules: Mapping[str, Sequence[str]],
    tls: Mapping[str, str | None],
    service: pulumi.Input[str],
    port: int,
) -> kubernetes.networking.v1.IngressSpecArgs:
    """The spec of an Ingress.

    `rules` are the paths of each host in the order in which they are tried, `tls` the Secret of each host's
    certificate: None is the controller's own. Without a class the cluster's default one serves it.
    """
    networking = kubernetes.networking.v1
    backend = networking.IngressBackendArgs(
        service=networking.IngressServiceBackendArgs(name=service, port=networking.ServiceBackendPortArgs(number=port))
    )

    def rule(host: str, paths: Sequence[str]) -> kubernetes.networking.v1.IngressRuleArgs:
        return networking.IngressRuleArgs(
            host=host,
            http=networking.HTTPIngressRuleValueArgs(
                paths=[
                    networking.HTTPIngressPathArgs(path=path, path_type="ImplementationSpecific", backend=backend)
                    for path in paths
                ]
            ),
        )

    return networking.IngressSpecArgs(
        ingress_class_name=class_name,
        rules=[rule(host, paths) for host, paths in rules.items()],
        tls=[networking.IngressTLSArgs(hosts=[host], secret_name=secret) for host, secret in tls.items()] or None,
    )
