"""Every object the contract names in its indexes, by the section that has it: with the names of the defaults.

Written by hand from the contract; `|` parts names of the files' own for the same object.
"""

from __future__ import annotations

OBJECTS = {
    "control-plane 1": "CustomResourceDefinition/sessiongroups.speechmatics.com",
    "control-plane 2": """
        ConfigMap/realtime ConfigMap/discovery-api-features ConfigMap/resource-manager-config ConfigMap/languages
        Deployment/resource-manager Deployment/resource-manager-metrics Deployment/resource-manager-reconciliation
        Deployment/sessiongroups-controller
        Service/resource-manager Service/resource-manager-metrics Service/sessiongroups-controller
        ServiceAccount/resource-manager ServiceAccount/resource-manager-metrics
        ServiceAccount/resource-manager-sessiongroups
        Role/resource-manager-pod-reader RoleBinding/resource-manager-kube-access
        Role/resource-manager-sessiongroups-reader RoleBinding/resource-manager-sessiongroups-access
        Role/resource-manager-list-workloads RoleBinding/resource-manager-metrics-permissions
        ClusterRole/realtime-sessiongroups-controller ClusterRoleBinding/realtime-sessiongroups-controller
        ClusterRoleBinding/realtime-reconciliation-node-monitor
        ClusterRole/resource-manager-access-cadvisor ClusterRoleBinding/resource-manager-metrics-cadvisor-access
        PodDisruptionBudget/resource-manager-safe-to-evict PodDisruptionBudget/resource-manager
        Ingress/resource-manager-api Ingress/resource-manager-redirect Ingress/resource-manager-flow
        Secret/resource-manager-redis ExternalSecret/resource-manager-redis
        Secret/resource-manager-database ExternalSecret/resource-manager-database
    """,
    "control-plane 9.3": """
        StatefulSet/realtime-redis-master StatefulSet/realtime-redis-replicas StatefulSet/realtime-redis-node
        Service/realtime-redis-master Service/realtime-redis-replicas Service/realtime-redis-headless
        Service/realtime-redis ServiceAccount/realtime-redis
        ConfigMap/realtime-redis-configuration ConfigMap/realtime-redis-health ConfigMap/realtime-redis-scripts
    """,
    "transcription 1": """
        SessionGroup/rt-transcriber-en Deployment/rt-transcriber-en Service/rt-transcriber-en
        ServiceAccount/rt-transcriber Role/rt-transcriber-pod-access RoleBinding/rt-transcriber-kube-access
        Secret/speechmatics-license ExternalSecret/speechmatics-license
        Secret/rt-transcriber-speaker-id ExternalSecret/rt-transcriber-speaker-id
        SessionGroup/inference-server-standard-all SessionGroup/inference-server-enhanced-recipe1
        SessionGroup/inference-server-enhanced-recipe2 SessionGroup/inference-server-enhanced-recipe3
        SessionGroup/inference-server-enhanced-recipe4 SessionGroup/inference-server-custom
        Service/inference-server-standard-all Service/inference-server-enhanced-recipe1
        Deployment/inference-server-enhanced-recipe1 PodDisruptionBudget/inference-server-enhanced-recipe1-pdb
        ConfigMap/inference-server-enhanced-recipe1
    """,
    "transcription 11": """
        DaemonSet/nvidia-gpu-drivers Ingress/realtime Ingress/realtime-grpc Pod/inference-server-enhanced-recipe1
        Deployment/realtime-sm-scaling ServiceAccount/realtime-sm-scaling Role/realtime-sm-scaling-k8s-access
        RoleBinding/realtime-sm-scaling-k8s-access
    """,
    "proxy 1": """
        Deployment/proxy-a Deployment/proxy-b Service/proxy ConfigMap/proxy-config ConfigMap/proxy-agent-config
        ConfigMap/proxy-dns|ConfigMap/west-proxy-dns ConfigMap/proxy-custom-dict|ConfigMap/west-proxy-custom-dict
        Ingress/proxy Ingress/proxy-health Ingress/proxy-misc
        Ingress/proxy-flow-livekit ServiceAccount/proxy Role/proxy-cm-reader RoleBinding/proxy-cm-access
        PodDisruptionBudget/proxy-a Deployment/proxy-cache Service/proxy-cache
        Secret/proxy-events|Secret/own-events Secret/proxy-storage Secret/proxy-database
        Secret/proxy-livekit Secret/proxy-agent-api
        ExternalSecret/proxy-events ExternalSecret/proxy-storage ExternalSecret/proxy-database
        ExternalSecret/proxy-redis ExternalSecret/proxy-livekit ExternalSecret/proxy-agent-api
    """,
    "flow 1": """
        SessionGroup/flow-service Deployment/flow-service Service/flow-service ConfigMap/flow-service-config
        Secret/flow-service ExternalSecret/flow-service|ExternalSecret/flow-x
        ServiceAccount/flow-service Role/flow-service-pod-access
        RoleBinding/flow-service-kube-access Ingress/flow-service-api|Ingress/flow-x-api
        Deployment/llm-proxy Service/llm-proxy ConfigMap/llm-proxy-config Secret/llm-proxy
        ExternalSecret/llm-proxy|ExternalSecret/balancer PodDisruptionBudget/llm-proxy
        Ingress/llm-proxy|Ingress/balancer
        SessionGroup/tts Deployment/tts Service/tts PodDisruptionBudget/tts Ingress/tts|Ingress/voices
        Deployment/llm Service/llm PersistentVolumeClaim/llm-cache-pvc Secret/vllm-secret|Secret/vllm-token
        ExternalSecret/vllm-secret|ExternalSecret/vllm-token PodDisruptionBudget/llm|PodDisruptionBudget/model
        Ingress/llm|Ingress/model
    """,
}
"""Section → objects."""


def indexed() -> list[tuple[str, str]]:
    """Each object with its section."""
    return [(section, each) for section, text in OBJECTS.items() for each in text.split()]
