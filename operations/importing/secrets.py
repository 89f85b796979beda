"""Secrets among values: where the chart has them, and where people put them. None is ever copied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from operations.importing.reading import Plain
from operations.importing.references import create, printed, reference
from operations.importing.secret_forms import NAME, OPTION, TEXTS, refers
from operations.importing.tree import AGENTS, GONE, Path, get, remove
from stacks.misplaced import SEED_SECRETS, is_plain
from stacks.problem import Problem
from stacks.schema.paths import dotted, exists
from stacks.schema.transcriber_container import SPEAKER_KEYS
from stacks.schema.transcribers import TranscriberSettings

FROM_VARIABLE = "os.environ/"

IN_CLEAR = {
    "flow.secrets.data": "flow",
    "flow.secrets.additionalData": "flow",
    "flow.llmProxy.secrets.data": "flow.llmProxy",
    "flow.llmProxy.secrets.additionalData": "flow.llmProxy",
    "proxy.events.data": None,
    "proxy.storage.data": None,
    "proxy.database.data": None,
    "proxy.proxyCache.redis.data": None,
    "proxy.livekit.data": None,
    "proxy.agentAPI.secretData": None,
}
"""Where the chart has a Secret's content in base64 → what can take keys without a flat one from another Secret."""

DEFAULT_NAME = TranscriberSettings.model_fields["fullname_override"].default

SPEAKERS = ("transcribers", "transcriber", "speakerId", "keys")


@dataclass(frozen=True)
class Secret:
    """A secret at the chart's own place."""

    path: str
    key: str
    """The flat key here."""
    encoded: bool
    """Whether it stands there in base64."""

    def command(self, file: str, stack: str) -> str:
        """How to store it without showing it: from the values file straight into the stack's encrypted ones."""
        decode = " | base64 -d" if self.encoded else ""
        return f"{from_file(self.path, file)}{decode} | pulumi config set --secret {self.key} --stack {stack}"


def from_file(path: str, file: str) -> str:
    """The command that prints what stands at a path of a values file, all names."""
    return printed(tuple(path.split(".")), file)


def taken(values: dict[str, Any]) -> tuple[list[Secret], list[Problem]]:
    """The secrets at the chart's places, taken out of the values, and those for which there is no flat key any more.

    Empty text is the chart's own default.
    """
    found: dict[str, tuple[Secret, Any]] = {}
    problems: list[Problem] = []
    for path, secret in SEED_SECRETS.items():
        steps = tuple(path.split("."))
        value = get(values, steps)
        if value is GONE or is_plain(path, value):
            continue
        remove(values, steps)
        if value in (None, ""):
            continue
        first, stored = found.setdefault(secret.key, (Secret(path, secret.key, secret.encoded), value))
        if value != stored:
            reason = f"`{secret.key}` holds one content, here that of `{first.path}`; this is another one"
            mend = "keep one of the two, or make a Secret of this one in the cluster and name it"
            problems.append(Problem(path, "another-content", reason, mend))
    return [each for each, _ in found.values()], problems


def hidden(values: dict[str, Any], file: str, namespace: str) -> list[Problem]:
    """What else is a secret, or looks like one, taken out of the values; `file` holds them."""
    found = [*_in_clear(values, file, namespace), *_speakers(values, file, namespace)]
    _opened(get(values, AGENTS))
    for path in sorted(_hidden(values, ()), key=lambda path: [str(part).rjust(4) for part in path], reverse=True):
        reason = "by its name or form this is a secret, and a stack file keeps it in clear"
        there = get(values, path)
        mend = reference(path, _text(there.get("name")) if isinstance(there, dict) else "", file, namespace)
        found.append(Problem(dotted(path), "secret-in-clear", reason, mend))
        remove(values, path)
    return found


def _create(name: str, namespace: str, file: str, contents: dict[str, str]) -> str:
    """The command that makes a Secret of what a values file has in base64, by key of the Secret."""
    return create(name, namespace, {key: f"{from_file(at, file)} | base64 -d" for key, at in contents.items()})


def _in_clear(values: dict[str, Any], file: str, namespace: str) -> Iterator[Problem]:
    """Contents of the chart's Secrets for which there is no flat key."""
    for path, component in IN_CLEAR.items():
        steps = tuple(path.split("."))
        given = get(values, steps)
        if not isinstance(given, dict) or not given:
            continue
        remove(values, steps)
        if component is None:
            reason = "a secret in clear under a key that nothing of the chart reads"
            yield Problem(
                path, "secret-in-clear", reason, "make a Secret of your own of it, if something of yours does"
            )
            continue
        name = f"{component.rpartition('.')[2].lower()}-more"
        reason = (
            "secrets in clear without a flat key of their own, so the program's Secret does not hold them; the "
            f"variables that need them take them from the Secret {name} in `{component}.additionalEnvFrom`"
        )
        contents = {key: f"{path}.{key}" for key in given}
        yield Problem(path, "secret-in-clear", reason, _create(name, namespace, file, contents))


def _speakers(values: dict[str, Any], file: str, namespace: str) -> Iterator[Problem]:
    """The keys by which speakers are told again; the chart's default are names in a store."""
    given, stored = get(values, SPEAKERS), get(values, ("transcribers", "externalSecrets", "enabled"))
    in_store = isinstance(stored, Plain) and stored.value is True
    if not isinstance(given, dict) or in_store or given.items() <= SPEAKER_KEYS.items():
        return
    remove(values, SPEAKERS)
    path = ".".join(SPEAKERS)
    base = get(values, ("transcribers", "fullnameOverride"))
    name = f"{base if isinstance(base, str) else DEFAULT_NAME}-speaker-id"
    reason = f"they are read from the Secret {name}, which this program does not make"
    contents = {key: f"{path}.{key}" for key in given}
    yield Problem(path, "secret-in-clear", reason, _create(name, namespace, file, contents))


def _opened(agents: Any) -> None:
    """Agents given as text become maps where a secret is to be taken out."""
    for name, agent in list(agents.items()) if isinstance(agents, dict) else ():
        inside = _inside(agent)
        if any(_hidden(inside, ())):
            agents[name] = inside


def _inside(text: Any) -> Any:
    """What JSON text holds; None for every other one."""
    try:
        return json.loads(text) if isinstance(text, str) and text.lstrip()[:1] in ("{", "[") else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    """The text of a value that can be a secret: no switch, no map, no list; empty where there is none."""
    if isinstance(value, Plain):
        return "" if isinstance(value.value, bool) else value.text
    return value if isinstance(value, str) and value not in ("true", "false") else ""


def _named(path: Path, value: Any) -> bool:
    """Whether a value is a secret by the name of its key; many an annotation only refers to one."""
    text = _text(value)
    if not text or text.startswith(FROM_VARIABLE) or exists(dotted(path)) or path[:-1] == SPEAKERS:
        return False
    name, above = str(path[-1]), [str(part) for part in path[:-1]]
    if NAME.search(name) is None or name.lower().startswith("existing"):
        return False
    if any(part.lower().endswith(("annotations", "labels")) for part in above):
        return not refers(name, text)
    # in a preset stands the name of the variable that holds the key (contract: flow 2.6)
    return not ("additionalPresets" in above and above[-1] == "env")


def _holds(value: Any) -> bool:
    """Whether a text is, or has in it, what looks like a secret."""
    text = _text(value)
    inside = _inside(text)
    return any(form.search(text) for form in TEXTS) or (inside is not None and any(_hidden(inside, ())))


def _hidden(tree: Any, path: Path) -> Iterator[Path]:
    if isinstance(tree, list):
        for index, each in enumerate(tree):
            before = _text(tree[index - 1]) if index else ""
            if OPTION.fullmatch(before) and NAME.search(before) and _text(each) and not OPTION.fullmatch(_text(each)):
                yield (*path, index)
            else:
                yield from _hidden(each, (*path, index))
    elif isinstance(tree, dict):
        name, value = _text(tree.get("name")), tree.get("value")
        if name and _text(value) and (NAME.search(name) or _holds(value)):
            yield path
            return
        for key, each in tree.items():
            # beside a place in a store stands the name of the Secret's key
            of_store = key == "secretKey" and "remoteRef" in tree
            if _named((*path, key), each) and not of_store:
                yield (*path, key)
            else:
                yield from _hidden(each, (*path, key))
    elif _holds(tree):
        yield path
