"""`python -m sandbox.plane.supervisor --tools FOLDER`: the daemon that hosts Azure and keeps everything running.

Started by `python -m sandbox start`, ended by SIGTERM. Its log is `logs/supervisor.log`; `plane.json` says when it is
ready and what it started.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from sandbox import rpc, shell
from sandbox.files import full, is_full
from sandbox.home import Home
from sandbox.kube import KubeError
from sandbox.plane import ports
from sandbox.plane.clusters import PlaneClusters
from sandbox.plane.errors import PlaneError
from sandbox.plane.processes import Children, Program
from sandbox.plane.programs import environment
from sandbox.plane.record import Record, Running, clean
from sandbox.toolchain import ToolchainError, Tools

PROVIDERS = ("azure-native", "kubernetes")
"""The Pulumi packages whose providers are played."""

ANSWER_WITHIN = 30.0
"""Seconds until the Kubernetes provider stand-in has to listen; it takes 1 s."""

CLOSE_WITHIN = 5.0
"""Seconds that calls of the engine still under way get when the plane stops."""

_log = logging.getLogger("supervisor")


class Supervisor:
    """All that one plane runs."""

    def __init__(self, home: Home, tools: Tools) -> None:
        self.home, self.tools = home, tools
        self.record = Record(home.plane)

    async def run(self) -> None:
        """Bring the plane up, keep it until SIGTERM or SIGINT, end everything. Raises what prevented it."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        self.record.begin(Running.of(os.getpid()))
        async with AsyncExitStack() as stack:
            if await _unless(stop, self._bring_up(stack)):
                _log.info("ready")
                await stop.wait()
            _log.info("stopping")
        self.record.clear()
        _log.info("stopped")

    async def _bring_up(self, stack: AsyncExitStack) -> None:
        # Imported here: the types of every Azure resource take seconds to load, and a plane that cannot start for
        # another reason should say so at once.
        from sandbox.azure import catalogue
        from sandbox.azure.provider import AzureProvider

        kept = ports.keep(self.home.root / "ports.json", PROVIDERS)
        children = Children(self.record, self.home.log, _log.warning)
        clusters = PlaneClusters(self.home, self.tools)
        azure = AzureProvider(self.home, clusters)
        stack.push_async_callback(clusters.close)
        stack.push_async_callback(azure.close)
        stack.push_async_callback(children.stop)
        await children.start(self._kubernetes(kept["kubernetes"]))
        if self.tools.warm.exists() and hasattr(os, "pidfd_open"):
            await children.start(self._warm())
        await azure.recover()
        server, _ = await rpc.serve(azure, kept["azure-native"])
        stack.push_async_callback(server.stop, CLOSE_WITHIN)
        await children.until(
            lambda: _listens(kept["kubernetes"]), ["kubernetes"], "The Kubernetes provider was", ANSWER_WITHIN
        )
        self.record.ready(kept)
        threading.Thread(target=catalogue.load, name="types of Azure", daemon=True).start()

    def _kubernetes(self, port: int) -> Program:
        command = [sys.executable, "-m", "sandbox.kubernetes", "--port", str(port)]
        return Program("kubernetes", command, self.home.root, environment(self.tools))

    def _warm(self) -> Program:
        """What programs are forked from; its environment is that of the shells which use the plane."""
        command = [sys.executable, "-u", str(self.tools.warm), self.home.warm.name]
        given = {k: v for k, v in shell.environment(self.home, self.tools).items() if k != "PYTHONPATH"}
        return Program("warm", command, self.home.root, given)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work, or drop it when `stop` comes first; whether it was done. Raises what the work raises."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        await working
        return True
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):  # that is what was asked for
        await working
    return False


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _failed(record: Record, why: str) -> int:
    with contextlib.suppress(OSError):  # no room for it either: the log may have it
        record.fail(why)
    return 1


def main(arguments: list[str] | None = None) -> int:
    """Run until told to stop; 1 when the plane could not be brought up, with the reason in `plane.json`."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.plane.supervisor")
    parser.add_argument("--tools", type=Path, required=True, help="the folder with the plane's programs")
    tools = Tools(parser.parse_args(arguments).tools)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr)
    for library in ("httpx", "httpx2", "httpcore", "httpcore2"):
        logging.getLogger(library).setLevel(logging.WARNING)
    home = Home()
    record = Record(home.plane)
    if record.supervisor is not None and record.supervisor.process() is not None:
        print(f"A supervisor of {home.root} runs already (process {record.supervisor.pid}).", file=sys.stderr)
        return 1
    try:
        clean(record)
        asyncio.run(Supervisor(home, tools).run())
    except (PlaneError, ToolchainError, KubeError, OSError) as error:
        why = full(home.root) if isinstance(error, OSError) and is_full(error) else str(error)
        _log.error("%s", why)
        return _failed(record, why)
    except Exception as error:
        _log.exception("a fault of the sandbox itself")
        return _failed(record, f"{type(error).__name__}: {error} (a fault of the sandbox itself)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
