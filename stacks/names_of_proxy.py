"""The names of the proxy's objects, and the keys of the configuration they come from."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.speech.proxy_ingress import certificates, charts
from components.speech.proxy_maps import FEATURES_MAP
from components.speech.proxy_secrets import wanted_secrets
from stacks.name import Name, fetched_or_made, of_kinds
from stacks.schema import Settings

PROXY = "proxy.fullnameOverride"


def proxy(settings: Settings) -> Iterator[Name]:
    """Maps, accounts, Services, the two sides and the cache."""
    own, here, base = settings.proxy, settings.namespace, settings.proxy.fullname_override
    if not own.enabled:
        return
    yield Name("ConfigMap", here, FEATURES_MAP)
    if own.config.enabled:
        yield Name("ConfigMap", here, f"{base}-config", PROXY)
    if own.agent_api.config_map.enabled:
        yield Name("ConfigMap", here, f"{base}-agent-config", PROXY)
    if own.proxy.dns.enabled:
        yield Name("ConfigMap", here, f"{base}-dns", PROXY)
    if own.proxy.custom_dict.enabled:
        yield Name("ConfigMap", here, f"{base}-custom-dict", PROXY)
    account = own.service_account_name
    yield Name("ServiceAccount", here, account or base, "proxy.serviceAccountName" if account else PROXY)
    yield Name("Service", here, base, PROXY)
    yield Name("Role", here, f"{base}-cm-reader", PROXY)
    yield Name("RoleBinding", here, f"{base}-cm-access", PROXY)
    for key in own.proxy.deployments:
        yield from of_kinds("Deployment PodDisruptionBudget", here, f"{base}-{key}", PROXY)
    if own.proxy_cache.enabled:
        kinds = "Deployment" if own.proxy_cache.redis.external else "Deployment Service"
        yield from of_kinds(kinds, here, f"{base}-cache", PROXY)


def proxy_ingress(settings: Settings) -> Iterator[Name]:
    """Ingresses and the certificates they name."""
    own, here = settings.proxy, settings.namespace
    if not (own.enabled and own.ingress.enabled):
        return
    for suffix in [""] if settings.our_ingress else [each.suffix for each in charts(own.ingress)]:
        yield Name("Ingress", here, f"{own.fullname_override}{suffix}", PROXY)
    first, *second = certificates(own.ingress).values()
    if first:
        yield Name("Secret", here, first, "proxy.ingress.tls.secretName", made=False)
    for secret in second:
        # both hosts may stand in one certificate
        if secret and secret != first:
            yield Name("Secret", here, secret, "proxy.ingress.flow.additionalHost.tlsSecretName", made=False)


def proxy_secrets(settings: Settings, contents: Collection[str]) -> Iterator[Name]:
    """Secrets it reads, made here, fetched from a store or there already."""
    own, here = settings.proxy, settings.namespace
    existing: set[str] = set()
    for secret in wanted_secrets(own):
        path = PROXY if secret.name == f"{own.fullname_override}-{secret.use}" else secret.named_at
        stored, made = own.external_secrets.enabled, bool(secret.given(contents))
        # one that exists may hold the keys of several
        if stored or made or secret.name not in existing:
            yield from fetched_or_made(stored, here, secret.name, path, made)
        if not (stored or made):
            existing.add(secret.name)
