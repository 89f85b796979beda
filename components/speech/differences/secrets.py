"""Differences of namespace and Secrets."""

from __future__ import annotations

import base64
import binascii
import json

from components.speech.differences.difference import NOTHING, Added, Difference, Ours, Which


def _encoded_json(text: str) -> bool:
    """Whether it is JSON in base64, as a Secret holds it."""
    try:
        return isinstance(json.loads(base64.b64decode(text, validate=True)), dict)
    except (binascii.Error, ValueError):
        return False


SECRETS: tuple[Difference, ...] = (
    Difference("Namespace/*", "", Ours(), "Helm is told a namespace that exists; here it is made with the platform."),
    Difference(
        "Secret/*license",
        "data.license.json",
        Which("the text of license.json in base64", _encoded_json),
        "The content is in no file of values: it comes from the secret key `licenseJson`.",
    ),
    Difference(
        "Secret/speechmatics-registry",
        "",
        Ours({"type": "kubernetes.io/dockerconfigjson"}),
        "The README has the operator make the pull secret by hand; with `pullSecret` it is made with the platform.",
    ),
    Difference(
        "Secret/*-speaker-id",
        "",
        NOTHING,
        "The keys stand in no configuration: they are in an existing Secret, or come from a store.",
        where={"transcribers.transcriber.speakerId.enabled": True},
    ),
    Difference(
        "ExternalSecret/*",
        "spec.target.creationPolicy",
        Added("Owner"),
        "The operator's own default, written out as other ExternalSecrets of the chart have it.",
    ),
)
"""The differences."""
