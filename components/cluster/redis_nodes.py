"""The pods of a Redis with Sentinel: each node has a Redis and a sentinel (contract: control plane 9, mode B)."""

from __future__ import annotations

import hashlib
from typing import Any

import pulumi

from components.cluster.redis_pods import FOLDER, LIVE, MASTER, PORT, READY, SECURITY, USER, RedisArgs, probe
from components.cluster.redis_scripts import FOLDER as SCRIPTS_FOLDER
from components.cluster.redis_scripts import MASTER_SET, SCRIPTS, script
from components.speech.disruption import REPLICATED_STORE
from components.speech.naming import MANAGED_BY
from components.speech.pod import Json, container, env, env_field, passed_on, pod_template, port
from stacks.schema.redis import SentinelProbe

SENTINEL_PORT = 26379

STOP_SECONDS = 20
"""For the hand-over before a node stops: ten seconds less than its grace (contract: control plane 9.3)."""

NODE = "protected-mode no\nmin-replicas-to-write 1\nmin-replicas-max-lag 10\n"
"""node.conf. A primary that no replica follows takes no writes: cut off from the others, it would acknowledge what is
lost when it comes back as a replica."""

HASH = "sm-realtime/config-hash"
"""Annotation: a hash of what a node reads only when it starts."""

SENTINEL_READY = f"redis-cli -h 127.0.0.1 -p {SENTINEL_PORT} ping | grep -q PONG"


def sentinel_conf(args: RedisArgs) -> str:
    """sentinel.conf (contract: control plane 9.4); a sentinel writes into its own copy of it."""
    wanted, first = args.settings.sentinel, args.host(f"{args.base}-node-0")
    return (
        f"port {SENTINEL_PORT}\n"
        "dir /data/sentinel\n"
        "protected-mode no\n"
        "sentinel resolve-hostnames yes\n"
        "sentinel announce-hostnames yes\n"
        f"sentinel monitor {MASTER_SET} {first} {PORT} {wanted.quorum}\n"
        f"sentinel down-after-milliseconds {MASTER_SET} {wanted.down_after_milliseconds}\n"
        f"sentinel failover-timeout {MASTER_SET} {wanted.failover_timeout}\n"
        f"sentinel parallel-syncs {MASTER_SET} {wanted.parallel_syncs}\n"
    )


def files(args: RedisArgs) -> dict[str, str]:
    """The configuration of every node."""
    return {
        "redis.conf": args.settings.common_configuration,
        "master.conf": MASTER,
        "replica.conf": MASTER,
        "node.conf": NODE,
        "sentinel.conf": sentinel_conf(args),
    }


def digest(args: RedisArgs) -> str:
    """Of everything a node reads when it starts: a change replaces the nodes, one after the other."""
    text = "\0".join(f"{name}\0{content}" for name, content in sorted((files(args) | SCRIPTS).items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def variables(args: RedisArgs) -> list[Json]:
    """What the scripts know a node and the others by."""
    return [
        env_field("REDIS_NODE", "metadata.name"),
        env("REDIS_STEM", f"{args.base}-node"),
        env("REDIS_DOMAIN", args.domain),
        env("REDIS_NODES", str(args.settings.nodes)),
        env("REDIS_STOP_SECONDS", str(STOP_SECONDS)),
    ]


def sentinel_probe(initial: int, period: int, given: SentinelProbe) -> Json:
    """A probe of the sentinel."""
    return probe(SENTINEL_READY, initial, period, given.timeout_seconds, given.failure_threshold)


def _container(args: RedisArgs, name: str, stop: str, **more: Any) -> Json:
    return container(
        name,
        args.image_name,
        command=script(f"start-{name}.sh"),
        variables=variables(args),
        lifecycle={"preStop": {"exec": {"command": script(stop)}}},
        mounts=[
            {"name": "redis-data", "mountPath": "/data"},
            {"name": "configuration", "mountPath": FOLDER, "readOnly": True},
            {"name": "scripts", "mountPath": SCRIPTS_FOLDER, "readOnly": True},
        ],
        security_context=SECURITY,
        **more,
    )


def apart(args: RedisArgs) -> Json:
    """No two nodes on one machine, and each in a zone of its own where there are enough."""
    selector = {"matchLabels": args.labels("node")}
    return {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}
            ],
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 100,
                    "podAffinityTerm": {"topologyKey": "topology.kubernetes.io/zone", "labelSelector": selector},
                }
            ],
        }
    }


def template(
    args: RedisArgs, account: pulumi.Input[str], configuration: pulumi.Input[str], scripts: pulumi.Input[str]
) -> dict[str, Any]:
    """The pod of a node, with its ServiceAccount and its ConfigMaps by name."""
    wanted = args.settings.sentinel
    redis = _container(
        args,
        "redis",
        "stop-redis.sh",
        ports=[port("redis", PORT)],
        resources=passed_on(args.settings.replica.resources),
        startup_probe=probe(READY, 10, 10, 5, 22),
        liveness_probe=probe(LIVE, 20, 5, 5, 5),
        readiness_probe=probe(READY, 20, 5, 1, 5),
    )
    sentinel = _container(
        args,
        "sentinel",
        "stop-sentinel.sh",
        ports=[port("redis-sentinel", SENTINEL_PORT)],
        resources=passed_on(wanted.resources),
        startup_probe=sentinel_probe(10, 10, wanted.startup_probe),
        liveness_probe=sentinel_probe(20, 5, wanted.liveness_probe),
        readiness_probe=sentinel_probe(20, 5, wanted.readiness_probe),
    )
    return pod_template(
        placement=args.placement,
        labels=args.labels("node") | {"app.kubernetes.io/managed-by": MANAGED_BY},
        annotations=REPLICATED_STORE.annotations | {HASH: digest(args)},
        containers=[redis, sentinel],
        service_account=account,
        security_context={"fsGroup": USER},
        grace_seconds=REPLICATED_STORE.grace_seconds,
        affinity=apart(args),
        volumes=[
            {"name": "configuration", "configMap": {"name": configuration}},
            {"name": "scripts", "configMap": {"name": scripts}},
        ],
    )
