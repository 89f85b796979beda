"""What a part of the platform works on (contract: transcription 2.2, 11.1; control plane 4.1)."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """What resource manager and transcribers work on."""

    REAL_TIME = "rt"
    BATCH = "batch"


class ServerMode(StrEnum):
    """What an inference server works on."""

    REAL_TIME = "rt"
    BATCH = "batch"
    TRANSLATION = "translation"
