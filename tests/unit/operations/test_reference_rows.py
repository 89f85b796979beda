"""Rows of the reference as the seed and the contract say them: what a key reaches, by hand."""

from __future__ import annotations

import pytest

from operations.reference import CREATE_ONLY, Fields, reached

POD = "spec.template.spec"
TRANSCRIBER = "SessionGroup/rt-transcriber-en"
SERVERS = [
    "SessionGroup/inference-server-custom",
    "SessionGroup/inference-server-standard-all",
    *(f"SessionGroup/inference-server-enhanced-recipe{number}" for number in (1, 2, 3, 4)),
]
FLOW, TTS, LLM_PROXY, VLLM = "SessionGroup/flow-service", "SessionGroup/tts", "Deployment/llm-proxy", "Deployment/llm"
CONTROL_PLANE = [
    "Deployment/resource-manager",
    "Deployment/resource-manager-metrics",
    "Deployment/resource-manager-reconciliation",
    "Deployment/sessiongroups-controller",
]
INSTANCE = "metadata.labels.app.kubernetes.io/instance"


def from_release(container: str) -> str:
    """The resource manager's address, read from the ConfigMap that has the release's name (transcription.md, 14.1)."""
    return f"{POD}.{container}.env[SM_TOKEN_STORE_URL].valueFrom.configMapKeyRef.name"


RELEASE = {
    "ConfigMap/realtime": ["metadata.name", INSTANCE],
    "ClusterRole/realtime-sessiongroups-controller": ["metadata.name"],
    "ClusterRoleBinding/realtime-sessiongroups-controller": ["metadata.name"],
    "Service/realtime-redis-master": ["metadata.name", INSTANCE],
    "StatefulSet/realtime-redis-master": ["metadata.name", INSTANCE],
    "Deployment/resource-manager": [INSTANCE],
    "Deployment/proxy-a": [from_release("containers[proxy-service]"), INSTANCE],
    TRANSCRIBER: [from_release("containers[readiness-tracker]"), from_release("initContainers[worker-proxy]")],
    **{name: [from_release("containers[inference-sidecar]"), INSTANCE] for name in SERVERS},
}
PULLING = [*CONTROL_PLANE, "Deployment/proxy-a", TRANSCRIBER, *SERVERS, FLOW, TTS, LLM_PROXY, VLLM]
ROWS: dict[str, Fields] = {
    "release": RELEASE,
    "global.imagePullSecrets": {
        "Secret/speechmatics-registry": ["metadata.name"],
        **{name: [f"{POD}.imagePullSecrets[]"] for name in PULLING},
    },
    "global.licensing.secretName": {
        "Secret/speechmatics-license": ["metadata.name"],
        **{name: [f"{POD}.volumes[license].secret.secretName"] for name in (TRANSCRIBER, FLOW, TTS)},
        **{name: [f"{POD}.volumes[triton-license].secret.secretName"] for name in SERVERS},
    },
    "inferenceServerEnhancedRecipe2.sessionGroups.replicas": {
        "SessionGroup/inference-server-enhanced-recipe2": ["spec.replicas"]
    },
    "transcribers.sessionGroups.replicas": {TRANSCRIBER: ["spec.replicas"]},
}


@pytest.mark.parametrize(
    ("key", "name", "path"),
    [(key, name, path) for key, fields in ROWS.items() for name, paths in fields.items() for path in paths],
)
def test_a_key_reaches_what_the_contract_says(key: str, name: str, path: str) -> None:
    assert path in reached()[key].get(name, [])


@pytest.mark.parametrize("key", [key for key in ROWS if key.endswith(".replicas")])
def test_replicas_of_a_session_group_reach_nothing_else(key: str) -> None:
    paths = {path.removesuffix(CREATE_ONLY) for paths in reached()[key].values() for path in paths}
    assert paths == {"spec.replicas"}
