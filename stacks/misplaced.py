"""Keys that stand where nothing reads them, and where they belong."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from stacks.problem import PROJECT, Problem, set_secret
from stacks.schema import FLOW_SECRETS, SECRET_KEYS, Settings

PROVIDERS = {"azure-native": "azure", "kubernetes": "access"}
"""Packages with an explicit provider → the provider's name in this program."""

INSTEAD = {
    "azure-native:location": "azure.location",
    "azure-native:subscriptionId": "azure.subscriptionId",
    "kubernetes:namespace": "namespace",
}
"""Provider settings → where this program has the same thing."""

SEED_SECRETS = {
    "global.licensing.license": ("licenseJson", "license.json"),
    "resourceManager.redis.url": ("redisUrl", "redis-url.txt"),
    "flow.vllm.hfTokenSecret.token": ("huggingFaceToken", "token.txt"),
    **{f"flow.secrets.data.{name}": (key, f"{name}.txt") for name, (key, _) in FLOW_SECRETS.items()},
}
"""Where the seed keeps secrets among other values → the flat key of ours, and a file it may come from."""

SERVERS = (
    "inferenceServerEnhancedRecipe1",
    "inferenceServerEnhancedRecipe2",
    "inferenceServerEnhancedRecipe3",
    "inferenceServerEnhancedRecipe4",
    "inferenceServerStandardAll",
    "inferenceServerCustom",
)
"""What `inferenceServer` stands for in the seed's prose."""


ANY_KEY = "<key>"
"""In a path: a key of a map."""


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The model a field's type holds: itself, an optional one, the items of a list, the values of a map."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [section_of(each) for each in getattr(annotation, "__args__", ())]
    return next((each for each in inner if each is not None), None)


def is_map(annotation: Any) -> bool:
    """Whether a field's type is a map, whose keys the user chooses."""
    return typing.get_origin(annotation) is dict


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys of a section, as the stack file spells them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def places(key: str) -> list[str]:
    """Every path of the configuration at which there is such a key, lists aside."""
    return [path for path in _paths(Settings, "") if path.rpartition(".")[2] == key]


def exists(path: str) -> bool:
    """Whether the configuration has such a key."""
    return path in set(_paths(Settings, ""))


def _paths(model: type[BaseModel], above: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        yield path
        inner = section_of(field.annotation)
        if inner is not None and typing.get_origin(field.annotation) is not tuple:
            yield from _paths(inner, f"{path}.{ANY_KEY}." if is_map(field.annotation) else f"{path}.")


def other_namespace(full: str) -> Problem | None:
    """What is wrong with a key that is not ours: nothing, unless it was meant to be, or to reach a provider.

    The value is never looked at: it may be a secret.
    """
    namespace, _, key = full.partition(":")
    if namespace in PROVIDERS:
        instead = INSTEAD.get(full)
        here = f"; what it says stands in `{PROJECT}:{instead}`" if instead else ""
        reason = f"the program has a provider of its own ({PROVIDERS[namespace]}), which does not read this{here}"
        return Problem(full, "ignored-key", reason, f"pulumi config rm {full}")
    if get_close_matches(namespace, [PROJECT], n=1, cutoff=0.75):
        meant = f"{PROJECT}:{key}"
        reason = f"nothing reads the namespace `{namespace}`; did you mean `{meant}`?"
        return Problem(full, "unknown-key", reason, f"rename it to `{meant}`")
    return None


def meant_secret(key: str) -> Problem | None:
    """A top-level key that was probably meant to be one of the secrets."""
    near = get_close_matches(key, SECRET_KEYS, n=1, cutoff=0.75)
    if not near:
        return None
    reason = f"there is no such key; did you mean `{near[0]}`, {SECRET_KEYS[near[0]]}?"
    return Problem(key, "unknown-key", reason, f"pulumi config rm {key} && {set_secret(near[0], 'FILE')}")


def secret_among_values(path: str) -> Problem:
    """A secret where the seed has it."""
    key, file = SEED_SECRETS[path]
    remove = f"pulumi config rm --path '{path}'"
    if key in SECRET_KEYS:
        reason = f"secrets have flat keys of their own, kept encrypted; this one is `{key}`"
        return Problem(path, "secret-in-clear", reason, f"{remove} && {set_secret(key, file)}")
    reason = "secrets have flat keys of their own, kept encrypted; what needs this one is not deployed yet"
    return Problem(path, "secret-in-clear", reason, f"{remove}; once it is: {set_secret(key, file)}")


def not_there(path: str, key: str) -> Problem | None:
    """A key without a near miss: the one key of that name, which stands elsewhere."""
    elsewhere = places(key)
    if len(elsewhere) != 1:
        return None
    reason = f"there is no such key here; there is `{elsewhere[0]}`"
    return Problem(path, "wrong-path", reason, f"rename it to `{elsewhere[0]}`")


def _moved(path: str, right: str, reason: str) -> Problem:
    if exists(right):
        return Problem(path, "wrong-path", reason, f"rename it to `{right}`")
    return Problem(path, "wrong-path", f"{reason}, which is not offered yet", f"pulumi config rm --path '{path}'")


def _transcriber(child: str, _: Mapping[str, Any]) -> tuple[str, str]:
    section = section_of(Settings.model_fields["transcribers"].annotation) or Settings
    above = "transcribers" if child in keys_of(section) else "transcribers.transcriber"
    return f"{above}.{child}", f"the vendor's text leaves out the beginning; the key is `{above}.{child}`"


def _inference_server(child: str, document: Mapping[str, Any]) -> tuple[str, str]:
    given = [server for server in SERVERS if server in document]
    server = next(iter(given or [s for s in SERVERS if s in keys_of(Settings)]), SERVERS[0])
    named = ", ".join(f"`{each}`" for each in SERVERS)
    return f"{server}.{child}", f"in the vendor's text this stands for one of {named}"


def _secrets(child: str, _: Mapping[str, Any]) -> tuple[str, str]:
    right = f"resourceManager.secrets.{child}"
    return right, f"the vendor's text leaves out the beginning; the key is `{right}`"


SLIPS: dict[str, Callable[[str, Mapping[str, Any]], tuple[str, str]]] = {
    "transcriber": _transcriber,
    "inferenceServer": _inference_server,
    "secrets": _secrets,
}
"""Top-level keys of the seed's prose that its chart does not have → where a key under them belongs, and why."""


def slips(document: dict[str, Any]) -> list[Problem]:
    """The seed's own slips, each key under them by itself; they are taken out of the document."""
    found: list[Problem] = []
    for key, place in SLIPS.items():
        if isinstance(document.get(key), dict) and document[key]:
            below = document.pop(key)
            found += [_moved(f"{key}.{child}", *place(child, document)) for child in below]
    return found
