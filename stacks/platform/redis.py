"""Which Redis the control plane gets: one in the cluster, or an address."""

from __future__ import annotations

import pulumi

from components.cluster.control_plane_credentials import (
    CD_CACHE_URL,
    DATABASE_URL,
    ControlPlaneCredentials,
    ControlPlaneCredentialsArgs,
)
from components.cluster.redis import Redis, RedisArgs
from components.cluster.redis_endpoint import REDIS_URL, RedisEndpoint
from stacks.load import Secrets
from stacks.platform.azure import Foundation
from stacks.schema import Settings
from stacks.schema.pools import Role
from stacks.versions import REDIS_IMAGE


def credentials(
    settings: Settings, secrets: Secrets, namespace: pulumi.Output[str], opts: pulumi.ResourceOptions
) -> ControlPlaneCredentials | None:
    """The Secrets of the control plane that anything reads, made or only named; None where nothing does."""
    manager, given = settings.resource_manager, secrets.control_plane
    if not settings.control_plane_secrets:
        return None
    redis: dict[str, pulumi.Output[str]] = {}
    if manager.secrets.redis.create:
        redis = {
            key: given[flat] for flat, key in (("redisUrl", REDIS_URL), ("cdCacheUrl", CD_CACHE_URL)) if flat in given
        }
    database = {DATABASE_URL: given["databaseUrl"]} if manager.secrets.database.create else {}
    return ControlPlaneCredentials(
        "control-plane-credentials",
        ControlPlaneCredentialsArgs(namespace, settings.redis_secret, redis, settings.database_secret, database),
        opts,
    )


def redis(
    settings: Settings,
    made: ControlPlaneCredentials | None,
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
            secret=made.redis if made else settings.redis_secret,
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
