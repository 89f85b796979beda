"""Rules of Redis: exactly one is used, every switch has an effect, a quorum can be reached."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from stacks.problem import Problem, remove_command, set_command, set_secret
from stacks.schema import Settings
from stacks.schema.pools import Role, State

FILES = {"redisUrl": "redis-url.txt", "cdCacheUrl": "cd-cache-url.txt", "databaseUrl": "database-url.txt"}
"""Flat keys → the files their content may come from."""

SECTIONS = {"redisUrl": "redis", "cdCacheUrl": "redis", "databaseUrl": "database"}
"""Flat keys → the section of the Secret that holds it."""

BELOW = "resourceManager."


def _set(path: str, value: object) -> str:
    return set_command(f"{BELOW}{path}", value)


def _rm(path: str) -> str:
    return remove_command(f"{BELOW}{path}")


def one_redis(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The Redis in the cluster, or a Secret with an address, or an address in clear: one of them."""
    manager = settings.resource_manager
    redis, external = manager.redis, manager.external_redis
    if external.enabled and redis.enabled:
        reason = "externalRedis.enabled is on; the Redis in the cluster would run and be used by nobody"
        yield Problem(f"{BELOW}redis.enabled", "two-redis", reason, _set("redis.enabled", "false"))
    for path, given in (("redis.url", redis.url), ("redis.configMap.name", redis.config_map.name)):
        if given and (redis.enabled or external.enabled):
            other = "externalRedis" if external.enabled else "redis"
            reason = f"{BELOW}{other}.enabled is on, and the services read one address"
            yield Problem(f"{BELOW}{path}", "two-redis", reason, _rm(path))
    if redis.url and redis.config_map.name:
        yield Problem(
            f"{BELOW}redis.url", "two-redis", "the address is read from redis.configMap.name", _rm("redis.url")
        )
    if not (redis.enabled or external.enabled or redis.url or redis.config_map.name):
        reason = "there is no Redis in the cluster, and no address of another one; no service would start"
        yield Problem(f"{BELOW}redis.enabled", "no-redis", reason, _set("redis.enabled", "true"))


def without_effect(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What says something about a Redis there is not."""
    manager = settings.resource_manager
    redis, external = manager.redis, manager.external_redis
    if redis.sentinel.enabled and not redis.enabled:
        reason = "it is about the Redis in the cluster, and redis.enabled is off; for the address of somebody else's \
sentinels there is redis.failOverClientEnabled"
        yield Problem(
            f"{BELOW}redis.sentinel.enabled", "without-effect", reason, _set("redis.sentinel.enabled", "false")
        )
    for path, given in (
        ("redis.replicas.replicaCount", redis.replicas.replica_count),
        ("redis.replica.replicaCount", redis.replica.replica_count),
    ):
        if given and not redis.enabled:
            yield Problem(
                f"{BELOW}{path}",
                "without-effect",
                "it is about the Redis in the cluster, and redis.enabled is off",
                _rm(path),
            )
    if external.enabled:
        return
    if external.db_index:
        reason = "the services read it only with externalRedis.enabled"
        yield Problem(f"{BELOW}externalRedis.dbIndex", "without-effect", reason, _rm("externalRedis.dbIndex"))
    if external.ca_secret_name:
        reason = "the Redis in the cluster has no certificate; it is read only with externalRedis.enabled"
        yield Problem(f"{BELOW}externalRedis.caSecretName", "without-effect", reason, _rm("externalRedis.caSecretName"))


def sentinel(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A quorum that can be reached, machines for all nodes."""
    manager = settings.resource_manager
    redis, wanted = manager.redis, manager.redis.sentinel
    one, other = redis.replicas.replica_count, redis.replica.replica_count
    if one is not None and other is not None and one != other:
        reason = f"redis.replicas.replicaCount says {one}, this says {other}; both are the same number"
        yield Problem(f"{BELOW}redis.replica.replicaCount", "contradiction", reason, _rm("redis.replica.replicaCount"))
    if not (redis.enabled and wanted.enabled):
        return
    if wanted.quorum >= redis.nodes:
        reason = (
            f"there are {redis.nodes} sentinels, and one goes with the primary's node: the others would never be "
            "enough to take the primary for down, and no other one would be chosen"
        )
        yield Problem(
            f"{BELOW}redis.sentinel.quorum", "out-of-range", reason, _set("redis.sentinel.quorum", redis.nodes // 2 + 1)
        )
    # a pool that is not there is refused elsewhere
    for pool in (each for each in settings.pools.all if each.role is Role.SERVICES and each.name == redis.pool):
        for index, generation in enumerate(pool.generations):
            if generation.state is State.ACTIVE and generation.max_count < redis.nodes:
                path, most = f"{pool.path}[{index}].maxCount", generation.max_count
                reason = f"no two of the {redis.nodes} nodes of Redis share a machine, maxCount allows {most}"
                yield Problem(path, "pool-too-small", reason, set_command(path, redis.nodes))


def control_plane_secrets(settings: Settings, present: Collection[str]) -> Iterator[Problem]:
    """A Secret to be created needs its content, content needs its Secret, and both need somebody who reads it."""
    chosen = settings.resource_manager.secrets
    read = settings.control_plane_secrets
    if chosen.external_secrets.enabled:
        yield from _store(settings, present)
        return
    if chosen.cd_cache.create:
        reason = "the key is in the Secret of Redis, which secrets.redis.create makes; this is for externalSecrets"
        yield Problem(
            f"{BELOW}secrets.cdCache.create", "without-effect", reason, _set("secrets.cdCache.create", "false")
        )
    created = {"redis": chosen.redis.create, "database": chosen.database.create}
    for key, section in SECTIONS.items():
        switch, create = f"secrets.{section}.create", created[section]
        if key in read and create and key not in present:
            reason = f"the Secret is to be created, but `{key}` has no content"
            yield Problem(f"{BELOW}{switch}", "secret-without-content", reason, set_secret(key, FILES[key]))
        if key in present and not create:
            reason = f"it is set, but {BELOW}{switch} is off, so nothing would be made of it"
            yield Problem(key, "content-without-secret", reason, set_command(f"{BELOW}{switch}", "true"))
        if key in present and create and key not in read:
            yield Problem(key, "without-effect", f"it is set, and nothing reads {key}", f"pulumi config rm {key}")
    for section, create in created.items():
        if create and not any(key in read for key, its in SECTIONS.items() if its == section):
            reason = "the Secret is to be created, and nothing reads it: its feature is off"
            yield Problem(
                f"{BELOW}secrets.{section}.create", "without-effect", reason, _set(f"secrets.{section}.create", "false")
            )


def _store(settings: Settings, present: Collection[str]) -> Iterator[Problem]:
    """What is fetched from a store is not configured here as well, and the store has a name."""
    chosen = settings.resource_manager.secrets
    if chosen.external_secrets.secret_store_name is None:
        path = "secrets.externalSecrets.secretStoreName"
        yield Problem(f"{BELOW}{path}", "missing", "the store to fetch the Secrets from", _set(path, "NAME"))
    for key in SECTIONS:
        if key in present:
            reason = f"the Secret comes from the store of {BELOW}secrets.externalSecrets"
            yield Problem(key, "without-effect", reason, f"pulumi config rm {key}")


REDIS = (one_redis, without_effect, sentinel, control_plane_secrets)
"""All of them."""
