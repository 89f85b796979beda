"""Waiting for a condition of this process's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LOOKS = 0.1
"""Seconds between two looks."""


async def until(holds: Callable[[], object], within: float) -> bool:
    """Whether it came to hold before `within` seconds were over."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(LOOKS)
    return True
