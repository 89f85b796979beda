"""Times as the API server writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(moment: float) -> str:
    """Seconds since the epoch in UTC, to the microsecond (as `metav1.MicroTime` is written)."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def timestamp(text: str) -> float:
    """An RFC 3339 time as seconds since the epoch. Raises `ValueError`."""
    return datetime.fromisoformat(text).timestamp()
