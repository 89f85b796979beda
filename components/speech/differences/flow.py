"""Differences of Flow: flow-service, LLM proxy, language model and voices."""

from __future__ import annotations

from components.speech.differences.difference import NOTHING, Added, Difference, Like
from components.speech.differences.everywhere import (
    AUTOSCALER,
    AUTOSCALER_VETO,
    DAY,
    GRACE,
    SURGE,
    placed_on,
    surging,
    tolerating,
)

GROUPS = "SessionGroup/flow-service SessionGroup/flow-x SessionGroup/tts SessionGroup/voices"
WORKERS = "SessionGroup/flow-service SessionGroup/flow-x Deployment/flow-service"
VOICES = "SessionGroup/tts SessionGroup/voices Deployment/tts"
PROXIES = "Deployment/llm-proxy Deployment/balancer"
MODELS = "Deployment/llm Deployment/model"
CONTAINERS = "spec.template.spec.containers"

_ONCE = (
    "The pods read it once, at their start. Its hash makes a change a new version, which is rolled out when a pod is "
    "idle or a new one answers; nothing of the chart's does."
)
_KEYS = f"{_ONCE} vLLM has none of its token, which it needs to fetch the model and not to serve it."
_EVICTION = "A live conversation is a session: the budget of all session pods must cover it as well."
_PROBE = (
    "Without a probe a pod counts as ready while it still starts or loads its model, and the old one is told to go."
)
_LEAVE = "A pod that is told to go is still known to others for some seconds; it answers until they have heard of it."
_SHARED = (
    "While a pod is replaced, the old and the new one load from the volume on two nodes; a disk that one node may "
    "attach stops the update for ever. The vendor names a ReadWriteMany class for more than one pod."
)
_DATADOG = "Datadog's annotations are left out; they are on in the chart without a switch in its README."
_FOLLOWS = "The chart writes the default port or name whatever the Service has; nothing would answer there."
_SHOWN = "The chart shows the server its GPUs and asks for none: the pod lands where there is none, or on another's."
_GPU_TAINT = "The GPU pool's taint keeps every other work away from it; this toleration lets these pods in."

_HASH = Added(Like("[0-9a-f]{16}"))


def _leaving(objects: str, container: str, seconds: int) -> Difference:
    lifecycle = {"preStop": {"sleep": {"seconds": seconds}}}
    return Difference(objects, f"{CONTAINERS}[{container}].lifecycle", Added(lifecycle), _LEAVE)


def _asking(name: str, number: str) -> Difference:
    path = f"{CONTAINERS}[vllm-server].resources.limits.nvidia.com/gpu"
    return Difference(f"Deployment/{name}", path, Added(number), _SHOWN)


FLOW: tuple[Difference, ...] = (
    *placed_on(f"{WORKERS} {PROXIES}", "services", "svc"),
    *placed_on(f"{VOICES} {MODELS}", "inference", "infer"),
    tolerating(f"{WORKERS} {PROXIES}", "services"),
    Difference(
        f"{VOICES} {MODELS}",
        "spec.template.spec.tolerations[*]",
        Added({"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}),
        _GPU_TAINT,
    ),
    Difference(f"{PROXIES} {MODELS}", "spec.strategy.type", Added("RollingUpdate"), SURGE),
    *surging(f"{PROXIES} {MODELS}", Added(1), Added(0)),
    Difference(
        "SessionGroup/flow-service SessionGroup/tts Deployment/flow-service Deployment/tts",
        "spec.template.spec.terminationGracePeriodSeconds",
        DAY,
        GRACE,
    ),
    Difference(f"{WORKERS} {VOICES}", AUTOSCALER_VETO, Added("false"), AUTOSCALER),
    Difference(
        GROUPS,
        "spec.template.metadata.labels.speechmatics.io/safe-to-evict",
        Added("false"),
        _EVICTION,
    ),
    Difference(f"{WORKERS} {PROXIES}", "spec.template.metadata.annotations.sm-realtime/config-hash", _HASH, _ONCE),
    Difference("SessionGroup/flow-x", "spec.template.metadata.annotations.sm-realtime/secret-hash", _HASH, _KEYS),
    Difference(
        "Deployment/llm-proxy",
        f"{CONTAINERS}[llm-proxy].readinessProbe",
        Added({"tcpSocket": {"port": "llm-proxy"}}),
        _PROBE,
    ),
    Difference(
        "Deployment/llm",
        f"{CONTAINERS}[vllm-server].readinessProbe",
        Added(
            {
                "httpGet": {"path": "/health", "port": "http"},
                "periodSeconds": 15,
                "timeoutSeconds": 10,
                "successThreshold": 1,
                "failureThreshold": 3,
            }
        ),
        _PROBE,
    ),
    Difference(
        "SessionGroup/tts Deployment/tts",
        f"{CONTAINERS}[tts-server].readinessProbe",
        Added({"tcpSocket": {"port": "http"}}),
        _PROBE,
    ),
    _leaving(PROXIES, "llm-proxy", 10),
    # five seconds until nobody knows the pod's address, and one turn: as long as the LLM proxy waits for a model
    _leaving("Deployment/llm", "vllm-server", 15),
    _leaving("Deployment/model", "vllm-server", 25),
    Difference(
        MODELS,
        "spec.progressDeadlineSeconds",
        Added(1800),
        "Fetching and loading a model takes longer than Kubernetes' ten minutes, after which an update has failed.",
    ),
    _asking("llm", "1"),
    _asking("model", "2"),
    Difference(
        "SessionGroup/flow-x",
        f"{CONTAINERS}[flow-service].env[*].valueFrom.secretKeyRef.name",
        "flow-x",
        "The chart reads flow-service whatever its own Secret is called, and the pod would not start.",
    ),
    Difference(
        "ConfigMap/flow-x-file",
        "data.extra_config.yaml.services.llm.ProxyLLM.defaults.config.api.base_url",
        "http://balancer:8081",
        _FOLLOWS,
    ),
    Difference(
        "ConfigMap/flow-x-file",
        "data.extra_config.yaml.services.tts.SpeechmaticsTTS.defaults.config.endpoint",
        "http://voices:8001/generate/",
        _FOLLOWS,
    ),
    Difference(
        "ConfigMap/balancer-file",
        "data.llm-proxy-config.model_list[1].llm_params.url",
        "http://vllm-svc:9000/v1/chat/completions",
        _FOLLOWS,
    ),
    Difference(
        "Ingress/flow-x-api",
        "spec.tls[0].hosts",
        ["flow-flow-x.example.org"],
        "F5's controller compares the hosts of `tls` letter by letter with that of the rule: with the chart's "
        "`*.<zone>` it would not serve the host on 443.",
        where={"ingress.enabled": NOTHING, "flow.ingress.ingressClassName": NOTHING},
    ),
    Difference(
        "Ingress/flow-x-api",
        "metadata.annotations.nginx.org/websocket-services",
        Added("flow-x"),
        "F5's controller passes `Upgrade` on only to Services named here; without it a websocket answers 400.",
    ),
    Difference(
        "Ingress/flow-x-api",
        "metadata.annotations.nginx.org/proxy-*-timeout",
        Added(Like("[0-9]+s")),
        "A silent client must not be cut after 60 seconds; the longest conversation is 24 hours.",
    ),
    Difference("Ingress/model", "spec.rules[0].http.paths[0].backend.service.port.number", 9000, _FOLLOWS),
    Difference(
        "Ingress/balancer",
        "spec.tls[0].secretName",
        NOTHING,
        "Nobody makes the chart's `tls-secret`; without a name the controller takes its own certificate.",
    ),
    Difference(
        "Deployment/llm",
        f"{CONTAINERS}[vllm-server].args",
        [
            "--model=meta-llama/Llama-3.2-3B-Instruct",
            "--tensor-parallel-size=1",
            "--port=8000",
            "--dtype=half",
            "--enable-prefix-caching",
            "--disable-log-requests",
        ],
        "A T4 has no bfloat16, which `auto` takes from the model, and the server ends at its start; the default pool's "
        "GPUs are T4.",
    ),
    Difference("PersistentVolumeClaim/llm-cache-pvc", "spec.accessModes", ["ReadWriteMany"], _SHARED),
    Difference("PersistentVolumeClaim/llm-cache-pvc", "spec.storageClassName", "azurefile-csi-premium", _SHARED),
    Difference(
        "Deployment/llm-proxy",
        "spec.replicas",
        2,
        "With one pod the chart's own budget, which is on, stops every drain of its node for ever; two can be moved.",
    ),
    Difference(
        "SessionGroup/flow-service Deployment/flow-service",
        f"{CONTAINERS}[readiness-tracker].resources.requests.memory",
        "256Mi",
        "256Ki is less than any program takes; Mi is meant.",
    ),
    Difference(
        "Service/flow-service Service/flow-x Service/tts Service/voices",
        "metadata.annotations.pulumi.com/skipAwait",
        Added("true"),
        "Its pods come later than the Service, which says nothing of them: `up` does not wait for them.",
    ),
    Difference(
        "SessionGroup/tts Deployment/tts",
        "spec.template.metadata.annotations.ad.datadoghq.com/*",
        NOTHING,
        _DATADOG,
    ),
    Difference(
        "SessionGroup/tts Deployment/tts",
        "spec.template.spec.imagePullSecrets",
        Added([{"name": "speechmatics-registry"}]),
        "The chart falls back to the global pull secret for everything but TTS, whose image needs it as well.",
    ),
)
"""The differences."""
