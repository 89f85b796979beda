"""Which Redis the control plane gets: one in the cluster, or an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.control_plane_credentials import (
    CD_CACHE_URL,
    DATABASE_URL,
    ControlPlaneCredentials,
    ControlPlaneCredentialsArgs,
    mark,
)
from components.cluster.external_secret import ExternalSecret, ExternalSecretArgs
from components.cluster.redis import Redis, RedisArgs
from components.cluster.redis_endpoint import REDIS_URL, RedisEndpoint
from stacks.platform.azure import Foundation
from stacks.schema import Settings
from stacks.schema.external_secrets import ExternalData, RemoteRef
from stacks.schema.pools import Role
from stacks.schema.redis import StoredAt
from stacks.secrets import Secrets
from stacks.versions import REDIS_IMAGE


@dataclass(frozen=True)
class ControlPlaneSecrets:
    """Names of the control plane's Secrets, each usable once it is made."""

    redis: pulumi.Input[str]
    """With the address of an external Redis and of the cache of dictionaries."""
    database: pulumi.Input[str]
    marks: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """What tells each address in a Secret made here from another, by flat key."""


KEYS = {"redisUrl": REDIS_URL, "cdCacheUrl": CD_CACHE_URL}
"""Flat keys → keys of the Secret of Redis."""


def secrets(
    settings: Settings, given: Secrets, namespace: pulumi.Output[str], opts: pulumi.ResourceOptions
) -> ControlPlaneSecrets:
    """The Secrets of the control plane: made here, fetched from a store, or only named."""
    chosen, read = settings.resource_manager.secrets, settings.control_plane_secrets
    if chosen.external_secrets.enabled:
        return stored(settings, namespace, opts)
    create_redis = chosen.redis.create and bool(KEYS.keys() & read.keys())
    create_database = chosen.database.create and "databaseUrl" in read
    if not (create_redis or create_database):
        return ControlPlaneSecrets(settings.redis_secret, settings.database_secret)
    held = given.control_plane
    redis = {key: held[flat] for flat, key in KEYS.items() if create_redis and flat in held}
    database = {DATABASE_URL: held["databaseUrl"]} if create_database else {}
    made = ControlPlaneCredentials(
        "control-plane-credentials",
        ControlPlaneCredentialsArgs(namespace, settings.redis_secret, redis, settings.database_secret, database),
        opts,
    )
    read_here = [
        *(flat for flat in KEYS if create_redis and flat in held),
        *(["databaseUrl"] if create_database else []),
    ]
    return ControlPlaneSecrets(made.redis, made.database, {flat: _marked(flat, held[flat]) for flat in read_here})


def _marked(flat: str, address: pulumi.Output[str]) -> pulumi.Output[str]:
    """The mark in clear, which it may stand in: a pod's annotations are no secret."""
    return pulumi.Output.unsecret(address.apply(lambda given: mark(flat, given)))


def stored(settings: Settings, namespace: pulumi.Output[str], opts: pulumi.ResourceOptions) -> ControlPlaneSecrets:
    """The same from a store outside the cluster (contract: control plane 7)."""
    chosen = settings.resource_manager.secrets

    def data(key: str, at: StoredAt, secret: str) -> ExternalData:
        ref = RemoteRef.model_construct(key=at.key or secret, property=at.property, version=None)
        return ExternalData.model_construct(secret_key=key, remote_ref=ref)

    def made(name: str, secret: str, found: list[ExternalData]) -> pulumi.Input[str]:
        if not found:
            return secret
        metadata = kubernetes.meta.v1.ObjectMetaArgs(name=secret, namespace=namespace)
        args = ExternalSecretArgs(metadata, secret, chosen.external_secrets, tuple(found))
        return ExternalSecret(name, args, opts).secret

    redis, database = settings.redis_secret, settings.database_secret
    wanted = [data(REDIS_URL, chosen.redis.remote_ref, redis)] if chosen.redis.create else []
    wanted += [data(CD_CACHE_URL, chosen.cd_cache.remote_ref, redis)] if chosen.cd_cache.create else []
    filled = [data(DATABASE_URL, chosen.database.remote_ref, database)] if chosen.database.create else []
    return ControlPlaneSecrets(
        made("control-plane-redis", redis, wanted), made("control-plane-database", database, filled)
    )


def redis(
    settings: Settings,
    made: ControlPlaneSecrets,
    found: Foundation,
    namespace: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> RedisEndpoint:
    """The Redis in the cluster, where there is one, and how to reach the one that is used."""
    manager = settings.resource_manager
    wanted, external = manager.redis, manager.external_redis
    fail_over = wanted.fail_over_client_enabled
    sentinel = wanted.sentinel.enabled if fail_over is None else fail_over
    if external.enabled:
        return RedisEndpoint(
            address=None,
            ready=(),
            timeout=wanted.timeout,
            fail_over_client=sentinel,
            secret=made.redis,
            mark=made.marks.get("redisUrl"),
            database=external.db_index,
            ca_secret=external.ca_secret_name,
        )
    if not wanted.enabled:
        return RedisEndpoint(wanted.url, (), wanted.timeout, sentinel, wanted.config_map.name)
    args = RedisArgs(
        namespace=namespace,
        namespace_name=settings.namespace,
        release=settings.release,
        image=REDIS_IMAGE,
        settings=wanted,
        disk=settings.redis,
        placement=found.placement(Role.SERVICES, wanted),
        protect=settings.protection.enabled,
    )
    component = Redis("redis", args, opts)
    return RedisEndpoint(component.url, (component.ready,), wanted.timeout, sentinel)
