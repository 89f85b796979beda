"""A step of `kubectl` that must be refused, and what is none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandbox.drill.clients import Clients
from sandbox.drill.kinds import Kubectl
from sandbox.drill.plane import Plane
from sandbox.drill.steps import take
from sandbox.plane.errors import PlaneError

STEP = Kubectl(kubectl=("delete", "all"), says=("in use",))


async def taken(step: Kubectl, answer: str | PlaneError) -> None:
    """Take it on a plane whose `kubectl` answers so."""

    async def run(*_: str) -> str:
        if isinstance(answer, PlaneError):
            raise answer
        return answer

    plane: Any = SimpleNamespace(naive=SimpleNamespace(run=run), behind_the_engine=False)
    await take(step, cast(Plane, plane), cast(Clients, None), 1)


async def test_what_is_refused_with_its_text_goes_on() -> None:
    await taken(STEP, PlaneError("it is in use"))


@pytest.mark.parametrize(
    ("step", "answer", "says"),
    [
        (STEP, "deleted", "was not refused"),
        (STEP, PlaneError("no such kind"), "does not say 'in use'"),
        (Kubectl(kubectl=("delete", "all")), PlaneError("it is in use"), "it is in use"),
    ],
)
async def test_anything_else_ends_the_run(step: Kubectl, answer: str | PlaneError, says: str) -> None:
    with pytest.raises(PlaneError, match=says):
        await taken(step, answer)
