"""The stop script of an inference server, run by bash: what it calls is played, and time passes as fast as it is slept.

`kill` is a builtin of bash and so is a function here; the others are programs on PATH.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from components.speech.pre_stop import TRITON_PRE_STOP

BASH = shutil.which("bash") or "bash"

HEAD = """Active Internet connections (servers and established)
Proto Recv-Q Send-Q Local Address           Foreign Address         State"""
LISTENS_4 = "tcp        0      0 0.0.0.0:8000            0.0.0.0:*               LISTEN"
LISTENS_6 = "tcp6       0      0 :::8000                 :::*                    LISTEN"
CLIENT_4 = "tcp        0      0 10.244.1.7:8001         10.244.2.9:41822        ESTABLISHED"
CLIENT_6 = "tcp6       0      0 10.244.1.7:8001         10.244.2.9:41822        ESTABLISHED"
LEAVING = "tcp        0      0 10.244.1.7:8001         10.244.2.9:41822        TIME_WAIT"
OTHER_PORT = "tcp        0      0 10.244.1.7:8002         10.244.2.9:41822        ESTABLISHED"
FAILS = "fails"

PROGRAMS = {
    "date": '[ "$1" = +%s ] && cat "$STAGE/clock" || echo 2026-01-01T00:00:00Z',
    "sleep": 'echo $(( $(cat "$STAGE/clock") + $1 )) > "$STAGE/clock"',
    "timeout": 'shift; exec "$@"',
    # from the second of the clock on, the last table whose time has come
    "netstat": """
now=$(cat "$STAGE/clock"); shown=
for table in $(ls "$STAGE/tables" | sort -n); do [ "$table" -le "$now" ] && shown=$table; done
[ "$*" = -tan ] && ! grep -q fails "$STAGE/tables/$shown" && cat "$STAGE/tables/$shown"
""",
}
KILL = 'kill() { echo "$@ $(cat "$STAGE/clock")" >> "$STAGE/killed"; }\n'


class Stage:
    """Where the script runs: sockets by the second from which they are as they are."""

    def __init__(self, folder: Path, sockets: dict[int, list[str]]) -> None:
        self.folder = folder
        for name in ("bin", "tables"):
            (folder / name).mkdir()
        for name, body in PROGRAMS.items():
            program = folder / "bin" / name
            program.write_text(f"#!{BASH}\n{body}\n")
            program.chmod(0o755)
        for second, lines in sockets.items():
            (folder / "tables" / str(second)).write_text("\n".join([HEAD, *lines]) + "\n")
        (folder / "clock").write_text("0\n")

    def run(self) -> int:
        """The second in which the server was told to stop."""
        # what is said goes to process 1 of the pod, which here is nobody's to write to
        script = KILL + TRITON_PRE_STOP.replace("/proc/1/fd/1", f"{self.folder}/said.$RANDOM$RANDOM")
        done = subprocess.run(
            [BASH, "-c", script],
            env={"PATH": f"{self.folder}/bin:/usr/bin:/bin", "STAGE": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        ((*what, second),) = [line.split() for line in (self.folder / "killed").read_text().splitlines()]
        assert what == ["-TERM", "1"]
        return int(second)

    def said(self) -> list[str]:
        lines = [json.loads(path.read_text()) for path in self.folder.glob("said.*")]
        assert {(line["level"], line["source"]) for line in lines} == {("INFO", "k8s-preStop-hook")}
        return [line["msg"] for line in lines]


@pytest.mark.parametrize("listening", [[LISTENS_4], [LISTENS_6], [LISTENS_4, LISTENS_6]], ids=["4", "6", "both"])
def test_an_idle_server_is_stopped_a_little_over_20_seconds_later(tmp_path: Path, listening: list[str]) -> None:
    assert 20 < Stage(tmp_path, {0: listening}).run() <= 24


@pytest.mark.parametrize("client", [CLIENT_4, CLIENT_6], ids=["4", "6"])
def test_it_waits_for_as_long_as_a_connection_is_open(tmp_path: Path, client: str) -> None:
    sockets = {0: [LISTENS_4, client], 300: [LISTENS_4, LEAVING]}
    assert 318 < Stage(tmp_path, sockets).run() <= 324


def test_a_connection_that_comes_back_starts_the_20_seconds_again(tmp_path: Path) -> None:
    sockets = {0: [LISTENS_4], 15: [LISTENS_4, CLIENT_4], 30: [LISTENS_4]}
    assert 48 < Stage(tmp_path, sockets).run() <= 54


def test_a_connection_to_another_port_is_not_waited_for(tmp_path: Path) -> None:
    assert Stage(tmp_path, {0: [LISTENS_4, OTHER_PORT]}).run() <= 24


def test_a_failing_netstat_reads_as_connections(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {0: [FAILS], 100: [LISTENS_4]})
    assert 118 < stage.run() <= 124
    assert "netstat failed: connections are taken to be there" in stage.said()


def test_a_server_that_still_loads_is_told_when_it_listens(tmp_path: Path) -> None:
    assert 100 <= Stage(tmp_path, {0: [], 100: [LISTENS_6]}).run() <= 110


def test_a_server_that_never_listens_is_told_after_10_minutes(tmp_path: Path) -> None:
    assert 620 <= Stage(tmp_path, {0: []}).run() <= 640
