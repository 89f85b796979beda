"""Starting and ending a stand-in that runs beside a control plane."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import yaml

from sandbox.kube import Kube


def parser(module: str, description: str) -> argparse.ArgumentParser:
    """The arguments every stand-in has."""
    made = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    made.add_argument("--kubeconfig", type=Path, required=True, help="the administrator's kubeconfig of the cluster")
    made.add_argument("--home", type=Path, required=True, help="the state folder of the plane (settings.json)")
    return made


def read_kubeconfig(path: Path) -> dict[str, Any]:
    """The parsed kubeconfig. Raises `OSError` and `ValueError`."""
    parsed = yaml.safe_load(path.read_text())
    if not isinstance(parsed, dict) or "clusters" not in parsed:
        raise ValueError(f"{path} is not a kubeconfig")
    return parsed


def run(
    module: str, field_manager: str, kubeconfig: Path, play: Callable[[Kube, dict[str, Any]], Awaitable[None]]
) -> int:
    """Play until SIGTERM or SIGINT, the log on standard error; the exit code.

    `play` gets the administrator's connection and the parsed kubeconfig.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    for library in ("httpx", "httpx2", "httpcore", "httpcore2", "aiohttp.access"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        parsed = read_kubeconfig(kubeconfig)
    except (OSError, ValueError) as error:
        print(
            f"{module}: the kubeconfig cannot be read: {error}\n"
            "It is written when a cluster starts; see what runs with: python -m sandbox status",
            file=sys.stderr,
        )
        return 2
    asyncio.run(_until_told(field_manager, parsed, play))
    return 0


async def _until_told(
    field_manager: str, kubeconfig: dict[str, Any], play: Callable[[Kube, dict[str, Any]], Awaitable[None]]
) -> None:
    async with Kube(kubeconfig, field_manager) as admin:
        playing = asyncio.ensure_future(play(admin, kubeconfig))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, playing.cancel)
        await asyncio.wait({playing})
        if not playing.cancelled():
            playing.result()
