"""The files that the controller writes for nginx, from what it reads in the cluster. Pure.

Each rule with its source, and what is left out, is in `docs/reference/ingress-stand-in.md`. Paths are those below
`/etc/nginx`; ports, addresses and folders are given, because a run on loopback has others than a pod.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.hosted.host import Json, RefusedError
from sandbox.ingress import certificates, config_map
from sandbox.ingress.arguments import Arguments
from sandbox.ingress.certificates import InvalidSecretError
from sandbox.ingress.config_map import Config, Snippets
from sandbox.ingress.configuration import Accepted, decide
from sandbox.ingress.routing import WILDCARD, Location, Server, servers
from sandbox.ingress.upstreams import upstream_name, upstreams

MAIN, VERSION = "nginx.conf", "config-version.conf"
DEFAULT_SECRET, WILDCARD_SECRET = "secrets/default", "secrets/wildcard"

CLOCKS = (
    "worker_shutdown_timeout",
    "proxy_connect_timeout",
    "proxy_read_timeout",
    "proxy_send_timeout",
    "keepalive_timeout",
)
"""Directives with a clock that are rendered. `fail_timeout` of an upstream's server, in whole seconds, cuts nobody."""

_CLOCK = re.compile(rf"^(\s*)({'|'.join(CLOCKS)}) (\S+);$", re.MULTILINE)
_SOCKET = "nginx-config-version.sock"


@dataclass(frozen=True)
class Objects:
    """What a controller reads: its command line, its map's data, and objects of the namespaces it watches."""

    arguments: Arguments
    config_map: Mapping[str, str] = field(default_factory=dict)
    ingresses: Sequence[Json] = ()
    services: Sequence[Json] = ()
    slices: Sequence[Json] = ()
    secrets: Sequence[Json] = ()


@dataclass(frozen=True)
class Place:
    """Where a run listens and keeps its files; in a pod every address, 80 and 443, /etc/nginx and /var/lib/nginx."""

    address: str
    http: int
    https: int
    etc: str
    lib: str

    @classmethod
    def below(cls, folder: str, http: int, https: int) -> Place:
        """On loopback, with all files in one folder. Its path is short: that of a unix socket may be 107 bytes."""
        return cls("127.0.0.1", http, https, f"{folder}/etc", f"{folder}/lib")

    @property
    def version_socket(self) -> str:
        """The unix socket on which a worker says which configuration it has."""
        return f"{self.lib}/{_SOCKET}"


@dataclass(frozen=True)
class Rendered:
    """The files, by their path below `/etc/nginx`. All seconds are those of the objects."""

    files: Mapping[str, str]
    place: Place

    @property
    def clocks(self) -> dict[str, set[float]]:
        """The seconds of every clock, by directive, over all files."""
        found: dict[str, set[float]] = {}
        for text in self.files.values():
            for _, name, time in _CLOCK.findall(text):
                found.setdefault(name, set()).add(config_map.seconds(time) or 0.0)
        return found

    def divided(self, factor: float) -> dict[str, str]:
        """The files with every clock divided."""

        def one(match: re.Match[str]) -> str:
            milliseconds = max(1, round((config_map.seconds(match[3]) or 0) * 1000 / factor))
            return f"{match[1]}{match[2]} {milliseconds}ms;"

        return {path: _CLOCK.sub(one, text) for path, text in self.files.items()}


def rendered(objects: Objects, place: Place) -> Rendered:
    """All files of one configuration; `config-version.conf` is the runner's.

    Raises `RefusedError` for what the controller, and `NotLoadedError` for what nginx is known to refuse.
    """
    told = objects.arguments
    config, _ = config_map.read(objects.config_map)
    files: dict[str, str] = {}
    default = _pem(told.default_secret, objects)
    if default:
        files[DEFAULT_SECRET] = default
    wildcard = _pem(told.wildcard_secret, objects)
    if wildcard:
        files[WILDCARD_SECRET] = wildcard
    watched = [each for each in objects.ingresses if {"", each["metadata"]["namespace"]} & set(told.watched)]
    for accepted in decide(watched, told.ingress_class).accepted:
        meta = accepted.ingress["metadata"]
        made = list(servers(accepted, config))
        pems = {server.host: _certificate(server, objects, files) for server in made}
        lines = [line for name, to in upstreams(made, objects.services, objects.slices) for line in _pool(name, to)]
        for server in made:
            lines += _server(server, pems[server.host], accepted, config, place)
        files[f"conf.d/{meta['namespace']}-{meta['name']}.conf"] = _text(lines)
    files[MAIN] = _text(_main(config, default is not None, place))
    return Rendered(files, place)


def version(number: int, place: Place) -> str:
    """The file by which the controller sees that a worker with the new configuration answers."""
    socket = f"listen unix:{place.version_socket};"
    said = _block("location /configVersion", ["default_type text/plain;", f"return 200 {number};"])
    return _text(_block("server", [socket, "access_log off;", *said]))


def _text(lines: Iterable[str]) -> str:
    return "\n".join([*lines, ""])


def _block(head: str, lines: Iterable[str]) -> list[str]:
    return [f"{head} {{", *(f"    {line}" for line in lines), "}"]


def _time(seconds: float) -> str:
    return f"{int(seconds)}s" if seconds == int(seconds) else f"{round(seconds * 1000)}ms"


def _snippet(text: str) -> list[str]:
    return text.splitlines()


def _main(config: Config, has_default: bool, place: Place) -> Iterator[str]:
    yield "worker_processes auto;"
    if config.shutdown_seconds is not None:
        yield f"worker_shutdown_timeout {_time(config.shutdown_seconds)};"
    yield "daemon off;"
    yield f"error_log stderr {config.error_level};"
    yield f"pid {place.lib}/nginx.pid;"
    yield from _block("events", ["worker_connections 1024;"])
    yield from _block("http", _http(config.snippets, has_default, place))


def _http(snippets: Snippets, has_default: bool, place: Place) -> Iterator[str]:
    yield "default_type application/octet-stream;"
    yield "map_hash_max_size 2048;"
    yield "map_hash_bucket_size 256;"
    yield from _snippet(snippets.http)
    yield (
        'log_format main \'$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
        '"$http_referer" "$http_user_agent" "$http_x_forwarded_for"\';'
    )
    yield "access_log /dev/stdout main;"
    yield "sendfile on;"
    yield "keepalive_timeout 75s;"
    yield "keepalive_requests 1000;"
    yield "server_names_hash_max_size 1024;"
    yield "server_names_hash_bucket_size 256;"
    yield "variables_hash_bucket_size 256;"
    yield "variables_hash_max_size 1024;"
    yield from _block("map $http_upgrade $connection_upgrade", ["default upgrade;", "'' close;"])
    yield from _block("server", _default_server(has_default, place))
    yield f"include {place.etc}/{VERSION};"
    yield f"include {place.etc}/conf.d/*.conf;"


def _default_server(has_default: bool, place: Place) -> Iterator[str]:
    yield f"listen {place.address}:{place.http} default_server;"
    yield f"listen {place.address}:{place.https} ssl default_server;"
    yield from _certificate_lines(f"{place.etc}/{DEFAULT_SECRET}" if has_default else None)
    yield "server_name _;"
    yield 'server_tokens "on";'
    yield from _block("location /", ["return 404;"])


def _certificate_lines(pem: str | None) -> list[str]:
    return [f"ssl_certificate {pem};", f"ssl_certificate_key {pem};"] if pem else ["ssl_reject_handshake on;"]


def _pool(name: str, addresses: Sequence[str]) -> list[str]:
    """Without an endpoint there is one address on which nothing listens: the answer is 502."""
    to = [f"server {each} max_fails=1 fail_timeout=10s max_conns=0;" for each in addresses or ("127.0.0.1:8181",)]
    return _block(f"upstream {name}", [f"zone {name} 256k;", "random two least_conn;", *to])


def _server(server: Server, pem: str | None, accepted: Accepted, config: Config, place: Place) -> list[str]:
    meta = accepted.ingress["metadata"]
    lines = [f"listen {place.address}:{place.http};"]
    if server.secret is not None:
        lines.append(f"listen {place.address}:{place.https} ssl;")
        lines += _certificate_lines(f"{place.etc}/{pem}" if pem else None)
    lines += ["server_tokens on;", f"server_name {server.host};"]
    lines += ['set $resource_type "ingress";', f'set $resource_name "{meta["name"]}";']
    lines += [f'set $resource_namespace "{meta["namespace"]}";', 'set $service "-";']
    if server.secret is not None and server.ssl_redirect:
        lines += _block("if ($scheme = http)", [f"return 301 https://$host:{place.https}$request_uri;"])
    lines += _snippet(config.snippets.server)
    for location in server.locations:
        lines += _block(f"location {location.head}", _location(server, location, config.snippets))
    return _block("server", lines)


def _location(server: Server, location: Location, snippets: Snippets) -> Iterator[str]:
    yield f'set $service "{location.service}";'
    yield "proxy_http_version 1.1;"
    if location.websocket:
        yield "proxy_set_header Upgrade $http_upgrade;"
        yield "proxy_set_header Connection $connection_upgrade;"
    yield from _snippet(snippets.location)
    yield f"proxy_connect_timeout {_time(location.connect_seconds)};"
    yield f"proxy_read_timeout {_time(location.read_seconds)};"
    yield f"proxy_send_timeout {_time(location.send_seconds)};"
    yield "client_max_body_size 1m;"
    yield "proxy_set_header Host $host;"
    yield "proxy_set_header X-Real-IP $remote_addr;"
    yield "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    yield "proxy_set_header X-Forwarded-Host $host;"
    yield "proxy_set_header X-Forwarded-Port $server_port;"
    yield "proxy_set_header X-Forwarded-Proto $scheme;"
    yield "proxy_buffering on;"
    yield f"proxy_pass http://{upstream_name(server, location)};"


def _certificate(server: Server, objects: Objects, files: dict[str, str]) -> str | None:
    """The file with the certificate of a server, written by the way; None: every handshake is refused."""
    if server.secret is None:
        return None
    if server.secret == WILDCARD:
        return WILDCARD_SECRET if WILDCARD_SECRET in files else None
    pem = _pem(server.secret, objects)
    if pem is None:
        return None
    path = f"secrets/{'-'.join(server.secret)}"
    files[path] = pem
    return path


def _pem(named: tuple[str, str] | None, objects: Objects) -> str | None:
    """Certificate and key of a Secret that the controller may read and that is one."""
    for secret in objects.secrets if named else ():
        meta = secret["metadata"]
        seen = {"", meta["namespace"]} & set(objects.arguments.secrets_watched)
        if (meta["namespace"], meta["name"]) == named and seen:
            try:
                certificates.context(secret)
            except InvalidSecretError:
                return None
            data: dict[str, Any] = secret["data"]
            return "\n".join(_decoded(data[key]) for key in ("tls.crt", "tls.key"))
    return None


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RefusedError("SecretError", f"no certificate: {error}") from error
