"""What stands at a bare API server before objects of other people's kinds are tried there."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.kube import Kube, KubeError
from tests.sandbox.twin.world import eventually
from tests.unit.graph import Json


async def stand(kubeconfig: str, standing: Iterable[Json], kinds: Iterable[tuple[str, str]]) -> None:
    """Apply objects and wait until the kinds (API version and name) are served."""
    async with Kube(kubeconfig, "test") as kube:
        for each in standing:
            await kube.apply(each, force=True)

        async def served() -> bool:
            try:
                for api_version, kind in kinds:
                    await kube.list(api_version, kind)
            except KubeError as error:
                if error.code in (404, 429, 503):  # not served yet, or its storage is being set up
                    return False
                raise
            return True

        await eventually(served, "the kinds are served")
