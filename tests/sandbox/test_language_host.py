"""The language host under the real engine: a program previewed, applied, refused and destroyed on a file backend."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from google.protobuf import struct_pb2
from pulumi import automation
from pulumi.runtime.proto import language_pb2

from sandbox.home import CHECKOUT
from sandbox.languagehost import forked, host
from sandbox.toolchain import Tools
from sandbox.toolchain.build import EXECUTOR
from tests.sandbox.warm_world import World, world

PROGRAM = """
import sys
import pulumi

class Thing(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("tiny:index:Thing", name)
        self.register_outputs({})

Thing("one")
config = pulumi.Config()
pulumi.export("greeting", config.require("greeting"))
pulumi.export("password", config.require_secret("password"))
pulumi.export("prefix", sys.prefix)
"""
RunTask = asyncio.Task[language_pb2.RunResponse]
SECRET = "correct horse battery staple"
both_ways = pytest.mark.parametrize("workspace", ["plain", "forked"], indirect=True)
"""The program is a new interpreter, or forked from a process that has imported what it needs."""


@dataclass(frozen=True)
class Workspace:
    """A Pulumi project with a state of its own."""

    folder: Path
    environment: dict[str, str]
    warm: World | None = None

    def program(self, text: str) -> None:
        (self.folder / "__main__.py").write_text(text)

    def options(self, **options: str) -> None:
        runtime = {"name": "python", "options": options}
        (self.folder / "Pulumi.yaml").write_text(json.dumps({"name": "tiny", "runtime": runtime}))

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def outputs(self) -> dict[str, Any]:
        found = json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))
        assert isinstance(found, dict)
        return found

    def diagnostics(self, output: str) -> list[str]:
        """The error lines of the summary at the end of an operation."""
        summary = output.rpartition("Diagnostics:")[2]
        return [line.strip() for line in summary.splitlines() if "error:" in line]


def workspace_in(root: Path, tools: Tools) -> Workspace:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    environment = kept | {
        "PATH": f"{tools.bin}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": (root / "state").as_uri(),
        "PULUMI_HOME": str(root / "home"),
        "PULUMI_STACK": "dev",
        "PULUMI_CONFIG_PASSPHRASE": "a passphrase",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    return Workspace(root / "project", environment)


@pytest.fixture(scope="module")
def fresh(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a configured stack that nothing was done to yet."""
    if not (tools.bin / EXECUTOR).exists():
        pytest.skip("this machine has a stock pulumi, which brings its own language host")
    root = tmp_path_factory.mktemp("fresh")
    (root / "state").mkdir()
    (root / "project").mkdir()
    made = workspace_in(root, tools)
    made.options()
    made.program(PROGRAM)
    made.pulumi("stack", "init", "dev")
    made.pulumi("config", "set", "greeting", "hello: {world}")
    made.pulumi("config", "set", "--secret", "password", SECRET)
    return root


@pytest.fixture
def workspace(fresh: Path, tools: Tools, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """A copy of the fresh project."""
    shutil.copytree(fresh, tmp_path, dirs_exist_ok=True)
    made = workspace_in(tmp_path, tools)
    if getattr(request, "param", "plain") == "plain":
        yield made
        return
    with world(tmp_path / "warm") as warm:
        made.environment[forked.PLACE] = str(warm.place)
        yield replace(made, warm=warm)
        assert psutil.Process(warm.process.pid).cpu_times().children_user > 0, "nothing was forked"
        assert warm.refusals() == []


@both_ways
def test_preview_up_refresh_and_destroy(workspace: Workspace, tmp_path: Path) -> None:
    assert "+ 2 to create" in workspace.pulumi("preview")
    assert "warning" not in workspace.pulumi("up", "--yes").lower()
    assert workspace.outputs() == {"greeting": "hello: {world}", "password": SECRET, "prefix": sys.prefix}
    state = "".join(file.read_text() for file in (tmp_path / "state").rglob("*.json"))
    assert "greeting" in state
    assert SECRET not in state
    assert "2 unchanged" in workspace.pulumi("preview", "--refresh", "--expect-no-changes")
    assert "2 deleted" in workspace.pulumi("destroy", "--run-program", "--yes")


@both_ways
def test_what_the_program_prints_is_shown(workspace: Workspace) -> None:
    workspace.program("import sys\nprint('to standard output')\nprint('to standard error', file=sys.stderr)\n")
    shown = workspace.pulumi("preview")
    assert "to standard output" in shown
    assert "to standard error" in shown


@both_ways
def test_exit_32_shows_the_programs_one_message(workspace: Workspace) -> None:
    workspace.program("import sys, pulumi\npulumi.log.error('pools: two are active')\nsys.exit(32)\n")
    shown = workspace.pulumi("preview", fails=True)
    assert workspace.diagnostics(shown) == ["error: pools: two are active"]
    assert "Traceback" not in shown


@both_ways
def test_a_raising_program_shows_where(workspace: Workspace) -> None:
    workspace.program("def fails():\n    raise ValueError('too small')\n\nfails()\n")
    shown = workspace.pulumi("preview", fails=True)
    assert workspace.diagnostics(shown) == ["error: Program failed with an unhandled exception:"]
    assert "__main__.py" in shown
    assert "ValueError: too small" in shown
    assert "runpy" not in shown


def test_a_virtual_environment_of_the_project_runs_it(workspace: Workspace) -> None:
    venv = workspace.folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True, timeout=60)
    own, ours = (sysconfig.get_path("purelib", vars={"base": str(base)}) for base in (venv, sys.prefix))
    (Path(own) / "sdk.pth").write_text(ours + "\n")
    workspace.options(virtualenv="venv")
    workspace.pulumi("up", "--yes")
    assert workspace.outputs()["prefix"] == str(venv)


def test_a_virtual_environment_that_is_none_is_an_error(workspace: Workspace) -> None:
    workspace.options(virtualenv="venv")
    shown = workspace.pulumi("preview", fails=True)
    assert f"python3 -m venv {workspace.folder / 'venv'}" in shown
    assert "Traceback" not in shown


def test_unknown_options_are_refused(workspace: Workspace) -> None:
    workspace.options(typechecker="mypy")
    assert "does not know ['typechecker']" in workspace.pulumi("preview", fails=True)


def test_the_host_imports_the_messages_of_the_sdk_and_no_more(tools: Tools, fresh: Path) -> None:
    script = tools.bin / "pulumi-language-python.py"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", script], cwd=fresh, capture_output=True, text=True, check=False
    )
    assert "the engine's address is missing" in done.stderr
    imported = set(re.findall(r"\| +(pulumi[\w.]*)$", done.stderr, re.MULTILINE))
    assert "pulumi.runtime.proto.language_pb2" in imported
    assert [name for name in imported if not name.startswith("pulumi.runtime.proto")] == []


def test_about_names_interpreter_and_packages(workspace: Workspace) -> None:
    about = json.loads(workspace.pulumi("about", "--json"))
    assert about["runtime"]["executable"] == sys.executable
    packages = {package["name"]: package["version"] for package in about["dependencies"]}
    assert packages["pulumi-kubernetes"] == "4.34.2"
    assert "pulumi" not in packages, "what another package needs is not a dependency of the program's own"


def test_install_says_there_is_nothing_to_do(workspace: Workspace) -> None:
    assert "nothing to install" in workspace.pulumi("install")


def test_the_automation_api(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in workspace.environment.items():
        monkeypatch.setenv(key, value)
    stack = automation.select_stack("dev", work_dir=str(workspace.folder))
    seen: list[str] = []

    def on_event(event: automation.EngineEvent) -> None:
        if event.resource_pre_event is not None:
            seen.append(event.resource_pre_event.metadata.op)

    assert stack.preview(on_event=on_event).change_summary == {automation.OpType.CREATE: 2}
    assert seen == ["create", "create"]
    assert stack.up().outputs["greeting"].value == "hello: {world}"
    destroyed = stack.destroy(run_program=True).summary.resource_changes
    assert destroyed is not None
    assert destroyed[automation.OpType.DELETE] == 2


@both_ways
def test_host_and_program_end_with_a_killed_engine(workspace: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        address = server.getsockname()
        workspace.program(f"import signal, socket\nhere = socket.create_connection({address})\nsignal.pause()\n")
        with subprocess.Popen(
            ["pulumi", "--non-interactive", "preview"],
            cwd=workspace.folder,
            env=workspace.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as engine:
            try:
                server.accept()[0].close()  # the program runs
                family = psutil.Process(engine.pid).children(recursive=True)
                programs = psutil.Process(workspace.warm.process.pid).children() if workspace.warm else family
                commands = [" ".join(process.cmdline()) for process in family]
                assert workspace.warm or any(EXECUTOR in command for command in commands), commands
            finally:
                engine.kill()
    assert any("pulumi-language-python.py" in command for command in commands), commands
    assert programs
    _, alive = psutil.wait_procs({*family, *programs}, timeout=60)
    assert not alive


class TestAlone:
    """The host without an engine."""

    @contextmanager
    def start(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-m", host.__name__, *arguments],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_it_prints_its_port_and_stops_on_a_signal(self, number: signal.Signals) -> None:
        with self.start("-tracing=x", "127.0.0.1:1") as process:
            assert process.stdout is not None
            assert 0 < int(process.stdout.readline()) < 65536
            process.send_signal(number)
            assert process.wait(30) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""

    def test_it_stops_when_its_standard_input_ends(self) -> None:
        with self.start("127.0.0.1:1") as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) == 0

    def test_it_wants_the_engines_address(self) -> None:
        with self.start("-tracing=x") as process:
            assert process.wait(30) == 2
            assert process.stderr is not None
            assert "address is missing" in process.stderr.read()


class TestRun:
    """One run, with a script of the test in the executor's place."""

    @pytest.fixture(autouse=True, params=["plain", "forked"])
    def way(self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        if request.param == "plain":
            yield
            return
        with world(tmp_path) as warm:
            monkeypatch.setenv(forked.PLACE, str(warm.place))
            yield
            assert warm.refusals() == []

    def with_program(self, folder: Path, script: str) -> tuple[host.LanguageHost, language_pb2.RunRequest]:
        made = host.LanguageHost("127.0.0.1:1")
        made.executor = folder / EXECUTOR
        made.executor.write_text(f"import os, signal, sys, time\n{script}\n")
        info = language_pb2.ProgramInfo(root_directory=str(folder), program_directory=str(folder), entry_point=".")
        return made, language_pb2.RunRequest(pwd=str(folder), info=info)

    @pytest.mark.parametrize(
        ("script", "error", "bail"),
        [
            ("", "", False),
            ("sys.exit(32)", "", True),
            ("sys.exit(7)", "the program exited with 7", False),
            ("os.kill(os.getpid(), signal.SIGKILL)", "the program was ended by signal SIGKILL", False),
        ],
    )
    async def test_how_it_ended(self, tmp_path: Path, script: str, error: str, bail: bool) -> None:
        made, request = self.with_program(tmp_path, script)
        answer = await made.Run(request, None)
        assert (answer.error, answer.bail) == (error, bail)

    async def test_a_debugger_is_refused(self, tmp_path: Path) -> None:
        made, request = self.with_program(tmp_path, "open('ran', 'w')")
        request.attach_debugger = True
        assert "debugger" in (await made.Run(request, None)).error
        assert not (tmp_path / "ran").exists()

    @asynccontextmanager
    async def running(self, folder: Path, prepare: str) -> AsyncIterator[tuple[host.LanguageHost, RunTask, int]]:
        """A run of a program that has done `prepare` and now waits for ever; the number is its process."""
        loop = asyncio.get_running_loop()
        said: asyncio.Future[int] = loop.create_future()

        async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            said.set_result(int(await reader.readline()))
            writer.close()

        async with await asyncio.start_server(hear, "127.0.0.1") as server:
            address = server.sockets[0].getsockname()
            tell = f"import socket; socket.create_connection({address}).send(b'%d\\n' % os.getpid())"
            made, request = self.with_program(folder, f"{prepare}\n{tell}\nsignal.pause()")
            run = asyncio.create_task(made.Run(request, None))
            pid = await asyncio.wait_for(said, 60)
            try:
                yield made, run, pid
            finally:
                with suppress(ProcessLookupError):  # gone, as it should be
                    os.kill(pid, signal.SIGKILL)

    async def test_a_program_that_will_not_stop_is_killed(self, tmp_path: Path) -> None:
        deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
        async with self.running(tmp_path, deaf) as (made, run, pid):
            await asyncio.wait_for(made.stop(), 60)
            assert not psutil.pid_exists(pid)
            assert "SIGKILL" in (await asyncio.wait_for(run, 60)).error

    async def test_a_call_that_is_given_up_ends_its_program(self, tmp_path: Path) -> None:
        async with self.running(tmp_path, "") as (_, run, pid):
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            assert not psutil.pid_exists(pid)


class TestPure:
    REQUEST = language_pb2.RunRequest(
        project="tiny",
        stack="dev",
        pwd="/project",
        args=["--monitor", "theirs"],
        config={"tiny:a": "1"},
        configSecretKeys=["tiny:b"],
        dryRun=True,
        parallel=16,
        monitor_address="127.0.0.1:2",
        organization="organization",
        info=language_pb2.ProgramInfo(root_directory="/project", program_directory="/project", entry_point="."),
    )

    def test_the_programs_own_arguments_come_after_its_name(self) -> None:
        given = host.arguments("127.0.0.1:1", self.REQUEST)
        assert given[-4:] == ["--", ".", "--monitor", "theirs"]
        assert set(given[:-4]) == {
            "--monitor=127.0.0.1:2",
            "--engine=127.0.0.1:1",
            "--project=tiny",
            "--root_directory=/project",
            "--stack=dev",
            "--pwd=/project",
            "--dry_run=true",
            "--parallel=16",
            "--organization=organization",
        }

    def test_configuration_goes_through_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHONHOME", "/somewhere/else")
        made = host.environment("/venv/bin/python", self.REQUEST)
        assert json.loads(made["PULUMI_CONFIG"]) == {"tiny:a": "1"}
        assert json.loads(made["PULUMI_CONFIG_SECRET_KEYS"]) == ["tiny:b"]
        assert made["VIRTUAL_ENV"] == "/venv"
        assert made["PATH"].split(os.pathsep)[0] == "/venv/bin"
        assert "PYTHONHOME" not in made

    @pytest.mark.parametrize("options", [{"toolchain": "poetry"}, {"binary": "x"}, {"virtualenv": "nowhere"}])
    def test_options_it_cannot_honour_are_refused(self, options: dict[str, str], tmp_path: Path) -> None:
        given = struct_pb2.Struct()
        given.update(options)
        with pytest.raises(host.HostError):
            host.interpreter(str(tmp_path), dict(given))

    def test_without_options_its_own_interpreter_runs_programs(self, tmp_path: Path) -> None:
        assert host.interpreter(str(tmp_path), {"toolchain": "pip"}) == sys.executable
