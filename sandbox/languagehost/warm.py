"""`warm.py SOCKET`: starts a program by fork, with the modules of the installed packages in memory.

A program spends most of its start on importing the SDKs. This process forks for each run, and the child becomes what
`python -u <executor>` is, two frames deeper, as stack traces in the state show. What it loaded from the interpreter's
own libraries is imported here once it has ended, for the next one. The project's own modules are always read anew.

What might differ from a plain start (`check`) is refused, and the host (`forked.py`) starts the program plainly. A
process whose modules are no longer the installed ones, or another program's, ends; the supervisor starts it anew.

The socket is its owner's alone: a program's environment holds secrets in clear. Nothing of ours is ever loaded here.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import importlib.machinery
import json
import os
import selectors
import signal
import socket
import struct
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

Json = dict[str, Any]
Start = tuple[Json, int]
"""What a child is to become, and the file for its report."""
LIBRARY = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib"))
OWN = ("PYTHON", "LC_", "LANG", "TZ", "LD_", "MALLOC_", "GLIBC_", "OPENSSL_")
"""How the variables begin that an interpreter reads before any module does; PYTHONPATH is followed."""
INHERITED = ("Umask", "Uid", "Gid", "Groups", "Cap", "NoNewPrivs", "Seccomp", "Cpus_allowed:")
"""What a process has of its parent, by the lines of /proc/<pid>/status."""
REQUEST_SECONDS = 5.0
PR_SET_PDEATHSIG = 1


def surroundings(pid: int | str) -> list[str]:
    """What a process has of its parent beside the environment. Raises `OSError` when it is gone or another's."""
    folder = Path("/proc", str(pid))
    status = [line for line in (folder / "status").read_text().splitlines() if line.startswith(INHERITED)]
    nice = (folder / "stat").read_text().rpartition(")")[2].split()[16]
    links = [str((folder / link).readlink()) for link in ("exe", "root", "ns/mnt", "ns/net")]
    return [*status, nice, (folder / "limits").read_text(), *links]


def loaded() -> dict[str, str]:
    """The file of each module that was loaded from the libraries; one that waits for its first use is not."""
    specs = {name: vars(each).get("__spec__") for name, each in list(sys.modules.items()) if type(each) is ModuleType}
    origins = {name: getattr(spec, "origin", None) for name, spec in specs.items()}
    return {name: origin for name, origin in origins.items() if origin and origin.startswith(LIBRARY)}


def stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a thousand of them before each run
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def paths(request: Json) -> list[str]:
    """The folders of PYTHONPATH as an interpreter takes them that is started in the request's folder."""
    given = request["environment"].get("PYTHONPATH", "")
    found = [os.path.join(request["folder"], path) for path in given.split(os.pathsep)]  # noqa: PTH118 - as `site` does
    return [os.path.normpath(path) for path in found] if given else []


def script_folder(request: Json) -> str:
    """What an interpreter puts first on its path."""
    return os.path.dirname(os.path.realpath(str(request["arguments"][0])))  # noqa: PTH120


def modules_in(folder: str) -> set[str]:
    """The names of what could be imported from a folder. Raises `OSError` for what is there and is no folder."""
    if not os.path.lexists(folder):
        return set()
    suffixes = tuple(importlib.machinery.all_suffixes())
    with os.scandir(folder) as entries:
        return {each.name.partition(".")[0] for each in entries if each.name.endswith(suffixes) or each.is_dir()}


@contextlib.contextmanager
def watched(read: set[str]) -> Iterator[list[Any]]:
    """Notes the variables that are read meanwhile; the warnings that a user would have been shown are in the list."""
    kind: Any = type(os.environ)
    plain, shown = kind.__getitem__, warnings.showwarning
    heard: list[Any] = []

    def noting(environment: Any, name: str) -> Any:
        read.add(name)
        return plain(environment, name)

    kind.__getitem__, warnings.showwarning = noting, lambda *said, **_: heard.append(said)
    try:
        yield heard
    finally:
        kind.__getitem__, warnings.showwarning = plain, shown


@dataclass
class Run:
    """A program that runs: its process, whoever asked for it, and the file that will name the modules it loaded."""

    pid: int
    connection: socket.socket
    report: int


class Warm:
    """The parent: one thread, one fork for each run."""

    def __init__(self, place: str) -> None:
        self.process = os.getpid()
        self.runs: dict[int, Run] = {}
        self.pending: list[str] = []
        self.program: str | None = None
        self.read: set[str] = set()
        self.changed: set[str] = set()
        self.spoilt = ""
        self.stamps = {path: stamp(path) for path in [*sys.path, *loaded().values()]}
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)
        Path(place).unlink(missing_ok=True)
        mask = os.umask(0o177)
        self.listener.bind(place)
        os.umask(mask)
        self.listener.listen()
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        print("ready", file=sys.stderr)

    def serve(self) -> Start:
        """Serve for ever; returns in a child alone. Raises `SystemExit` when a new process has to take over."""
        while True:
            events = self.selector.select(0 if self.pending else None)
            if not events:
                self.load(self.pending.pop(0))
            elif start := events[0][0].data():
                return start  # type: ignore[no-any-return]

    def load(self, name: str) -> None:
        """Import a module that a program had; one that fails here, alone, is the next program's own affair."""
        package = sys.modules.get(name.rpartition(".")[0], sys)
        if self.spoilt or type(sys.modules.get(name)) is ModuleType or type(package) is not ModuleType:
            return  # it is there, or its package is not, which decides what the name is
        waiting = [each for each in sys.modules.values() if type(each) is not ModuleType]
        try:
            with watched(self.read) as heard:
                hasattr(importlib.import_module(name), "loaded")  # some of the SDK's are loaded at their first use
        except (Exception, SystemExit):
            if any(type(each) is ModuleType for each in waiting):  # the others are gone when they fail
                self.spoilt = f"{name} was half loaded when its import failed"
        if heard:
            self.spoilt = f"each run shows the warning of {name}"
        if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - names are all that is wanted
            self.spoilt = f"{name} starts a thread when it is imported"
        self.stamps |= {path: stamp(path) for path in loaded().values() if path not in self.stamps}

    def accept(self) -> Start | None:
        """Answer a request; in the child, what it is to become."""
        connection, _ = self.listener.accept()
        connection.settimeout(REQUEST_SECONDS)
        streams: list[int] = []
        try:
            pid, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if user != os.getuid():
                raise ValueError(f"user {user} may not start programs here")
            head, streams, _, _ = socket.recv_fds(connection, 4, 2)
            with connection.makefile("rb") as stream:
                request = json.loads(stream.read(*struct.unpack("!I", head)))
            self.check(request, pid)
            connection.sendall(b"+")
            if connection.recv(1) == b"+":  # it will not be started plainly any more
                return self.fork(request, streams, connection)
        except (OSError, ValueError, struct.error) as error:
            if os.getpid() != self.process:
                os._exit(1)
            print(f"a plain start: {error}", file=sys.stderr)
        finally:
            for number in streams:
                os.close(number)
        connection.close()
        return None

    def check(self, request: Json, pid: int) -> None:
        """Raises `ValueError` for what a fork could do otherwise than a plain start, and `SystemExit`, as `serve`."""
        changed = next((path for path, known in self.stamps.items() if stamp(path) != known), None)
        if changed or self.program not in (None, request["program"]):
            why = f"{changed} has changed" if changed else f"the modules are those of {self.program}"
            if not self.runs:
                sys.exit(f"{why}: a new process takes over")
            raise ValueError(why)
        if self.spoilt or self.read & self.changed:
            raise ValueError(self.spoilt or f"the program sets {self.read & self.changed}, which an import reads")
        if request["python"] != sys.executable or surroundings(pid) != surroundings("self"):
            raise ValueError("another interpreter, or other limits, users or niceness than this process has")
        given = request["environment"]
        read = self.read | {name for name in {*os.environ, *given} if name.startswith(OWN)} - {"PYTHONPATH"}
        if other := sorted(name for name in read if os.environ.get(name) != given.get(name)):
            raise ValueError(f"other values of {', '.join(other)}")
        names = {name.partition(".")[0] for name in sys.modules} - {"__main__"} | {"sitecustomize", "usercustomize"}
        for folder in (request["program"], script_folder(request), *paths(request)):
            if hiding := modules_in(folder) & names:
                raise ValueError(f"{folder} has {', '.join(sorted(hiding))}")

    def fork(self, request: Json, streams: list[int], connection: socket.socket) -> Start | None:
        """A new process; in the child, which has nothing of the parent's open, what it is to become."""
        report = os.memfd_create("loaded")
        gc.freeze()  # a collection in the child leaves the parent's pages shared
        pid = os.fork()
        if pid == 0:
            os.dup2(streams[0], 1)
            os.dup2(streams[1], 2)
            for run in self.runs.values():
                os.close(run.report)
            for key in list(self.selector.get_map().values()):
                key.fileobj.close() if isinstance(key.fileobj, socket.socket) else os.close(key.fd)
            self.selector.close()
            connection.close()
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != self.process:  # it died before that
                os._exit(1)
            return request, report
        self.program = request["program"]
        try:
            process = os.pidfd_open(pid)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        run = self.runs[process] = Run(pid, connection, report)
        self.selector.register(process, selectors.EVENT_READ, lambda: self.ended(process))
        self.selector.register(connection, selectors.EVENT_READ, lambda: self.asked(run))
        return None

    def asked(self, run: Run) -> None:
        """A signal for the program, as one byte; whoever asked for it is gone when there is none."""
        number = b""
        with contextlib.suppress(OSError):
            number = run.connection.recv(1)
        os.kill(run.pid, number[0] if number else signal.SIGKILL)
        if not number:
            self.selector.unregister(run.connection)

    def ended(self, process: int) -> None:
        """Tell how the program ended, and learn what it loaded."""
        run = self.runs.pop(process)
        self.selector.unregister(process)
        os.close(process)
        _, status = os.waitpid(run.pid, 0)
        with contextlib.suppress(KeyError):  # whoever asked is gone
            self.selector.unregister(run.connection)
        with run.connection, contextlib.suppress(OSError):
            run.connection.sendall(struct.pack("!i", os.waitstatus_to_exitcode(status)))
        with contextlib.suppress(ValueError), os.fdopen(run.report, "rb") as report:
            report.seek(0)
            modules, changed = json.loads(report.read())  # nothing, when it was killed
            self.changed.update(changed)
            self.pending += modules


def become(request: Json, report: int) -> None:
    """Be what `python -u <arguments>` is in the given folder and environment, up to the end of the program."""
    arguments, given = request["arguments"], request["environment"]
    os.setpgid(0, 0)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(given)
    sys.argv, sys.orig_argv = arguments, [sys.executable, "-u", *arguments]
    sys.path = [script_folder(request), *dict.fromkeys([*paths(request), *sys.path])]
    importlib.invalidate_caches()
    main = ModuleType("__main__")
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", arguments[0])
    vars(main).update(__file__=arguments[0], __cached__=None, __builtins__=__builtins__, __annotations__={})
    sys.modules["__main__"] = main
    before = set(loaded())
    try:
        exec(compile(Path(arguments[0]).read_bytes(), arguments[0], "exec", dont_inherit=True), vars(main))
    except Exception as error:
        trace = error.__traceback__.tb_next if error.__traceback__ else None  # without this function's line
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        sys.exit(1)
    finally:
        with contextlib.suppress(Exception):  # the next run imports for itself then
            changed = [name for name in {*os.environ, *given} if os.environ.get(name) != given.get(name)]
            os.write(report, json.dumps([[name for name in loaded() if name not in before], changed]).encode())


if __name__ == "__main__":
    del sys.path[0]  # this file's folder
    become(*Warm(sys.argv[1]).serve())
