"""What `make up` says of the time that the pods take by the table."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import starting
from sandbox.nodes.images import PULL_SECONDS, VENDOR, of

Json = dict[str, Any]

REDIS, MANAGER = "docker.io/library/redis:7.4.11", f"{VENDOR}/resource-manager:1"
SIDECAR, TRITON = f"{VENDOR}/inference-sidecar:1", f"{VENDOR}/sm-gpu-inference-server-enhanced-recipe1:1"
PROXY, TRANSCRIBER = f"{VENDOR}/worker-proxy:1", f"{VENDOR}/rt-asr-transcriber-en:1"


def start(image: str) -> float:
    known = of(image)
    assert known is not None
    return known.start_seconds


def pod(*images: str, init: tuple[str, ...] = (), sidecar: str = "") -> Json:
    first = [{"image": each} for each in init] + ([{"image": sidecar, "restartPolicy": "Always"}] if sidecar else [])
    return {"spec": {"initContainers": first, "containers": [{"image": each} for each in images]}}


def test_containers_start_together_after_what_comes_first() -> None:
    together = starting.seconds(pod(TRITON, SIDECAR))
    assert together == PULL_SECONDS + start(TRITON)
    assert starting.seconds(pod(REDIS, init=(MANAGER,))) == 2 * PULL_SECONDS + start(REDIS)
    assert starting.seconds(pod(REDIS, sidecar=MANAGER)) == 2 * PULL_SECONDS + start(REDIS) + start(MANAGER)


@pytest.mark.parametrize(
    ("containers", "stage"), [((REDIS,), 0), ((MANAGER,), 1), ((TRITON, SIDECAR), 2), ((TRANSCRIBER, PROXY), 3)]
)
def test_pods_start_in_the_contracts_order(containers: tuple[str, ...], stage: int) -> None:
    assert starting.stage(pod(*containers)) == stage


def test_the_least_the_whole_can_take_is_the_longest_of_each_stage_one_after_the_other() -> None:
    path = starting.path([pod(REDIS), pod(MANAGER), pod(TRITON, SIDECAR), pod(TRITON, SIDECAR)])
    longest = [PULL_SECONDS + start(REDIS), PULL_SECONDS + start(MANAGER), PULL_SECONDS + start(TRITON)]
    assert list(path.values()) == longest
    assert f"the pods alone take {sum(longest) / 2:.0f} s" in starting.told(87, 66, path, 2)
