"""Differences of transcribers and inference servers."""

from __future__ import annotations

from components.speech.differences.difference import NOTHING, Added, Difference, Like
from components.speech.differences.everywhere import SERVERS
from components.speech.differences.plain import PLAIN
from components.speech.pre_stop import TRITON_PRE_STOP

TRANSCRIPTION: tuple[Difference, ...] = (
    Difference(
        f"SessionGroup/* {PLAIN}",
        "spec.template.metadata.annotations.sm-realtime/license",
        Added(Like("[0-9a-f]{16}")),
        "A process reads the license when it starts. By this another license is another version of the pods, which the "
        "controller rolls while they are idle, a plain Deployment one by one; the chart leaves old pods with the old "
        "license.",
        # nothing here sees what a store holds
        where={"transcribers.externalSecrets.enabled": NOTHING},
    ),
    Difference(
        "SessionGroup/rt-transcriber-sv",
        "spec.defrag.enabled",
        False,
        "In the chart a language's `false` cannot beat the `true` of all languages, because false counts as not set "
        "there; here it does what it says.",
    ),
    Difference(
        SERVERS,
        "spec.template.spec.containers[triton-server*].lifecycle.preStop.exec.command",
        # what it does is shown where it is run: tests/unit/components/speech/test_pre_stop.py
        ["/bin/bash", "-c", TRITON_PRE_STOP],
        "The contract describes the script and does not give it. Ours does the same, but takes a failing `netstat` for "
        "open connections and counts a server on IPv4 and IPv6 as listening.",
    ),
    Difference(
        "Service/*inference-server-*",
        "metadata.annotations.pulumi.com/skipAwait",
        Added("true"),
        "Its pods come later than the Service and load models for up to 15 minutes: `up` does not wait for them.",
    ),
)
"""The differences."""
