"""What exec answers: for the pod, never for the machine. A small table; everything else is refused as not simulated.

Nothing here starts a process or reads a file of this machine: a command sees the container's environment, the files of
its mounts and the connections its sessions would hold.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

NOT_SIMULATED, NOT_FOUND = 126, 127
_CLIENTS = "10.244.255.1"
"""Where the sessions' connections come from, as the pod sees it."""
_FIRST_CLIENT_PORT = 40000
_LISTEN, _ESTABLISHED = "0A", "01"
_STATES = {_LISTEN: "LISTEN", _ESTABLISHED: "ESTABLISHED"}


@dataclass(frozen=True)
class Completed:
    """How a command ended."""

    code: int
    out: bytes = b""
    error: bytes = b""


@dataclass(frozen=True)
class Inside:
    """What a command finds in its container."""

    env: Mapping[str, str]
    hostname: str
    address: str
    files: Mapping[str, bytes]
    folders: frozenset[str]
    programs: frozenset[str]
    """Those of the image, beside what every image has here."""
    listening: tuple[int, ...]
    """Ports in the pod's network namespace."""
    connections: tuple[tuple[int, int], ...] = ()
    """Port and how many connections are established to it."""
    redis: bool = False
    """Whether a Redis listens in the pod."""
    stdin: bytes = b""


def sockets(inside: Inside) -> list[tuple[int, int | None, str]]:
    """Local port, the client's port (None for a listener) and state of every TCP socket of the pod."""
    found: list[tuple[int, int | None, str]] = [(port, None, _LISTEN) for port in inside.listening]
    client = _FIRST_CLIENT_PORT
    for port, count in inside.connections:
        for _ in range(count):
            found.append((port, client, _ESTABLISHED))
            client += 1
    return found


def _hex(address: str) -> str:
    """An IPv4 address as the kernel prints it: four bytes, the last one first."""
    return "".join(f"{int(part):02X}" for part in reversed(address.split(".")))


def proc_net_tcp(inside: Inside) -> bytes:
    """The kernel's table of TCP sockets."""
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    rows = []
    for number, (local, remote, state) in enumerate(sockets(inside)):
        here = f"{_hex('0.0.0.0' if remote is None else inside.address)}:{local:04X}"
        there = "00000000:0000" if remote is None else f"{_hex(_CLIENTS)}:{remote:04X}"
        rest = f"00000000:00000000 00:00000000 00000000     0        0 {number + 1} 1"
        rows.append(f"{number:4d}: {here} {there} {state} {rest}\n")
    return (head + "".join(rows)).encode()


def _netstat(arguments: Sequence[str], inside: Inside) -> Completed:
    options = "".join(argument.removeprefix("-") for argument in arguments)
    if not set(options) <= set("tanlp4"):
        return _refused(["netstat", *arguments])
    lines = [
        "Active Internet connections (servers and established)" if "a" in options else "Active Internet connections",
        "Proto Recv-Q Send-Q Local Address           Foreign Address         State",
    ]
    for local, remote, state in sockets(inside):
        if state == _LISTEN and not set("al") & set(options):
            continue
        if state == _ESTABLISHED and "l" in options:
            continue
        here = f"0.0.0.0:{local}" if remote is None else f"{inside.address}:{local}"
        there = "0.0.0.0:*" if remote is None else f"{_CLIENTS}:{remote}"
        lines.append(f"tcp        0      0 {here:<23} {there:<23} {_STATES[state]}")
    return Completed(0, "".join(f"{line}\n" for line in lines).encode())


def _cat(arguments: Sequence[str], inside: Inside) -> Completed:
    if not arguments:
        return Completed(0, inside.stdin)
    out, error = b"", b""
    for path in arguments:
        content = _read(path, inside)
        if content is not None:
            out += content
        elif path.rstrip("/") in inside.folders:
            error += f"cat: {path}: Is a directory\n".encode()
        else:
            error += f"cat: {path}: No such file or directory (only mounts are simulated)\n".encode()
    return Completed(1 if error else 0, out, error)


def _read(path: str, inside: Inside) -> bytes | None:
    if path in inside.files:
        return inside.files[path]
    made: dict[str, Callable[[], bytes]] = {
        "/etc/hostname": lambda: f"{inside.hostname}\n".encode(),
        "/etc/hosts": lambda: f"127.0.0.1\tlocalhost\n{inside.address}\t{inside.hostname}\n".encode(),
        "/proc/net/tcp": lambda: proc_net_tcp(inside),
        "/proc/1/net/tcp": lambda: proc_net_tcp(inside),
        "/proc/net/tcp6": lambda: proc_net_tcp(inside).split(b"\n", 1)[0] + b"\n",
    }
    return made[path]() if path in made else None


def _ls(arguments: Sequence[str], inside: Inside) -> Completed:
    if any(argument not in ("-1", "-a") for argument in arguments if argument.startswith("-")):
        return _refused(["ls", *arguments])
    out, error = "", ""
    for given in [argument for argument in arguments if not argument.startswith("-")] or ["/"]:
        path = given.rstrip("/")
        if path in inside.files:
            out += f"{given}\n"
            continue
        below = {
            p.removeprefix(f"{path}/").split("/")[0]
            for p in [*inside.files, *inside.folders]
            if p.startswith(f"{path}/")
        }
        if below or path in inside.folders:
            out += "".join(f"{name}\n" for name in sorted(below))
        else:
            error += f"ls: cannot access '{given}': No such file or directory (only mounts are simulated)\n"
    return Completed(2 if error else 0, out.encode(), error.encode())


def _env(arguments: Sequence[str], inside: Inside) -> Completed:
    if arguments:
        return _refused(["env", *arguments])
    return Completed(0, "".join(f"{name}={value}\n" for name, value in inside.env.items()).encode())


def _printenv(arguments: Sequence[str], inside: Inside) -> Completed:
    if not arguments:
        return _env(arguments, inside)
    known = [inside.env[name] for name in arguments if name in inside.env]
    return Completed(0 if len(known) == len(arguments) else 1, "".join(f"{value}\n" for value in known).encode())


def _hostname(arguments: Sequence[str], inside: Inside) -> Completed:
    if list(arguments) in (["-i"], ["-I"]):
        return Completed(0, f"{inside.address}\n".encode())
    return _refused(["hostname", *arguments]) if arguments else Completed(0, f"{inside.hostname}\n".encode())


def _echo(arguments: Sequence[str], _: Inside) -> Completed:
    return Completed(0, (" ".join(arguments) + "\n").encode())


def _redis_cli(arguments: Sequence[str], inside: Inside) -> Completed:
    rest, port, host = list(arguments), 6379, "127.0.0.1"
    while rest and rest[0] in ("-h", "-p") and len(rest) > 1:
        option, value, *rest = rest
        if option == "-h":
            host = value
        elif value.isdigit():
            port = int(value)
    if [word.upper() for word in rest] != ["PING"]:
        return _refused(["redis-cli", *arguments])
    here = host in ("127.0.0.1", "localhost", inside.address, inside.hostname)
    if here and inside.redis and port in inside.listening:
        return Completed(0, b"PONG\n")
    return Completed(1, b"", f"Could not connect to Redis at {host}:{port}: Connection refused\n".encode())


def _grep(arguments: Sequence[str], inside: Inside) -> Completed:
    """`grep [-qEFc] PATTERN` over its input."""
    options = "".join(argument.removeprefix("-") for argument in arguments[:-1])
    if not arguments or not set(options) <= set("qEFc"):
        return _refused(["grep", *arguments])
    pattern = arguments[-1]
    try:
        expression = re.compile(re.escape(pattern) if "F" in options else pattern)
    except re.error:
        return _refused(["grep", *arguments])
    found = [line for line in inside.stdin.decode(errors="replace").splitlines() if expression.search(line)]
    out = f"{len(found)}\n" if "c" in options else "".join(f"{line}\n" for line in found)
    return Completed(0 if found else 1, b"" if "q" in options else out.encode())


def _shell(arguments: Sequence[str], inside: Inside) -> Completed:
    """`sh -c` of commands of this table joined by `|`; anything a shell could do beyond that is not simulated."""
    if len(arguments) != 2 or arguments[0] != "-c":
        return _refused(["sh", *arguments])
    lexer = shlex.shlex(arguments[1], posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    stages: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word == "|":
                stages.append([])
            elif set(word) & set("|&;<>()`\n") and set(word) <= set("|&;<>()"):
                return _refused(["sh", *arguments])
            else:
                stages[-1].append(word)
    except ValueError:
        return Completed(2, b"", b"sh: syntax error\n")
    if any(not stage for stage in stages) or set("$`\n") & set(arguments[1].strip()):
        return _refused(["sh", *arguments])
    done, error = Completed(0, inside.stdin), b""
    for stage in stages:
        done = run(stage, replace(inside, stdin=done.out))
        error += done.error
    return Completed(done.code, done.out, error)


def _refused(command: Sequence[str]) -> Completed:
    text = f"{shlex.join(command)}: the node stand-in does not simulate this; nothing was run\n"
    return Completed(NOT_SIMULATED, b"", text.encode())


_EVERYWHERE: Mapping[str, Callable[[Sequence[str], Inside], Completed]] = {
    "cat": _cat,
    "echo": _echo,
    "env": _env,
    "hostname": _hostname,
    "ls": _ls,
    "printenv": _printenv,
    "sh": _shell,
    "true": lambda _, __: Completed(0),
    "false": lambda _, __: Completed(1),
}
_OF_IMAGES: Mapping[str, Callable[[Sequence[str], Inside], Completed]] = {
    "bash": _shell,
    "grep": _grep,
    "netstat": _netstat,
    "redis-cli": _redis_cli,
}


def run(command: Sequence[str], inside: Inside) -> Completed:
    """The command's end. What the image does not have ends with 127, what is not simulated with 126."""
    if not command:
        return Completed(NOT_FOUND, b"", b"no command\n")
    name = command[0].removeprefix("/usr").removeprefix("/bin/")
    program = _EVERYWHERE.get(name) or (_OF_IMAGES.get(name) if name in inside.programs else None)
    if program is not None:
        return program(command[1:], inside)
    text = f"{command[0]}: not found among the programs that the node stand-in simulates in this image\n"
    return Completed(NOT_FOUND, b"", text.encode())
