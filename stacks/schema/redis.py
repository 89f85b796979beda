"""`resourceManager.redis`, `externalRedis` and `secrets`: which Redis the resource manager uses (seed: "Redis")."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, GoDuration, ImageTag, Registry, Section, only, shaped
from stacks.schema.external_secrets import ExternalSecretsSettings
from stacks.schema.images import Repository
from stacks.schema.placement import WorkloadPlacement
from stacks.schema.workload import Amounts, Resources, over

COMMON_CONFIGURATION = "appendonly yes\nsave 60 1000\nsave 180 300\nsave 300 1\n"
"""redis.conf (contract: control plane 9.4)."""

SENTINELS = 3
"""Fewest nodes with Sentinel: with two, the loss of one leaves no majority to choose another primary."""

CONTROL_PLANE_SECRET_KEYS = {
    "redisUrl": "the address of the Redis outside the cluster, with its password; as it is or in base64",
    "cdCacheUrl": "the address of the Redis for the cache of dictionaries, with its password",
    "databaseUrl": "the address of the database from which Redis is filled, with its password",
}
"""Configuration keys that hold a secret of the control plane."""

NO_PASSWORD = "the address the vendor's services read has no place for a password"
COMMANDS = "the vendor's services may use every command"

RedisAddress = Annotated[
    str, shaped(r"^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?:[0-9]{1,5}$", "host:port, without scheme and password")
]
"""`host:port`, without scheme and password."""

Milliseconds = Annotated[int, Field(ge=100)]
TcpPort = Annotated[int, Field(gt=0, lt=65536)]


def _same(cpu: str, memory: str) -> Resources:
    amounts = Amounts(cpu=cpu, memory=memory)
    return Resources(requests=amounts, limits=amounts)


REPLICA = _same("100m", "256Mi")
"""Contract: control plane 9.2."""


class RedisImage(Section):
    """The image of Redis; it must have what the official one has: sh, redis-cli, and user 999."""

    registry: Registry = Field("docker.io", description="Registry to pull from; a mirror, for example.")
    repository: Repository = Field("library/redis", description="The official image.")
    tag: ImageTag | None = Field(None, description="Its tag; unset is the version this program is tested with.")


class RedisAuth(Section):
    """Passwords of the Redis in the cluster."""

    enabled: Annotated[bool, only(False, NO_PASSWORD)] = Field(False, description="No password; not offered.")
    sentinel: Annotated[bool, only(False, NO_PASSWORD)] = Field(False, description="No password; not offered.")


class RedisPorts(Section):
    """Ports of the Service of a Redis."""

    redis: TcpPort = Field(6379, description="Port of Redis at the Service.")


class SentinelPorts(Section):
    """Ports of the Service of a Redis with Sentinel."""

    redis: TcpPort = Field(6379, description="Port of Redis at the Service.")
    sentinel: TcpPort = Field(23679, description="Port of Sentinel at the Service; it is in `redis_url`.")


class RedisService(Section):
    """Service of the primary."""

    ports: RedisPorts = Field(default_factory=RedisPorts, description="Its ports.")


class SentinelService(Section):
    """Service of all nodes."""

    ports: SentinelPorts = Field(default_factory=SentinelPorts, description="Its ports.")


class RedisMaster(Section):
    """The primary without Sentinel."""

    service: RedisService = Field(default_factory=RedisService, description="Its Service.")
    disable_commands: Annotated[tuple[str, ...], only((), COMMANDS)] = Field((), description="Only none; not offered.")
    resources: Resources = Field(default_factory=Resources, description="CPU and memory; the vendor sets none.")


class RedisReplica(Section):
    """The replicas, and the nodes with Sentinel."""

    replica_count: int | None = Field(
        None, ge=0, le=9, description="The chart's own key for `replicas.replicaCount`; both the same, or only one."
    )
    disable_commands: Annotated[tuple[str, ...], only((), COMMANDS)] = Field((), description="Only none; not offered.")
    resources: Annotated[Resources, over(REPLICA)] = Field(REPLICA, description="CPU and memory of each Redis.")


class RedisReplicas(Section):
    """How many replicas there are, where the seed has it."""

    replica_count: int | None = Field(
        None,
        ge=0,
        le=9,
        description="Replicas beside the primary; with Sentinel the nodes altogether, and never fewer than 3.",
    )


class SentinelProbe(Section):
    """What can be said of a probe of Sentinel."""

    failure_threshold: int = Field(15, gt=0, description="Failed attempts in a row that count.")
    timeout_seconds: int = Field(5, gt=0, description="Seconds an attempt may take.")


SENTINEL_STARTUP = SentinelProbe.model_construct(failure_threshold=30)
SENTINEL_LIVENESS = SentinelProbe()
SENTINEL_READINESS = SentinelProbe.model_construct(timeout_seconds=3)
"""Contract: control plane 9.2 and 9.3."""


class Sentinel(Section):
    """Sentinel: it makes another node the primary when there is none any more."""

    enabled: bool = Field(False, description="Run Redis as a set of nodes of which Sentinel chooses the primary.")
    service: SentinelService = Field(default_factory=SentinelService, description="The Service of all nodes.")
    quorum: int = Field(2, ge=1, description="Sentinels that must miss the primary before it counts as down.")
    down_after_milliseconds: Milliseconds = Field(
        60000, description="How long the primary must be silent; new sessions wait as long for another one."
    )
    failover_timeout: Milliseconds = Field(180000, description="Milliseconds after which a fail-over is tried again.")
    parallel_syncs: int = Field(1, ge=1, description="Replicas that copy from a new primary at the same time.")
    startup_probe: Annotated[SentinelProbe, over(SENTINEL_STARTUP)] = Field(
        SENTINEL_STARTUP, description="Startup probe of Sentinel."
    )
    liveness_probe: Annotated[SentinelProbe, over(SENTINEL_LIVENESS)] = Field(
        SENTINEL_LIVENESS, description="Liveness probe of Sentinel."
    )
    readiness_probe: Annotated[SentinelProbe, over(SENTINEL_READINESS)] = Field(
        SENTINEL_READINESS, description="Readiness probe of Sentinel."
    )
    resources: Resources = Field(default_factory=Resources, description="CPU and memory; the vendor sets none.")


class RedisMap(Section):
    """A ConfigMap that somebody else makes."""

    name: DnsLabel | None = Field(None, description="ConfigMap with key `redis_url`; unset is the program's own.")


class Redis(WorkloadPlacement):
    """The resource manager's Redis."""

    enabled: bool = Field(True, description="Enable redis for resource-manager to manage sessions.")
    timeout_connection: GoDuration = Field(
        "10m", description="Connection timeout for Redis: how long the services wait for it at their start."
    )
    connection_timeout: GoDuration | None = Field(
        None, description="The chart's own key for `timeoutConnection`; it wins where it is set."
    )
    url: RedisAddress | None = Field(
        None, description="`host:port` of another Redis in the cluster; an address with a password is a secret."
    )
    config_map: RedisMap = Field(default_factory=RedisMap, description="Where `redis_url` is read instead.")
    fail_over_client_enabled: bool | None = Field(
        None, description="Whether the address is that of sentinels; unset follows `sentinel.enabled`."
    )
    fullname_override: DnsLabel | None = Field(
        None, description="Begin of the names of its objects; unset is the release and `-redis`."
    )
    image: RedisImage = Field(default_factory=RedisImage, description="Its image.")
    auth: RedisAuth = Field(default_factory=RedisAuth, description="Passwords.")
    common_configuration: str = Field(COMMON_CONFIGURATION, min_length=1, description="redis.conf of every node.")
    master: RedisMaster = Field(default_factory=RedisMaster, description="The primary without Sentinel.")
    replica: RedisReplica = Field(default_factory=RedisReplica, description="Replicas, and nodes with Sentinel.")
    replicas: RedisReplicas = Field(default_factory=RedisReplicas, description="How many replicas there are.")
    sentinel: Sentinel = Field(default_factory=Sentinel, description="High availability.")

    @property
    def timeout(self) -> str:
        """How long the services wait for it."""
        return self.connection_timeout or self.timeout_connection

    @property
    def count(self) -> int:
        """Replicas as configured, under either key."""
        given = self.replicas.replica_count
        return (self.replica.replica_count if given is None else given) or 0

    @property
    def nodes(self) -> int:
        """Pods of the Redis in the cluster."""
        if not self.enabled:
            return 0
        return max(SENTINELS, self.count) if self.sentinel.enabled else 1 + self.count


class ExternalRedis(Section):
    """A Redis outside the cluster, its address in a Secret."""

    enabled: bool = Field(False, description="Use a Redis whose address is in a Secret, key `redis_url`.")
    db_index: int = Field(0, ge=0, description="Number of the database; Azure Managed Redis has only 0.")
    ca_secret_name: DnsLabel | None = Field(
        None,
        description="Ours: an existing Secret with key `ca.crt`, for a certificate of an authority of your own.",
    )


class StoredAt(Section):
    """Where a value stands in the store of `externalSecrets`."""

    key: str | None = Field(None, min_length=1, description="Name of the entry; unset is the Secret's name.")
    property: str | None = Field(None, min_length=1, description="One field of the entry; unset is all of it.")


class RedisSecret(Section):
    """The Secret with the address of an external Redis."""

    remote_ref: StoredAt = Field(default_factory=StoredAt, description="Where the store has the address.")
    create: bool = Field(False, description="Make it from `redisUrl`, or use one that exists.")
    name: DnsLabel | None = Field(None, description="Its name; unset is `resource-manager-redis`.")


class CdCacheSecret(Section):
    """The address of the cache of dictionaries, in the Secret of Redis."""

    create: bool = Field(False, description="Fetch it from the store of `externalSecrets`.")
    remote_ref: StoredAt = Field(default_factory=StoredAt, description="Where the store has the address.")


class DatabaseSecret(Section):
    """The Secret with the address of the database from which Redis is filled."""

    remote_ref: StoredAt = Field(default_factory=StoredAt, description="Where the store has the address.")
    create: bool = Field(False, description="Make it from `databaseUrl`, or use one that exists.")
    name: DnsLabel | None = Field(None, description="Its name; unset is `resource-manager-database`.")


class ResourceManagerSecrets(Section):
    """Secrets of the resource manager's services."""

    redis: RedisSecret = Field(default_factory=RedisSecret, description="The address of an external Redis.")
    cd_cache: CdCacheSecret = Field(default_factory=CdCacheSecret, description="The address of the dictionary cache.")
    database: DatabaseSecret = Field(default_factory=DatabaseSecret, description="The address of the database.")
    external_secrets: ExternalSecretsSettings = Field(
        default_factory=ExternalSecretsSettings, description="Fetch what is created from a store instead."
    )
