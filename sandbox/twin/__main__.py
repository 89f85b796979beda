"""`python -m sandbox.twin --kubeconfig F --home STATE_ROOT`: play the sessiongroups-controller of one cluster.

The kubeconfig is the administrator's: it shows which controller pods are up and asks for their tokens. Runs until
SIGTERM or SIGINT; the log goes to standard error.
"""

from __future__ import annotations

import sys

from sandbox.home import Home
from sandbox.hosted import process
from sandbox.hosted.host import Json
from sandbox.kube import Kube
from sandbox.nodes.clock import Clock
from sandbox.twin.controller import NAME
from sandbox.twin.instance import instances


def main(arguments: list[str] | None = None) -> int:
    chosen = process.parser("sandbox.twin", "Play the sessiongroups-controller.").parse_args(arguments)
    clock = Clock(Home(chosen.home))

    async def play(admin: Kube, kubeconfig: Json) -> None:
        await instances(admin, kubeconfig, lambda: clock.factor, lambda: clock.current.rows).run()

    return process.run("sandbox.twin", NAME, chosen.kubeconfig, play)


if __name__ == "__main__":
    sys.exit(main())
