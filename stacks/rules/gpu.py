"""Rules of the GPU pool beside those of every pool."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from stacks.problem import Problem, set_command
from stacks.schema import Settings
from stacks.schema.pools import GpuDriver, Role, State


def drivers(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The device plugin of the program finds GPUs through a driver, and brings none (NVIDIA's GPU Operator would)."""
    generations = ((pool, i, each) for pool in settings.pools.all for i, each in enumerate(pool.generations))
    for pool, index, each in generations:
        active = pool.role is Role.INFERENCE and each.state is State.ACTIVE
        if active and each.gpu_driver is GpuDriver.NONE:
            path = f"{pool.path}[{index}].gpuDriver"
            reason = (
                "without AKS's driver the nodes have no GPU to give, and nothing else here installs one, so no "
                "inference server would ever start; it is immutable, so nodes that exist need a new generation"
            )
            yield Problem(path, "no-gpu-driver", reason, set_command(path, GpuDriver.INSTALL.value))
