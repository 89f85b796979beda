"""`python -m sandbox.nodes --kubeconfig F --socket UNIXSOCKET --kubelet-port PORT --home STATE_ROOT`.

Plays the kubelets of one cluster until SIGTERM or SIGINT; the log goes to standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sandbox.home import Home
from sandbox.hosted import process
from sandbox.kube import Kube
from sandbox.nodes.agent import Agent

FIELD_MANAGER = "kubelet"


def main(arguments: list[str] | None = None) -> int:
    parser = process.parser("sandbox.nodes", "Play the kubelets of a cluster.")
    parser.add_argument("--socket", type=Path, required=True, help="unix socket on which the kubelet-server asks")
    parser.add_argument("--kubelet-port", type=int, required=True, help="port of the kubelet-server")
    chosen = parser.parse_args(arguments)

    async def play(kube: Kube, _: dict[str, Any]) -> None:
        await Agent(kube, Home(chosen.home), chosen.kubelet_port).run(chosen.socket)

    return process.run("sandbox.nodes", FIELD_MANAGER, chosen.kubeconfig, play)


if __name__ == "__main__":
    sys.exit(main())
