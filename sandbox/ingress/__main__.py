"""`python -m sandbox.ingress --kubeconfig F --home STATE_ROOT --port PORT`: play the ingress controllers of a cluster.

The kubeconfig is the administrator's: it shows which controller pods are up and asks for their tokens. Clients connect
to the port with TLS. Runs until SIGTERM or SIGINT; the log goes to standard error.
"""

from __future__ import annotations

import asyncio
import sys

from sandbox.home import Home
from sandbox.hosted import process
from sandbox.hosted.host import Json
from sandbox.ingress.controller import NAME
from sandbox.ingress.front import Front
from sandbox.ingress.instance import instances
from sandbox.kube import Kube, KubeError
from sandbox.nodes.clock import Clock

RETRY_SECONDS = 2.0


async def play(admin: Kube, kubeconfig: Json, front: Front, port: int) -> None:
    """Play until cancelled."""
    runner = await front.serve(port)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(instances(admin, kubeconfig, front).run())
            while True:
                try:
                    await front.follow(admin)
                except KubeError:
                    await asyncio.sleep(RETRY_SECONDS)
    finally:
        await runner.cleanup()


def main(arguments: list[str] | None = None) -> int:
    parser = process.parser("sandbox.ingress", "Play the ingress controllers of a cluster.")
    parser.add_argument("--port", type=int, required=True, help="the port on loopback that clients connect to")
    chosen = parser.parse_args(arguments)
    clock = Clock(Home(chosen.home))

    async def start(admin: Kube, kubeconfig: Json) -> None:
        front = Front(lambda: clock.factor)
        await play(admin, kubeconfig, front, chosen.port)

    return process.run("sandbox.ingress", NAME, chosen.kubeconfig, start)


if __name__ == "__main__":
    sys.exit(main())
