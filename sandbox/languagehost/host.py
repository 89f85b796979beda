"""`pulumi-language-python`: runs Python programs for the engine.

The engine starts it with its own address as the last argument, reads the port from the first line of standard output,
calls `LanguageRuntime` on it, holds its standard input open as long as it lives, and sends SIGINT when it is done.
Everything after the first line of standard output, and all of standard error, the engine shows to the user: the
program's output goes there as it is.

This folder needs nothing but the SDK, because the toolchain copies it beside the engine. What the stock host does and
this one does not (type checkers, debuggers, plugins written in Python, code generation) is refused by name.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc.aio
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from .forked import PLACE, Forked, fork

EXECUTOR = "pulumi-language-python-exec"
SHOWN = 32
"""The executor's exit code for "the message has been shown": the engine then adds none of its own."""
STOP_SECONDS = 2.0
"""How long a program has between being asked to stop and being killed; the engine gives this process 5 s in all."""
MESSAGE_LIMIT = 400 * 1024 * 1024
"""Bytes of one message: what the engine itself allows."""

Process = asyncio.subprocess.Process | Forked

LIST_PACKAGES = """
import json, re
from importlib.metadata import distributions
same = lambda name: re.sub(r"[-_.]+", "-", name).lower()
found = {same(d.name): d for d in distributions() if d.name}
needed = {same(re.match(r"[A-Za-z0-9._-]+", r)[0]) for d in found.values() for r in d.requires or []}
print(json.dumps([[n, d.version, n in needed] for n, d in sorted(found.items())]))
"""


class HostError(Exception):
    """What is asked for cannot be done; the text is for the user."""


def interpreter(root: str, options: Mapping[str, Any]) -> str:
    """The Python that runs the program, by `runtime.options` of Pulumi.yaml: `virtualenv`'s, else this process's own.

    Raises `HostError` for a virtual environment that is not one and for options this host does not know.
    """
    unknown = sorted(set(options) - {"virtualenv", "toolchain"})
    if unknown:
        raise HostError(f"runtime.options of Pulumi.yaml: the sandbox's language host does not know {unknown}")
    toolchain = options.get("toolchain", "pip")
    if toolchain not in ("pip", "uv"):
        raise HostError(f"runtime.options.toolchain of Pulumi.yaml is {toolchain!r}; this host knows pip and uv")
    if not options.get("virtualenv"):
        return sys.executable
    folder = Path(root) / str(options["virtualenv"])
    python = folder / "bin" / "python"
    if not (folder / "pyvenv.cfg").is_file() or not python.exists():
        raise HostError(
            f"runtime.options.virtualenv of Pulumi.yaml names {folder}, which is not a virtual environment. Make it:\n"
            f"  python3 -m venv {folder} && {python} -m pip install -r {Path(root) / 'requirements.txt'}"
        )
    return str(python)


def environment(python: str, request: language_pb2.RunRequest) -> dict[str, str]:
    """The program's environment: this one's, with the virtual environment active and the stack's configuration."""
    folder = Path(python).parent
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONHOME"}
    return kept | {
        "VIRTUAL_ENV": str(folder.parent),
        "PATH": os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)]),
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }


def arguments(engine: str, request: language_pb2.RunRequest) -> list[str]:
    """The executor's arguments for one run."""
    options = {
        "monitor": request.monitor_address,
        "engine": engine,
        "project": request.project,
        "root_directory": request.info.root_directory,
        "stack": request.stack,
        "pwd": request.pwd or request.info.program_directory,
        "dry_run": "true" if request.dryRun else "false",
        "parallel": str(request.parallel),
        "organization": request.organization,
    }
    given = [f"--{name}={value}" for name, value in options.items() if value]
    return [*given, "--", request.info.entry_point or ".", *request.args]


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """What engine 3.255 calls for preview, up, destroy, refresh, import, about and install; the rest is refused."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._running: set[Process] = set()
        self.executor = Path(__file__).resolve().parents[1] / EXECUTOR

    async def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: Any
    ) -> language_pb2.LanguageHandshakeResponse:
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    async def GetPluginInfo(self, request: empty_pb2.Empty, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=version("pulumi"))

    async def GetRequiredPlugins(
        self, request: language_pb2.GetRequiredPluginsRequest, context: Any
    ) -> language_pb2.GetRequiredPluginsResponse:
        return language_pb2.GetRequiredPluginsResponse()

    async def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: Any
    ) -> language_pb2.GetRequiredPackagesResponse:
        """None: the engine would download them, and the sandbox's providers are attached to, not installed."""
        return language_pb2.GetRequiredPackagesResponse()

    async def Run(self, request: language_pb2.RunRequest, context: Any) -> language_pb2.RunResponse:
        if request.attach_debugger:
            return language_pb2.RunResponse(error="the sandbox's language host cannot attach a debugger")
        try:
            python = interpreter(request.info.root_directory, dict(request.info.options))
        except HostError as error:
            return language_pb2.RunResponse(error=str(error))
        process = await self._start(python, request)
        self._running.add(process)
        try:
            code = await process.wait()
        finally:
            await self._end(process)
        if code == 0:
            return language_pb2.RunResponse()
        if code == SHOWN:
            return language_pb2.RunResponse(bail=True)
        ended = f"exited with {code}" if code > 0 else f"was ended by signal {signal.Signals(-code).name}"
        return language_pb2.RunResponse(error=f"the program {ended}")

    async def _start(self, python: str, request: language_pb2.RunRequest) -> Process:
        """The executor's process: forked where the plane has one to fork from that is as good as a new one."""
        command = [str(self.executor), *arguments(self._engine, request)]
        folder, given = request.pwd or request.info.program_directory, environment(python, request)
        if (place := os.environ.get(PLACE)) and python == sys.executable:
            program = str(Path(folder, request.info.entry_point or "."))
            if (forked := await fork(place, python, command, given, folder, program)) is not None:
                return forked
        return await asyncio.create_subprocess_exec(
            python, "-u", *command, cwd=folder, env=given, stdin=asyncio.subprocess.DEVNULL
        )

    async def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: Any
    ) -> AsyncIterator[language_pb2.InstallDependenciesResponse]:
        """Nothing is installed: the sandbox's environment is complete, a virtual environment is its owner's."""
        try:
            python = interpreter(request.info.root_directory, dict(request.info.options))
        except HostError as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        text = f"The program runs with {python}, which is complete; nothing to install.\n"
        yield language_pb2.InstallDependenciesResponse(stdout=text.encode())

    async def About(self, request: language_pb2.AboutRequest, context: Any) -> language_pb2.AboutResponse:
        python = await self._interpreter(request.info, context)
        text = await self._output(python, "import platform; print(platform.python_version())")
        return language_pb2.AboutResponse(executable=python, version=text.strip())

    async def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: Any
    ) -> language_pb2.GetProgramDependenciesResponse:
        """What is installed for the program; without `transitiveDependencies` only what nothing else there needs."""
        python = await self._interpreter(request.info, context)
        packages = json.loads(await self._output(python, LIST_PACKAGES))
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=name, version=found)
                for name, found, needed in packages
                if request.transitiveDependencies or not needed
            ]
        )

    async def GenerateProgram(
        self, request: language_pb2.GenerateProgramRequest, context: Any
    ) -> language_pb2.GenerateProgramResponse:
        """Refused: `pulumi import` asks for it after the import is done, unless told not to."""
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "the sandbox's language host generates no code; what was imported is in the state. "
            "Say so: pulumi import --generate-code=false",
        )
        raise AssertionError("abort raises")

    async def RuntimeOptionsPrompts(
        self, request: language_pb2.RuntimeOptionsRequest, context: Any
    ) -> language_pb2.RuntimeOptionsResponse:
        return language_pb2.RuntimeOptionsResponse()

    async def Cancel(self, request: empty_pb2.Empty, context: Any) -> empty_pb2.Empty:
        """The engine is about to stop: so are the programs."""
        await self.stop()
        return empty_pb2.Empty()

    async def stop(self) -> None:
        """End every program that still runs."""
        await asyncio.gather(*(self._end(process) for process in list(self._running)))

    async def _interpreter(self, info: language_pb2.ProgramInfo, context: Any) -> str:
        try:
            return interpreter(info.root_directory, dict(info.options))
        except HostError as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise

    async def _output(self, python: str, script: str) -> str:
        process = await asyncio.create_subprocess_exec(
            python, "-c", script, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise HostError(f"{python} exited with {process.returncode}")
        return output.decode()

    async def _end(self, process: Process) -> None:
        self._running.discard(process)
        if process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):  # it ended between the two
                process.kill()
            await process.wait()


async def _engine_gone() -> None:
    """Returns when standard input ends, which is when the engine's process does, however that happens."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        continue


async def serve(engine: str) -> None:
    """Serve until SIGINT, SIGTERM or the end of the engine."""
    options = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)]
    server = grpc.aio.server(options=options)
    host = LanguageHost(engine)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await server.start()
    print(port, flush=True)
    ends = [asyncio.create_task(stopped.wait()), asyncio.create_task(_engine_gone())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    await host.stop()
    await server.stop(grace=None)
    for end in ends:
        end.cancel()


def main() -> int:
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not addresses:
        print("pulumi-language-python: the engine's address is missing", file=sys.stderr)
        return 2
    asyncio.run(serve(addresses[-1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
