"""`python -m sandbox.nodes --kubeconfig F --socket UNIXSOCKET --kubelet-port PORT --home STATE_ROOT`.

Plays the kubelets of one cluster until SIGTERM or SIGINT; the log goes to standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from sandbox.home import Home
from sandbox.kube import Kube
from sandbox.nodes.agent import Agent

FIELD_MANAGER = "kubelet"


async def play(kubeconfig: Path, socket: Path, kubelet_port: int, home: Home) -> None:
    """Play until told to stop."""
    async with Kube(kubeconfig, FIELD_MANAGER) as kube:
        playing = asyncio.create_task(Agent(kube, home, kubelet_port).run(socket))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, playing.cancel)
        await asyncio.wait({playing})
        if not playing.cancelled():
            playing.result()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.nodes", description="Play the kubelets of a cluster.")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the administrator's kubeconfig of the cluster")
    parser.add_argument("--socket", type=Path, required=True, help="unix socket on which the kubelet-server asks")
    parser.add_argument("--kubelet-port", type=int, required=True, help="port of the kubelet-server")
    parser.add_argument("--home", type=Path, required=True, help="the state folder of the plane (settings.json)")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    for library in ("httpx", "httpx2", "httpcore", "httpcore2"):
        logging.getLogger(library).setLevel(logging.WARNING)
    if not chosen.kubeconfig.is_file():
        print(
            f"sandbox.nodes: the kubeconfig {chosen.kubeconfig} is not there\n"
            "It is written when a cluster starts; see what runs with: python -m sandbox status",
            file=sys.stderr,
        )
        return 2
    asyncio.run(play(chosen.kubeconfig, chosen.socket, chosen.kubelet_port, Home(chosen.home)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
