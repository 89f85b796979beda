"""Programs that are forked: what they find is what a new interpreter would give them, or they are started plainly."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.warm_world import World, environment, world

SCENE = """
import json, os, resource, signal, sys, threading, warnings
def annotated(x: 1 + 1): pass
def open_files():
    for n in range(64):
        try: yield n, os.readlink(f"/proc/self/fd/{n}")
        except OSError: pass
opened = [f"{n} {to}" for n, to in open_files() if n > 2 and "memfd:loaded" not in to]
main = sys.modules["__main__"]
streams = [(s.fileno(), s.encoding, s.errors, s.isatty()) for s in (sys.stdin, sys.stdout, sys.stderr)]
scene = {
    "arguments": [sys.argv, sys.orig_argv],
    "path": sys.path,
    "interpreter": [sys.executable, sys.prefix, list(sys.flags), sys.getrecursionlimit(), sys.pycache_prefix],
    "environment": [dict(os.environ), os.popen("env | sort | grep -v ^_=").read()],
    "folder": os.getcwd(),
    "streams": [streams, sys.stdout.write_through, sys.stderr.write_through, sys.stdin.read()],
    "signals": {n.name: str(signal.getsignal(n)).partition(" at ")[0] for n in signal.Signals},
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    "threads": [t.name for t in threading.enumerate()],
    "main": [__name__, main.__file__, main is sys.modules[__name__], type(__builtins__).__name__, __spec__, __package__,
             type(__loader__).__name__, "__future__" in dir(), annotated.__annotations__],
    "open": opened,
    "limits": [os.umask(0o22), os.nice(0), resource.getrlimit(resource.RLIMIT_NOFILE)],
    "warnings": [str(f) for f in warnings.filters],
}
json.dump(scene, open(sys.argv[1], "w"))
"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


async def plainly(here: World, script: Path, *arguments: str, **variables: str) -> int:
    """The same, started as a new interpreter."""
    process = await asyncio.create_subprocess_exec(
        here.python, "-u", str(script), *arguments,
        cwd=here.program, env=environment() | variables, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    return await process.wait()


async def both(here: World, text: str, **variables: str) -> tuple[Any, Any]:
    """What a script writes into its first argument, forked and plain."""
    script, said = here.script(text), here.folder / "said"
    assert await here.run(script, str(said), **variables) == 0
    forked_ = json.loads(said.read_text())
    assert await plainly(here, script, str(said), **variables) == 0
    return forked_, json.loads(said.read_text())


@pytest.mark.parametrize("loaded", [(), ("colorsys", "asyncio", "http.client")])
async def test_a_forked_program_finds_what_a_new_interpreter_gives(here: World, loaded: tuple[str, ...]) -> None:
    await here.until_loaded(*loaded)
    beside = await here.start(here.script("import signal\nsignal.pause()"))
    assert beside is not None
    variables = {"PYTHONPATH": f"relative:{here.folder}/other::{sys.prefix}:relative", "NEW": "ä", "HOME": "/else"}
    forked_, plain = await both(here, SCENE, **variables)
    beside.kill()
    assert await beside.wait() == -signal.SIGKILL
    assert forked_ == plain
    assert plain["path"][:2] == [str(here.folder), str(here.program / "relative")], "else the order is not shown"


SDKS = """
import hashlib, json, sys
before = [name for name, module in sys.modules.items() if type(module) is type(sys)]
import pulumi, pulumi.runtime
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import Service
from pulumi_azure_native import network
import grpc.experimental  # its parts import each other, so that not each of them can come first
names = {name: {key: type(value).__name__ for key, value in object.__getattribute__(module, "__dict__").items()
                if key not in ("__builtins__", "__warningregistry__")}
         for name, module in sys.modules.items() if name.startswith(("pulumi", "grpc", "google", "opentelemetry"))
         and type(module) is type(sys)}
json.dump([before, names], open(sys.argv[1], "w"))
"""


async def test_the_sdks_are_in_memory_and_are_what_a_new_interpreter_imports(here: World) -> None:
    (_, cold), (_, plain) = await both(here, SDKS)
    assert cold == plain
    await here.until_loaded("pulumi", "pulumi_kubernetes.core.v1", "pulumi_azure_native.network")
    await here.run(here.script(SDKS), str(here.folder / "said"))
    (before, warm), (new, plain) = await both(here, SDKS)
    assert plain.keys() <= set(before)
    assert not plain.keys() & set(new)
    assert plain.items() <= warm.items(), "every module of the SDKs has the very names"
    assert here.refusals() == [], "an import has started no thread"


async def test_what_was_imported_without_its_package_is_left_to_the_program(here: World) -> None:
    """The class of a name that is a module as well is set by the package, whose turn comes later here."""
    await here.run(here.script("import pulumi_kubernetes.apiextensions.CustomResource, wave"))
    await here.until_loaded("wave")
    text = "from pulumi_kubernetes.apiextensions import CustomResource\nassert isinstance(CustomResource, type)"
    assert await plainly(here, here.script(text)) == 0
    assert await here.run(here.script(text)) == 0
    assert here.refusals() == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 0),
        ("import sys; sys.exit(32)", 32),
        ("import sys; sys.exit('why')", 1),
        ("raise ValueError('no')", 1),
        ("import os; os._exit(7)", 7),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        # a shell's background job, which a run of these tests may be, ignores it unless told otherwise
        (
            "import os, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "os.kill(os.getpid(), signal.SIGINT)",
            -signal.SIGINT,
        ),
        ("import sys; sys.stdout.write('x' * 9); sys.stdout.flush(); sys.stdout.close()", 0),
    ],
)
async def test_it_ends_as_a_new_interpreter_does(
    here: World, capfd: pytest.CaptureFixture[str], text: str, code: int
) -> None:
    assert await here.run(here.script(text)) == code
    ours = capfd.readouterr()
    assert await plainly(here, here.script(text)) == code
    if code != -signal.SIGINT:  # there the traceback has two lines more
        assert ours == capfd.readouterr()


async def test_what_is_to_be_done_at_the_end_is_done(here: World) -> None:
    text = """
        import atexit, sys, threading, time
        unclosed = open(sys.argv[1], "w")
        late = threading.Event()
        threading.Thread(target=lambda: (late.wait(), unclosed.write("thread "))).start()
        atexit.register(lambda: unclosed.write("exit"))
        threading.Timer(0.1, late.set).start()
    """
    script = here.script(textwrap.dedent(text))
    assert await here.run(script, str(here.folder / "said")) == 0
    assert (here.folder / "said").read_text() == "thread exit"


async def test_the_projects_own_modules_are_read_anew_and_nothing_is_left(here: World) -> None:
    own, said = here.program / "own.py", here.folder / "said"
    script = here.script(
        "import os, sys\nfound = [n for n in ('own', 'LEFT') if n in {*sys.modules, *os.environ}]\n"
        "import colorsys, own\nos.environ['LEFT'] = colorsys.left = 'x'\n"
        "open(sys.argv[1], 'w').write(f'{own.VALUE} {found} ')\n"
    )
    path = str(own.parent)
    for value in (1, 22, 333):
        own.write_text(f"VALUE = {value}\n")
        assert await here.run(script, str(said), PYTHONPATH=path) == 0
        assert said.read_text() == f"{value} [] "
