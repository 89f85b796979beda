"""Differences of plain Deployments, which hold sessions where session groups are off."""

from __future__ import annotations

from components.speech.differences.difference import Added, Difference
from components.speech.differences.everywhere import (
    DAY,
    GRACE,
    PLAIN_SERVERS,
    PLAIN_TRANSCRIBERS,
    SURGE,
    surging,
)
from components.speech.plain import MODEL_SECONDS

PLAIN = f"{PLAIN_TRANSCRIBERS} {PLAIN_SERVERS} Deployment/flow-service Deployment/tts"

_READY = (
    "Loading models takes up to 15 minutes, and transcribers wait for it; with a node that is still on its way it is "
    "far more than Kubernetes' ten minutes, after which an update has failed."
)

PLAIN_DEPLOYMENTS: tuple[Difference, ...] = (
    # in a session group the chart writes no grace
    Difference(PLAIN_TRANSCRIBERS, "spec.template.spec.terminationGracePeriodSeconds", DAY, GRACE),
    Difference(PLAIN, "spec.strategy.type", Added("RollingUpdate"), SURGE),
    *surging(PLAIN, Added(1), Added(0)),
    Difference(
        f"{PLAIN_TRANSCRIBERS} {PLAIN_SERVERS} Deployment/tts",
        "spec.progressDeadlineSeconds",
        Added(MODEL_SECONDS),
        _READY,
    ),
    Difference(
        "Service/*rt-transcriber-*",
        "metadata.annotations.pulumi.com/skipAwait",
        Added("true"),
        "The Deployment is awaited; its pods are ready when inference servers are.",
    ),
)
"""The differences."""
