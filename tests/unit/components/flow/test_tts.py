"""tts beyond the contract: its voices, and what its pods are."""

from __future__ import annotations

from collections.abc import Callable

from components.cluster.license import LICENSE_ANNOTATION
from components.speech.proxy_maps import DEFAULT_AGENT
from stacks.schema.flow.tts import TtsSettings
from tests.unit.graph import Change, Graph
from tests.unit.variants import talking


def test_the_default_agent_has_a_voice_that_is_registered() -> None:
    service, _, voice = DEFAULT_AGENT["tts_config"]["preset"].partition(":")
    assert service == "SpeechmaticsTTS"
    assert voice in TtsSettings().costs


def test_a_pod_is_a_session_pod_with_a_gpu(changed: Callable[[Change | None], Graph]) -> None:
    graph = changed(talking)
    template, transcriber = (
        graph.one("kubernetes:speechmatics.com/v1:SessionGroup", name).inputs["spec"]["template"]
        for name in ("tts", "rt-transcriber-en")
    )
    assert template["spec"]["terminationGracePeriodSeconds"] == 86400
    annotations = dict(template["metadata"]["annotations"])
    # one license for all: another one is a new version of these pods as well
    assert annotations.pop(LICENSE_ANNOTATION) == transcriber["metadata"]["annotations"][LICENSE_ANNOTATION]
    assert annotations == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
    assert template["metadata"]["labels"]["speechmatics.io/safe-to-evict"] == "false"
    assert template["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert {"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"} in template["spec"][
        "tolerations"
    ]
