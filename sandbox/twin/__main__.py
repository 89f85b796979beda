"""`python -m sandbox.twin --kubeconfig F --home STATE_ROOT`: play the sessiongroups-controller of one cluster.

The kubeconfig is the administrator's: it shows which controller pods are up and asks for their tokens. Runs until
SIGTERM or SIGINT; the log goes to standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from sandbox import settings
from sandbox.home import Home
from sandbox.kube import Kube
from sandbox.twin.identity import FIELD_MANAGER, read_kubeconfig
from sandbox.twin.instance import Instances
from sandbox.twin.model import Json


async def play(kubeconfig: Json, home: Home) -> None:
    """Play until told to stop."""
    async with Kube(kubeconfig, FIELD_MANAGER) as admin:
        instances = Instances(admin, kubeconfig, lambda: settings.read(home).time_factor)
        playing = asyncio.create_task(instances.run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, playing.cancel)
        await asyncio.wait({playing})
        if not playing.cancelled():
            playing.result()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.twin", description="Play the sessiongroups-controller.")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the administrator's kubeconfig of the cluster")
    parser.add_argument("--home", type=Path, required=True, help="the state folder of the plane (settings.json)")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    for library in ("httpx", "httpx2", "httpcore", "httpcore2"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        kubeconfig = read_kubeconfig(chosen.kubeconfig)
    except (OSError, ValueError) as error:
        print(
            f"sandbox.twin: the kubeconfig cannot be read: {error}\n"
            "It is written when a cluster starts; see what runs with: python -m sandbox status",
            file=sys.stderr,
        )
        return 2
    asyncio.run(play(kubeconfig, Home(chosen.home)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
