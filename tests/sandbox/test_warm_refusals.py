"""What is not forked but started plainly, who may ask for a fork, and who ends with whom."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from sandbox.home import CHECKOUT
from sandbox.languagehost import forked
from tests.sandbox.warm_world import SECONDS, World, environment, world


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


async def test_a_module_with_a_librarys_name_is_the_projects(here: World) -> None:
    await here.until_loaded("colorsys")
    other = here.folder / "other"
    for folder in (here.program, other):
        folder.mkdir(exist_ok=True)
        (folder / "colorsys.py").touch()
        assert await here.start(here.script(""), PYTHONPATH=str(other)) is None
        assert here.refusals()[-1] == f"a plain start: {folder} has colorsys"
        (folder / "colorsys.py").unlink()
    (other / "sitecustomize").mkdir()
    assert await here.start(here.script(""), PYTHONPATH=str(other)) is None
    (other / "sitecustomize").rmdir()
    (other / "colorsys.txt").touch()
    assert await here.run(here.script(""), PYTHONPATH=str(other)) == 0


@pytest.mark.parametrize("variable", ["PYTHONOPTIMIZE", "PYTHONPYCACHEPREFIX", "LC_ALL", "TZ", "LD_PRELOAD"])
async def test_a_variable_of_the_interpreters_own_is_no_forks_affair(here: World, variable: str) -> None:
    assert await here.start(here.script(""), **{variable: "other"}) is None
    assert here.refusals() == [f"a plain start: other values of {variable}"]


async def test_another_interpreter_is_no_forks_affair(here: World) -> None:
    other = replace(here, python=str(Path(here.python).with_name("python3")))
    assert await other.start(here.script("")) is None
    assert await here.run(here.script("")) == 0


async def test_other_limits_are_no_forks_affair(here: World) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    mask = os.umask(0o27)
    assert await here.start(here.script("")) is None
    os.umask(mask)
    assert await here.run(here.script("")) == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        assert await here.start(here.script("")) is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert await here.run(here.script("")) == 0
    assert len(here.refusals()) == 2


@contextmanager
def with_package(folder: Path, text: str, lazy: str = "") -> Iterator[tuple[World, Path]]:
    """The process of a virtual environment that has a module `package`; the second is its file."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True, timeout=60)
    library = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    (library / "package.py").write_text(text)
    (library / "lazy.py").write_text(lazy)
    with world(folder, str(folder / "venv" / "bin" / "python")) as made:
        yield made, library / "package.py"


async def test_another_release_of_a_package_is_seen(tmp_path: Path) -> None:
    with with_package(tmp_path, "VALUE = 1") as (here, package):
        await here.until_loaded("package")
        runs = await here.start(here.script("import signal\nsignal.pause()"))
        assert runs is not None
        package.write_text("VALUE = 22")
        assert await here.start(here.script("")) is None
        assert here.process.poll() is None, "a program still runs"
        runs.terminate()
        assert await runs.wait() == -signal.SIGTERM
        assert await here.start(here.script("")) is None
        assert here.process.wait(SECONDS) == 1
        assert here.refusals()[-1] == f"{package} has changed: a new process takes over"


async def test_another_package_is_seen(tmp_path: Path) -> None:
    with with_package(tmp_path, "") as (here, package):
        assert await here.run(here.script("")) == 0
        package.with_name("colorsys.py").touch()
        assert await here.start(here.script("")) is None
        assert here.process.wait(SECONDS) == 1


async def test_another_program_gets_no_modules_of_the_first(here: World) -> None:
    assert await here.run(here.script("import colorsys")) == 0
    given = environment()
    folder = str(here.folder)
    started = await forked.fork(str(here.place), here.python, [str(here.script(""))], given, folder, folder)
    assert started is None
    assert here.process.wait(SECONDS) == 1


async def test_what_an_import_reads_of_the_environment_is_the_same(tmp_path: Path) -> None:
    with with_package(tmp_path, "import os\nVALUE = os.environ.get('READ')\nimport colorsys") as (here, _):
        assert await here.run(here.script("import package"), READ="x") == 0, "nothing was imported yet"
        await here.until_loaded("package")
        assert await here.start(here.script("import package"), READ="x") is None
        assert here.refusals() == ["a plain start: other values of READ"]


async def test_a_variable_that_the_program_sets_before_an_import_is_not_known_beforehand(tmp_path: Path) -> None:
    with with_package(tmp_path, "import os\nVALUE = os.environ.get('SET')") as (here, _):
        script = here.script("import os\nos.environ['SET'] = 'x'\nimport package, wave\nassert package.VALUE == 'x'")
        async with asyncio.timeout(SECONDS):
            while (started := await here.start(script)) is not None:
                assert await started.wait() == 0
        assert here.refusals() == ["a plain start: the program sets {'SET'}, which an import reads"]


LAZY = """
import importlib.util, sys
spec = importlib.util.find_spec("package")
spec.loader = importlib.util.LazyLoader(spec.loader)
sys.modules["package"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["package"])
"""


async def test_an_import_that_fails_beforehand_is_the_programs_own(tmp_path: Path) -> None:
    text = "import __main__\nif hasattr(__main__, 'Warm'): raise SystemExit\nVALUE = 1"
    with with_package(tmp_path, text, lazy=LAZY) as (here, _):
        assert await here.run(here.script("import package, wave")) == 0
        await here.until_loaded("wave")
        assert await here.run(here.script("import package\nassert package.VALUE == 1")) == 0
        await here.until_loaded("lazy")
        assert await here.run(here.script("import package\nassert package.VALUE == 1")) == 0
        async with asyncio.timeout(SECONDS):
            while (started := await here.start(here.script("import package\nassert package.VALUE == 1"))) is not None:
                assert await started.wait() == 0
        assert here.refusals() == ["a plain start: package was half loaded when its import failed"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import warnings\nwarnings.warn('is old')", "each run shows the warning of package"),
        (
            "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
            "package starts a thread when it is imported",
        ),
    ],
)
async def test_an_import_that_is_not_the_same_beforehand_is_the_last(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, why: str
) -> None:
    with with_package(tmp_path, text) as (here, _):
        async with asyncio.timeout(SECONDS):
            while (started := await here.start(here.script("import package"))) is not None:
                assert await started.wait() == 0
                assert ("is old" in capfd.readouterr().err) == ("is old" in text)
        assert await here.start(here.script("")) is None
        assert here.refusals() == [f"a plain start: {why}"] * 2


# --- who may, and who ends with whom


REQUEST = """
import asyncio, os, sys
sys.path.insert(0, {checkout!r})
from sandbox.languagehost.forked import fork
async def main():
    started = await fork({place!r}, {python!r}, [{script!r}], {environment!r}, {folder!r}, {program!r})
    print("forked" if started else "refused", flush=True)
    if started:
        await started.wait()
asyncio.run(main())
"""


def requester(here: World, script: Path, **options: Any) -> subprocess.Popen[str]:
    """Another process that asks for the script."""
    text = REQUEST.format(
        checkout=str(CHECKOUT), place=str(here.place), python=here.python, script=str(script),
        environment=environment(), folder=str(here.folder), program=str(here.program),
    )  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, **options)


@contextmanager
def telling(here: World, rest: str = "signal.pause()") -> Iterator[tuple[Path, socket.socket]]:
    """A script that tells its process's id to a socket, then does the rest; the socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)
        tell = f"socket.create_connection({server.getsockname()}).send(b'%d\\n' % os.getpid())"
        yield here.script(f"import os, signal, socket\n{tell}\n{rest}\n"), server


def told(server: socket.socket) -> psutil.Process:
    connection, _ = server.accept()
    with connection, connection.makefile() as said:
        return psutil.Process(int(said.readline()))


def test_a_program_ends_with_a_killed_host(here: World) -> None:
    with telling(here) as (script, server), requester(here, script) as host:
        program = told(server)
        host.kill()
        program.wait(SECONDS)
    assert here.process.poll() is None


async def test_a_program_ends_with_the_killed_process_and_the_next_is_not_forked(here: World) -> None:
    with telling(here) as (script, server):
        started = await here.start(script)
        assert started is not None
        program = await asyncio.to_thread(told, server)
        here.process.kill()
        assert await asyncio.wait_for(started.wait(), SECONDS) == -signal.SIGKILL
        here.process.wait()
        with suppress(psutil.NoSuchProcess):
            program.wait(SECONDS)
    assert await here.start(here.script("")) is None


def test_another_niceness_is_no_forks_affair(here: World) -> None:
    with requester(here, here.script(""), preexec_fn=lambda: os.nice(1)) as asking:
        assert asking.communicate(timeout=SECONDS)[0] == "refused\n"


def test_the_socket_is_its_owners(here: World) -> None:
    assert here.place.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.getuid() != 0, reason="takes root: another user is needed")
class TestAnotherUser:
    @pytest.fixture(autouse=True)
    def open_folders(self, tmp_path: Path) -> Iterator[None]:
        """Nothing but the check of who it is stands in the way."""
        closed = [each for each in (tmp_path, *tmp_path.parents) if each.stat().st_mode & 0o005 != 0o005]
        modes = {each: each.stat().st_mode for each in closed}
        for each in closed:
            each.chmod(0o755)
        yield
        for each, mode in modes.items():
            each.chmod(mode)

    def python(self, text: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["/usr/bin/env", "python3", "-c", f"import socket\ns = socket.socket(socket.AF_UNIX)\n{text}"],
            user=65534, group=65534, extra_groups=[], stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def test_who_asks_is_refused(self, here: World) -> None:
        here.place.chmod(0o666)
        with self.python(f"s.connect({str(here.place)!r})\nprint(s.recv(1))") as other:
            assert other.communicate(timeout=SECONDS)[0] == "b''\n"
        assert here.refusals() == ["a plain start: user 65534 may not start programs here"]

    def test_who_listens_is_not_told(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o777)
        place = str(tmp_path / "warm.sock")
        listen = f"s.bind({place!r})\ns.listen()\nprint('ready', flush=True)\nprint(s.accept()[0].recv(9))"
        with self.python(listen) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "ready\n"
            assert asyncio.run(forked.fork(place, sys.executable, ["x"], {"A": "secret"}, "/", "/")) is None
            assert other.stdout.readline() == "b''\n"
