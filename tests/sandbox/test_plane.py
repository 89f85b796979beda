"""The plane's processes: recorded, restarted, ended, and cleaned up after a crash, with data and ports kept."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sandbox import cli, files
from sandbox.home import CHECKOUT, Home
from sandbox.kube import Kube
from sandbox.plane import ports, record
from sandbox.plane.clusters import PlaneClusters
from sandbox.plane.control_plane import ControlPlane
from sandbox.plane.errors import PlaneError
from sandbox.plane.processes import Children, Program
from sandbox.plane.record import Record, Running
from sandbox.settings import Settings
from sandbox.toolchain import Tools

Command = Callable[..., str]

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
STUBBORN = ("/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done")


GO_PANIC = """\
panic: write /x/etcd/member/wal/0.tmp: no space left on device

goroutine 1 [running]:
go.uber.org/zap/zapcore.CheckWriteAction.OnWrite(0x0?, 0x1?, {0x0?, 0x0?, 0xc0001a2b40?})
\t/root/go/pkg/mod/go.uber.org/zap@v1.27.0/zapcore/entry.go:196 +0x54
go.etcd.io/etcd/server/v3/etcdserver.(*serverStats).SendAppendReq(...)
\t/root/go/pkg/mod/go.etcd.io/etcd/server/v3@v3.6.5/a.go:17
created by main.main in goroutine 1
\t/root/x.go:1 +0x1b
exit status 2
"""


async def eventually(check: Callable[[], object], within: float = 60) -> None:
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def program(folder: Path, name: str, command: tuple[str, ...], grace: float = 10) -> Program:
    return Program(name, command, folder, dict(os.environ), grace)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEP) as process:
        yield process
        process.kill()


# --- the record


def test_a_process_is_known_by_id_and_start_time(sleeper: subprocess.Popen[bytes]) -> None:
    known = Running.of(sleeper.pid)
    assert known.process() is not None
    assert Running(known.pid, known.started - 60).process() is None, "the id alone is not enough"
    sleeper.kill()
    sleeper.wait()
    assert known.process() is None


def test_cleaning_up_never_touches_a_stranger_with_a_recorded_id(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    book = Record(tmp_path / "plane.json")
    known = Running.of(sleeper.pid)
    book.add("long gone", Running(known.pid, known.started - 3600))
    assert record.clean(book) == 0
    assert sleeper.poll() is None
    book.add("ours", known)
    assert record.clean(book) == 1
    assert known.process() is None
    assert not book.path.exists()


def test_a_torn_record_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "plane.json").write_text('{"processes": {"etcd": {"pi')
    assert Record(tmp_path / "plane.json").leftovers() == {}


# --- ports


def test_a_port_is_kept_until_somebody_takes_it(tmp_path: Path) -> None:
    first = ports.keep(tmp_path / "ports.json", ["a", "b"])
    assert len(set(first.values())) == 2
    assert ports.keep(tmp_path / "ports.json", ["a", "b"]) == first
    with socket.create_server(("127.0.0.1", first["a"])):
        moved = ports.keep(tmp_path / "ports.json", ["a", "b"])
    assert moved["a"] != first["a"]
    assert moved["b"] == first["b"]
    assert json.loads((tmp_path / "ports.json").read_text()) == moved


# --- children


@pytest.fixture
async def children(tmp_path: Path) -> AsyncIterator[Children]:
    family = Children(Record(tmp_path / "plane.json"), lambda name: tmp_path / f"{name}.log", print)
    yield family
    await family.stop()


def pid_of(folder: Path, name: str) -> int | None:
    running = Record(folder / "plane.json").processes().get(name)
    return running.pid if running is not None and running.process() is not None else None


async def test_a_child_that_dies_is_started_again_and_recorded(
    children: Children, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await children.start(program(tmp_path, "worker", SLEEP))
    first = pid_of(tmp_path, "worker")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: pid_of(tmp_path, "worker") not in (None, first))
    assert "worker ended with -9" in capsys.readouterr().out


class FullOnce(Record):
    """A record on a disk that is full at one moment, the second time something is added."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.added: list[int] = []

    def add(self, name: str, running: Running) -> None:
        self.added.append(running.pid)
        if len(self.added) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().add(name, running)


async def test_a_full_disk_at_a_restart_ends_neither_the_keeping_nor_leaves_a_process_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = FullOnce(tmp_path / "plane.json")
    family = Children(book, lambda name: tmp_path / f"{name}.log", print)
    await family.start(program(tmp_path, "worker", SLEEP))
    os.kill(book.added[0], signal.SIGKILL)
    await eventually(lambda: len(book.added) == 3 and pid_of(tmp_path, "worker") == book.added[2])
    assert not psutil.pid_exists(book.added[1]), "held and not on record"
    assert "could not be started again ([Errno 28] No space left on device)" in capsys.readouterr().out
    await family.stop()


def test_status_fails_while_a_part_has_ended(
    sleeper: subprocess.Popen[bytes], tmp_path: Path, command: Command
) -> None:
    book = Record(tmp_path / "plane.json")
    book.begin(Running.of(os.getpid()))
    book.add("etcd", Running.of(sleeper.pid))
    book.ready({"kubernetes": 1})
    assert "etcd" in command("status")
    sleeper.kill()
    sleeper.wait()
    assert "Some of it has ended" in command("status", code=1)


async def test_the_end_of_a_log_is_what_a_go_program_said_not_its_stack(children: Children, tmp_path: Path) -> None:
    (tmp_path / "etcd.log").write_text(GO_PANIC)
    told = children.tail("etcd")
    assert told.splitlines()[1:] == [f"The end of {tmp_path}/etcd.log:", f"    {GO_PANIC.splitlines()[0]}"]
    assert told.startswith(f"The disk of {tmp_path} is full")


async def test_stopping_ends_even_a_child_that_ignores_sigterm(children: Children, tmp_path: Path) -> None:
    await children.start(program(tmp_path, "stubborn", STUBBORN, grace=0.3))
    log = tmp_path / "stubborn.log"
    await eventually(lambda: log.exists() and log.read_text())
    process = Record(tmp_path / "plane.json").processes()["stubborn"].process()
    assert process is not None
    await children.stop()
    assert not process.is_running()
    assert Record(tmp_path / "plane.json").processes() == {}


async def test_a_child_that_cannot_start_is_told_with_its_last_words(children: Children, tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    await children.start(program(tmp_path, "broken", (sys.executable, "-c", "raise SystemExit('no such key')")))
    with pytest.raises(PlaneError, match=r"broken ended while it started(.|\n)*no such key"):
        await children.until(never, ["broken"], "It was", 20)


def test_a_child_whose_parent_dies_before_it_is_recorded_never_runs(tmp_path: Path) -> None:
    """The parent is killed at the moment it would write the record."""
    parent = textwrap.dedent(f"""
        import asyncio, os, sys
        from pathlib import Path
        from sandbox.plane.processes import Children, Program
        class Killer:
            def add(self, name, running):
                print(running.pid, flush=True)
                os.kill(os.getpid(), 9)
        async def main():
            folder = Path({str(tmp_path)!r})
            family = Children(Killer(), lambda name: folder / name, print)
            await family.start(Program("child", {SLEEP!r}, folder, dict(os.environ)))
        asyncio.run(main())
    """)
    done = subprocess.run([sys.executable, "-c", parent], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    try:
        psutil.Process(int(done.stdout)).wait(10)
    except psutil.NoSuchProcess:
        return


# --- control planes

SERVERS = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"}

HOLD = """
import asyncio, sys
from pathlib import Path
from sandbox.plane.control_plane import ControlPlane
from sandbox.toolchain import Tools
async def main():
    plane = ControlPlane(Path(sys.argv[1]), Tools(Path(sys.argv[2])), agents=False)
    await plane.start()
    print("up", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.fixture
def killed(tools: Tools, tmp_path: Path) -> Path:
    """The folder of a control plane with a ConfigMap `kept`, whose parent was killed."""
    folder = tmp_path / "cluster"
    command = [sys.executable, "-c", HOLD, str(folder), str(tools.bin)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n"
        holder.kill()
    return folder


async def test_a_killed_plane_leaves_nothing_unknown_and_comes_back_with_its_data(killed: Path, tools: Tools) -> None:
    book = Record(killed / "plane.json")
    orphans = book.leftovers()
    assert {Path(name).name for name in orphans} == SERVERS
    chosen = json.loads((killed / "ports.json").read_text())
    config = (killed / "kubeconfigs" / "sandbox-kwok.yaml").read_text()
    async with Kube(config, "test") as kube:
        await kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}})
    assert record.clean(book) == len(orphans)
    assert all(map(record.has_ended, orphans.values()))
    assert all(ports.is_free(port) for port in chosen.values())

    plane = ControlPlane(killed, tools, agents=False)
    try:
        await plane.start()
        async with Kube(config, "test") as kube:
            assert await kube.find("v1", "Namespace", "kept") is not None
        running = {Path(name).name: entry.process() for name, entry in book.processes().items()}
    finally:
        await plane.stop()
    assert json.loads((killed / "ports.json").read_text()) == chosen
    assert running.keys() == SERVERS
    assert all(process is not None and record.has_ended(process) for process in running.values())
    assert book.processes() == {}
    assert all(ports.is_free(port) for port in chosen.values())


async def test_what_is_left_in_a_deleted_cluster_is_written_down(tools: Tools, tmp_path: Path) -> None:
    home = Home(tmp_path)
    clusters = PlaneClusters(home, tools, agents=False)
    try:
        await clusters.start("rg_one", "1.35")
        async with Kube(home.kubeconfig, "program") as kube:
            for kind, name, namespace in (
                ("Namespace", "empty", None),
                ("ConfigMap", "ours", "default"),
                ("ConfigMap", "ours", "kube-system"),
            ):
                meta = {"name": name} | ({"namespace": namespace} if namespace else {})
                await kube.create({"apiVersion": "v1", "kind": kind, "metadata": meta})
            claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
            meta = {"name": "data", "namespace": "default"}
            await kube.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": claim})
            await kube.delete("v1", "Namespace", "empty")
        await clusters.start("rg_one", "1.35")  # it runs: nothing happens
        await clusters.delete("rg_one")
    finally:
        await clusters.close()
    left = json.loads((tmp_path / "clusters" / "rg_one.left.json").read_text())
    assert [(entry["kind"], entry["namespace"], entry["name"]) for entry in left] == [
        ("ConfigMap", "default", "ours"),
        ("ConfigMap", "kube-system", "ours"),
        ("PersistentVolumeClaim", "default", "data"),
    ]
    assert not home.cluster("rg_one").exists()
    assert not home.kubeconfig.exists()
    with pytest.raises(PlaneError, match="rg_one"):
        clusters.admin_kubeconfig("rg_one")
    await clusters.delete("rg_one")  # it is deleted already


async def test_a_cluster_that_never_came_up_is_removed_and_one_that_is_down_is_not(
    tools: Tools, tmp_path: Path
) -> None:
    clusters = PlaneClusters(Home(tmp_path), tools, agents=False)
    folder = Home(tmp_path).cluster("rg_half")
    (folder / "pki").mkdir(parents=True)
    await clusters.delete("rg_half")
    assert not folder.exists()
    folder.mkdir()
    (folder / "bare.json").write_text("[]")
    with pytest.raises(PlaneError, match="no running control plane"):
        await clusters.delete("rg_half")
    assert folder.exists()
    assert not clusters.left_path("rg_half").exists()


# --- the command line


def sandbox(home: Path, *arguments: str, code: int = 0) -> str:
    """Run `python -m sandbox`; what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=CHECKOUT,
        env=os.environ | {"SM_SANDBOX_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == code, done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout


@pytest.fixture
def home(tools: Tools, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state"
    yield folder
    sandbox(folder, "down")


def supervisor(home: Path) -> psutil.Process:
    running = Record(home / "plane.json").supervisor
    process = running.process() if running is not None else None
    assert process is not None
    return process


def test_a_plane_is_started_once_survives_a_kill_and_stops_without_a_trace(home: Path) -> None:
    assert "is up" in sandbox(home, "start")
    first = supervisor(home)
    assert "runs already" in sandbox(home, "start")
    assert supervisor(home) == first
    providers = Record(home / "plane.json").providers
    said = sandbox(home, "status")
    assert all(str(port) in said for port in providers.values())

    beside = home.with_name("beside")
    sandbox(beside, "start")
    others = Record(beside / "plane.json").providers
    assert not set(others.values()) & set(providers.values())
    sandbox(beside, "down")
    assert not beside.exists()
    assert record.Running(first.pid, first.create_time()).process() is not None

    first.kill()
    orphans = Record(home / "plane.json").leftovers()
    assert set(orphans) - {"warm"} == {"kubernetes"}  # no program is forked beside a stock engine
    assert "does not run" in sandbox(home, "status", code=1)
    assert f"Ended {len(orphans)} process" in sandbox(home, "start")
    assert all(map(record.has_ended, orphans.values()))
    assert Record(home / "plane.json").providers == providers

    supervisor(home).kill()
    orphans = Record(home / "plane.json").leftovers()
    assert "is stopped" in sandbox(home, "stop")
    assert orphans
    assert all(map(record.has_ended, orphans.values()))
    assert all(ports.is_free(port) for port in providers.values())
    assert not (home / "plane.json").exists()


def test_a_plane_that_cannot_start_says_why_and_leaves_nothing(home: Path) -> None:
    home.mkdir()
    (home / "azure.json").write_text("not what it should be")
    said = sandbox(home, "start", code=1)
    assert "could not be started" in said
    assert str(home / "logs" / "supervisor.log") in said
    assert Record(home / "plane.json").leftovers() == {}


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command that starts nothing, within this process."""
    monkeypatch.setenv("SM_SANDBOX_HOME", str(tmp_path))

    def run(*arguments: str, code: int = 0) -> str:
        assert cli.main(list(arguments)) == code
        said = capsys.readouterr()
        return said.out + said.err

    return run


def test_nothing_runs_before_the_first_start(command: Command) -> None:
    assert "python -m sandbox start" in command("status", code=1)
    assert "python -m sandbox start" in command("env", code=1)
    assert "does not run" in command("stop")


def test_env_is_what_a_shell_can_read(command: Command, tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"kubernetes": 20001, "azure-native": 20002}')
    exports = command("env", code=1)  # the plane does not run; what it would use is printed all the same
    told = subprocess.run(
        ["/bin/sh", "-c", f"{exports}\nprintf '%s\n' \"$PULUMI_DEBUG_PROVIDERS\" \"$PULUMI_BACKEND_URL\" \"$PATH\""],
        env={"PATH": "/usr/bin"}, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert told[:2] == ["azure-native:20002,kubernetes:20001", f"file://{tmp_path}/pulumi"]
    first, second, *rest = told[2].split(":")
    assert (Path(first) / "kube-apiserver").exists()
    assert second == str(Path(sys.executable).parent)
    assert rest == ["/usr/bin"]


def test_down_removes_only_what_the_plane_made(command: Command, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    command("set", "timeFactor", "60")
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "settings.json"}
    for torn in ("plane.json.x1y2.new", "azure.json.x1y2.new", "plane.json.new"):
        (tmp_path / torn).write_text("written half, by a process that was killed")
    command("down")
    (tmp_path / "plane.json.new").unlink()  # of no form that the plane writes
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_settings_are_checked(command: Command, tmp_path: Path) -> None:
    command("set", "timeFactor", "60")
    command("set", "poolDelete", "abrupt")
    untouched = json.loads(Settings().model_dump_json(by_alias=True))
    assert untouched["outside"] == ""
    assert json.loads((tmp_path / "settings.json").read_text()) == untouched | {
        "poolDelete": "abrupt",
        "timeFactor": 60,
    }
    assert "timeFactor" in command("set", "tempo", "60", code=1)
    assert "greater than 0" in command("set", "timeFactor", "0", code=1)


@pytest.mark.parametrize("torn", ['{"timeFactor": 6', '{"timeFactor": "fast"}', '{"tempo": 60}'])
def test_settings_that_cannot_be_read_name_the_file_and_what_to_do(command: Command, tmp_path: Path, torn: str) -> None:
    (tmp_path / "settings.json").write_text(torn)
    said = command("set", "poolDelete", "abrupt", code=1)
    assert said.startswith(f"{tmp_path}/settings.json does not hold the stand-ins' settings")
    assert "or remove it" in said
    assert "Traceback" not in said


# --- files


def test_what_cannot_be_written_whole_leaves_the_old_and_nothing_else(tmp_path: Path) -> None:
    files.write_whole(tmp_path / "a.json", "old")
    with pytest.raises(UnicodeEncodeError):
        files.write_whole(tmp_path / "a.json", "\ud800")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600


def test_a_torn_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "bare.json").write_text('["v1/')
    with pytest.raises(PlaneError, match=r"bare\.json cannot be read(.|\n)*make down"):
        files.read_json(tmp_path / "bare.json", "make down")


def test_torn_ports_are_chosen_anew(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"a": 20')
    chosen = ports.keep(tmp_path / "ports.json", ["a"])
    assert ports.keep(tmp_path / "ports.json", ["a"]) == chosen


def test_a_disk_without_room_is_said_before_a_cluster_is_started(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    files.check_room(tmp_path, free // 2)
    with pytest.raises(PlaneError, match=rf"The disk of {tmp_path} is full: \d+ MB are needed(.|\n)*SM_SANDBOX_HOME"):
        files.check_room(tmp_path, 2 * free + 1)
