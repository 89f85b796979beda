"""The Secrets of proxy and Ingresses that the configuration names as existing."""

from __future__ import annotations

from collections.abc import Collection

from components.cluster.existing_secrets import ExistingSecret
from components.flow.fronts import fronts
from components.speech.proxy_ingress import certificates, made_by_cert_manager
from components.speech.proxy_secrets import ProxySecret, wanted_secrets
from components.speech.resource_manager_ingresses import existing_certificate, hosts
from stacks.platform.existing_secret import TLS_TYPE, named_secret
from stacks.schema import Settings


def edge_secrets(settings: Settings, contents: Collection[str]) -> list[ExistingSecret]:
    """What the proxy reads and this program has no content for, and the certificates."""
    own = [] if settings.proxy.external_secrets.enabled else wanted_secrets(settings.proxy)
    return [
        *(_of_proxy(settings.namespace, each) for each in own if not each.given(contents)),
        *_certificates(settings),
        *_direct_certificate(settings),
        *_of_flow(settings),
    ]


def _of_proxy(namespace: str, secret: ProxySecret) -> ExistingSecret:
    literals = " ".join(f"--from-file={key}={flat}.txt" for key, flat in secret.keys.items())
    return named_secret(
        namespace,
        name=secret.name,
        keys=tuple(secret.keys),
        type_=None,
        path=secret.named_at,
        purpose=f"what the proxy needs for {secret.use}",
        create=f"kubectl create secret generic {secret.name} --namespace {namespace} {literals}",
    )


def _certificates(settings: Settings) -> list[ExistingSecret]:
    """Secrets that Ingresses name: the controller refuses every handshake for one that is not there."""
    ingress = settings.proxy.ingress
    if not (settings.proxy.enabled and ingress.enabled) or made_by_cert_manager(ingress.annotations):
        return []
    paths = {ingress.host: "proxy.ingress.tls.secretName"}
    if ingress.second_host:
        paths.setdefault(ingress.second_host, "proxy.ingress.flow.additionalHost.tlsSecretName")
    return [
        _certificate(settings.namespace, name, paths[host], (host,))
        for host, name in certificates(ingress).items()
        if name
    ]


def _direct_certificate(settings: Settings) -> list[ExistingSecret]:
    """The one Secret of the Ingresses straight to the resource manager."""
    manager = settings.resource_manager
    name, found = existing_certificate(manager.ingress), hosts(manager.ingress, manager.fullname_override)
    path = "resourceManager.ingress.tlsSecretName"
    return [_certificate(settings.namespace, name, path, tuple(found.values()))] if name else []


def _of_flow(settings: Settings) -> list[ExistingSecret]:
    """Those of Flow's Ingresses."""
    return [
        _certificate(settings.namespace, front.existing_certificate, front.secret_path, (front.host,))
        for front in fronts(settings.flow)
        if front.existing_certificate
    ]


def _certificate(namespace: str, name: str, path: str, of: tuple[str, ...]) -> ExistingSecret:
    return named_secret(
        namespace,
        name=name,
        keys=("tls.crt", "tls.key"),
        type_=TLS_TYPE,
        path=path,
        purpose=f"the certificate of {' and '.join(of)}",
        create=f"kubectl create secret tls {name} --namespace {namespace} --cert=tls.crt --key=tls.key",
        hosts=of,
    )
