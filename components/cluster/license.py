"""The license: its text, its last day, and whether it is another one.

The file's fields are the vendor's own documentation (docs.speechmatics.com, on-prem, containers, licensing; read
2026-11-27): `metadata.request.notValidAfter` is a date, and the license ends at 00:00 UTC on it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pulumi

from components.speech.pod import Files

LICENSE_KEY = "license.json"
"""Key of the license Secret (contract: transcription 14.9)."""

LICENSE_ANNOTATION = "sm-realtime/license"
"""Annotation of pods that read the license when they start: another license is another version of them."""

WARN_DAYS = 30
"""How long before its end a license is reported."""


@dataclass(frozen=True)
class License:
    """The license Secret that a pod reads."""

    secret: str
    version: pulumi.Input[str] | None
    """Tells this license from another (see `fingerprint`); None where it is not known: it comes from a store."""

    @property
    def annotations(self) -> dict[str, pulumi.Input[str]]:
        """By which another license is another version of a pod."""
        return {} if self.version is None else {LICENSE_ANNOTATION: self.version}


class LicenseError(ValueError):
    """Why a text is no license; it never holds any of the text."""


def license_text(given: str) -> str:
    """The text of license.json, given as it is or in base64, as the chart's values hold it. Raises `LicenseError`."""
    text = given.strip()
    if not text.startswith("{"):
        try:
            text = base64.b64decode("".join(text.split()), validate=True).decode().strip()
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise LicenseError("it is neither JSON nor JSON in base64") from error
    try:
        found = json.loads(text)
    except ValueError as error:
        raise LicenseError("it is no JSON: cut short, or not the file itself") from error
    if not isinstance(found, dict):
        raise LicenseError("it is JSON, and no object as license.json is")
    return text


def license_file(secret: pulumi.Input[str]) -> Files:
    """The license as the one file that transcribers and Flow's pods read."""
    items = [{"key": LICENSE_KEY, "path": LICENSE_KEY}]
    return Files(
        ({"name": "license", "secret": {"secretName": secret, "items": items}},),
        ({"name": "license", "mountPath": f"/{LICENSE_KEY}", "subPath": LICENSE_KEY, "readOnly": True},),
    )


def fingerprint(name: str, text: str) -> str:
    """Tells one content of a Secret from another, and nothing else of it.

    It stands in clear on pods. A license holds a signature, so nobody finds it by trying texts against a hash, which
    is cut to 64 bits besides. A password can be found so: of an address that holds one there is a mark of another kind
    (`components.cluster.control_plane_credentials`).
    """
    return hashlib.sha256(f"{name}\0{text}".encode()).hexdigest()[:16]


def ends(text: str) -> datetime | None:
    """When the license ends; None where the file does not say it in a way that is known. Never raises."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    places = [_at(found, "metadata", "request", "notValidAfter"), _at(found, "notValidAfter"), _at(found, "exp")]
    moments = [moment for moment in map(_moment, places) if moment is not None]
    return min(moments, default=None)


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _moment(value: Any) -> datetime | None:
    """A date, a point in time, or seconds since 1970, as a point in time."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if not isinstance(value, str):
            return None
        if len(value) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
        found = datetime.fromisoformat(value)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def warning(end: datetime | None, now: datetime) -> str | None:
    """What to say of a license that ends soon or has ended: the same words on every run of one kind."""
    if end is None:
        return None
    day = end.astimezone(UTC).date().isoformat()
    if end <= now:
        return f"the license ended on {day} at 00:00 UTC: containers run on and transcribe nothing"
    if (end - now).days < WARN_DAYS:
        return f"the license ends on {day} at 00:00 UTC: from then on containers run and transcribe nothing"
    return None
