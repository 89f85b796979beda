"""Rules of redis.conf: no secret in it, and nothing against what Redis is started with or its probes ask."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator

from stacks.problem import Problem, remove_command
from stacks.schema import Settings

PATH = "resourceManager.redis.commonConfiguration"

SECRETS = ("requirepass", "masterauth", "tls-key-file-pass", "tls-client-key-file-pass")
"""Their value is a password, unless it is empty."""

_COMMAND_LINE = "the program sets it when it starts Redis, for the Services, the probes and the other nodes"
_NO_PASSWORD = "the address the vendor's services read has no place for a user and a password, and the probes have none"
_NO_TLS = "the vendor's services, the probes and the sentinels speak to the Redis in the cluster without TLS"
_COMMANDS = "the vendor's services, the probes and the sentinels may use every command"
_FOREGROUND = "the container ends when Redis goes into the background"
_ONE_FILE = "no such file is in the pod, and what it says could not be looked at"

CONTRADICTS: dict[str, tuple[str | None, str]] = {
    "port": ("6379", _COMMAND_LINE),
    "bind": (None, "Redis listens at every address: the others reach a pod by its own, the probes by 127.0.0.1"),
    "protected-mode": ("no", _COMMAND_LINE),
    "dir": ("/data", "the disk is mounted there"),
    "daemonize": ("no", _FOREGROUND),
    "include": (None, _ONE_FILE),
    "aclfile": (None, _NO_PASSWORD),
    "user": (None, _NO_PASSWORD),
    "masteruser": (None, _NO_PASSWORD),
    "rename-command": (None, _COMMANDS),
    "cluster-enabled": ("no", "the vendor's services know one primary, not the slots of a cluster"),
    "replicaof": (None, "who is the primary is decided when a node starts, and by Sentinel"),
    "replica-announce-ip": (None, "a node is known by its host name, which stays while its address changes"),
    "replica-announce-port": ("6379", _COMMAND_LINE),
    "sentinel": (None, "it belongs in the file of the sentinels; a Redis does not start with it"),
}
"""Directive → the value the program itself gives it, if any, and why there is no other one."""

CONTRADICTS_SENTINEL: dict[str, tuple[str | None, str]] = {
    "min-replicas-to-write": ("1", "with Sentinel the program sets it, and a later line of its own wins"),
    "min-replicas-max-lag": ("10", "with Sentinel the program sets it, and a later line of its own wins"),
    "replica-announced": ("yes", "the sentinels would see no replica that could become the primary"),
    "appenddirname": ("appendonlydir", "by that folder a node tells at its start whether its disk is new"),
}
"""The same, with Sentinel."""

NO_PRIMARY = "with 0 no node is ever made the primary"

OLD_NAMES = {
    "slaveof": "replicaof",
    "slave-announce-ip": "replica-announce-ip",
    "slave-announce-port": "replica-announce-port",
    "slave-priority": "replica-priority",
    "min-slaves-to-write": "min-replicas-to-write",
    "min-slaves-max-lag": "min-replicas-max-lag",
}
"""Names that Redis still reads."""


def redis_conf(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Each line of the file; no value of it is repeated."""
    redis = settings.resource_manager.redis
    for number, line in enumerate(redis.common_configuration.splitlines(), 1):
        name, *values = _words(line) or [""]
        mend = f"{remove_command(PATH)}  # or take line {number} out of it in the stack file"
        if _is_secret(name, values):
            reason = f"line {number}, `{name}`: a password, which a stack file keeps in clear; and {_NO_PASSWORD}"
            yield Problem(PATH, "secret-in-clear", reason, mend)
        elif (why := _against(OLD_NAMES.get(name, name), values, sentinel=redis.sentinel.enabled)) is not None:
            yield Problem(PATH, "contradiction", f"line {number}, `{name}`: {why}", mend)


def _words(line: str) -> list[str]:
    """A line as Redis takes it apart: its names are the same in capitals."""
    if line.lstrip().startswith("#"):
        return []
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    return [each.lower() if not index else each for index, each in enumerate(words)]


def _is_secret(name: str, values: list[str]) -> bool:
    if name == "user":
        return any(each.startswith((">", "#")) for each in values)
    return name in SECRETS and any(values)


def _against(name: str, values: list[str], *, sentinel: bool) -> str | None:
    """Why a line cannot stand; None where it can."""
    if name.startswith("tls-"):
        return _NO_TLS
    if sentinel and name == "replica-priority" and values == ["0"]:
        return NO_PRIMARY
    known = CONTRADICTS | (CONTRADICTS_SENTINEL if sentinel else {})
    ours, why = known.get(name, ("", ""))
    return None if not why or (ours is not None and values == [ours]) else why
