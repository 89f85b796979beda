"""`python -m sandbox.kubernetes --port P`: serve until told to stop. Ready when the port listens; logs to stderr."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from sandbox import rpc
from sandbox.kubernetes.provider import Provider

STOP_GRACE_SECONDS = 1.0


async def run(port: int) -> None:
    """Serve on loopback until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    provider = Provider()
    server, bound = await rpc.serve(provider, port)
    print(f"kubernetes stand-in listens on 127.0.0.1:{bound}", file=sys.stderr)
    await stop.wait()
    await server.stop(STOP_GRACE_SECONDS)
    await provider.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.kubernetes", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="the port on 127.0.0.1 to listen on")
    asyncio.run(run(parser.parse_args().port))


if __name__ == "__main__":
    main()
