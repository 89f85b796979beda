"""Where Flow's objects differ from the vendor's on purpose, beside `components.speech.differences`."""

from __future__ import annotations

from components.speech.differences import Difference

_ONCE = (
    "The pods read it once, at their start. Its hash makes a change a new version, which is rolled out when a pod is "
    "idle or a new one answers; nothing of the chart's does."
)
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

FLOW: tuple[Difference, ...] = (
    Difference("*", "spec.template.metadata.annotations.sm-realtime/config-hash", _ONCE),
    Difference("*", "spec.template.metadata.annotations.sm-realtime/secret-hash", _ONCE),
    Difference("SessionGroup/*", "spec.template.metadata.labels.speechmatics.io/safe-to-evict", _EVICTION),
    Difference("Deployment/llm*", "spec.template.spec.containers*.readinessProbe.*", _PROBE),
    Difference("SessionGroup/tts", "spec.template.spec.containers[[]tts-server].readinessProbe.*", _PROBE),
    Difference("Deployment/*", "spec.template.spec.containers*.lifecycle.preStop.sleep.seconds", _LEAVE),
    Difference(
        "Deployment/*",
        "spec.progressDeadlineSeconds",
        "Fetching and loading a model takes longer than Kubernetes' ten minutes, after which an update has failed.",
    ),
    Difference(
        "Deployment/*",
        "spec.template.spec.containers[[]vllm-server].resources.limits.nvidia.com/gpu",
        "The chart shows the server its GPUs and asks for none: the pod lands where there is none, or on another's.",
    ),
    Difference(
        "SessionGroup/*",
        "spec.template.spec.containers[[]flow-service].env*.secretKeyRef.name",
        "The chart reads flow-service whatever its own Secret is called, and the pod would not start.",
    ),
    Difference("ConfigMap/*", "data.extra_config.yaml.services.llm.ProxyLLM.defaults.config.api.base_url", _FOLLOWS),
    Difference("ConfigMap/*", "data.extra_config.yaml.services.tts.SpeechmaticsTTS.defaults.config.endpoint", _FOLLOWS),
    Difference("ConfigMap/*", "data.llm-proxy-config.model_list*.llm_params.url", _FOLLOWS),
    Difference("Ingress/*", "spec.rules*.backend.service.port.number", _FOLLOWS),
    Difference(
        "Ingress/*",
        "spec.tls*.secretName",
        "Nobody makes the chart's `tls-secret`; without a name the controller takes its own certificate.",
    ),
    Difference("PersistentVolumeClaim/*", "spec.accessModes*", _SHARED),
    Difference("PersistentVolumeClaim/*", "spec.storageClassName", _SHARED),
    Difference(
        "Deployment/llm-proxy",
        "spec.replicas",
        "With one pod the chart's own budget, which is on, stops every drain of its node for ever; two can be moved.",
    ),
    Difference(
        "SessionGroup/flow-service*",
        "spec.template.spec.containers[[]readiness-tracker].resources.requests.memory",
        "256Ki is less than any program takes; Mi is meant.",
    ),
    Difference(
        "Service/*",
        "metadata.annotations.pulumi.com/skipAwait",
        "Its pods are made by the vendor's controller, later than the Service: `up` does not wait for them.",
    ),
    Difference("SessionGroup/*", "spec.template.metadata.annotations.ad.datadoghq.com/*", _DATADOG),
    Difference(
        "SessionGroup/tts",
        "spec.template.spec.imagePullSecrets*",
        "The chart falls back to the global pull secret for everything but TTS, whose image needs it as well.",
    ),
)
"""All of them."""
