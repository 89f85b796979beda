"""The contract's pods, workloads, Services and Ingress that sessions run over, as the API server would hold them."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
VENDOR = "speechmaticspublic.azurecr.io"
VERSION = "13.5.0"


def env(**values: str) -> list[Json]:
    return [{"name": name, "value": value} for name, value in values.items()]


def features(capacity: int, version: str = VERSION, **costs: int) -> str:
    """`en__ensemble` stands for the key `en:ensemble_en_enhanced`."""
    named = {
        f"{key.split('__')[0]}:{key.split('__')[1]}_{key.split('__')[0]}_enhanced" if "__" in key else key: cost
        for key, cost in costs.items()
    }
    return json.dumps({"capacity": capacity, "version": version, "model_costs": named})


def transcriber(language: str = "en", capacity: int = 2, version: str = VERSION, ping: int | None = 300) -> Json:
    """Spec of a transcriber's pod (transcription 4)."""
    socket = {} if ping is None else {"SM_WEBSOCKET_CONFIG": json.dumps({"autoPingTimeout": ping})}
    registered = features(capacity, version, **{language: 1})
    return {
        "initContainers": [
            {"name": "worker-proxy", "image": f"{VENDOR}/worker-proxy:1.34.6", "restartPolicy": "Always"}
        ],
        "containers": [
            {
                "name": "rt-asr-transcriber",
                "image": f"{VENDOR}/rt-asr-transcriber-{language}:{version}",
                "env": env(**socket),
            },
            {
                "name": "readiness-tracker",
                "image": f"{VENDOR}/readiness-tracker:1.34.6",
                "env": env(REGISTER_FEATURES=registered),
            },
        ],
    }


def inference(capacity: int = 480, version: str = VERSION, **costs: int) -> Json:
    """Spec of an inference server's pod (transcription 11)."""
    registered = features(capacity, version, **(costs or {"en__ensemble": 16, "en__lm": 8}))
    return {
        "containers": [
            {"name": "triton-server", "image": f"{VENDOR}/sm-gpu-inference-server-enhanced-recipe1:{version}"},
            {
                "name": "inference-sidecar",
                "image": f"{VENDOR}/inference-sidecar:1.34.6",
                "env": env(REGISTER_FEATURES=registered),
            },
        ]
    }


def flow_service(capacity: int = 1) -> Json:
    """Spec of a flow-service's pod (flow 2)."""
    registered = json.dumps({"capacity": capacity, "version": "0.27.4", "model_costs": {"flow-worker": 1}})
    return {
        "containers": [
            {"name": "flow-service", "image": f"{VENDOR}/flow-service:0.27.4"},
            {
                "name": "readiness-tracker",
                "image": f"{VENDOR}/readiness-tracker:1.34.6",
                "env": env(REGISTER_FEATURES=registered),
            },
        ]
    }


def one(image: str, name: str = "main", **fields: Any) -> Json:
    return {"containers": [{"name": name, "image": image, **fields}]}


def proxy(watches: str = "") -> Json:
    """Spec of a proxy's pod; `watches` is its ConfigMap (proxy 4)."""
    given = {"env": env(SM_CONFIGMAP_TO_LISTEN=watches)} if watches else {}
    return one(f"{VENDOR}/proxy-service:2.8.8", "proxy-service", **given)


def resource_manager(lease: str = "", selection: str = "") -> Json:
    """Spec of a resource manager's pod (control plane 4.1)."""
    said = {"SM_LEASE_DURATION": lease, "SM_RESOURCE_SELECTION_STRATEGY": selection}
    given = env(**{name: value for name, value in said.items() if value})
    return one(f"{VENDOR}/resource-manager:1.34.6", "resource-manager", **({"env": given} if given else {}))


def llm_proxy(turn: int, leaves: int) -> Json:
    """Spec of an LLM proxy's pod (flow 3.1): how long it waits for an answer, and its preStop hook sleeps."""
    hook = {"preStop": {"sleep": {"seconds": leaves}}}
    return one(f"{VENDOR}/llm-proxy:1.34.6", env=env(BACKEND_TIMEOUT_SEC=str(turn)), lifecycle=hook)


def vllm(leaves: int) -> Json:
    """Spec of vLLM's pod (flow 5)."""
    return one("vllm/vllm-openai:v0.10.1", lifecycle={"preStop": {"sleep": {"seconds": leaves}}})


def redis(*arguments: str) -> Json:
    return one("redis:7.4.1", "redis", **({"args": list(arguments)} if arguments else {}))


def redis_node() -> Json:
    """Spec of a node with Sentinel (control plane 9): it mounts `redis-configuration`."""
    spec = redis()
    spec["volumes"] = [{"name": "configuration", "configMap": {"name": "redis-configuration"}}]
    return spec


def redis_configuration(namespace: str, down_after: int, fail_over: int) -> Json:
    """The map of such nodes; times in milliseconds."""
    conf = (
        f"sentinel monitor mymaster redis-node-0.redis-headless.{namespace}.svc.cluster.local 6379 2\n"
        f"sentinel down-after-milliseconds mymaster {down_after}\n"
        f"sentinel failover-timeout mymaster {fail_over}\n"
    )
    meta = {"name": "redis-configuration", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"sentinel.conf": conf}}


def ingress_controller(namespace: str) -> Json:
    """Spec of a pod of F5's controller; its ConfigMap is `nginx-config`, its preStop hook sleeps for 30 s."""
    return one(
        "nginx/nginx-ingress:5.5.0",
        "nginx-ingress",
        args=[
            f"-nginx-configmaps={namespace}/nginx-config",
            "-enable-custom-resources=false",
            f"-watch-namespace={namespace}",
        ],
        env=[
            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        lifecycle={"preStop": {"sleep": {"seconds": 30}}},
    )


def ingress(namespace: str, service: str = "proxy", **annotations: str) -> Json:
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 8080}}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "proxy",
            "namespace": namespace,
            "annotations": {f"nginx.org/{key.replace('_', '-')}": value for key, value in annotations.items()},
        },
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "rt.example.com", "http": {"paths": [path]}}]},
    }


def service(namespace: str, name: str, port: int, selector: Json, **fields: Any) -> Json:
    meta: Json = {"name": name, "namespace": namespace}
    if annotations := fields.pop("annotations", None):
        meta["annotations"] = annotations
    spec = {"selector": selector, "ports": [{"port": port, "targetPort": port}], **fields}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}
