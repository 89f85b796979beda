"""Which section of the contract has what: by the objects of a row, and by the field where a section is about one."""

from __future__ import annotations

from components.speech.differences.difference import fits

SECTIONS: tuple[tuple[str, str, str], ...] = (
    # what several kinds of objects share
    ("*", "metadata.labels.app.kubernetes.io/managed-by metadata.labels.helm.sh/chart", "control-plane 3.2"),
    ("*", "metadata.annotations.helm.sh/chart", "control-plane 3.2"),
    # flow, whose names others' patterns would take
    ("ConfigMap/flow-x-file", "*", "flow 2.6"),
    ("Deployment/flow-service", "spec.strategy*", "flow 2.4"),
    ("SessionGroup/flow-* Deployment/flow-service Service/flow-*", "*readiness-tracker*", "flow 2.3"),
    ("SessionGroup/flow-* Deployment/flow-service Service/flow-*", "*", "flow 2"),
    ("Ingress/flow-*", "*", "flow 2.7"),
    ("SessionGroup/tts SessionGroup/voices Deployment/tts Service/tts Service/voices", "*", "flow 4"),
    ("Deployment/llm-proxy Deployment/balancer ConfigMap/balancer-file Ingress/balancer", "*", "flow 3"),
    ("Deployment/llm Deployment/model Ingress/model PersistentVolumeClaim/*", "*", "flow 5"),
    # secrets
    ("Secret/*-speaker-id", "*", "transcription 13.4"),
    ("Secret/*license ExternalSecret/*license", "*", "transcription 13.3"),
    ("ExternalSecret/*proxy-* Secret/*proxy-*", "*", "proxy 9"),
    ("ExternalSecret/*", "*", "control-plane 7"),
    # control plane
    ("CustomResourceDefinition/* ValidatingAdmissionPolicy*/*", "*", "control-plane 1"),
    ("StatefulSet/* Service/*-redis* ConfigMap/*-redis-* ServiceAccount/*-redis", "*", "control-plane 9.3"),
    ("PodDisruptionBudget/*-redis-node", "*", "control-plane 9.3"),
    ("Service/*resource-manager-metrics Service/sessiongroups-controller", "*", "control-plane 5.1"),
    ("Ingress/*resource-manager-api Ingress/*resource-manager-flow", "*", "control-plane 5.3"),
    ("Deployment/*resource-manager", "*", "control-plane 4.1"),
    ("Deployment/*resource-manager-metrics", "*", "control-plane 4.2"),
    ("Deployment/*resource-manager-reconciliation", "*", "control-plane 4.3"),
    ("Deployment/sessiongroups-controller", "*", "control-plane 4.4"),
    # transcription
    ("Deployment/*inference-server-*", "*lifecycle*", "transcription 11.5"),
    ("Deployment/*inference-server-*", "*", "transcription 11.7"),
    ("Deployment/*rt-transcriber-* Service/*rt-transcriber-*", "*", "transcription 13.1"),
    ("SessionGroup/*rt-transcriber-*", "spec.template.*", "transcription 4.1"),
    ("SessionGroup/*rt-transcriber-*", "*", "transcription 3"),
    ("SessionGroup/*inference-server-*", "*lifecycle*", "transcription 11.5"),
    ("SessionGroup/*inference-server-*", "spec.template.*", "transcription 11.3"),
    ("Service/*inference-server-*", "*", "transcription 11.8"),
    ("SessionGroup/*", "*", "transcription 3, 11.2"),
    ("DaemonSet/*", "*", "transcription 11.11"),
    # proxy
    ("Ingress/*proxy Ingress/*proxy-health Ingress/*proxy-misc Ingress/*proxy-flow-livekit", "*", "proxy 8"),
    ("PodDisruptionBudget/*proxy-a PodDisruptionBudget/*proxy-b", "*", "proxy 10"),
    ("Deployment/*proxy-cache Service/*proxy-cache", "*", "proxy 11"),
    ("Deployment/*proxy-a Deployment/*proxy-b", "*", "proxy 2"),
    ("Service/proxy Service/west-proxy", "*", "proxy 3"),
    ("ConfigMap/*proxy-agent-config", "*", "proxy 7.1"),
    ("ConfigMap/*", "data.pod_selector_list", "control-plane 6"),
)
"""Objects, field, section; the first that has an object of a row counts for it."""

OURS_ALONE = "Namespace/* Secret/speechmatics-registry */nginx-* IngressClass/nginx"
"""Objects the contract takes for given, and has no section for."""


def sections(objects: str, path: str) -> list[str]:
    """The sections a row is about, each once; none where the contract has no such object."""
    found = [_section(each, path) for each in objects.split(" ") if not fits(OURS_ALONE, each)]
    return list(dict.fromkeys(found))


def _section(title: str, path: str) -> str:
    for titles, paths, section in SECTIONS:
        if fits(titles, title) and (paths == "*" or fits(paths, path)):
            return section
    raise LookupError(f"no section of the contract is known for {title} {path}")
