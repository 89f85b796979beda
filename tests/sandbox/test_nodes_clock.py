"""The clocks and signals the node stand-in waits for."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.nodes.clock import Signal


@pytest.mark.parametrize("turns", range(5))
async def test_who_waits_for_a_signal_can_be_cancelled_at_any_moment(turns: int) -> None:
    signal = Signal()

    async def wait_for_ever() -> None:
        while True:
            await signal.wait(60)

    waiting = asyncio.create_task(wait_for_ever())
    await asyncio.sleep(0)
    signal.fire()
    for _ in range(turns):
        await asyncio.sleep(0)
    waiting.cancel()
    done, _ = await asyncio.wait({waiting}, timeout=5)
    assert done, "the cancellation was forgotten"
    assert waiting.cancelled()


async def test_a_signal_that_does_not_come_is_waited_for_no_longer_than_asked() -> None:
    await asyncio.wait_for(Signal().wait(0.01), 60)
