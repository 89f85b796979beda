"""Keys that stand where nothing reads them, and where they belong."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from stacks.problem import PROJECT, RENAME, Problem, remove_command, set_secret
from stacks.schema import FLOW_SECRETS, SECRET_KEYS, Settings
from stacks.schema.paths import ANY_KEY, default_at, exists, is_map, keys_at, keys_of, places, section_of, type_at

PROVIDERS = {"azure-native": "azure", "kubernetes": "access"}
"""Packages with an explicit provider → the provider's name in this program."""

INSTEAD = {
    "azure-native:location": "azure.location",
    "azure-native:subscriptionId": "azure.subscriptionId",
    "azure:location": "azure.location",
    "azure:subscriptionId": "azure.subscriptionId",
    "kubernetes:namespace": "namespace",
}
"""Provider settings → where this program has the same thing."""

ENGINE = "pulumi"
ENGINE_KEYS = ("autonaming", "disable-default-providers", "tags")
"""What the engine and its command line read in their own namespace (3.255.0)."""

SERVERS = (
    "inferenceServerEnhancedRecipe1",
    "inferenceServerEnhancedRecipe2",
    "inferenceServerEnhancedRecipe3",
    "inferenceServerEnhancedRecipe4",
    "inferenceServerStandardAll",
    "inferenceServerCustom",
)
"""What `inferenceServer` stands for in the seed's prose."""

LICENSED = (
    "global",
    "transcribers.transcriber",
    *(f"{server}.tritonServer" for server in SERVERS),
    "flow",
    "flow.tts",
)
"""Sections that may have a license of their own (contract: transcription 13.3, flow 2.7 and 4.2), everybody's first."""


class SeedSecret(NamedTuple):
    """A secret that the seed has among other values."""

    key: str
    """The flat key of ours."""
    file: str
    """A file it may come from."""
    encoded: bool = True
    """Whether the chart has it in base64, as `data` of a Secret; else it is plain text, which the chart encodes."""


SEED_SECRETS = {
    **{f"{section}.licensing.license": SeedSecret("licenseJson", "license.json") for section in LICENSED},
    "resourceManager.redis.url": SeedSecret("redisUrl", "redis-url.txt"),
    "resourceManager.database.connectionUrl": SeedSecret("databaseUrl", "database-url.txt", encoded=False),
    "flow.vllm.hfTokenSecret.token": SeedSecret("huggingFaceToken", "token.txt"),
    "proxy.events.data.endpoint": SeedSecret("proxyEventsEndpoint", "endpoint.txt"),
    "proxy.events.data.conn-string": SeedSecret("proxyEventsConnString", "conn-string.txt"),
    "proxy.storage.data.storageaccountname": SeedSecret("proxyStorageAccountName", "account.txt"),
    "proxy.storage.data.storageaccountkey": SeedSecret("proxyStorageAccountKey", "account-key.txt"),
    "proxy.database.data.conn_string": SeedSecret("proxyDatabaseConnString", "conn-string.txt"),
    "proxy.proxyCache.redis.data.conn_string": SeedSecret("proxyRedisConnString", "conn-string.txt"),
    "proxy.livekit.data.livekit-url": SeedSecret("livekitUrl", "url.txt"),
    "proxy.livekit.data.livekit-api-key": SeedSecret("livekitApiKey", "key.txt"),
    "proxy.livekit.data.livekit-api-secret": SeedSecret("livekitApiSecret", "secret.txt"),
    "proxy.agentAPI.secretData.flow-mp-api-internal-password": SeedSecret("agentApiPassword", "password.txt"),
    **{
        f"flow.secrets.{part}.{name}": SeedSecret(key, f"{name}.txt")
        for part in ("data", "additionalData")
        for name, (key, _) in FLOW_SECRETS.items()
    },
}
"""Where the seed keeps secrets among other values."""

TWO_WAYS = {"transcriber": "transcribers", "transcribers": "transcriber"}
"""Names that the seed's text writes in two ways: which of them is right depends on the section."""

SAME = {"additionalEnv": "env"}
"""What one section calls otherwise than another one, which a key that means something else may look more like."""

NEAR = 0.75
"""How alike a key and the one that was probably meant are at least: one wrong letter in four."""
PLAIN = {"resourceManager.redis.url": re.compile(r"[A-Za-z0-9][-A-Za-z0-9.]*:[0-9]{1,5}")}
"""Those that may be no secret at all, and what they look like then: `host:port`, which no base64 is."""


def closest(key: str, known: Iterable[str]) -> str | None:
    """The known key that was probably meant, capitals aside."""
    spelt = {each.lower(): each for each in known}
    near = get_close_matches(key.lower(), spelt, n=1, cutoff=NEAR)
    return spelt[near[0]] if near else None


def plain(document: Mapping[str, Any], path: str) -> bool:
    """Whether what stands at a secret's place in the seed is none: nothing, or an address without a password."""
    found: Any = document
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return is_plain(path, found)


def is_plain(path: str, value: Any) -> bool:
    """Whether this value at a secret's place in the seed is none."""
    if path not in PLAIN:
        return False
    return value is None or (isinstance(value, str) and PLAIN[path].fullmatch(value) is not None)


def other_namespace(full: str) -> Problem | None:
    """What is wrong with a key that is not ours: only the engine's own are right.

    The value is never looked at: it may be a secret.
    """
    namespace, _, key = full.partition(":")
    remove, instead = f"pulumi config rm {full}", INSTEAD.get(full)
    here = f"; what it says stands in `{PROJECT}:{instead}`" if instead else ""
    if namespace in PROVIDERS:
        reason = f"the program has a provider of its own ({PROVIDERS[namespace]}), which does not read this{here}"
        return Problem(full, "ignored-key", reason, remove)
    if namespace == ENGINE:
        return None if key in ENGINE_KEYS else _unknown_to_the_engine(full, key)
    reason = f"nothing reads the namespace `{namespace}`"
    if instead:
        return Problem(full, "ignored-key", f"{reason}{here}", remove)
    known = (*keys_of(Settings), *SECRET_KEYS)
    meant = key if key in known else closest(key, known)
    if meant is None and closest(namespace, [PROJECT]):
        meant = key
    if meant is None:
        return Problem(full, "unknown-key", f"{reason}; ours is `{PROJECT}`", remove)
    reason = f"{reason}; did you mean `{PROJECT}:{meant}`?"
    if meant in SECRET_KEYS:
        return Problem(full, "unknown-key", reason, f"{remove} && {set_secret(meant, 'FILE')}")
    return Problem(full, "unknown-key", reason, f"{RENAME}`{PROJECT}:{meant}`")


def _unknown_to_the_engine(full: str, key: str) -> Problem:
    """A key in the engine's namespace that it does not read, such as one that lacks its last letter."""
    near = closest(key, ENGINE_KEYS)
    if near:
        meant = f"{ENGINE}:{near}"
        return Problem(full, "unknown-key", f"the engine reads no such key; did you mean `{meant}`?",
                       f"{RENAME}`{meant}`")  # fmt: skip
    known = ", ".join(f"`{ENGINE}:{each}`" for each in ENGINE_KEYS)
    return Problem(full, "unknown-key", f"the engine reads no such key; it reads {known}", f"pulumi config rm {full}")


def meant_secret(key: str) -> Problem | None:
    """A top-level key that was probably meant to be one of the secrets."""
    near = closest(key, SECRET_KEYS)
    if near is None or key in keys_of(Settings):
        return None
    reason = f"there is no such key; did you mean `{near}`, {SECRET_KEYS[near]}?"
    return Problem(key, "unknown-key", reason, f"pulumi config rm {key} && {set_secret(near, 'FILE')}")


def secret_among_values(path: str) -> Problem:
    """A secret where the seed has it."""
    key, file, _ = SEED_SECRETS[path]
    remove = remove_command(path)
    reason = f"secrets have flat keys of their own, kept encrypted; this one is `{key}`"
    return Problem(path, "secret-in-clear", reason, f"{remove} && {set_secret(key, file)}")


def one_level_down(location: tuple[int | str, ...], given: Any) -> Problem | None:
    """A key that stands by the very same name in a section beside it, which is nearer than any near miss."""
    return _elsewhere(location, _one_down(location, given))


def not_there(location: tuple[int | str, ...], given: Any) -> Problem | None:
    """A key without a near miss: the keys of that name one level down, or the one that stands elsewhere."""
    elsewhere = places(str(location[-1]))
    alike = len(elsewhere) == 1 and _alike(location, elsewhere[0]) and _fits(elsewhere[0], given)
    return _elsewhere(location, _one_down(location, given) or (elsewhere if alike else []))


def _elsewhere(location: tuple[int | str, ...], found: Sequence[str]) -> Problem | None:
    """What is said of a key that stands in these places; None where there is none."""
    if not found:
        return None
    path = ".".join(str(part) for part in location)
    reason = f"there is no such key here; there is {_named(found, 'and')}"
    return Problem(path, "wrong-path", reason, f"{RENAME}{_named(found, 'or')}")


def _named(paths: Sequence[str], word: str) -> str:
    *others, last = [f"`{each}`" for each in paths]
    return f"{', '.join(others)} {word} {last}" if others else last


FEW = 3
"""Keys that may be named as the one that was meant."""


def _one_down(location: tuple[int | str, ...], given: Any) -> list[str]:
    """The keys of that name in the sections beside it, where they are few: its own section was left out."""
    above, key = ".".join(str(part) for part in location[:-1]), str(location[-1])
    found = [f"{above}.{each}.{key}" for each in keys_at(above)] if above else []
    found = [each for each in found if exists(each) and _fits(each, given)]
    return found if len(found) <= FEW else []


def _alike(location: tuple[int | str, ...], elsewhere: str) -> bool:
    """Whether a key of that name elsewhere is likely the one that was meant.

    One at the top has lost the beginning of its path. Below, the section around it is called the same in both places,
    or the key's name is a rare one, which is one of several words. In a map of the user's own, everything can stand.
    """
    if ANY_KEY in elsewhere or any(isinstance(part, int) for part in location):
        return False
    key, around = str(location[-1]), location[-2:-1]
    return not around or list(around) == elsewhere.split(".")[-2:-1] or not key.islower()


def _fits(path: str, given: Any) -> bool:
    """Whether a value has the form of what stands at a path: a section, a list or a single value, never a free map."""
    annotation = type_at(path)
    if is_map(annotation):
        return False
    is_list = any(typing.get_origin(each) is tuple for each in (annotation, *typing.get_args(annotation)))
    form = list if is_list else dict if section_of(annotation) else (str, int, float, bool, type(None))
    return isinstance(given, form)


def take(document: dict[str, Any], path: str) -> bool:
    """Remove the value at a path; whether there was one with content (the seed's own default is empty text)."""
    *above, last = path.split(".")
    parent: Any = document
    for part in above:
        parent = parent.get(part) if isinstance(parent, dict) else None
    return isinstance(parent, dict) and parent.pop(last, None) not in (None, "")


def flagged_key(key: str, value: Any) -> list[Problem]:
    """A key that arrives as a secret and is none: what in it was meant to be one, or how it is set again in clear."""
    meant = meant_secret(key)
    if meant is not None:
        return [meant]
    why = "only flat keys made for it hold secrets; inside an object one would show in the state"
    inside = [path for path in SEED_SECRETS if take({key: value}, path)]
    if inside:
        found = [secret_among_values(path) for path in inside]
        return [Problem(each.path, "secret-not-allowed", f"{why}; {each.reason}", each.mend) for each in found]
    if key not in keys_of(Settings):
        return [Problem(key, "secret-not-allowed", why, f"pulumi config rm {key}")]
    if section_of(type_at(key)) is None:
        again = f'pulumi config set --plaintext {key} "$(pulumi config get {key})"'
    else:
        full = f'"{PROJECT}:{key}"'
        again = (
            'pulumi config set-all --json "$(pulumi config --json --show-secrets | '
            f"jq '{{{full}: (.[{full}] + {{secret: false, objectValue: {{}}}})}}')\""
        )
    return [Problem(key, "secret-not-allowed", f"{why}; this sets the same again in clear", again)]


def _transcriber(_: Mapping[str, Any]) -> list[str]:
    return ["transcribers", "transcribers.transcriber"]


def _inference_server(document: Mapping[str, Any]) -> list[str]:
    """Those that are enabled, or the first."""
    on = [server for server in SERVERS if _enabled(document.get(server), default_at(f"{server}.enabled"))]
    return on or [SERVERS[0]]


def _enabled(section: Any, default: Any) -> bool:
    given = section.get("enabled", default) if isinstance(section, dict) else default
    return given in (True, "true")


def _secrets(_: Mapping[str, Any]) -> list[str]:
    return ["resourceManager.secrets"]


SLIPS: dict[str, tuple[Callable[[Mapping[str, Any]], list[str]], str]] = {
    "transcriber": (_transcriber, "`transcribers` or `transcribers.transcriber`"),
    "inferenceServer": (_inference_server, f"one of {', '.join(f'`{each}`' for each in SERVERS)}"),
    "secrets": (_secrets, "`resourceManager.secrets`"),
}
"""Top-level keys of the seed's prose that its chart does not have → the sections a key under them can belong to, and
what the prose means by them."""


def slips(document: dict[str, Any]) -> list[Problem]:
    """The seed's own slips, each key under them by itself; they are taken out of the document."""
    found: list[Problem] = []
    for key, (sections, meaning) in SLIPS.items():
        if isinstance(document.get(key), dict) and document[key]:
            below, prose = document.pop(key), f"in the vendor's text `{key}` stands for {meaning}"
            found += [_moved(f"{key}.{child}", sections(document), prose) for child in below]
    return found


def _moved(path: str, sections: Sequence[str], prose: str) -> Problem:
    """Where a key under one of the seed's slips belongs: the first section that has it, or one that is like it."""
    child = path.partition(".")[2]
    known = {key: section for section in reversed(sections) for key in keys_at(section)}
    meant = child if child in known else closest(child, known)
    if meant is None:
        return Problem(path, "unknown-key", f"there is no such key; {prose}", remove_command(path))
    rights = [f"{known[meant]}.{meant}"]
    if set(sections) <= set(SERVERS):
        rights = [f"{section}.{meant}" for section in sections if meant in keys_at(section)]
    right = _named(rights, "and")
    said = f"the key is {right}" if meant == child else f"did you mean {right}?"
    said = f"{said}, which are enabled" if len(rights) > 1 else said
    return Problem(path, "wrong-path", f"{prose}; {said}", f"{RENAME}{_named(rights, 'or')}")
