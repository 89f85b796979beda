"""What clients ask for: one random generator a client, made from the seed and its number.

Whatever happens to the others, a client asks for the same things in the same order. One that was turned away or cut
tries again after 5 to 10 s, as the vendor tells clients to.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.sessions.model import Kind

RETRY_SECONDS = (5.0, 10.0)
"""How long a client waits before it tries again."""
COMING_SECONDS = 1.0
"""New clients come within this time. Real seconds."""
PAUSE = 0.01
"""The mean pause between two sessions of a client, as a share of their mean length."""


@dataclass(frozen=True)
class Demand:
    """What clients ask for. Lengths are seconds before the time factor: exponential around the mean, cut off."""

    mean: float
    longest: float
    languages: Sequence[str] = ("en",)
    """Chosen with equal chances; one that is named twice is asked for twice as often."""
    flow: float = 0.0
    """Share of conversations."""
    seed: int = 0


class Client:
    """What one client asks for, in order."""

    def __init__(self, demand: Demand, number: int) -> None:
        self._demand, self._random = demand, random.Random(f"{demand.seed}/{number}")
        self.comes_after = self._random.uniform(0, COMING_SECONDS)
        """Real seconds."""
        self._first = True

    def next(self) -> tuple[Kind, str, float]:
        """Kind, language and length of its next session. When its first is seen, it has been going on for a while."""
        kind = Kind.FLOW if self._random.random() < self._demand.flow else Kind.TRANSCRIPTION
        language = self._random.choice(self._demand.languages)
        length = min(self._random.expovariate(1 / self._demand.mean), self._demand.longest)
        if self._first:
            length *= self._random.random()
            self._first = False
        return kind, language, length

    def pause(self) -> float:
        return self._random.expovariate(1 / (self._demand.mean * PAUSE))

    def patience(self) -> float:
        return self._random.uniform(*RETRY_SECONDS)
