"""The Python environment: made whole or not at all, found without starting anything, errors one can act on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox import bootstrap
from sandbox.cache import WHOLE, is_whole, made_once

CHECKOUT = Path(__file__).resolve().parents[2]
UNREACHABLE = "http://127.0.0.1:9/simple"
"""An index nobody serves: the discard port of this machine."""


def run(*arguments: str, cache: Path, code: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m sandbox.bootstrap` (or `code`) as a newcomer's shell would start it."""
    start = ["-c", code] if code else ["-m", "sandbox.bootstrap"]
    return subprocess.run(
        [sys.executable, *start, *arguments],
        cwd=CHECKOUT,
        env=dict(os.environ, SM_SANDBOX_CACHE=str(cache), **environment),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def pins(path: Path) -> dict[str, str]:
    lines = (line.split("#")[0].split(";")[0].strip() for line in path.read_text().splitlines())
    pairs = (line.split("==") for line in lines if line)
    return {re.sub(r"[-_.]+", "-", name).lower(): version.strip() for name, version in pairs}


def test_the_lock_pins_what_is_required() -> None:
    required, locked = pins(bootstrap.REQUIREMENTS), pins(bootstrap.LOCK)
    assert required, "nothing is required?"
    stale = {name: version for name, version in required.items() if locked.get(name) != version}
    assert not stale, f"requirements.lock is stale, run `make lock`: {stale}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache that begins empty."""
    made = tmp_path_factory.mktemp("cache")
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def first(folder: Path) -> subprocess.CompletedProcess[str]:
    """The first use of that cache."""
    return run(cache=folder)


class TestAnEmptyCache:
    """One environment made for real, and used again."""

    def test_first_use_prints_an_interpreter_that_has_the_pins(
        self, first: subprocess.CompletedProcess[str], folder: Path
    ) -> None:
        assert first.returncode == 0, first.stderr
        interpreter = first.stdout.removesuffix("\n")
        assert Path(interpreter).is_relative_to(folder)
        script = "from importlib.metadata import version; import rich, yaml; print(version('pulumi'))"
        said = subprocess.run([interpreter, "-c", script], capture_output=True, text=True, check=True)
        assert said.stdout.strip() == pins(bootstrap.LOCK)["pulumi"]

    def test_progress_goes_to_stderr(self, first: subprocess.CompletedProcess[str]) -> None:
        assert "Making the Python environment" in first.stderr
        assert len(first.stdout.splitlines()) == 1

    def test_second_use_starts_no_process(self, first: subprocess.CompletedProcess[str], folder: Path) -> None:
        watched = (
            "import sys\n"
            "def audit(event, arguments):\n"
            "    if event in ('subprocess.Popen', 'os.fork', 'os.posix_spawn', 'os.system', 'os.exec'):\n"
            "        print('started', arguments, file=sys.stderr)\n"
            "        raise SystemExit(99)\n"
            "sys.addaudithook(audit)\n"
            "from sandbox import bootstrap\n"
            "sys.exit(bootstrap.main([]))\n"
        )
        second = run(cache=folder, code=watched)
        assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")

    def test_an_environment_without_its_last_file_is_made_anew(
        self, first: subprocess.CompletedProcess[str], folder: Path
    ) -> None:
        made = Path(first.stdout.strip()).parent.parent
        (made / WHOLE).unlink()
        left = made / "left-by-an-interrupted-install"
        left.touch()
        again = run(cache=folder)
        assert again.stdout == first.stdout, again.stderr
        assert "Making the Python environment" in again.stderr
        assert not left.exists()


class TestErrors:
    """Every failure is text with a remedy, on stderr, and never a traceback."""

    def failed(self, done: subprocess.CompletedProcess[str]) -> str:
        assert done.returncode == 1, done.stderr
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        return done.stderr

    def test_python_too_old(self, tmp_path: Path) -> None:
        older = "import sys; sys.version_info = (3, 10, 4); from sandbox import bootstrap; sys.exit(bootstrap.main([]))"
        text = self.failed(run(cache=tmp_path, code=older))
        assert "Python 3.11 or newer is needed" in text
        assert "make PYTHON=python3.11 up" in text
        assert not list(tmp_path.iterdir())

    def test_no_network(self, tmp_path: Path) -> None:
        text = self.failed(run(cache=tmp_path, PIP_INDEX_URL=UNREACHABLE))
        assert "could not be reached" in text
        assert "PIP_INDEX_URL" in text
        assert not any(is_whole(folder) for folder in tmp_path.iterdir())

    def test_a_cache_that_cannot_be_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert "SM_SANDBOX_CACHE" in self.failed(run(cache=tmp_path / "file" / "cache"))

    def test_a_full_disk(self, tmp_path: Path) -> None:
        # A file system of 8 MB in a mount namespace of its own: enough to begin, not for the installer.
        script = f"mount -t tmpfs -o size=8m tmpfs {tmp_path} && exec {sys.executable} -m sandbox.bootstrap"
        done = subprocess.run(
            ["unshare", "-rm", "bash", "-c", script],
            cwd=CHECKOUT,
            env=dict(os.environ, SM_SANDBOX_CACHE=str(tmp_path / "cache")),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if "unshare" in done.stderr or "mount:" in done.stderr:
            pytest.fail(f"no mount namespaces here, which root has: {done.stderr.strip()}. Mend: sudo make test")
        text = self.failed(done)
        assert "The disk is full" in text
        assert "SM_SANDBOX_CACHE" in text

    def test_an_unknown_argument(self, tmp_path: Path) -> None:
        done = run("--frobnicate", cache=tmp_path)
        assert done.returncode == 2
        assert "usage:" in done.stderr

    @pytest.mark.parametrize(
        ("output", "cause"),
        [
            ("ERROR: Could not install packages: [Errno 28] No space left on device", bootstrap.Cause.DISK),
            ("error: failed to copy (os error 28)", bootstrap.Cause.DISK),
            ("Caused by: client error (Connect)\n  dns error: failed to look up address", bootstrap.Cause.NETWORK),
            ("Failed to establish a new connection: [Errno 111]\nNo matching distribution", bootstrap.Cause.NETWORK),
            ("ERROR: No matching distribution found for pulumi==3.255.0", bootstrap.Cause.OFFER),
            ("error: subprocess-exited-with-error", None),
        ],
    )
    def test_the_cause_is_read_from_the_output(self, output: str, cause: bootstrap.Cause | None) -> None:
        assert bootstrap.cause_of(output) is cause


class TestMadeOnce:
    """The one mechanism behind every folder of the cache."""

    MAKE = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from sandbox.cache import made_once\n"
        "folder, gate = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "def make(target):\n"
        "    (target / 'content').write_text(sys.argv[3])\n"
        "    print('making', flush=True)\n"
        "    while not gate.exists():\n"
        "        time.sleep(0.02)\n"
        "made_once(folder, make, lambda: print('waiting', flush=True))\n"
        "print('done', flush=True)\n"
    )

    @contextmanager
    def start(self, folder: Path, gate: Path, content: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-c", self.MAKE, str(folder), str(gate), content],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def line(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline().strip()

    def test_two_at_once_make_one(self, tmp_path: Path) -> None:
        folder, gate = tmp_path / "folder", tmp_path / "gate"
        with self.start(folder, gate, "first") as first:
            assert self.line(first) == "making"
            with self.start(folder, gate, "second") as second:
                assert self.line(second) == "waiting"
                gate.touch()
                assert (self.line(first), self.line(second)) == ("done", "done")
        assert (folder / "content").read_text() == "first"

    def test_what_a_killed_process_left_is_made_anew(self, tmp_path: Path) -> None:
        folder, gate = tmp_path / "folder", tmp_path / "gate"
        with self.start(folder, gate, "half") as killed:
            assert self.line(killed) == "making"
            killed.kill()
        assert (folder / "content").read_text() == "half"
        assert not is_whole(folder)
        gate.touch()
        with self.start(folder, gate, "whole") as again:
            assert (self.line(again), self.line(again)) == ("making", "done")
        assert (folder / "content").read_text() == "whole"

    def test_a_failure_leaves_nothing_that_counts(self, tmp_path: Path) -> None:
        def fails(folder: Path) -> None:
            (folder / "half").touch()
            raise RuntimeError("in the middle")

        folder = tmp_path / "folder"
        with pytest.raises(RuntimeError, match="in the middle"):
            made_once(folder, fails, lambda: None)
        seen: list[list[Path]] = []
        made_once(folder, lambda made: seen.append(list(made.iterdir())), lambda: None)
        assert seen == [[]]


class TestMake:
    """The Makefile's one use of the bootstrap."""

    def make(self, *arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        return subprocess.run(
            ["make", *arguments],
            cwd=CHECKOUT,
            env=clean | dict(environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def test_help_lists_every_target_and_makes_nothing(self, tmp_path: Path) -> None:
        done = self.make(environment={"SM_SANDBOX_CACHE": str(tmp_path / "cache")})
        assert done.returncode == 0, done.stderr
        declared = re.search(r"^\.PHONY: (.*)$", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
        assert declared is not None
        assert {line.split()[1] for line in done.stdout.splitlines()} == set(declared.group(1).split())
        assert not (tmp_path / "cache").exists()

    def test_a_failed_bootstrap_stops_it(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        done = self.make("up", environment={"SM_SANDBOX_CACHE": str(tmp_path / "file")})
        assert done.returncode != 0
        assert "Point SM_SANDBOX_CACHE at" in done.stderr
        assert "no Python environment" in done.stderr
