"""How `make bench` judges the time of `make up`."""

from __future__ import annotations

import pytest

from sandbox import starting
from tests.bench.up import verdict


@pytest.mark.parametrize(("took", "met"), [(80.0, True), (81.0, False)])
def test_the_time_of_make_up_is_judged_beside_what_the_pods_take(took: float, met: bool) -> None:
    said = starting.told(took, 50, {"what waits for nothing": 4.0, "what needs Redis": 36.0}, factor=2)
    assert verdict(f"Changed: 110 create\n{said}\n") == (
        met, f"up in {took:.0f} s: {took - 20:.0f} s beside the pods' 20 s (goal 60 s)"
    )  # fmt: skip


def test_a_run_that_says_nothing_of_its_time_is_not_judged() -> None:
    with pytest.raises(ValueError, match="said nothing"):
        verdict("Pods ready: 11/11")
