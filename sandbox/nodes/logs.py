"""A container's log: lines about its life, as they would stand in the real one's output."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.nodes.clock import Signal

KEPT = 500
"""Lines of one life of a container."""


@dataclass
class Life:
    """The lines of one life: moment (epoch seconds) and text."""

    lines: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=KEPT))
    written: int = 0
    ended: bool = False


class Log:
    """The current and the previous life."""

    def __init__(self) -> None:
        self.current: Life | None = None
        self.previous: Life | None = None
        self.grown = Signal()

    def begin(self) -> None:
        self.previous, self.current = self.current, Life()

    def say(self, text: str) -> None:
        if self.current is None:
            self.current = Life()
        self.current.lines.append((time.time(), text))
        self.current.written += 1
        self.grown.fire()

    def end(self) -> None:
        if self.current is not None:
            self.current.ended = True
        self.grown.fire()


@dataclass(frozen=True)
class Options:
    """What a log request asks for (`PodLogOptions`)."""

    tail: int | None = None
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since: float | None = None
    """Epoch seconds."""
    limit_bytes: int | None = None

    @classmethod
    def of(cls, given: dict[str, str]) -> Options:
        """Raises `ValueError` for what is no number or time."""
        since = None
        if "sinceSeconds" in given:
            since = time.time() - int(given["sinceSeconds"])
        elif "sinceTime" in given:
            since = datetime.fromisoformat(given["sinceTime"]).timestamp()
        return cls(
            int(given["tailLines"]) if "tailLines" in given else None,
            given.get("follow") == "true",
            given.get("previous") == "true",
            given.get("timestamps") == "true",
            since,
            int(given["limitBytes"]) if "limitBytes" in given else None,
        )

    def wanted(self, lines: list[tuple[float, str]]) -> list[tuple[float, str]]:
        kept = [line for line in lines if self.since is None or line[0] >= self.since]
        return kept if self.tail is None else kept[len(kept) - min(self.tail, len(kept)) :]

    def text(self, line: tuple[float, str]) -> bytes:
        moment = datetime.fromtimestamp(line[0], UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ ") if self.timestamps else ""
        return f"{moment}{line[1]}\n".encode()
