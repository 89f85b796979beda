"""The far end of the Secrets' look-up: a small API server on loopback that has every Secret the program may ask for."""

from __future__ import annotations

import functools
import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from components.cluster.certificate import self_signed
from components.cluster.credentials import encoded

LICENSE: dict[str, Any] = {"type": "Opaque", "data": {"license.json": "e30="}}
SPEAKER: dict[str, Any] = {"type": "Opaque", "data": {"private-key": "e30=", "public-key": "e30="}}
LOGIN: dict[str, Any] = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "e30="}}


@functools.cache
def _pair() -> dict[str, str]:
    # the second is what a host becomes when it is changed to be looked at (`tests.reach.knobs`)
    hosts = ("*.example.org", "*.example.orgx", "speechmatics.example.com")
    made = self_signed(hosts, datetime(2026, 1, 1, tzinfo=UTC))
    return {"tls.crt": encoded(made.certificate), "tls.key": encoded(made.key)}


CERTIFICATE: dict[str, Any] = {"type": "kubernetes.io/tls", "data": _pair()}
ADDRESSES: dict[str, Any] = {
    "type": "Opaque", "data": dict.fromkeys(("redis_url", "cd_cache_url", "conn_string", "ca.crt"), "e30="),
}  # fmt: skip
PROXY: dict[str, Any] = {
    "type": "Opaque",
    "data": dict.fromkeys(
        (
            "endpoint", "conn-string", "storageaccountname", "storageaccountkey", "conn_string", "livekit-url",
            "livekit-api-key", "livekit-api-secret", "flow-mp-api-internal-password",
        ),
        "e30=",
    ),
}  # fmt: skip
TOKEN: dict[str, Any] = {"type": "Opaque", "data": {"hf-token-secret": "e30=", "key": "e30="}}
KINDS = {
    "registry": LOGIN,
    "speaker": SPEAKER,
    "license": LICENSE,
    "certificate": CERTIFICATE,
    "proxy-": PROXY,
    "redis": ADDRESSES,
    "address": ADDRESSES,
    "database": ADDRESSES,
    "vllm": TOKEN,
    "keys": TOKEN,
    "mine": TOKEN,
    "balancer": {"type": "Opaque", "data": {"llm-key": "e30="}},
    "own-": PROXY,
    "front-": PROXY,
}
"""What a Secret holds, by the first of these that is a part of its name; any other is a login."""
NOT_FOUND: dict[str, Any] = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": "no"}

MISSING: set[str] = {"nginx-default-tls"}
"""Names of Secrets that are not there; tests set it."""

HELD: dict[str, dict[str, Any]] = {}
"""Secrets that are there as tests say, by name."""


class Answers(BaseHTTPRequestHandler):
    """`GET /api/v1/namespaces/<namespace>/secrets/<name>`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        kind = next((held for part, held in KINDS.items() if part in name), LOGIN)
        status, answer = 200, {"kind": "Secret", "metadata": {"name": name}, **HELD.get(name, kind)}
        if name in MISSING and name not in HELD:
            status, answer = 404, NOT_FOUND
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Says nothing."""


def kubeconfig_for(server: str) -> str:
    """A kubeconfig for a server that asks for nothing."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {"token": "made-up"}}],
        }
    )


@functools.cache
def kubeconfig() -> str:
    """The kubeconfig of the one server of this process, started when first asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="secrets' API", daemon=True).start()
    return kubeconfig_for(f"http://127.0.0.1:{server.server_port}")
