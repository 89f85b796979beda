"""Clocks that run against a fail-over of Redis, against one turn of a conversation, and the calendar of AKS."""

from __future__ import annotations

from collections.abc import Iterator

from components.azure.cluster import UPGRADES
from components.azure.maintenance import CONFIGURATIONS
from components.flow.llm_proxy import LEAVE_SECONDS
from components.flow.llm_proxy import grace_seconds as proxy_grace
from components.flow.vllm import STOP_SECONDS, leave_seconds
from components.flow.vllm import grace_seconds as model_grace
from components.speech.disruption import SINGLE_STORE
from stacks.clocks.rung import Against, By, Code, Least, Mend, Place, Rung
from stacks.clocks.session import KUBELET, POD
from stacks.problem import set_command
from stacks.schema import Settings
from stacks.schema.base import seconds
from stacks.schema.modes import Mode

ELECTION_SECONDS = 10
"""For the choice of another primary once the old one counts as down, with room to spare (measured: 2 to 3)."""

FLOW_WAITS_SECONDS = 2
"""So much longer than the language model's own time-out flow-service waits for an answer (contract: flow 5.2)."""

BELOW = "resourceManager."
LEASE = f"{BELOW}config.leaseDuration"
DOWN = f"{BELOW}redis.sentinel.downAfterMilliseconds"


def outage(settings: Settings) -> Least | None:
    """How long the control plane may be without a Redis that takes writes; None where it is somebody else's Redis."""
    redis = settings.resource_manager.redis
    if not redis.enabled:
        return None
    if redis.sentinel.enabled:
        longest = redis.sentinel.down_after_milliseconds / 1000 + ELECTION_SECONDS
        return Least(
            longest, f"until there is another primary it takes up to {longest:g} s (redis.sentinel)", above=True
        )
    grace = SINGLE_STORE.grace_seconds or 0
    return Least(grace, f"a Redis that is told to stop takes up to {grace} s to write its data out", above=True)


def outage_clocks(settings: Settings) -> Iterator[Rung]:
    """The lease of registrations, and how long the control plane's services wait."""
    manager, least = settings.resource_manager, outage(settings)
    config, redis, base = manager.config, manager.redis, manager.fullname_override
    unknown = "" if least else "how long that Redis may be away is its own provider's word"
    lease = seconds(config.lease_duration)
    if manager.mode is Mode.REAL_TIME:  # in batch nothing is told of a lease
        yield Rung(
            "lease of a registration",
            lease,
            Against.OUTAGE,
            least,
            cut="registrations run out in",
            who="Redis",
            by=By.USER,
            places=(_variable(base, "resource-manager", "SM_LEASE_DURATION"),),
            key=LEASE,
            guard=unknown,
            mend=_lease(settings, lease, least) if least else None,
        )
    key = f"{BELOW}redis.{'timeoutConnection' if redis.connection_timeout is None else 'connectionTimeout'}"
    services = [(base, "resource-manager")]
    services += [("sessiongroups-controller", "sessiongroups-controller")] if manager.session_groups.enabled else []
    services += [(f"{base}-{part}", part) for part, on in (
        ("metrics", manager.metrics.enabled), ("reconciliation", manager.reconciliation.enabled)) if on]  # fmt: skip
    yield _waits(
        "wait for Redis at the start",
        seconds(redis.timeout),
        least,
        tuple(_variable(name, container, "REDIS_SETUP_TIMEOUT_DURATION") for name, container in services),
        key,
        suffix="s",
        guard=unknown,
    )
    yield _waits(
        "wait of the resource manager",
        config.resource_manager_conn_timeout_secs,
        least,
        (_variable(base, "resource-manager", "SM_RESOURCE_MANAGER_CONN_TIMEOUT_SECS"),),
        f"{BELOW}config.resourceManagerConnTimeoutSecs",
        suffix="",
        guard=unknown,
    )


def _variable(deployment: str, container: str, name: str) -> Place:
    return Place("Deployment", deployment, ("spec", "template", "spec", "containers", container, "env", name, "value"))


def _waits(
    name: str, length: float, least: Least | None, places: tuple[Place, ...], key: str, *, suffix: str, guard: str
) -> Rung:
    enough = f"{int(least.seconds) + 1}{suffix}" if least else ""
    return Rung(
        name,
        length,
        Against.OUTAGE,
        least,
        cut="what starts while there is no Redis is ended by",
        who="itself",
        by=By.USER,
        places=places,
        key=key,
        guard=guard,
        mend=Mend(key, Code.FAIL_OVER, set_command(key, enough)) if least else None,
    )


def _lease(settings: Settings, lease: float, least: Least) -> Mend:
    """With Sentinel the primary counts as down sooner, if that can be; else the lease is longer."""
    longer = set_command(LEASE, f"{int(least.seconds) + 1}s")
    if not settings.resource_manager.redis.sentinel.enabled:
        return Mend(LEASE, Code.RESTART, longer)
    most = int((lease - ELECTION_SECONDS) * 1000) - 1
    return Mend(DOWN, Code.LEASE, set_command(DOWN, most) if most > 0 else longer)


def turn_clocks(settings: Settings) -> Iterator[Rung]:
    """The language model's services: they hold no session, only the turns under way."""
    flow = settings.flow
    if flow.enabled and flow.llm_proxy.enabled:
        turn, path = (
            flow.llm_proxy.backend_timeout_sec + FLOW_WAITS_SECONDS,
            "flow.llmProxy.llmProxyShutdownGracePeriodSec",
        )
        why = f"a turn asked for in its last {LEAVE_SECONDS} s may take {turn} s (flow.llmProxy.backendTimeoutSec)"
        yield Rung(
            "LLM proxy pod grace",
            proxy_grace(flow.llm_proxy),
            Against.TURN,
            Least(LEAVE_SECONDS + turn, why),
            cut="a stopping pod of the LLM proxy is killed by",
            who=KUBELET,
            by=By.USER,
            places=(Place("Deployment", flow.llm_proxy.name, POD),),
            key=path,
            mend=Mend(path, Code.TURN, set_command(path, turn)),
        )
    if flow.enabled and flow.vllm.enabled:
        yield Rung(
            "vLLM pod grace",
            model_grace(flow),
            Against.TURN,
            Least(leave_seconds(flow) + STOP_SECONDS, "it answers what was asked of it before it ends"),
            cut="a stopping pod of vLLM is killed by",
            who=KUBELET,
            by=By.PROGRAM,
            places=(Place("Deployment", flow.vllm.fullname_override, POD),),
            key="flow.vllm.terminationGracePeriodSeconds",
        )


def calendar_clocks(settings: Settings) -> Iterator[Rung]:
    """When AKS may begin something by itself: not how long a session lives, but whether anything asks it to go."""
    cluster, window = settings.azure.cluster_name, settings.azure.maintenance
    for name, field, channel in (
        ("upgrades of Kubernetes by AKS", "upgradeChannel", UPGRADES.upgrade_channel.value),
        ("upgrades of the nodes' system by AKS", "nodeOSUpgradeChannel", UPGRADES.node_os_upgrade_channel.value),
    ):
        yield Rung(
            name,
            None,
            Against.CALENDAR,
            None,
            cut="nodes are replaced by",
            who="AKS",
            by=By.PROGRAM,
            places=(Place("ManagedCluster", cluster, ("autoUpgradeProfile", field)),),
            guard=f"channel {channel}: never, but for a cluster on a version that AKS no longer supports",
        )
    yield Rung(
        "maintenance window",
        None,
        Against.CALENDAR,
        None,
        cut="its own weekly patches are begun by",
        who="AKS",
        by=By.USER,
        places=tuple(
            Place("MaintenanceConfiguration", name, ("maintenanceWindow", "durationHours")) for name in CONFIGURATIONS
        ),
        key="azure.maintenance",
        guard=(
            f"{window.day_of_week.value} {window.start_time} for {window.duration_hours} h; it says when, and saves no "
            "session; AKS may break it for critical fixes"
        ),
    )
