"""One Ingress by itself (internal/k8s/validation.go): each text is a reason why all of it is rejected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sandbox.hosted.host import Json
from sandbox.ingress.config_map import seconds

MERGEABLE = "nginx.org/mergeable-ingress-type"
PATH_REGEX = "nginx.org/path-regex"
WEBSOCKETS = "nginx.org/websocket-services"
READ_TIMEOUT = "nginx.org/proxy-read-timeout"
SEND_TIMEOUT = "nginx.org/proxy-send-timeout"
CONNECT_TIMEOUT = "nginx.org/proxy-connect-timeout"
SSL_REDIRECT = "nginx.org/ssl-redirect"

_PATH = re.compile(r"/[^\s;]*\Z")
_ESCAPED = re.compile(r'([^"\\]|\\.)*\Z')
_BRACES = re.compile(r"\{(.*?)\}")
_KEYWORDS = re.compile(r"^/etc/|/root|/var|\\n|\\r$")

Check = Callable[[str, Json], str | None]


def marks_of(ingress: Json) -> dict[str, str]:
    found: dict[str, str] = ingress["metadata"].get("annotations") or {}
    return found


def services(ingress: Json) -> set[str]:
    """The Services an Ingress names."""
    backends = [ingress["spec"].get("defaultBackend") or {}]
    for rule in ingress["spec"].get("rules") or []:
        backends += [path["backend"] for path in (rule.get("http") or {}).get("paths") or []]
    return {backend["service"]["name"] for backend in backends if backend.get("service")}


def is_type(ingress: Json, kind: str) -> bool:
    """Whether it is a master or a minion."""
    return marks_of(ingress).get(MERGEABLE) == kind


def _one_of(*allowed: str) -> Check:
    return lambda value, _: None if value in allowed else f"allowed values: {', '.join(allowed)}"


def _time(value: str, _: Json) -> str | None:
    return None if seconds(value) is not None else "must be a time"


def _switch(value: str, _: Json) -> str | None:
    known = value.lower() in ("true", "false", "1", "0", "t", "f")
    return None if known else "must be a boolean"


def _service_list(value: str, ingress: Json) -> str | None:
    unknown = sorted({name.strip() for name in value.split(",")} - services(ingress))
    if not unknown:
        return None
    return f"must be a comma-separated list of services. The following services were not found: {','.join(unknown)}"


def _no_snippets(_: str, __: Json) -> str | None:
    return "snippet specified but snippets feature is not enabled"


CHECKS: dict[str, Check] = {
    MERGEABLE: _one_of("master", "minion"),
    PATH_REGEX: _one_of("case_sensitive", "case_insensitive", "exact"),
    WEBSOCKETS: _service_list,
    READ_TIMEOUT: _time,
    SEND_TIMEOUT: _time,
    CONNECT_TIMEOUT: _time,
    "nginx.org/use-cluster-ip": _switch,
    SSL_REDIRECT: _switch,
    "nginx.org/redirect-to-https": _switch,
    "nginx.org/proxy-buffering": _switch,
    "nginx.org/server-snippets": _no_snippets,
    "nginx.org/location-snippets": _no_snippets,
}
"""Annotations that are played or have no effect here. Of others only those of this controller matter."""


def problems(ingress: Json) -> list[str]:
    """Why the controller takes nothing of this Ingress; empty when it takes it."""
    return [*_annotation_problems(ingress), *_spec_problems(ingress)]


def _annotation_problems(ingress: Json) -> Iterator[str]:
    for name, value in sorted(marks_of(ingress).items()):
        if name in CHECKS:
            why = CHECKS[name](value, ingress)
            if why:
                yield f'annotations.{name}: Invalid value: "{value}": {why}'
        elif name.startswith("nginx.com/"):
            yield f"annotations.{name}: Forbidden: annotation requires NGINX Plus"
        elif name.startswith("nginx.org/"):
            yield f"annotations.{name}: not played by the stand-in"


def _spec_problems(ingress: Json) -> Iterator[str]:
    spec = ingress["spec"]
    rules, hosts = spec.get("rules") or [], set()
    if not rules:
        yield "spec.rules: Required value"
    for index, rule in enumerate(rules):
        where, host = f"spec.rules[{index}]", rule.get("host", "")
        if not host:
            yield f"{where}.host: Required value"
        elif host in hosts:
            yield f'{where}.host: Duplicate value: "{host}"'
        hosts.add(host)
        for path in (rule.get("http") or {}).get("paths") or []:
            yield from _path_problems(path, f"{where}.http.path")
    paths = [path for rule in rules for path in (rule.get("http") or {}).get("paths") or []]
    if is_type(ingress, "master") and (len(rules) != 1 or paths):
        yield "spec.rules: a master has one rule and no paths"
    if is_type(ingress, "minion"):
        if spec.get("tls"):
            yield "spec.tls: Too many: a minion has none"
        if len(rules) != 1 or not paths:
            yield "spec.rules: a minion has one rule and must include at least one path"


def _path_problems(path: Json, where: str) -> Iterator[str]:
    text = path.get("path", "")
    if path["backend"].get("resource"):
        yield f"{where}.backend: Forbidden: resource backends are not supported"
    if not text:
        if path.get("pathType") != "ImplementationSpecific":
            yield f"{where}: Required value: path is required for Exact and Prefix PathTypes"
        return
    if not _PATH.match(text):
        yield f'{where}: Invalid value: "{text}": must start with / and must not include any whitespace or `;`'
        return
    try:
        re.compile(text)
    except re.error as error:
        yield f'{where}: Invalid value: "{text}": must be a valid regular expression: {error}'
    if not _ESCAPED.match(text):
        yield f"{where}: Invalid value: \"{text}\": must have all '\"' escaped and not end with an unescaped '\\'"
    if any(re.search("[A-Za-z]", braces) for braces in _BRACES.findall(text)):
        yield f'{where}: Invalid value: "{text}": must not include curly braces containing alphabetical characters'
    if _KEYWORDS.search(text):
        yield f'{where}: Invalid value: "{text}": must not contain invalid paths'
