"""When clients that keep the record of a name ask for it again."""

from __future__ import annotations

import pytest

from sandbox.drill.clients import moves


@pytest.mark.parametrize("seed", range(5))
def test_each_client_asks_again_while_its_record_runs_out(seed: int) -> None:
    times = moves(200, 5.0, seed)
    assert len(times) == 200
    assert times == sorted(times)
    assert 0 <= times[0] < 1
    assert 4 < times[-1] <= 5, "not all of them at once"


def test_the_same_seed_is_the_same_shift_and_another_is_another() -> None:
    assert moves(12, 5.0, 1) == moves(12, 5.0, 1)
    assert moves(12, 5.0, 1) != moves(12, 5.0, 2)


def test_a_record_that_nobody_kept_is_asked_for_at_once() -> None:
    assert moves(3, 0.0, 1) == [0.0, 0.0, 0.0]
