"""The one table of images: what each listens on, how long it takes to start and to stop, what it needs.

Ports and HTTP paths are the contract's (transcription 4, 11; control plane 4, 10.3; proxy; flow 2 to 5; nginx: its own
manual).
Start and stop seconds are the stand-in's own: nobody here has measured the vendor's images. An image that is not in the
table cannot be pulled.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

PULL_SECONDS = 1.0
"""The first pull of an image onto a node (own number)."""

VENDOR = "speechmaticspublic.azurecr.io"

_CODES = (
    "ar ba be bg bn ca cmn cmn_en cs cy da de el en en_ms en_ta eo es et eu fa fi fr ga gl he hi hr hu ia id it ja ko "
    "lt lv mn mr ms mt nl no pl pt ro ru sk sl sv sw ta th tr ug uk ur vi yue es-bilingual-en"
)
LANGUAGES = frozenset(_CODES.split())
"""Languages there is a transcriber image for (contract: transcription 12.5 and 6)."""
LATER = frozenset({"tl", "cmn_en_ms_ta", "ar_en"})
"""Languages of later charts (contract: transcription 6)."""


class Need(StrEnum):
    """What a process waits for before it listens (see `sandbox.nodes.dependencies`)."""

    REDIS = "redis"
    """A Redis behind the address in its REDIS_CONN_URL."""
    CAPACITY = "capacity"
    """A ready inference server for its language, when SM_CHECK_FOR_CAPACITY_ON_START says so."""


@dataclass(frozen=True)
class Image:
    """What is known of one image. Seconds are unscaled."""

    start_seconds: float
    """From the start of the container until the process listens, needs aside."""
    stop_seconds: float
    """From SIGTERM until an idle process has ended."""
    ports: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Where it listens, with the HTTP paths that answer 200 there (none: not HTTP, or no path is known).

    That a pod declares another port makes nobody listen there: see `carriers` and `commands`.
    """
    carriers: Mapping[int, str] = field(default_factory=dict)
    """Port → the variable, or the argument (`--port`), that moves it to another one."""
    as_sentinel: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Where it listens instead when it is a Redis that is started as a sentinel."""
    user: int = 0
    """The user id it runs as when nobody says otherwise."""
    needs: Need | None = None
    redis_wait_seconds: float | None = None
    """How long it tries to reach Redis before it exits; None: until a probe ends it."""
    license_file: str | None = None
    """A file it does not run without."""
    session_port: int | None = None
    """Where the connections of its sessions end."""
    finishes_busy: bool = True
    """Whether it is known to serve its sessions to the end once it was told to stop; if not, the plane's settings say
    (`busySigterm`)."""
    pre_stop_seconds: float = 0.0
    """How long the product's preStop hook of an idle container takes, where the container has one."""
    programs: frozenset[str] = frozenset()
    """Programs that exec finds in it, beside what every image has here."""


@dataclass(frozen=True)
class Registry:
    """A registry the nodes can reach."""

    credentials_sha256: str | None = None
    """SHA-256 of the one `user:password` it accepts; None: anonymous pulls work."""


REGISTRIES: Mapping[str, Registry] = {
    VENDOR: Registry("8515e447de9d87fca52de6f6cfbdbbb28546a68d36ad492e23a1746bc380f479"),
    "docker.io": Registry(),
    "nvcr.io": Registry(),
    "quay.io": Registry(),
    "ghcr.io": Registry(),
}


def mirrors(setting: str) -> dict[str, Registry]:
    """Registries that are somebody's own, by `host` or `host=SHA-256 of user:password` joined by commas.

    Each has copies of all known images, under any path.
    """
    entries = (entry.partition("=") for entry in setting.split(",") if entry)
    return {host: Registry(digest or None) for host, _, digest in entries}


_METRICS_SIDECAR: Mapping[int, tuple[str, ...]] = {8008: ("/metrics",), 8022: ()}
_TRITON = Image(
    start_seconds=8,
    stop_seconds=1,
    ports={8000: ("/v2", "/v2/health/ready", "/v2/health/live"), 8001: (), 8002: ("/metrics",)},
    license_file="/etc/secrets/license.json",
    session_port=8001,
    finishes_busy=False,
    pre_stop_seconds=21,
    programs=frozenset({"bash", "netstat"}),
)
_TRANSCRIBER = Image(
    start_seconds=3,
    stop_seconds=1,
    ports={9000: (), 8001: ("/live", "/ready", "/started", "/session_status")},
    license_file="/license.json",
    session_port=9000,
    finishes_busy=False,
)
_FLOW = Image(
    start_seconds=3,
    stop_seconds=1,
    ports={3000: (), 3001: ("/api/health", "/api/ready", "/api/active_sessions")},
    license_file="/license.json",
    session_port=3000,
    finishes_busy=False,
)
_TTS = Image(8, 1, {8000: ()}, license_file="/license.json", session_port=8000, finishes_busy=False)
_VLLM = Image(20, 2, {8000: ("/health", "/metrics")}, carriers={8000: "--port"})
_REDIS = Image(
    1,
    1,
    {6379: ()},
    carriers={6379: "--port"},
    as_sentinel={26379: ()},
    # a primary hands over first: measured by tests/redis
    pre_stop_seconds=2,
    programs=frozenset({"redis-cli", "grep"}),
)
_NGINX = Image(
    2,
    1,
    {80: (), 443: (), 8081: ("/nginx-ready",), 9113: ("/metrics",)},
    user=101,
    session_port=443,
)

IMAGES: Mapping[str, Image] = {
    f"{VENDOR}/resource-manager": Image(2, 1, {8080: ("/ready", "/live")}, needs=Need.REDIS),
    f"{VENDOR}/resource-manager-metrics": Image(1, 1, {8080: ("/metrics",)}, needs=Need.REDIS, redis_wait_seconds=10),
    f"{VENDOR}/resource-manager-reconciliation": Image(1, 1, {8080: ()}, needs=Need.REDIS, redis_wait_seconds=10),
    f"{VENDOR}/sessiongroups-controller": Image(2, 1, {8081: ("/healthz", "/readyz"), 8025: ()}, needs=Need.REDIS),
    f"{VENDOR}/rt-asr-transcriber-*": _TRANSCRIBER,
    f"{VENDOR}/readiness-tracker": Image(
        1, 1, {8002: (), 8022: (), 8023: ()}, carriers={8002: "READINESS_TRACKER_HEALTH_CHECK_PORT"}
    ),
    f"{VENDOR}/worker-proxy": Image(1, 1, {8008: (), 8024: ("/ready",)}, needs=Need.CAPACITY),
    f"{VENDOR}/sm-gpu-inference-server-enhanced-recipe1": _TRITON,
    f"{VENDOR}/sm-gpu-inference-server-enhanced-recipe2": _TRITON,
    f"{VENDOR}/sm-gpu-inference-server-enhanced-recipe3": _TRITON,
    f"{VENDOR}/sm-gpu-inference-server-enhanced-recipe4": _TRITON,
    f"{VENDOR}/sm-gpu-inference-server-standard-all": _TRITON,
    f"{VENDOR}/inference-sidecar": Image(1, 1, _METRICS_SIDECAR, carriers={8008: "SM_METRICS_PORT"}),
    f"{VENDOR}/proxy-service": Image(2, 1, {8080: ("/live", "/ready")}, session_port=8080),
    f"{VENDOR}/cache-sidecar": Image(1, 1, {8080: ()}),
    f"{VENDOR}/flow-service": _FLOW,
    f"{VENDOR}/llm-proxy": Image(1, 1, {8080: ()}),
    f"{VENDOR}/sm-tts-inference-server": _TTS,
    "docker.io/vllm/vllm-openai": _VLLM,
    "docker.io/library/redis": _REDIS,
    "docker.io/nginx/nginx-ingress": _NGINX,
    "quay.io/nginx/nginx-ingress": _NGINX,
    "ghcr.io/nginx/kubernetes-ingress": _NGINX,
    "nvcr.io/nvidia/k8s-device-plugin": Image(1, 1),
}
"""By repository; `*` is a language."""

INFERENCE_SIDECAR = f"{VENDOR}/inference-sidecar"
DEVICE_PLUGIN = "nvcr.io/nvidia/k8s-device-plugin"

_TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_REFERENCE = re.compile(
    rf"(?P<name>[a-z0-9][a-z0-9._/:-]*?)(?::(?P<tag>{_TAG}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?\Z"
)


@dataclass(frozen=True)
class Reference:
    """An image as a container names it."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None

    @property
    def name(self) -> str:
        return f"{self.registry}/{self.repository}"

    @property
    def original(self) -> str:
        """Registry and repository of the image that it is, or is a copy of by its last name.

        Whether there is a copy in that registry is asked when it is pulled.
        """
        if self.registry in REGISTRIES:
            return self.name
        last = self.repository.rpartition("/")[2]
        return next((name for known in IMAGES if (name := _named(known, last))), self.name)

    @property
    def full(self) -> str:
        """The normal form, as the runtime writes it."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}" + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Reference | None:
    """The reference, with the registry and tag that go without saying; None when it is none."""
    match = _REFERENCE.match(text)
    if match is None:
        return None
    name, tag, digest = match["name"], match["tag"], match["digest"]
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = "docker.io", name if slash else f"library/{name}"
    if ":" in rest:
        return None
    if first == "index.docker.io":
        first = "docker.io"
    return Reference(first, rest, tag or (None if digest else "latest"), digest)


def _named(known: str, last: str) -> str | None:
    """The name of an image of the table, its language put in, if it ends so; else None."""
    folder, _, name = known.rpartition("/")
    stem = name.removesuffix("*")
    fits = last == name or (stem != name and last.startswith(stem))
    return f"{folder}/{last}" if fits else None


def find(reference: Reference) -> Image | None:
    """What is known of the image; None when no such image exists."""
    original = reference.original
    if original in IMAGES:
        known = IMAGES[original]
        untagged = reference.tag == "latest" and original.startswith(VENDOR)
        return None if untagged else known
    for pattern, image in IMAGES.items():
        stem = pattern.removesuffix("*")
        if stem != pattern and original.startswith(stem):
            language = original.removeprefix(stem)
            return image if language in LANGUAGES | LATER and reference.tag != "latest" else None
    return None


def listening(image: Image, container: Mapping[str, Any], env: Mapping[str, str]) -> Mapping[int, Sequence[str]]:
    """Where the process of such a container listens with this environment, with the HTTP paths that answer 200."""
    command, arguments = container.get("command") or [], container.get("args") or []
    words = [*command, *arguments]
    # the program, or the script that a shell is given
    sentinel = "--sentinel" in words or any("sentinel" in word.rpartition("/")[2] for word in command[:2])
    found = {}
    for port, paths in (image.as_sentinel if sentinel and image.as_sentinel else image.ports).items():
        carried = _carried(image.carriers.get(port, ""), words, env)
        if not carried or carried.isdecimal():  # with anything else it listens nowhere
            found[int(carried or port)] = paths
    return found


def _carried(carrier: str, words: Sequence[str], env: Mapping[str, str]) -> str | None:
    """What the command line or the environment gives for a port; None when they say nothing."""
    if not carrier.startswith("--"):
        return env.get(carrier)
    both = itertools.pairwise([*words, ""])
    given = [word.partition("=")[2] or following for word, following in both if word.partition("=")[0] == carrier]
    return given[0] if given else None


def of(text: str) -> Image | None:
    """As `find`, for the text of a container's `image`."""
    reference = parse(text)
    return find(reference) if reference else None


def table() -> list[tuple[str, float, float]]:
    """Every image with its start and stop seconds, for the printed table."""
    return [(name, image.start_seconds, image.stop_seconds + image.pre_stop_seconds) for name, image in IMAGES.items()]
