"""Where a secret taken out of the values can be referred to instead, and the command that makes a Secret of it."""

from __future__ import annotations

import re
import shlex

from operations.importing.tree import AGENTS, Path
from stacks.schema.fragment import EnvEntry
from stacks.schema.paths import dotted, field_at

NO_PASSWORD = (
    "it is left out: the Redis made here has no password, and no key takes one. For a Redis with a password: one of "
    "your own, its address with the password in `redisUrl`, resourceManager.externalRedis.enabled: true and "
    "resourceManager.redis.enabled: false"
)
NO_REFERENCE = "it is left out: what stands here is text, and nothing of it can be read from a Secret"
OF_AGENTS = (
    "it is left out: agents are read from a ConfigMap. Keep agents with secrets at a service of your own "
    "(proxy.agentAPI.useRemote), whose password is the flat key `agentApiPassword`"
)
REDIS_PASSWORDS = ("resourceManager", "redis")
MODELS = ("flow", "llmProxy", "config")
"""Text here may be the name of a variable."""


def printed(path: Path, file: str) -> str:
    """The command that prints what stands at a path of a values file."""
    steps = "".join(_step(part) for part in path)
    return f"yq -r {shlex.quote(steps if steps.startswith('.') else f'.{steps}')} {shlex.quote(file)}"


def _step(part: int | str) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if part.isidentifier() else f'["{part}"]'


def create(name: str, namespace: str, contents: dict[str, str]) -> str:
    """The command that makes a Secret, of commands that print its content by key."""
    from_files = " ".join(f"--from-file={key}=<({command})" for key, command in contents.items())
    return f"kubectl create secret generic {name} --namespace {namespace} {from_files}"


def exactly(command: str) -> str:
    """The same without the newline that ends what a command prints, and no other one."""
    return f'v=$({command} && echo x); printf %s "${{v%??}}"'


def reference(path: Path, name: str, file: str, namespace: str) -> str:
    """What to do about a secret at a path; `name` is that of the variable, if it is one."""
    above = path[:-1]
    if _holds_variables(above):
        return _from_secret(name, above, (*path, "value"), file, namespace)
    if above[-1:] == ("additionalEnv",) and _holds_variables((*above[:-1], "additionalEnvFrom")):
        return _from_secret(str(path[-1]), (*above[:-1], "additionalEnvFrom"), path, file, namespace)
    if path[: len(MODELS)] == MODELS:
        return (
            "make a Secret of it, name it in flow.llmProxy.additionalEnvFrom, and write os.environ/ and the name of "
            "the variable in its place"
        )
    if path[: len(REDIS_PASSWORDS)] == REDIS_PASSWORDS:
        return NO_PASSWORD
    return OF_AGENTS if path[: len(AGENTS)] == AGENTS else NO_REFERENCE


def _holds_variables(path: Path) -> bool:
    """Whether a list of variables is at a path, each with a value or a source of it."""
    field = field_at(path) if path else None
    return field is not None and field.annotation == tuple[EnvEntry, ...]


def _from_secret(variable: str, wanted: Path, at: Path, file: str, namespace: str) -> str:
    """The command, and the line that refers to what it makes."""
    sections = [str(part) for part in at if isinstance(part, str)][:-2]
    secret = re.sub(r"[^a-z0-9]+", "-", "-".join([*sections, variable]).lower()).strip("-")
    command = create(secret, namespace, {variable: exactly(printed(at, file))})
    line = f"- {{name: {variable}, valueFrom: {{secretKeyRef: {{name: {secret}, key: {variable}}}}}}}"
    return f"{command}  # then in {dotted(wanted)}: {line}"
